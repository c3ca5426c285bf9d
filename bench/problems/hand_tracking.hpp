// Hand tracking, as ADBench defines it: a skinned hand model of 22 bones is posed by 26 numbers and compared with measured points.
//
//     θ: global rotation (3, axis times angle), global translation (3), and per finger 4: bend and spread of its second bone,
//        bend of its third and fourth
//     bone's place   A_b = A_parent(b) · B_b · Rz(spread) Rx(bend)         B_b its rest place relative to the parent
//     vertex         v = R(θ) Σ_b weight_b A_b B̂_b⁻¹ v₀ + translation      B̂_b its rest place in the world
//     error          3 numbers per measured point: the point less its vertex ("simple"), or less the point u₀ v₁ + u₁ v₂ + (1 − u₀ − u₁) v₃
//                    of its triangle, u also variables ("complicated")
//
// The derivative wanted is the Jacobian: 26 columns, and in the complicated case two more, since each u moves one point only. Vertices that
// nobody measures and weights that are zero are skipped here by all contestants (ADBench computes them and throws them away).
#pragma once
#include "rotation.hpp"
#include <algorithm>

namespace bench {

struct HandTracking {
  static constexpr const char* name = "hand tracking";
  static constexpr std::size_t bones = 22, thetas = 26, none = static_cast<std::size_t>(-1);
  /// A place in space: columns of the rotation, then the translation.
  template <class T> using Place = std::array<Three<T>, 4>;
  struct Weight { std::size_t bone; double weight; };

  std::vector<std::size_t> parent;                      ///< none for the root; a parent comes before its children
  std::vector<Place<double>> base, inverse;             ///< B_b and B̂_b⁻¹
  std::vector<Three<double>> vertices;                  ///< v₀
  std::vector<std::vector<Weight>> weights;             ///< per vertex
  std::vector<std::array<std::size_t, 3>> triangles;
  std::vector<std::size_t> measured;                    ///< per point: its vertex, or in the complicated case its triangle
  std::vector<Three<double>> points;
  std::vector<double> x;                                ///< θ, then the u of each point in the complicated case

  explicit HandTracking(std::size_t point_count = 100, bool complicated = false, std::size_t vertex_count = 544) {
    Random random(13);
    std::vector<Place<double>> world;
    for (std::size_t b = 0; b < bones; ++b) {
      parent.push_back(b == 0 ? none : b % 4 == 1 ? 0 : b - 1);        // wrist, five fingers of four bones, forearm
      const Rotation turn({random.uniform(-0.5, 0.5), random.uniform(-0.5, 0.5), random.uniform(-0.5, 0.5)});
      Place<double> place;
      for (std::size_t j = 0; j < 3; ++j) place[j] = {turn.matrix[0][j], turn.matrix[1][j], turn.matrix[2][j]};
      place[3] = {random.uniform(-0.1, 0.1), random.uniform(-0.1, 0.1), random.uniform(-0.1, 0.1)};
      base.push_back(place);
      world.push_back(b == 0 ? place : after(world[parent[b]], place));
      inverse.push_back(undo(world.back()));
    }
    for (std::size_t i = 0; i < vertex_count; ++i) {
      vertices.push_back({random.uniform(-0.2, 0.2), random.uniform(-0.2, 0.2), random.uniform(-0.2, 0.2)});
      std::vector<Weight> w;
      double sum = 0;
      for (std::size_t j = 1 + random.below(4); j > 0; --j) w.push_back({(i + 5 * j) % bones, random.uniform(0.1, 1)});
      for (const Weight& a : w) sum += a.weight;
      for (Weight& a : w) a.weight /= sum;
      weights.push_back(w);
    }
    for (std::size_t i = 0; i < 2 * vertex_count; ++i)
      triangles.push_back({random.below(vertex_count), random.below(vertex_count), random.below(vertex_count)});
    x = random.uniforms(thetas, -0.5, 0.5);
    for (std::size_t i = 0; i < point_count; ++i) {
      measured.push_back(random.below(complicated ? triangles.size() : vertex_count));
      points.push_back({random.normal(), random.normal(), random.normal()});
      if (complicated) x.push_back(random.uniform(0, 0.5)), x.push_back(random.uniform(0, 0.5));
    }
  }
  bool complicated() const { return x.size() > thetas; }
  std::string size() const { return join(points.size(), " points, ", complicated() ? "complicated" : "simple"); }
  std::size_t rows() const { return 3 * points.size(); }
  std::size_t columns() const { return thetas + (complicated() ? 2 : 0); }
  /// The column in which variable i stands: of one θ its own, of the u's the first or the second of all points.
  std::size_t column(std::size_t i) const { return i < thetas ? i : thetas + (i - thetas) % 2; }
  /// The direction whose tangent is column j.
  std::vector<double> direction(std::size_t j) const {
    std::vector<double> v(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) v[i] = column(i) == j;
    return v;
  }

