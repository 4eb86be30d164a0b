// A world seen as flat shapes: picture and ids from one drawing.
#pragma once
#include "worlds/canvas.h"
#include "worlds/world.h"

namespace orrery {

class FlatWorld : public World {
 public:
  const WorldFacts& Facts() const override { return facts_; }
  void Render(std::span<uint8_t> rgb) const override;
  void RenderIds(std::span<int32_t> ids) const override;
  const std::vector<WorldEvent>& Events() const override { return events_; }

 protected:
  FlatWorld(std::string spec, int64_t height, int64_t width, double fps);
  virtual void Draw(Canvas& canvas) const = 0;

  WorldFacts facts_;
  std::vector<WorldEvent> events_;
};

}  // namespace orrery
