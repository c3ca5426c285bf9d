// ADBench's text files. Each reader throws std::runtime_error with file, line, what was expected and what was found.
#pragma once
#include "ba.hpp"
#include "gmm.hpp"
#include "hand_tracking.hpp"
#include "lstm.hpp"
#include <filesystem>

namespace bench {

/// `d K n`, α (K), μ (K × d), q and l (K × d(d + 1)/2), points (n × d, or one that all share), γ, m.
Gmm read_gmm(const std::filesystem::path& file);
/// `n m p`, one camera (11), one point (3), one weight, one observation (2), each of them repeated.
BundleAdjustment read_bundle_adjustment(const std::filesystem::path& file);
/// `layers length bits`, the layers' parameters, extra parameters (3 × bits), state, the text in bits.
Lstm read_lstm(const std::filesystem::path& file);
/// A folder with bones.txt, vertices.txt and triangles.txt, and a file `points 26`, per point its vertex (or triangle) and place,
/// in the complicated case u (2 per point), θ (26). Which case it is follows from how many numbers there are.
HandTracking read_hand_tracking(const std::filesystem::path& model, const std::filesystem::path& file);

}  // namespace bench