  /// The errors, 3 per point.
  template <class V> auto operator()(const V& v) const {
    using std::cos, std::sin;
    using T = NumberOf<V>;
    std::vector<Place<T>> place(bones), skin(bones);
    for (std::size_t b = 0; b < bones; ++b) {
      Place<T> own;
      for (std::size_t j = 0; j < 4; ++j) own[j] = {T(base[b][j][0]), T(base[b][j][1]), T(base[b][j][2])};
      if (const std::size_t s = spread(b); s != none) turn(own[0], own[1], T(cos(v[s])), T(sin(v[s])));
      if (const std::size_t t = bend(b); t != none) turn(own[1], own[2], T(cos(v[t])), T(sin(v[t])));
      place[b] = parent[b] == none ? own : after(place[parent[b]], own);
      skin[b] = after(place[b], inverse[b]);
    }
    const Three<T> axis{v[0], v[1], v[2]};
    auto vertex = [&](std::size_t i) {
      Three<T> sum{T(0.0), T(0.0), T(0.0)};
      for (const Weight& w : weights[i])
        for (std::size_t k = 0; k < 3; ++k)
          sum[k] += w.weight * (skin[w.bone][0][k] * vertices[i][0] + skin[w.bone][1][k] * vertices[i][1] +
                                skin[w.bone][2][k] * vertices[i][2] + skin[w.bone][3][k]);
      Three<T> r = rotate<T>(axis, sum);
      for (std::size_t k = 0; k < 3; ++k) r[k] += v[3 + k];
      return r;
    };
    std::vector<T> errors(rows());
    for (std::size_t i = 0; i < points.size(); ++i) {
      if (!complicated()) {
        const Three<T> a = vertex(measured[i]);
        for (std::size_t k = 0; k < 3; ++k) errors[3 * i + k] = points[i][k] - a[k];
        continue;
      }
      const auto& corner = triangles[measured[i]];
      const Three<T> a = vertex(corner[0]), b = vertex(corner[1]), c = vertex(corner[2]);
      const T u0 = v[thetas + 2 * i], u1 = v[thetas + 2 * i + 1];
      for (std::size_t k = 0; k < 3; ++k) errors[3 * i + k] = points[i][k] - (u0 * a[k] + u1 * b[k] + (1.0 - u0 - u1) * c[k]);
    }
    return errors;
  }

  /// The Jacobian, column by column. A finger's joint moves the bones below it only: four tangents per bone at most.
  void hand(std::vector<double>& out) const {
    struct Moved { std::size_t theta; Place<double> place, skin; };
    struct Few {                                                       // the thetas that move a bone
      std::array<Moved, thetas> all;                                   // 4 of a hand, more of what a file may say
      std::size_t count = 0;
      void push_back(const Moved& m) { all[count++] = m; }
      Moved* begin() { return all.data(); }
      Moved* end() { return all.data() + count; }
    };
    std::array<Place<double>, bones> own, place, skin;
    std::array<Few, bones> moved;
    for (std::size_t b = 0; b < bones; ++b) {
      own[b] = base[b];
      const std::size_t s = spread(b), t = bend(b);
      const double cs = s == none ? 1 : std::cos(x[s]), ss = s == none ? 0 : std::sin(x[s]), ct = t == none ? 1 : std::cos(x[t]),
                   st = t == none ? 0 : std::sin(x[t]);
      Place<double> by_spread{}, by_bend{};
      by_spread[0] = base[b][0], by_spread[1] = base[b][1];
      turn(by_spread[0], by_spread[1], -ss, cs);                       // the derivative of a turn is a turn by (−sin, cos)
      turn(by_spread[1], by_spread[2], ct, st);
      turn(own[b][0], own[b][1], cs, ss);
      by_bend[1] = own[b][1], by_bend[2] = own[b][2];
      turn(by_bend[1], by_bend[2], -st, ct);
      turn(own[b][1], own[b][2], ct, st);
      place[b] = parent[b] == none ? own[b] : after(place[parent[b]], own[b]);
      skin[b] = after(place[b], inverse[b]);
      if (parent[b] != none)
        for (const Moved& m : moved[parent[b]]) moved[b].push_back({m.theta, after(m.place, own[b]), {}});
      auto add = [&](std::size_t theta, const Place<double>& tangent) {
        moved[b].push_back({theta, parent[b] == none ? tangent : after_tangent(place[parent[b]], tangent), {}});
      };
      if (s != none) add(s, by_spread);
      if (t != none) add(t, by_bend);
      for (Moved& m : moved[b]) m.skin = after(m.place, inverse[b]);
    }
    const Rotation rotation({x[0], x[1], x[2]});
    for (Few& few : moved)
      for (Moved& m : few)
        for (Three<double>& column : m.skin) column = rotation(column);
    std::fill(out.begin(), out.end(), 0.0);
    const std::size_t n = rows();
    /// Adds share × the derivative of −vertex to the rows of point i; returns the vertex.
    auto add_vertex = [&](std::size_t i, std::size_t index, double share) {
      const Three<double>& v0 = vertices[index];
      Three<double> sum{};
      for (const Weight& w : weights[index]) {
        const Three<double> at = apply(skin[w.bone], v0);
        for (std::size_t k = 0; k < 3; ++k) sum[k] += w.weight * at[k];
        for (const Moved& m : moved[w.bone]) {
          const Three<double> d = apply(m.skin, v0);
          for (std::size_t k = 0; k < 3; ++k) out[m.theta * n + 3 * i + k] -= share * w.weight * d[k];
        }
      }
      const auto turned = rotation.derivative(sum);
      for (std::size_t j = 0; j < 3; ++j) {
        for (std::size_t k = 0; k < 3; ++k) out[j * n + 3 * i + k] -= share * turned[j][k];
        out[(3 + j) * n + 3 * i + j] -= share;
      }
      return rotation(sum);                                            // the translation cancels in differences
    };
    for (std::size_t i = 0; i < points.size(); ++i) {
      if (!complicated()) {
        add_vertex(i, measured[i], 1);
        continue;
      }
      const auto& corner = triangles[measured[i]];
      const double u0 = x[thetas + 2 * i], u1 = x[thetas + 2 * i + 1];
      const auto a = add_vertex(i, corner[0], u0), b = add_vertex(i, corner[1], u1), c = add_vertex(i, corner[2], 1 - u0 - u1);
      for (std::size_t k = 0; k < 3; ++k) {
        out[thetas * n + 3 * i + k] = c[k] - a[k];
        out[(thetas + 1) * n + 3 * i + k] = c[k] - b[k];
      }
    }
  }

