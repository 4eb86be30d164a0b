// Rotary position embedding over (t, y, x) (Su et al., arXiv 2104.09864; three axes as in video transformers).
// S tokens, d head width, P = d / 2 rotated pairs.
#pragma once
#include <ATen/core/Tensor.h>

namespace orrery {

// How the pairs of one head are shared out: half to time, a quarter to each image axis. Coordinates are floats (frames,
// patches), so merged or moved tokens may carry averages.
struct RopeOptions {
  int64_t head_dim = 64;    // a multiple of 8
  double time_base = 1000;  // wavelengths 2 pi .. 2 pi base, geometric
  double space_base = 100;
};

struct RopeTable {
  at::Tensor cos, sin;  // [S, P] fp32
};

// coord [S, 3]: t, y, x. Attention scores depend on coordinate differences only.
RopeTable MakeRope(const at::Tensor& coord, const RopeOptions& options);

// All pairs turn with time, by base^(-i / P) a frame. time [S] -> [S, P].
RopeTable MakeTimeRope(const at::Tensor& time, int64_t head_dim, double base);

// Rows and columns of an image, each from -1 to 1, as the "pixel" frequencies of lucidrains' rotary-embedding-torch: pairs 0..n-1 turn
// with the row and n..2n-1 with the column, by pi linspace(1, highest, n); pairs from 2n on do not turn.
struct PixelRopeOptions {
  int64_t head_dim = 64;
  int64_t frequencies = 16;  // n, at most P / 2
  double highest = 128;
};
RopeTable MakePixelRope(int64_t rows, int64_t columns, const PixelRopeOptions& options);  // [rows * columns, P], row-major

// x [B, H, S, d] -> rotated; pair i is (x[i], x[i + P]). Reference form, any device.
at::Tensor ApplyRope(const at::Tensor& x, const RopeTable& table);

// Coordinates of `frames` frames of rows x columns tokens, row-major: [frames * rows * columns, 3]; frame f has
// t = first + f.
at::Tensor GridCoordinates(int64_t frames, int64_t rows, int64_t columns, double first = 0);

}  // namespace orrery
