// Measures that need to know whose each pixel is: id buffers, [frames, H, W] as World::RenderIds gives them, 0 the background.
#pragma once
#include <set>

#include "eval/causality/frames.h"
#include "eval/causality/object_effects.h"
#include "worlds/twins.h"

namespace orrery {

// Id buffers of the films of RunTwin: [actions + 1, H, W]. The world is left at the end. Throws Error from a world without ids.
std::vector<int32_t> RecordIds(World& world, const TwinPlan& plan, bool change);

// Exact motion masks for Physics-IQ: what each frame shows of objects that changed by more than `delta` (units of the objects) since the
// frame before, or were not there then. Mask 0 is empty. objects: a list a frame.
Masks MovingMasks(std::span<const int32_t> ids, int64_t height, int64_t width, const ObjectFilm& objects, double delta = 0.05);

// PSNR (dB, at most 100) between a model's twins in the pixels that, in both twins of the truth, show one and the same object, one that
// is not in `affected`; frames `first` .. last. Things that the intervention leaves alone must look the same.
Estimate InvariancePsnr(const FrameSpan& made, const FrameSpan& made_changed, std::span<const int32_t> ids,
                        std::span<const int32_t> ids_changed, const std::set<int64_t>& affected, int64_t first);

}  // namespace orrery
