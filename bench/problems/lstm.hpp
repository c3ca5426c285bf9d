// ADBench's LSTM: a recurrent network whose weight matrices are diagonal, predicting the next character of a text.
//
// Per layer and step, elementwise over b numbers, with input z, hidden h, cell c, weights w and biases a of four gates:
//     f = σ(z w₁ + a₁)   i = σ(h w₂ + a₂)   o = σ(z w₃ + a₃)   t = tanh(h w₄ + a₄)
//     c ← c f + i t      h ← o tanh c       the next layer's input is h
// The first input is the character times in_weight; prediction p = h out_weight + out_bias; the cost is
//     −1/(b (steps − 1)) Σ goldⱼ (pⱼ − log(2 + Σ exp p))          (the 2 is ADBench's)
// Variables: per layer w₁ … w₄, a₁ … a₄ (b each); then in_weight, out_weight, out_bias. The state before the first step is given.
#pragma once
#include "number.hpp"
#include <algorithm>

namespace bench {

struct Lstm {
  static constexpr const char* name = "lstm";
  std::size_t layers, length, b;
  std::vector<double> x;
  std::vector<double> state;                            ///< per layer h, c
  std::vector<double> text;                             ///< length × b bits

  explicit Lstm(std::size_t l = 2, std::size_t c = 1024, std::size_t bits = 14) : layers(l), length(c), b(bits) {
    Random random(8);
    x = random.uniforms(variables());
    state = random.uniforms(2 * l * b);
    for (std::size_t i = 0; i < c * b; ++i) text.push_back(random.uniform() < 0.3);
  }
  std::string size() const { return join("l", layers, " c", length); }
  std::size_t variables() const { return 8 * layers * b + 3 * b; }

  template <class V> auto operator()(const V& v) const {
    using std::exp, std::log, std::tanh;
    using T = NumberOf<V>;
    auto squash = [](const auto& a) -> decltype(auto) { return 1.0 / (1.0 + exp(-a)); };   // an expression, where T has such
    const std::size_t in = 8 * layers * b, out = in + b, bias = out + b;
    std::vector<T> now(state.begin(), state.end()), z(b);
    T total(0.0);
    for (std::size_t t = 0; t + 1 < length; ++t) {
      for (std::size_t j = 0; j < b; ++j) z[j] = text[t * b + j] * v[in + j];
      for (std::size_t layer = 0; layer < layers; ++layer) {
        const std::size_t w = 8 * layer * b, a = w + 4 * b, h = 2 * layer * b, c = h + b;
        for (std::size_t j = 0; j < b; ++j) {
          const T forget = squash(z[j] * v[w + j] + v[a + j]);
          const T ingate = squash(now[h + j] * v[w + b + j] + v[a + b + j]);
          const T outgate = squash(z[j] * v[w + 2 * b + j] + v[a + 2 * b + j]);
          const T change = tanh(now[h + j] * v[w + 3 * b + j] + v[a + 3 * b + j]);
          now[c + j] = now[c + j] * forget + ingate * change;
          now[h + j] = outgate * tanh(now[c + j]);
          z[j] = now[h + j];
        }
      }
      T sum(2.0);
      for (std::size_t j = 0; j < b; ++j) {
        z[j] = z[j] * v[out + j] + v[bias + j];
        sum += exp(z[j]);
      }
      const T log_sum = log(sum);
      for (std::size_t j = 0; j < b; ++j) total += text[(t + 1) * b + j] * (z[j] - log_sum);
    }
    T y = total * (-1.0 / static_cast<double>(b * (length - 1)));
    return y;
  }

