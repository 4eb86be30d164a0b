// Slow processes that cannot be undone, with a progress that can be read off the picture: the arrow of time.
#pragma once
#include "worlds/flat_world.h"
#include "worlds/params.h"

namespace orrery {

struct GrowthOptions {
  std::string kind = "plant";  // plant, melt, fill, dye, candle
  int64_t frames = 240;        // from beginning to end at speed 1, 30..10000
  int64_t height = 64, width = 64;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(GrowthOptions, kind, frames, height, width)

// Everything that decides the future; a plain value.
struct GrowthState {
  double progress = 0;  // 0 at the beginning, 1 at the end; never falls
  uint8_t speed = 1;    // 0 stopped, 1, 2, 4 times
  uint64_t look = 0;    // seed of what it looks like: the branches of the plant, sizes, colours
  uint8_t tint = 0;
  bool operator==(const GrowthState&) const = default;
};

// Actions: none, stop, slow, fast, faster: speed 0, 1, 2, 4 from then on. 15 fps.
// True state: progress {1}, speed {1}. What one sees: plant: the share of its branches that stand; melt: one less the disc's share of
// its first area; fill: the level; dye: the drop's radius between its first and its last; candle: one less its share of its first height.
// Events: half, end.
// Interventions: speed(value), advance(by), tint (which means nothing).
class Growth : public FlatWorld {
 public:
  explicit Growth(const GrowthOptions& options);
  static orrery::Facts Describe();

  void Reset(uint64_t seed) override;
  void Step(std::span<const float> action) override;
  std::vector<StateVariable> TrueState() const override;
  std::vector<WorldObject> Objects() const override;
  void Perturb(uint64_t take) override;
  std::string Snapshot() const override;
  void Restore(std::string_view snapshot) override;

  const GrowthState& State() const { return state_; }
  void SetState(const GrowthState& state);  // throws Error when it is not possible

 protected:
  void Draw(Canvas& canvas) const override;
  void DoIntervene(const std::string& name, const Json& params) override;

 private:
  void Advance(double by);
  void DrawPlant(Canvas& canvas) const;
  void DrawMelt(Canvas& canvas) const;
  void DrawFill(Canvas& canvas) const;
  void DrawDye(Canvas& canvas) const;
  void DrawCandle(Canvas& canvas) const;
  double Unit() const;  // pixels of a 64th of the frame

  GrowthOptions options_;
  GrowthState state_;
};

}  // namespace orrery
