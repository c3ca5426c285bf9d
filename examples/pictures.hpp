// How the examples draw, apart from what they compute. Each picture is a script for gnuplot or Graphviz, with its numbers inside, and the
// PNG made of it, side by side in one directory. Change a script and run it again by hand, if you like: `gnuplot descent.gnuplot`.
// A function for each picture; the machinery is in pictures.cpp.
#pragma once
#include "options.hpp"  // picture_directory: where they go
#include <algorithm>
#include <string>
#include <vector>

namespace pictures {

/// Numbers for a picture; `$name` in its commands. An empty row separates lines of a grid.
struct Table {
  std::string name;
  std::vector<std::vector<double>> rows;
};

/// directory/name.png by gnuplot. What all pictures share is set there; the commands only say what is drawn.
void gnuplot(const std::string& directory, const std::string& name, int width, int height,
    const std::vector<Table>& tables, const std::string& commands);

/// directory/name.png by Graphviz, of a graph in its language.
void graphviz(const std::string& directory, const std::string& name, const std::string& dot);

/// A bar of that length for the terminal.
inline std::string bar(double length) { return std::string(static_cast<std::size_t>(length > 0 ? std::min(length, 80.0) : 0), '#'); }

// ---- tables ---------------------------------------------------------------------------------------------------------

/// (x, f(x)) at n + 1 points.
template <class F> Table curve(const std::string& name, const F& f, double low, double high, int n = 400) {
  Table table{name, {}};
  for (int i = 0; i <= n; ++i) {
    const double x = low + (high - low) * i / n;
    table.rows.push_back({x, f(x)});
  }
  return table;
}
/// (x, y, f(x, y)) on (n + 1)² points, line by line.
template <class F> Table grid(const std::string& name, const F& f, double x_low, double x_high, double y_low, double y_high, int n) {
  Table table{name, {}};
  for (int j = 0; j <= n; ++j) {
    for (int i = 0; i <= n; ++i) {
      const double x = x_low + (x_high - x_low) * i / n, y = y_low + (y_high - y_low) * j / n;
      table.rows.push_back({x, y, f(x, y)});
    }
    table.rows.push_back({});
  }
  return table;
}
/// (number of the entry, entry).
inline Table counted(const std::string& name, const std::vector<double>& entries) {
  Table table{name, {}};
  for (std::size_t i = 0; i < entries.size(); ++i) table.rows.push_back({static_cast<double>(i), entries[i]});
  return table;
}
/// The two numbers of each tensor, as rows.
template <class Tensors> std::vector<std::vector<double>> points(const Tensors& tensors) {
  std::vector<std::vector<double>> rows;
  for (const auto& t : tensors) rows.push_back({t[0], t[1]});
  return rows;
}

// ---- the pictures ---------------------------------------------------------------------------------------------------

/// gradient_descent: the curve, a tangent, and the points on the way down.
template <class F> void descent(const std::string& directory, const F& f, const std::vector<double>& path) {
  Table points{"path", {}};
  for (const double x : path) points.rows.push_back({x, f(x)});
  gnuplot(directory, "descent", 1100, 660, {curve("curve", f, -2, 4.05), points}, R"(
x(i) = real(word($path[i], 1)); y(i) = real(word($path[i], 2))
set title sprintf("f(x) = x⁴ − 3x³ + 2, and gradient descent from x = %g", x(1)) font ',14' textcolor rgb dark
set xrange [-2:4.2]; set yrange [-10:70]
set xlabel 'x'; set ylabel 'f(x)' rotate by 0
first = sprintf('the first step, from %g to %g', x(1), x(2)); middle = (x(1) + x(2)) / 2
if (abs(x(1) - x(2)) > 0.1) {
  if (middle > 1) { set label first at middle - 0.15, (y(1) + y(2)) / 2 right textcolor rgb orange }
  else { set label first at middle + 0.15, (y(1) + y(2)) / 2 textcolor rgb orange }
}
set label 'slope −13' at -1.05, 5 right textcolor rgb grey
set arrow from 2.25, graph 0 to 2.25, -6.543 nohead dt 3 lc rgb grey
set label 'minimum at 9/4' at 2.2, -8.3 right textcolor rgb grey
set multiplot
plot sample [-1.75:-0.35] '+' using 1:(6 - 13*($1 + 1)) with lines lc rgb grey dt 2, \
  $curve with lines lw 2.5 lc rgb blue, \
  $path with lines lw 1 dt 2 lc rgb orange, $path with points pt 7 ps 1.3 lc rgb orange
# the last steps, closer, if they end near the minimum
if (x(|$path|) < 2.2 || x(|$path|) > 2.95) { unset multiplot; exit }
unset label; unset arrow; unset title; unset xlabel; unset ylabel
set origin 0.22, 0.42; set size 0.42, 0.46
set object 1 rectangle from graph 0, graph 0 to graph 1, graph 1 behind fc rgb 'white' fs border lc rgb grey
set border 15; set xrange [2.2:2.95]; set yrange [-6.7:-0.2]; set xtics 0.2; set ytics 2
set label sprintf('%d step%s at %.5f', |$path| - 1, |$path| == 2 ? ' ends' : 's end', x(|$path|)) at graph 0.05, graph 0.9 textcolor rgb orange
plot $curve with lines lw 2 lc rgb blue, $path with points pt 7 ps 1.1 lc rgb orange
unset multiplot)");
}

/// one_weight: what was published as the slope of the cost, and what its slope is.
template <class Hand, class Slope, class Difference>
void slopes(const std::string& directory, const Hand& by_hand, const Slope& slope, const Difference& difference) {
  const std::vector<Table> curves{curve("hand", by_hand, -15, 15), curve("ad", slope, -15, 15), curve("measured", difference, -15, 15, 30)};
  gnuplot(directory, "one_weight", 1000, 560, curves, R"(
set lmargin 12
set title 'The slope of the cost, dC/dw: published, and true' font ',14' textcolor rgb dark
set xlabel 'w'; set ylabel 'dC/dw' rotate by 0 offset -1; set yrange [0:0.75]
set key top right Left reverse samplen 2.5 spacing 1.3
plot $hand with lines lw 2.5 lc rgb orange title 'by hand: Σ (h − y) h (1 − h)', \
  $ad with lines lw 2.5 lc rgb blue title 'AD', \
  $measured with points pt 6 ps 1.1 lw 1.5 lc rgb dark title 'measured: finite differences')");
}

/// bias_unit: two descents on a map of the cost.
template <class Cost, class Tensors>
void two_descents(const std::string& directory, const Cost& cost, const Tensors& published, const Tensors& right) {
  const std::vector<Table> tables{grid("cost", cost, -5.4, -3, 2, 4.2, 120), {"published", points(published)}, {"right", points(right)}};
  gnuplot(directory, "bias_unit", 900, 720, tables, R"(
set title 'The last of 12 000 steps: along the published gradient, and the true one' font ',14' textcolor rgb dark
set xrange [-5.4:-3]; set yrange [2:4.2]; set size ratio -1; unset grid; set border 15
set contour base; unset surface; set cntrparam levels discrete 0.0055, 0.006, 0.007, 0.0085, 0.011, 0.015, 0.02, 0.03, 0.045, 0.065
set table $contours; splot $cost using 1:2:3; unset table
set xlabel 'θ₁, the weight'; set ylabel 'θ₂, the bias'; set xtics 0.5; set ytics 0.5
set palette defined (0 '#ffffff', 1 '#8fb8de'); set cbrange [0:0.08]; set cblabel 'cost'; set cbtics 0.02 scale 0
set label 'both start at (−0.149, 7.104)' at -3.25, 4.1 right front textcolor rgb dark
set label 'published: both weights always move alike' at -4.72, 2.43 front textcolor rgb orange
set label 'true gradient' at -4.99, 2.60 right front textcolor rgb blue
plot $cost with image, $contours with lines lc rgb '#7fa3c7' lw 0.8, \
  $published with lines lw 3 lc rgb orange, $right with lines lw 3 lc rgb blue, \
  $published every ::12000 with points pt 7 ps 1.6 lc rgb orange, $right every ::12000 with points pt 7 ps 1.6 lc rgb blue)");
}

/// cost_surfaces: two costs over the two weights.
template <class Mse, class CrossEntropy> void surfaces(const std::string& directory, const Mse& mse, const CrossEntropy& cross_entropy) {
  const std::vector<Table> grids{grid("mse", mse, -15, 15, -15, 15, 60), grid("ce", cross_entropy, -15, 15, -15, 15, 60)};
  gnuplot(directory, "cost_surfaces", 1500, 720, grids, R"(
set multiplot
set pm3d depthorder border lc rgb '#30404040' lw 0.3
set palette defined (0 '#0b2545', 0.15 '#13518a', 0.35 '#2a9d8f', 0.6 '#e9c46a', 0.85 '#f4a261', 1 '#e76f51')
unset colorbox; set border 127 lc rgb '#a0a0a0'; set grid ztics lc rgb '#d8d8d8'; set xyplane 0
set view 52, 292, 1, 1
set xlabel 'θ₁, the weight' rotate parallel offset 0,-1; set ylabel 'θ₂, the bias' rotate parallel offset 0,-1
set xrange [-15:15]; set yrange [-15:15]; set xtics -10, 5, 15 offset 0,-0.3; set ytics -10, 5, 15 offset 0,-0.3
set origin -0.01, 0; set size 0.52, 1
set title 'mean squared error: a peak, a valley, flat plains' font ',14' textcolor rgb dark offset 0,1
set zrange [0:1]; set cbrange [0:1]; set ztics 0.25
splot $mse with pm3d
set origin 0.49, 0; set size 0.52, 1
set title 'cross-entropy: smooth, and no plains' font ',14' textcolor rgb dark offset 0,1
set zrange [0:32]; set cbrange [0:32]; set ztics 10
splot $ce with pm3d
unset multiplot)");
}

/// xor: what the net answers to every pair of inputs, and how its cost fell.
template <class Net> void decision(const std::string& directory, const Net& output, const std::vector<double>& costs) {
  gnuplot(directory, "xor", 1300, 600, {grid("answer", output, -0.5, 1.5, -0.5, 1.5, 160), counted("costs", costs)}, R"(
set contour base; unset surface; set cntrparam levels discrete 0.5
set table $boundary; splot $answer using 1:2:3; unset table
$zeros << END
0 0
1 1
END
$ones << END
0 1
1 0
END
set multiplot
set tmargin at screen 0.9; set bmargin at screen 0.12
set origin 0, 0; set size 0.5, 1
set title 'the answer of the net to every pair of inputs' font ',13' textcolor rgb dark
set xrange [-0.5:1.5]; set yrange [-0.5:1.5]; set size ratio -1; unset grid; set border 15
set xtics 0.5; set ytics 0.5; set xlabel 'input 1'; set ylabel 'input 2'
set cbrange [0:1]; set cbtics 0.25; set palette defined (0 '#1f5fa8', 0.5 '#f7f7f7', 1 '#e06c00')
plot $answer with image, $boundary with lines lw 1.5 dt 2 lc rgb dark, \
  $zeros with points pt 7 ps 4 lc rgb 'white', $zeros with points pt 7 ps 3.4 lc rgb blue, \
  $zeros using 1:2:('0') with labels textcolor rgb 'white', \
  $ones with points pt 7 ps 4 lc rgb 'white', $ones with points pt 7 ps 3.4 lc rgb orange, \
  $ones using 1:2:('1') with labels textcolor rgb 'white'
set origin 0.52, 0; set size noratio 0.47, 1
set title 'its cost, epoch by epoch' font ',13' textcolor rgb dark
set border 3; set grid; set xrange [0:|$costs|]; set yrange [0:0.8]; set xtics auto; set ytics 0.1
set xlabel 'epoch'; set ylabel 'cross-entropy'
set arrow from graph 0, first log(2) to graph 1, first log(2) nohead dt 3 lc rgb grey
set label 'log 2: it answers ½ to everything' at graph 0.98, first log(2) + 0.02 right textcolor rgb grey
plot $costs with lines lw 2.5 lc rgb blue
unset multiplot)");
}

}  // namespace pictures
