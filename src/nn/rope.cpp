#include "nn/rope.h"

#include <ATen/ATen.h>

#include <numbers>

#include "core/error.h"
#include "core/shape.h"

namespace orrery {

namespace {

// [n] angular frequencies base^(-i/n), i = 0..n-1.
at::Tensor Frequencies(int64_t n, double base, const at::Tensor& like) {
  const at::Tensor exponent = at::arange(n, like.options()) * (-1.0 / static_cast<double>(n));
  return at::pow(base, exponent);
}

}  // namespace

RopeTable MakeRope(const at::Tensor& coord, const RopeOptions& options) {
  ORRERY_CHECK(options.head_dim % 8 == 0);
  CheckShape(coord, {kAny, 3}, "rotary coordinates");
  const at::Tensor c = coord.to(at::kFloat);
  const int64_t pairs = options.head_dim / 2, time = pairs / 2, space = pairs / 4;
  const at::Tensor angle = at::cat({c.select(1, 0).unsqueeze(1) * Frequencies(time, options.time_base, c),
                                    c.select(1, 1).unsqueeze(1) * Frequencies(space, options.space_base, c),
                                    c.select(1, 2).unsqueeze(1) * Frequencies(space, options.space_base, c)},
                                   1);
  return {angle.cos(), angle.sin()};
}

RopeTable MakeTimeRope(const at::Tensor& time, int64_t head_dim, double base) {
  const at::Tensor t = time.to(at::kFloat);
  const at::Tensor angle = t.unsqueeze(1) * Frequencies(head_dim / 2, base, t);
  return {angle.cos(), angle.sin()};
}

RopeTable MakePixelRope(int64_t rows, int64_t columns, const PixelRopeOptions& options) {
  const int64_t n = options.frequencies, pairs = options.head_dim / 2;
  ORRERY_CHECK(2 * n <= pairs);
  const at::Tensor frequency = at::linspace(1, options.highest, n) * std::numbers::pi;
  const auto angles = [&](int64_t count) { return at::linspace(-1, 1, count).unsqueeze(1) * frequency; };
  const at::Tensor down = angles(rows).unsqueeze(1).expand({rows, columns, n}), along = angles(columns).expand({rows, columns, n});
  const at::Tensor angle = at::cat({down, along, at::zeros({rows, columns, pairs - 2 * n})}, 2).view({rows * columns, pairs});
  return {angle.cos(), angle.sin()};
}

at::Tensor ApplyRope(const at::Tensor& x, const RopeTable& table) {
  const int64_t pairs = x.size(-1) / 2;
  const at::Tensor a = x.narrow(-1, 0, pairs), b = x.narrow(-1, pairs, pairs);
  const at::Tensor cos = table.cos.to(x.scalar_type()), sin = table.sin.to(x.scalar_type());
  return at::cat({a * cos - b * sin, a * sin + b * cos}, -1);
}

at::Tensor GridCoordinates(int64_t frames, int64_t rows, int64_t columns, double first) {
  const auto grid =
      at::meshgrid({at::arange(frames, at::kFloat) + first, at::arange(rows, at::kFloat), at::arange(columns, at::kFloat)}, "ij");
  return at::stack({grid[0].reshape(-1), grid[1].reshape(-1), grid[2].reshape(-1)}, 1);
}

}  // namespace orrery
