#include "eval/motion/flow.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <span>

#include "core/error.h"
#include "core/shape.h"
#include "eval/quality/frames.h"

namespace orrery {

namespace {

constexpr int64_t kRadius = 4, kSide = 2 * kRadius + 1;          // of a window
constexpr int64_t kLanes = 16;                                   // at least kSide, a power of 2
constexpr int64_t kBorder = 2 * kRadius + 2 + (kLanes - kSide);  // a window may lie outside by its own size
constexpr int64_t kLeastSide = 16;
constexpr int kPasses = 5;
constexpr double kLeastStep = 0.03;  // px
constexpr double kDamping = 0.1;     // squared grey levels a pixel: below this a gradient tells nothing

// A row of a window, as the compiler's vectors; lanes from kSide on are of no account.
using Lanes = float __attribute__((vector_size(sizeof(float) * kLanes)));

float* Row(std::vector<float>& plane, const FlowPlane& p, int64_t y) { return plane.data() + (y + kBorder) * p.pitch + kBorder; }

void RepeatEdges(FlowPlane& p) {
  for (int64_t y = 0; y < p.height; ++y) {
    float* row = Row(p.grey, p, y);
    std::fill(row - kBorder, row, row[0]);
    std::fill(row + p.width, row - kBorder + p.pitch, row[p.width - 1]);
  }
  for (int64_t y = -kBorder; y < p.height + kBorder; ++y)
    if (y < 0 || y >= p.height) std::copy_n(Row(p.grey, p, y < 0 ? 0 : p.height - 1) - kBorder, p.pitch, Row(p.grey, p, y) - kBorder);
}

// Scharr's operator, in grey levels a pixel.
void AddGradients(FlowPlane& p) {
  p.dx.assign(p.grey.size(), 0);
  p.dy.assign(p.grey.size(), 0);
  for (int64_t y = 1 - kBorder; y < p.height + kBorder - 1; ++y) {
    const float *up = Row(p.grey, p, y - 1), *here = Row(p.grey, p, y), *down = Row(p.grey, p, y + 1);
    float *dx = Row(p.dx, p, y), *dy = Row(p.dy, p, y);
    for (int64_t x = 1 - kBorder; x < p.width + kBorder - 1; ++x) {
      dx[x] = (3 * (up[x + 1] - up[x - 1]) + 10 * (here[x + 1] - here[x - 1]) + 3 * (down[x + 1] - down[x - 1])) / 32;
      dy[x] = (3 * (down[x - 1] - up[x - 1]) + 10 * (down[x] - up[x]) + 3 * (down[x + 1] - up[x + 1])) / 32;
    }
  }
}

FlowPlane EmptyPlane(int64_t height, int64_t width) {
  FlowPlane p{height, width, width + 2 * kBorder, {}, {}, {}};
  p.grey.assign(static_cast<size_t>((height + 2 * kBorder) * p.pitch), 0);
  return p;
}

FlowPlane Halved(FlowPlane& from) {
  constexpr float kTaps[] = {1.0f / 16, 4.0f / 16, 6.0f / 16, 4.0f / 16, 1.0f / 16};
  FlowPlane p = EmptyPlane((from.height + 1) / 2, (from.width + 1) / 2);
  for (int64_t y = 0; y < p.height; ++y)
    for (int64_t x = 0; x < p.width; ++x) {
      float sum = 0;
      for (int64_t j = -2; j <= 2; ++j)
        for (int64_t i = -2; i <= 2; ++i) sum += kTaps[j + 2] * kTaps[i + 2] * Row(from.grey, from, 2 * y + j)[2 * x + i];
      Row(p.grey, p, y)[x] = sum;
    }
  RepeatEdges(p);
  return p;
}

FlowFrame MakeFrame(const double* grey, int64_t height, int64_t width) {
  FlowFrame frame;
  FlowPlane p = EmptyPlane(height, width);
  for (int64_t y = 0; y < height; ++y)
    std::transform(grey + y * width, grey + (y + 1) * width, Row(p.grey, p, y), [](double v) { return static_cast<float>(v); });
  RepeatEdges(p);
  for (;;) {
    AddGradients(p);
    frame.levels.push_back(std::move(p));
    FlowPlane& last = frame.levels.back();
    if ((std::min(last.height, last.width) + 1) / 2 < kLeastSide) return frame;
    p = Halved(last);
  }
}

Lanes Load(const float* from) {
  Lanes lanes;
  std::memcpy(&lanes, from, sizeof(lanes));
  return lanes;
}

constexpr Lanes kInside = {1, 1, 1, 1, 1, 1, 1, 1, 1};  // kSide ones, the rest 0

double MeanOf(const Lanes& sums) {
  double sum = 0;
  for (int64_t k = 0; k < kSide; ++k) sum += sums[k];
  return sum / static_cast<double>(kSide * kSide);
}

// Calls `use(row, lanes)` with the rows of the window around (x, y), bilinear.
template <class Use>
void ForRows(const FlowPlane& p, const std::vector<float>& plane, double x, double y, const Use& use) {
  const auto left = static_cast<int64_t>(std::floor(x)), top = static_cast<int64_t>(std::floor(y));
  const auto fx = static_cast<float>(x - static_cast<double>(left)), fy = static_cast<float>(y - static_cast<double>(top));
  const float* from = plane.data() + (top - kRadius + kBorder) * p.pitch + left - kRadius + kBorder;
  const auto across = [&](int64_t r) { return (1 - fx) * Load(from + r * p.pitch) + fx * Load(from + r * p.pitch + 1); };
  Lanes up = across(0);
  for (int64_t r = 0; r < kSide; ++r) {
    const Lanes down = across(r + 1);
    use(r, (1 - fy) * up + fy * down);
    up = down;
  }
}

struct Patch {
  Lanes grey[kSide], dx[kSide], dy[kSide];  // the gradients are 0 beyond the window
  double xx = 0, xy = 0, yy = 0;            // mean products of gradients, damped
};

Patch PatchAt(const FlowPlane& p, double x, double y) {
  Patch patch;
  ForRows(p, p.grey, x, y, [&](int64_t r, const Lanes& row) { patch.grey[r] = row; });
  ForRows(p, p.dx, x, y, [&](int64_t r, const Lanes& row) { patch.dx[r] = kInside * row; });
  ForRows(p, p.dy, x, y, [&](int64_t r, const Lanes& row) { patch.dy[r] = kInside * row; });
  Lanes xx = {}, xy = {}, yy = {};
  for (int64_t r = 0; r < kSide; ++r) {
    xx += patch.dx[r] * patch.dx[r];
    xy += patch.dx[r] * patch.dy[r];
    yy += patch.dy[r] * patch.dy[r];
  }
  patch.xx = kDamping + MeanOf(xx);
  patch.xy = MeanOf(xy);
  patch.yy = kDamping + MeanOf(yy);
  return patch;
}

struct Match {
  double squared = 0, x = 0, y = 0;  // means over the window: of the squared difference, of the difference times gradients
};

Match Compare(const Patch& patch, const FlowPlane& p, double x, double y) {
  Lanes squared = {}, bx = {}, by = {};
  ForRows(p, p.grey, x, y, [&](int64_t r, const Lanes& row) {
    const Lanes difference = row - patch.grey[r];
    squared += difference * difference;
    bx += difference * patch.dx[r];
    by += difference * patch.dy[r];
  });
  return {MeanOf(squared), MeanOf(bx), MeanOf(by)};
}

double Within(double position, int64_t size) { return std::clamp<double>(position, -kRadius, static_cast<double>(size - 1 + kRadius)); }

// Moves `at` from its first guess to where the window fits.
void Fit(const Patch& patch, const FlowPlane& to, FlowPoint& at) {
  const double determinant = patch.xx * patch.yy - patch.xy * patch.xy;
  for (int pass = 0; pass < kPasses; ++pass) {
    at = {Within(at.x, to.width), Within(at.y, to.height)};
    const Match m = Compare(patch, to, at.x, at.y);
    const double x = (patch.yy * m.x - patch.xy * m.y) / determinant, y = (patch.xx * m.y - patch.xy * m.x) / determinant;
    at.x -= x;
    at.y -= y;
    if (x * x + y * y < kLeastStep * kLeastStep) break;
  }
  at = {Within(at.x, to.width), Within(at.y, to.height)};
}

}  // namespace

std::vector<FlowFrame> FlowFrames(const at::Tensor& film) {
  CheckFilm(film, "flow");
  const int64_t T = film.size(0), H = film.size(1), W = film.size(2);
  if (std::min(H, W) < kLeastSide) Fail("flow: frames of at least {0} x {0} pixels expected, got {1} x {2}", kLeastSide, H, W);
  const at::Tensor grey = Grey(film).contiguous();
  std::vector<FlowFrame> frames;
  for (int64_t t = 0; t < T; ++t) frames.push_back(MakeFrame(grey.const_data_ptr<double>() + t * H * W, H, W));
  return frames;
}

FlowPoint FindPoint(const FlowFrame& from, const FlowFrame& to, FlowPoint p) {
  ORRERY_CHECK(from.levels.size() == to.levels.size());
  const Patch finest = PatchAt(from.levels[0], p.x, p.y);
  const double still = Compare(finest, to.levels[0], p.x, p.y).squared;
  if (still == 0) return p;
  FlowPoint at = p;
  for (auto level = static_cast<int64_t>(from.levels.size()) - 1; level > 0; --level) {
    const double scale = std::ldexp(1.0, -static_cast<int>(level));
    FlowPoint coarse = {scale * at.x, scale * at.y};
    Fit(PatchAt(from.levels[static_cast<size_t>(level)], scale * p.x, scale * p.y), to.levels[static_cast<size_t>(level)], coarse);
    at = {coarse.x / scale, coarse.y / scale};
  }
  Fit(finest, to.levels[0], at);
  return Compare(finest, to.levels[0], at.x, at.y).squared < still ? at : p;
}

at::Tensor FlowField(const FlowFrame& from, const FlowFrame& to, int64_t stride) {
  ORRERY_CHECK(stride >= 1);
  const int64_t H = from.levels[0].height, W = from.levels[0].width, rows = (H - 1) / stride + 1, columns = (W - 1) / stride + 1;
  at::Tensor coarse = at::empty({rows, columns, 2}, at::kFloat), field = at::empty({H, W, 2}, at::kFloat);
  auto node = coarse.accessor<float, 3>(), out = field.accessor<float, 3>();
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j) {
      const FlowPoint p{static_cast<double>(j * stride), static_cast<double>(i * stride)}, q = FindPoint(from, to, p);
      node[i][j][0] = static_cast<float>(q.x - p.x);
      node[i][j][1] = static_cast<float>(q.y - p.y);
    }
  for (int64_t y = 0; y < H; ++y)
    for (int64_t x = 0; x < W; ++x) {
      const int64_t i = y / stride, j = x / stride, below = std::min(i + 1, rows - 1), right = std::min(j + 1, columns - 1);
      const float v = static_cast<float>(y % stride) / static_cast<float>(stride),
                  u = static_cast<float>(x % stride) / static_cast<float>(stride);
      for (int64_t c = 0; c < 2; ++c)
        out[y][x][c] =
            (1 - v) * ((1 - u) * node[i][j][c] + u * node[i][right][c]) + v * ((1 - u) * node[below][j][c] + u * node[below][right][c]);
    }
  return field;
}

