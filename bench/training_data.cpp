// Synthetic digits, and the judge's forward pass in double.
#include "training_data.hpp"
#include <algorithm>
#include <array>
#include <cmath>
#include "problems/number.hpp"

namespace training {

namespace {

using bench::Random;

float uniform(Random& random) { return static_cast<float>(random.bits() >> 40) * 0x1p-24f; }

using Picture = std::vector<float>;

/// Three strokes, brightest on the line between two points and fading within about a fourteenth of the side.
Picture draw_class(std::size_t side, Random& random) {
  const float size = static_cast<float>(side), fade = 2 * (size / 14) * (size / 14);
  Picture picture(side * side, 0.0f);
  for (int stroke = 0; stroke < 3; ++stroke) {
    std::array<float, 4> p;
    for (float& v : p) v = size * (0.2f + 0.6f * uniform(random));
    for (std::size_t i = 0; i < side; ++i)
      for (std::size_t j = 0; j < side; ++j) {
        const float y = static_cast<float>(i), x = static_cast<float>(j), dx = p[2] - p[0], dy = p[3] - p[1];
        const float along = std::clamp(((x - p[0]) * dx + (y - p[1]) * dy) / (dx * dx + dy * dy + 1e-6f), 0.0f, 1.0f);
        const float ex = x - p[0] - along * dx, ey = y - p[1] - along * dy;
        float& pixel = picture[i * side + j];
        pixel = std::max(pixel, std::exp(-(ex * ex + ey * ey) / fade));
      }
  }
  for (float& pixel : picture)
    if (pixel < 0.05f) pixel = 0;
  return picture;
}

}  // namespace

void make_digits(std::size_t samples, std::size_t width, std::uint64_t seed, float* inputs, int* labels) {
  Random random(seed);
  const auto side = static_cast<std::size_t>(std::lround(std::sqrt(static_cast<double>(width))));
  std::vector<Picture> classes;
  if (side * side == width)
    for (int c = 0; c < 10; ++c) classes.push_back(draw_class(side, random));
  for (std::size_t s = 0; s < samples; ++s) {
    float* out = inputs + s * width;
    const std::size_t label = random.below(10);
    labels[s] = static_cast<int>(label);
    if (classes.empty()) {
      for (std::size_t i = 0; i < width; ++i) out[i] = uniform(random);
      continue;
    }
    const std::size_t reach = side >= 16 ? 2 : 1;  // how far a picture may move
    const std::size_t down = random.below(2 * reach + 1), right = random.below(2 * reach + 1);
    const float light = 0.7f + 0.3f * uniform(random);
    const Picture& picture = classes[label];
    for (std::size_t i = 0; i < side; ++i)
      for (std::size_t j = 0; j < side; ++j) {
        const std::size_t y = i + down - reach, x = j + right - reach;  // outside wraps round to a large number
        const float pixel = y < side && x < side ? picture[y * side + x] : 0.0f;
        out[i * side + j] = pixel > 0 ? std::min(1.0f, pixel * light + 0.1f * uniform(random)) : 0.0f;
      }
  }
}

double cost_of(const Problem& problem, const Data& data, const Parameters& parameters, std::size_t samples) {
  samples = std::min(samples, problem.samples);
  double total = 0;
  std::vector<double> x, y;
  for (std::size_t s = 0; s < samples; ++s) {
    const float* in = data.inputs + s * problem.sizes.front();
    x.assign(in, in + problem.sizes.front());
    for (const Layer& layer : parameters) {
      y.assign(layer.bias.begin(), layer.bias.end());
      for (std::size_t i = 0; i < layer.in; ++i)
        for (std::size_t j = 0; j < layer.out; ++j) y[j] += x[i] * static_cast<double>(layer.weight[i * layer.out + j]);
      if (&layer != &parameters.back())
        for (double& v : y) v = 1 / (1 + std::exp(-v));
      x.swap(y);
    }
    if (problem.logistic()) {
      total += std::max(x[0], 0.0) - x[0] * static_cast<double>(data.targets[s]) + std::log1p(std::exp(-std::abs(x[0])));
    } else {
      const double top = *std::max_element(x.begin(), x.end());
      double sum = 0;
      for (double v : x) sum += std::exp(v - top);
      total += std::log(sum) + top - x[static_cast<std::size_t>(data.labels[s])];
    }
  }
  return total / static_cast<double>(samples);
}

double distance(const Parameters& start, const Parameters& first, const Parameters& second) {
  double way = 0, apart = 0;
  auto add = [&](const std::vector<float>& from, const std::vector<float>& a, const std::vector<float>& b) {
    for (std::size_t i = 0; i < from.size(); ++i) {
      const double moved = static_cast<double>(a.at(i)) - static_cast<double>(from[i]),
                   off = static_cast<double>(b.at(i)) - static_cast<double>(a[i]);
      way += moved * moved, apart += off * off;
    }
  };
  for (std::size_t l = 0; l < start.size(); ++l) {
    add(start[l].weight, first.at(l).weight, second.at(l).weight);
    add(start[l].bias, first[l].bias, second[l].bias);
  }
  return std::sqrt(apart / way);
}

}  // namespace training
