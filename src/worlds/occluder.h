// Discs that roll behind screens: is what is hidden still there, and does it go on? (After the set-ups of IntPhys, arXiv 1803.07616.)
#pragma once
#include "core/rng.h"
#include "worlds/flat_world.h"
#include "worlds/params.h"

namespace orrery {

struct OccluderOptions {
  int64_t discs = 2;    // 1..5
  int64_t screens = 1;  // 1..2
  bool post = false;    // a post behind the first screen, off which discs bounce; it shows when the screen is down
  double speed = 1.2;   // of a disc at most, pixels a frame, 0.2..4
  int64_t height = 64, width = 64;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(OccluderOptions, discs, screens, post, speed, height, width)

struct OccluderDisc {
  int32_t id = 0, color = 0;
  int32_t shape = 0;            // 0 disc, 1 square
  double x = 0, y = 0, vx = 0;  // 64ths of the frame's height; the middle of it; each rolls in a lane of its own
  double radius = 4;
  bool operator==(const OccluderDisc&) const = default;
};

struct OccluderScreen {
  double x = 0, half = 8;  // middle and half width
  double raised = 1;       // 1 up: it hides; 0 lies flat
  bool operator==(const OccluderScreen&) const = default;
};

// Everything that decides the future; a plain value.
struct OccluderState {
  std::vector<OccluderDisc> discs;
  std::vector<OccluderScreen> screens;
  double camera = 0;  // left edge of the frame in the room
  int8_t rising = 0;  // -1, 0, 1: what the screens do
  uint8_t dark = 0;   // 1: the light is off, nothing shows
  uint8_t solid = 1;  // the post stops discs
  uint8_t tint = 0;
  bool operator==(const OccluderState&) const = default;
};

// Actions: none, screen-up, screen-down, left, right (the camera), light (on and off). 15 fps. The room is half as wide again as the
// frame; discs keep their speed and bounce at its ends and, if there is one, at the post.
// True state, one row a disc: position {n, 2}, velocity {n}, radius {n}, color {n}, shape {n}, visible {n} share of its pixels, id {n};
// then screens {s, 3} middle, half width, raised; camera {1}; dark {1}.
// Events: bounce (disc), hidden, seen (disc) when the last pixel goes and the first comes back.
// Interventions, possible ones: reverse(disc), speed(disc, factor), add(color), remove(disc), tint (means nothing);
// impossible ones, for tests of surprise: vanish(disc), recolor(disc, color), reshape(disc), teleport(disc, x), ghost (the post lets
// through).
class Occluder : public FlatWorld {
 public:
  static constexpr size_t kMaxDiscs = 6;

  explicit Occluder(const OccluderOptions& options);
  static orrery::Facts Describe();

  void Reset(uint64_t seed) override;
  void Step(std::span<const float> action) override;
  std::vector<StateVariable> TrueState() const override;
  std::vector<WorldObject> Objects() const override;
  void Perturb(uint64_t take) override;
  std::string Snapshot() const override;
  void Restore(std::string_view snapshot) override;

  const OccluderState& State() const { return state_; }
  void SetState(OccluderState state);   // throws Error when it is not possible
  std::vector<double> Visible() const;  // share of each disc's pixels that shows
  double RoomWidth() const { return 1.5 * view_width_; }
  double PostX() const { return 0.75 * view_width_; }

 protected:
  void Draw(Canvas& canvas) const override;
  void DoIntervene(const std::string& name, const Json& params) override;

 private:
  void Roll(OccluderDisc& disc);
  void DrawDiscs(Canvas& canvas) const;
  double Unit() const { return static_cast<double>(facts_.height) / 64; }
  size_t Find(const OccluderState& state, int64_t id) const;  // throws Error
  OccluderDisc NewDisc(int32_t id, int32_t color, int32_t lane, Rng& rng) const;

  OccluderOptions options_;
  double view_width_;  // of the frame, in 64ths of its height
  OccluderState state_;
};

}  // namespace orrery
