// Pictures as readers take them.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace orrery {

// [H, W, 3] bytes of somebody else.
struct Picture {
  std::span<const uint8_t> rgb;
  int64_t height = 0, width = 0;
};

// Strengths of blur that a picture may have, px: a reader draws through the likeliest.
constexpr std::array<double, 3> kLenses = {0, 0.75, 1.5};
// Gaussian of `sigma` px on [H, W, 3] bytes; edges go on beyond the edge. 0: nothing.
void Smear(std::vector<uint8_t>& rgb, int64_t height, int64_t width, double sigma);

// Mean absolute difference of as many bytes, at least one; grey levels.
double Difference(std::span<const uint8_t> a, std::span<const uint8_t> b);

}  // namespace orrery