 private:
  /// Which θ bends (spreads) a bone: fingers 0 … 4 have bones 1 + 4f … 4 + 4f, of which the first does not move.
  static std::size_t bend(std::size_t bone) {
    if (bone == 0 || bone > 20 || (bone - 1) % 4 == 0) return none;
    const std::size_t finger = (bone - 1) / 4, joint = (bone - 1) % 4;
    return 6 + 4 * finger + (joint == 1 ? 0 : joint);
  }
  static std::size_t spread(std::size_t bone) { return bend(bone) != none && (bone - 1) % 4 == 1 ? bend(bone) + 1 : none; }

  /// (a, b) ← (a cos + b sin, b cos − a sin): a rotation on the right, of two columns.
  template <class T> static void turn(Three<T>& a, Three<T>& b, const T& c, const T& s) {
    for (std::size_t k = 0; k < 3; ++k) {
      const T mixed = a[k] * c + b[k] * s;
      b[k] = b[k] * c - a[k] * s;
      a[k] = mixed;
    }
  }
  /// outer · inner, both with last row 0 0 0 1; also right for a tangent outside (last row 0 0 0 0).
  template <class T, class U> static Place<T> after(const Place<T>& outer, const Place<U>& inner) {
    Place<T> r = after_tangent(outer, inner);
    for (std::size_t k = 0; k < 3; ++k) r[3][k] += outer[3][k];
    return r;
  }
  /// outer · inner for a tangent inside: nothing of the outer translation.
  template <class T, class U> static Place<T> after_tangent(const Place<T>& outer, const Place<U>& inner) {
    Place<T> r;
    for (std::size_t j = 0; j < 4; ++j)
      for (std::size_t k = 0; k < 3; ++k) r[j][k] = outer[0][k] * inner[j][0] + outer[1][k] * inner[j][1] + outer[2][k] * inner[j][2];
    return r;
  }
  static Three<double> apply(const Place<double>& a, const Three<double>& v) {
    Three<double> r;
    for (std::size_t k = 0; k < 3; ++k) r[k] = a[0][k] * v[0] + a[1][k] * v[1] + a[2][k] * v[2] + a[3][k];
    return r;
  }
  /// The inverse of a rigid place.
  static Place<double> undo(const Place<double>& a) {
    Place<double> r;
    for (std::size_t j = 0; j < 3; ++j)
      for (std::size_t k = 0; k < 3; ++k) r[j][k] = a[k][j];
    for (std::size_t k = 0; k < 3; ++k) r[3][k] = -(a[k][0] * a[3][0] + a[k][1] * a[3][1] + a[k][2] * a[3][2]);
    return r;
  }
};

}  // namespace bench
