// A textured maze seen from inside: corridors and rooms whose colours tell places apart, and objects to find.
// Poses are integers, so a walk out and back returns to the bit-identical pose and frame.
#pragma once
#include <array>

#include "worlds/maze_map.h"
#include "worlds/params.h"
#include "worlds/raycaster.h"
#include "worlds/world.h"

namespace orrery {

struct MazeOptions {
  int64_t size = 11;             // cells a side, odd, 5..31
  int64_t colors = 6;            // regions of the map, each with its own colour, 1..12
  int64_t objects = 4;           // 0..8
  std::string step = "lattice";  // or "continuous"
  int64_t height = 64, width = 64;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(MazeOptions, size, colors, objects, step, height, width)

struct MazeObject {
  int32_t x = 0, y = 0;  // 1/65536 cell
  uint8_t kind = 0;      // 0 .. kObjectKinds-1: colour and shape
  uint8_t found = 0;     // 1 once the agent has been within half a cell
  bool operator==(const MazeObject&) const = default;
};

// Everything that decides the future; a plain value.
struct MazeState {
  MazeMap map;
  std::vector<MazeObject> objects;
  int32_t x = 0, y = 0;         // 1/65536 cell; on the lattice always multiples of 1/64 cell
  int32_t heading = 0;          // 0 .. kTurn-1, counter-clockwise from +x; on the lattice a multiple of 15 degrees
  int32_t speed = 0, spin = 0;  // continuous steps: 1/65536 cell and heading units a frame
  uint8_t dark = 0;             // 1: the light is off, frames are black
  bool operator==(const MazeState&) const = default;
};

// Actions, lattice: noop, forward, left, right, forward-left, forward-right; turns of 15 degrees come before the step
// of about 0.25 cells (rounded to 1/64 cell an axis, opposite headings exactly opposite).
// Continuous: forward in [-1, 1] times 0.25 cells, turn in [-1, 1] times 15 degrees (positive to the left); half of the
// old speed and spin is kept each frame. Walls stop the component of a move that runs into them.
// True state: agent {3} x, y, angle; motion {2} cells and radians a frame; walls {size, size} 1 = wall, row y;
// colors {size, size} of the regions; objects {n, 4} x, y, kind, found; dark {1}.
// Object ids: 1 the agent, 2 + i object i. Events: found (agent, object).
// Interventions: move-object(object, x, y), swap-objects(first, second), wall(x, y, on), paint(x, y, color), light(on).
class Maze : public World {
 public:
  static constexpr int32_t kCell = 65536;
  static constexpr int32_t kRadius = 13 * 1024;  // half the side of the square that the agent fills

  explicit Maze(const MazeOptions& options);
  static orrery::Facts Describe();

  const WorldFacts& Facts() const override { return facts_; }
  void Reset(uint64_t seed) override;
  void Step(std::span<const float> action) override;
  void Render(std::span<uint8_t> rgb) const override;
  void RenderDepth(std::span<float> depth) const override;
  void RenderIds(std::span<int32_t> ids) const override;
  std::vector<StateVariable> TrueState() const override;
  std::optional<Pose> TruePose() const override;
  std::vector<WorldObject> Objects() const override;
  const std::vector<WorldEvent>& Events() const override { return events_; }
  void Perturb(uint64_t take) override;  // of continuous steps; the lattice has nothing to nudge
  std::string Snapshot() const override;
  void Restore(std::string_view snapshot) override;

  const MazeState& State() const { return state_; }
  // Interventions: move the agent or an object, open a wall, repaint. Throws Error when the state is not possible in
  // this maze (sizes, ranges, agent or object inside a wall, an open outer ring, a pose off the lattice).
  void SetState(MazeState state);

  // The lattice, for planners: a step along a heading of i * 15 degrees in kLatticeUnit, and whether the agent fits at x, y.
  static constexpr int32_t kLatticeUnit = kCell / 64;
  static std::array<int32_t, 2> LatticeStep(int32_t heading);
  bool Fits(int32_t x, int32_t y) const { return Clear(state_.map, x, y); }

 protected:
  void DoIntervene(const std::string& name, const Json& params) override;

 private:
  void Check(const MazeState& state) const;
  bool Clear(const MazeMap& map, int32_t x, int32_t y) const;  // the agent fits here
  void Move(int32_t dx, int32_t dy);
  MazeCamera Camera() const;
  std::vector<Billboard> Billboards() const;

  MazeOptions options_;
  bool lattice_;
  WorldFacts facts_;
  Raycaster raycaster_;
  MazeState state_;
  std::vector<WorldEvent> events_;
};

}  // namespace orrery
