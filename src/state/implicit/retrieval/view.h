// Overlap of planar fields of view. A pose is x, y, heading in radians.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace orrery {

struct PlanarPose {
  double x = 0, y = 0, angle = 0;
};

struct FieldOfView {
  double angle = 1.5708;  // full angle, radians
  double range = 8;       // how far one sees
};

bool InView(const PlanarPose& viewer, double x, double y, const FieldOfView& view);

// `count` points spread evenly (a sunflower spiral) over the disc of radius range about the viewer, of which those in view are kept.
std::vector<std::array<double, 2>> ViewPoints(const PlanarPose& viewer, const FieldOfView& view, int64_t count);

// Greedy cover (WorldMem, arXiv 2504.12369): the frame that sees most of the points in the target's view, less `age_weight` times its
// age over the newest frame's index; its points are taken away, and so on. At most k distinct frames, each of which sees something new;
// ties go to the newer frame.
std::vector<int64_t> CoverView(std::span<const PlanarPose> past, const PlanarPose& target, const FieldOfView& view, int64_t k,
                               int64_t points = 256, double age_weight = 0.2);

// Whether two views overlap by their border rays (Context as Memory, arXiv 2506.03141): left meets left and right meets right at
// distances in (near, far).
bool RaysMeet(const PlanarPose& a, const PlanarPose& b, const FieldOfView& view, double near);

// Frames whose border rays meet the target's: of every run of neighbours in time the middle one, those closest in heading first, then
// spread; the newest frame is always among them. At most k.
std::vector<int64_t> OverlapView(std::span<const PlanarPose> past, const PlanarPose& target, const FieldOfView& view, int64_t k,
                                 double near);

}  // namespace orrery
