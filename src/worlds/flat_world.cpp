#include "worlds/flat_world.h"

namespace orrery {

FlatWorld::FlatWorld(std::string spec, int64_t height, int64_t width, double fps) {
  facts_.spec = std::move(spec);
  facts_.height = height;
  facts_.width = width;
  facts_.fps = fps;
  facts_.has_ids = true;
}

void FlatWorld::Render(std::span<uint8_t> rgb) const {
  Canvas canvas(facts_.height, facts_.width, rgb, {});
  Draw(canvas);
}

void FlatWorld::RenderIds(std::span<int32_t> ids) const {
  std::vector<uint8_t> rgb(static_cast<size_t>(3 * facts_.height * facts_.width));
  Canvas canvas(facts_.height, facts_.width, rgb, ids);
  ORRERY_CHECK(!ids.empty());
  Draw(canvas);
}

}  // namespace orrery
