// VBench's decisions about whether a film moves (arXiv 2311.17982, and the code of its authors). Speeds are of the fastest pixels of a
// step, in px; `side` is the smaller side of the frames, `frames` their number.
#pragma once
#include <ATen/core/Tensor.h>

#include <span>

namespace orrery {

constexpr double kDynamicShare = 0.05,
                 kStaticShare = 0.02;  // the pixels whose mean is a speed
constexpr double kDynamicRate = 8;     // frames a second at which a film is looked at

// Mean length of the fastest `share` of a field [H, W, 2], whole pixels, rounded down (at least one).
double TopSpeed(const at::Tensor& flow, double share);

// Every how many frames a film of `fps` is looked at for its dynamic degree.
int64_t DynamicStride(double fps);
// Whether at least round(4 frames / 16) steps are faster than 6 side / 256 px. `speeds`: frames - 1.
bool IsDynamic(std::span<const double> speeds, int64_t side, int64_t frames);

// Whether at most n = round(2 frames / 16) steps are faster than 3 side / 256 px, and those from the first to the last frame and back not
// faster than 2 n times that. `speeds`: frames - 1.
bool IsStatic(std::span<const double> speeds, double first_to_last, double last_to_first, int64_t side, int64_t frames);

}  // namespace orrery