  /// Backpropagation through time: every gate and state is kept, so the way back calls no exp or tanh.
  double hand(const std::vector<double>& v, std::vector<double>& g) {
    const std::size_t in = 8 * layers * b, out = in + b, bias = out + b, per_step = layers * b;
    kept_.resize((length - 1) * (per_step + b));
    std::vector<double> now = state, z(b);
    double total = 0;
    for (std::size_t t = 0; t + 1 < length; ++t) {
      Cell* cell = &kept_[t * (per_step + b)];
      for (std::size_t j = 0; j < b; ++j) z[j] = text[t * b + j] * v[in + j];
      for (std::size_t layer = 0; layer < layers; ++layer) {
        const double *w = &v[8 * layer * b], *a = w + 4 * b;
        double *h = &now[2 * layer * b], *c = h + b;
        for (std::size_t j = 0; j < b; ++j, ++cell) {
          cell->z = z[j], cell->h = h[j], cell->c = c[j];
          cell->forget = squash(z[j] * w[j] + a[j]);
          cell->ingate = squash(h[j] * w[b + j] + a[b + j]);
          cell->outgate = squash(z[j] * w[2 * b + j] + a[2 * b + j]);
          cell->change = std::tanh(h[j] * w[3 * b + j] + a[3 * b + j]);
          c[j] = c[j] * cell->forget + cell->ingate * cell->change;
          cell->bent = std::tanh(c[j]);
          z[j] = h[j] = cell->outgate * cell->bent;
        }
      }
      double sum = 2;
      for (std::size_t j = 0; j < b; ++j, ++cell) {
        const double p = z[j] * v[out + j] + v[bias + j];
        cell->z = z[j];
        sum += cell->change = std::exp(p);
        total += text[(t + 1) * b + j] * p;
      }
      const double log_sum = std::log(sum);
      double gold = 0;
      for (std::size_t j = 0; j < b; ++j) gold += text[(t + 1) * b + j];
      total -= gold * log_sum;
      for (std::size_t j = 0; j < b; ++j) cell[-static_cast<std::ptrdiff_t>(b - j)].c = gold / sum;
    }
    const double scale = -1.0 / static_cast<double>(b * (length - 1));
    std::fill(g.begin(), g.end(), 0.0);
    std::vector<double> back(2 * layers * b, 0.0), zb(b);                          // adjoints of the state and of z
    for (std::size_t t = length - 1; t-- > 0;) {
      const Cell* row = &kept_[t * (per_step + b)];
      for (std::size_t j = 0; j < b; ++j) {
        const Cell& cell = row[per_step + j];
        const double p = scale * (text[(t + 1) * b + j] - cell.change * cell.c);
        g[out + j] += p * cell.z;
        g[bias + j] += p;
        zb[j] = p * v[out + j];
      }
      for (std::size_t layer = layers; layer-- > 0;) {
        const double* w = &v[8 * layer * b];
        double *gw = &g[8 * layer * b], *ga = gw + 4 * b, *hb = &back[2 * layer * b], *cb = hb + b;
        for (std::size_t j = 0; j < b; ++j) {
          const Cell& cell = row[layer * b + j];
          const double h = hb[j] + zb[j];
          const double c = cb[j] + h * cell.outgate * (1 - cell.bent * cell.bent);
          const double f = c * cell.c * cell.forget * (1 - cell.forget), i = c * cell.change * cell.ingate * (1 - cell.ingate);
          const double o = h * cell.bent * cell.outgate * (1 - cell.outgate), s = c * cell.ingate * (1 - cell.change * cell.change);
          gw[j] += f * cell.z, gw[b + j] += i * cell.h, gw[2 * b + j] += o * cell.z, gw[3 * b + j] += s * cell.h;
          ga[j] += f, ga[b + j] += i, ga[2 * b + j] += o, ga[3 * b + j] += s;
          zb[j] = f * w[j] + o * w[2 * b + j];
          hb[j] = i * w[b + j] + s * w[3 * b + j];
          cb[j] = c * cell.forget;
        }
      }
      for (std::size_t j = 0; j < b; ++j) g[in + j] += zb[j] * text[t * b + j];
    }
    return total * scale;
  }

 private:
  /// What the way back wants of one cell and step; the prediction uses z, change (exp p) and c (Σ gold / Σ).
  struct Cell { double z, h, c, forget, ingate, outgate, change, bent; };
  std::vector<Cell> kept_;
  static double squash(double a) { return 1 / (1 + std::exp(-a)); }
};

}  // namespace bench
