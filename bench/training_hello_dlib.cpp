// training_hello_engine.cpp with dlib.
#include <cstdio>
#include <cstdlib>
#include <dlib/dnn.h>
#include <vector>

int main(int argc, char** argv) {
  const int epochs = argc > 1 ? std::atoi(argv[1]) : 2000;
  std::vector<dlib::matrix<float>> x(4, dlib::matrix<float>(2, 1));
  x[0] = 0, 0;
  x[1] = 0, 1;
  x[2] = 1, 0;
  x[3] = 1, 1;
  const std::vector<float> y{-1, 1, 1, -1};
  using Net = dlib::loss_binary_log<dlib::fc<1, dlib::sig<dlib::fc<3, dlib::input<dlib::matrix<float>>>>>>;
  Net net;
  dlib::dnn_trainer<Net, dlib::sgd> trainer(net, dlib::sgd(0, 0));
  trainer.set_learning_rate(1);
  trainer.set_learning_rate_shrink_factor(1);
  for (int e = 0; e < epochs; ++e) trainer.train_one_step(x, y);
  std::printf("average cost %.6f\n", epochs > 0 ? trainer.get_average_loss() : 0);
}