at::Tensor TrackGrid(std::span<const FlowFrame> film, int64_t side, double margin) {
  ORRERY_CHECK(!film.empty() && side >= 2 && margin >= 0 && margin < 0.5);
  const auto T = static_cast<int64_t>(film.size());
  const auto last_x = static_cast<double>(film[0].levels[0].width - 1), last_y = static_cast<double>(film[0].levels[0].height - 1);
  at::Tensor tracks = at::empty({T, side * side, 2}, at::kDouble);
  auto out = tracks.accessor<double, 3>();
  for (int64_t n = 0; n < side * side; ++n) {
    const auto at = [&](int64_t i, double last) {
      return last * (margin + (1 - 2 * margin) * static_cast<double>(i) / static_cast<double>(side - 1));
    };
    FlowPoint p{at(n % side, last_x), at(n / side, last_y)};
    bool inside = true;
    for (int64_t t = 0; t < T; ++t) {
      if (t > 0 && inside) {
        const FlowPoint q = FindPoint(film[static_cast<size_t>(t - 1)], film[static_cast<size_t>(t)], p);
        inside = q.x >= 0 && q.y >= 0 && q.x <= last_x && q.y <= last_y;
        if (inside) p = q;
      }
      out[t][n][0] = p.x;
      out[t][n][1] = p.y;
    }
  }
  return tracks;
}

