#include "eval/causality/instances.h"

#include <map>

#include "core/error.h"
#include "eval/pixels.h"

namespace orrery {

namespace {

std::set<int64_t> Moving(const std::vector<WorldObject>& before, const std::vector<WorldObject>& now, double delta) {
  std::map<int64_t, const WorldObject*> old;
  for (const WorldObject& object : before) old[object.id] = &object;
  std::set<int64_t> moving;
  for (const WorldObject& object : now) {
    const auto found = old.find(object.id);
    if (found == old.end() || ObjectDistance(*found->second, object) > delta) moving.insert(object.id);
  }
  return moving;
}

}  // namespace

std::vector<int32_t> RecordIds(World& world, const TwinPlan& plan, bool change) {
  const auto steps = static_cast<int64_t>(plan.actions.size());
  if (plan.at < 0 || plan.at > steps)
    Fail("ids: the intervention must come before one of {} actions or after the last, got {}", steps, plan.at);
  const auto size = static_cast<size_t>(world.Facts().height * world.Facts().width);
  std::vector<int32_t> ids(size * static_cast<size_t>(steps + 1));
  for (int64_t t = 0; t <= steps; ++t) {
    world.RenderIds(std::span(ids).subspan(size * static_cast<size_t>(t), size));
    if (change && t == plan.at && !plan.intervention.empty()) world.Intervene(plan.intervention);
    if (t < steps) world.Step(plan.actions[static_cast<size_t>(t)]);
  }
  return ids;
}

Masks MovingMasks(std::span<const int32_t> ids, int64_t height, int64_t width, const ObjectFilm& objects, double delta) {
  const auto frames = static_cast<int64_t>(objects.size());
  if (static_cast<int64_t>(ids.size()) != frames * height * width)
    Fail("moving masks: ids of {} frames of {}x{} expected, got {} ids", frames, height, width, ids.size());
  Masks masks(frames, height, width);
  for (int64_t t = 1; t < frames; ++t) {
    const std::set<int64_t> moving = Moving(objects[static_cast<size_t>(t - 1)], objects[static_cast<size_t>(t)], delta);
    const auto shown = ids.subspan(static_cast<size_t>(t * masks.Pixels()), static_cast<size_t>(masks.Pixels()));
    const auto mask = masks.At(t);
    for (size_t i = 0; i < mask.size(); ++i) mask[i] = shown[i] != 0 && moving.contains(shown[i]);
  }
  return masks;
}

Estimate InvariancePsnr(const FrameSpan& made, const FrameSpan& made_changed, std::span<const int32_t> ids,
                        std::span<const int32_t> ids_changed, const std::set<int64_t>& affected, int64_t first) {
  RequireSameShape(made, made_changed, "invariance");
  const auto pixels = static_cast<size_t>(made.frames * made.Pixels());
  if (ids.size() != pixels || ids_changed.size() != pixels)
    Fail("invariance: {} ids of each twin expected, got {} and {}", pixels, ids.size(), ids_changed.size());
  if (first < 0 || first > made.frames) Fail("invariance: a first frame of 0..{} expected, got {}", made.frames, first);
  double squares = 0;
  int64_t shared = 0;
  for (auto i = static_cast<size_t>(first * made.Pixels()); i < pixels; ++i) {
    if (ids[i] == 0 || ids[i] != ids_changed[i] || affected.contains(ids[i])) continue;
    ++shared;
    for (size_t c = 3 * i; c < 3 * i + 3; ++c) {
      const double difference = (static_cast<double>(made.bytes[c]) - static_cast<double>(made_changed.bytes[c])) / 255;
      squares += difference * difference;
    }
  }
  Estimate out;
  out.count = 1;
  out.failed = shared == 0;
  if (shared > 0)
    out.value = Psnr(squares / static_cast<double>(3 * shared));
  else
    out.cause = "no object is shown that the intervention leaves alone";
  return out;
}

}  // namespace orrery
