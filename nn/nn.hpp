// The door of nn: small neural nets on the tape of autodiff. Include this. Backpropagation is not in here: it is the tape, read backwards.
//
//     nn::Sequential net{nn::Linear(2, 3), nn::Sigmoid{}, nn::Linear(3, 1)};     // a model: this, or any struct of layers
//     nn::initialize(net, 1);
//     nn::Sgd optimizer{{.learning_rate = 0.1}};
//     ad::Tape tape;
//     for (…) {
//       tape.clear();
//       ad::Var cost = nn::binary_cross_entropy_with_logits(net(x), y);
//       tape.backward(cost);
//       optimizer.step(net);
//     }
//
// Its floors; a file includes what stands on its own floor or below, never from above, and of autodiff only the door:
//
//   4  loss.hpp      mse, half_mse, binary_cross_entropy, binary_cross_entropy_with_logits, cross_entropy
//   3  layers.hpp    Linear, Sigmoid, Tanh, Relu, Gelu, Silu, Softplus, Softmax, Activation, Dropout, NoDropout, Sequential
//   2  init.hpp      initialize, and the schemes by which first weights are drawn
//      optim.hpp     Sgd, Adam
//      net_state.hpp what an optimizer keeps for a net
//      io.hpp        save, load: safetensors
//      data.hpp      Batches: shuffled minibatches; gather: their labels
//      flat.hpp      flatten, unflatten, flat_gradient, set_flat_gradient: all parameters as one vector
//      check.hpp     check_gradient of a model
//   1  module.hpp    the parameters of a struct: for_each_parameter, for_each_named_parameter, parameter_count
//      random.hpp    Random: the same digits on every machine; tensors of them: normal, uniform
#pragma once
#if __cplusplus < 202002L
#error "autodiff needs C++20: compile with -std=c++20"
#else
#pragma GCC visibility push(default)  // as autodiff.hpp does
#include "check.hpp"
#include "data.hpp"
#include "flat.hpp"
#include "init.hpp"
#include "io.hpp"
#include "layers.hpp"
#include "loss.hpp"
#include "module.hpp"
#include "optim.hpp"
#include "random.hpp"
#pragma GCC visibility pop
#endif