at::Tensor SampleAlong(const at::Tensor& frame, const at::Tensor& flow, double scale) {
  ORRERY_CHECK(frame.dim() == 3 && flow.dim() == 3 && flow.size(2) == 2 && frame.size(0) == flow.size(0) && frame.size(1) == flow.size(1));
  const int64_t H = frame.size(0), W = frame.size(1), C = frame.size(2);
  const at::Tensor picture = frame.to(at::kFloat).contiguous(), field = flow.contiguous();
  at::Tensor warped = at::empty({H, W, C}, at::kFloat);
  const float *in = picture.const_data_ptr<float>(), *by = field.const_data_ptr<float>();
  float* out = warped.mutable_data_ptr<float>();
  for (int64_t y = 0; y < H; ++y)
    for (int64_t x = 0; x < W; ++x) {
      const float* move = by + (y * W + x) * 2;
      const double u = std::clamp(static_cast<double>(x) + scale * move[0], 0.0, static_cast<double>(W - 1));
      const double v = std::clamp(static_cast<double>(y) + scale * move[1], 0.0, static_cast<double>(H - 1));
      const auto left = static_cast<int64_t>(u), top = static_cast<int64_t>(v);
      const int64_t right = std::min(left + 1, W - 1), below = std::min(top + 1, H - 1);
      const auto fx = static_cast<float>(u - static_cast<double>(left)), fy = static_cast<float>(v - static_cast<double>(top));
      for (int64_t c = 0; c < C; ++c) {
        const auto pixel = [&](int64_t row, int64_t column) { return in[(row * W + column) * C + c]; };
        out[(y * W + x) * C + c] = (1 - fy) * ((1 - fx) * pixel(top, left) + fx * pixel(top, right)) +
                                   fy * ((1 - fx) * pixel(below, left) + fx * pixel(below, right));
      }
    }
  return warped;
}

}  // namespace orrery
