// Ground-truth worlds: simulators that show a frame, take an action and know their true state.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/action_space.h"
#include "core/error.h"
#include "core/spec.h"

namespace orrery {

// Position and heading of a camera or agent: x, y in world units, angle in radians, counter-clockwise from +x.
struct Pose {
  double x = 0, y = 0, angle = 0;
};

// One named variable of the true state, row-major.
struct StateVariable {
  std::string name;            // "position"
  std::vector<int64_t> shape;  // {3, 2}
  std::vector<double> values;
};

// One thing of the world. Readers, effects of interventions and object sets are about these.
struct WorldObject {
  int64_t id = 0;            // the same for as long as the thing exists, never used again; 0 is the background
  std::string kind;          // "ball", "domino", "key"
  double x = 0, y = 0;       // where it is, in units of which a viewer notices one: pixels on flat worlds, cells in the maze
  std::vector<double> more;  // what else of it can change, in the same kind of units: angle, open or shut, colour
  bool operator==(const WorldObject&) const = default;
};

// Something that happened during the last Step, between objects by their ids (-1: none).
struct WorldEvent {
  std::string kind;  // "collision", "topple", "open"
  int64_t subject = -1, object = -1;
  bool operator==(const WorldEvent&) const = default;
};

struct WorldFacts {
  std::string spec;  // canonical spec string, enough to build the world again
  int64_t height = 64, width = 64;
  double fps = 15;
  ActionSpace actions;
  bool has_pose = false;
  bool has_depth = false;
  bool has_ids = false;
  std::vector<orrery::Facts> interventions;  // what Intervene takes
};

// Deterministic to the bit: the same seed and actions give the same frames, states and snapshots, on every run of the
// same binary. No global random numbers. Not thread-safe; one object a thread.
class World {
 public:
  virtual ~World() = default;
  virtual const WorldFacts& Facts() const = 0;

  virtual void Reset(uint64_t seed) = 0;
  // One frame of time. `action` has Facts().actions.Width() values (a discrete action: its index).
  // Throws Error when it does not fit the action space, and then changes nothing.
  virtual void Step(std::span<const float> action) = 0;

  // The current observation, [H, W, 3] RGB bytes. Const: rendering changes nothing.
  virtual void Render(std::span<uint8_t> rgb) const = 0;

  // [H, W] distance of what each pixel shows along the optical axis, in world units. Throws Error without has_depth.
  virtual void RenderDepth(std::span<float> depth) const { Fail("{}: has no depth map", Facts().spec); }

  // [H, W] id of the object that each pixel shows; 0 is the background. Throws Error without has_ids.
  virtual void RenderIds(std::span<int32_t> ids) const { Fail("{}: has no object ids", Facts().spec); }

  // The true state, always the same variables in the same order.
  virtual std::vector<StateVariable> TrueState() const = 0;
  virtual std::optional<Pose> TruePose() const { return std::nullopt; }
  virtual std::vector<WorldObject> Objects() const { return {}; }
  // Of the last Step, in the order in which they happened; none after Reset, Restore or Intervene.
  virtual const std::vector<WorldEvent>& Events() const;

  // Changes the state at once, as if by a hand from outside: "remove(id=3)". Throws Error on an unknown name or parameter
  // and on what is not possible now, and then changes nothing.
  void Intervene(std::string_view spec);
  // Another take of the same scene: nudges the present state by as little as a second filming would (0: not at all).
  virtual void Perturb(uint64_t take) {}

  // Everything that decides the future, as bytes. Restore throws Error on bytes of another world (another spec) or
  // damaged ones, and then changes nothing.
  virtual std::string Snapshot() const = 0;
  virtual void Restore(std::string_view snapshot) = 0;

 protected:
  // `params` holds every parameter that Facts().interventions names for `name`.
  virtual void DoIntervene(const std::string& name, const Json& params) { ORRERY_CHECK(false); }
};

}  // namespace orrery
