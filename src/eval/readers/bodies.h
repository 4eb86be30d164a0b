// Reading by drawing: bodies are moved until a drawing of them fits the picture.
#pragma once
#include <optional>

#include "eval/readers/picture.h"
#include "eval/readers/reader.h"
#include "worlds/canvas.h"

namespace orrery {

// What a reader believes of one body; px of the frame, x to the right, y down, angle in radians counter-clockwise.
struct Body {
  double x = 0, y = 0, angle = 0;
  double half_width = 0, half_height = 0;  // a disc's radius, twice
  int32_t color = 0;                       // of the palette
  bool box = false;
  double Area() const { return (box ? 4 : 3.141592653589793) * half_width * half_height; }
  double Reach() const;  // from its middle to its farthest point
};

// How a world draws its bodies.
class Stage {
 public:
  virtual ~Stage() = default;
  // What lies behind the bodies of this frame, [H, W, 3], and which pixels show what lies before all of them ([H, W]; empty: none).
  virtual void Prepare(const Picture& frame) = 0;
  const std::vector<uint8_t>& Background() const { return background_; }
  const std::vector<uint8_t>& Front() const { return front_; }
  // Draws them in order on a canvas whose corner is the frame's pixel `origin`.
  virtual void Draw(Canvas& canvas, Point origin, std::span<const Body> bodies) const = 0;
  virtual WorldObject Object(const WorldObject& told, const Body& body) const = 0;
  // Other looks that the same thing could have.
  virtual std::vector<Body> Looks(const Body&) const { return {}; }
  bool MovesUp() const { return moves_up_; }
  bool Turns() const { return turns_; }

 protected:
  // Takes the likeliest of some backgrounds: the least sum of absolute differences.
  void TakeNearest(const Picture& frame, std::span<const std::vector<uint8_t>> backgrounds);

  bool moves_up_ = true, turns_ = false;
  std::vector<uint8_t> background_, front_;
};

// A world's bodies at one moment, in the order in which they are drawn.
struct StageScene {
  std::unique_ptr<Stage> stage;
  std::vector<WorldObject> told;
  std::vector<Body> bodies;  // of the same things
};
// Nothing when the world is of another kind.
std::optional<StageScene> MakeStage(const World& shown);

std::unique_ptr<ObjectReader> BodyReader(StageScene scene, int64_t height, int64_t width);

// In tiles.cpp, progress.cpp; null when the world is of another kind (or shows a part only).
std::unique_ptr<ObjectReader> TileReader(const World& shown);
std::unique_ptr<ObjectReader> ProgressReader(const World& shown);

}  // namespace orrery
