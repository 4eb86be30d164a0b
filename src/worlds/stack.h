// A tower of boxes on a table, seen from the side: will it stand?
#pragma once
#include "worlds/flat_world.h"
#include "worlds/params.h"
#include "worlds/rigid.h"

namespace orrery {

struct StackOptions {
  int64_t boxes = 5;  // 3..8
  double offset = 1;  // of a box from the one below at most, in half widths of the narrower, 0..1.5
  int64_t height = 64, width = 64;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(StackOptions, boxes, offset, height, width)

// Actions: none, then for every box from the bottom: left-i, right-i (a push of 1 m/s), take-i (it is gone). What is gone cannot
// be pushed. 30 fps.
// True state, one row a box from the bottom: position {n, 2} m, angle {n}, velocity {n, 3}, size {n, 2} half sides, fallen {n},
// gone {n}.
// Events: fall (box) when one first touches lower than it stood by more than half its height.
// Interventions: shift(box, by), remove(box), glue(box) (it never moves again), tint (which means nothing).
class Stack : public FlatWorld {
 public:
  explicit Stack(const StackOptions& options);
  static orrery::Facts Describe();

  void Reset(uint64_t seed) override;
  void Step(std::span<const float> action) override;
  std::vector<StateVariable> TrueState() const override;
  std::vector<WorldObject> Objects() const override;
  void Perturb(uint64_t take) override;
  std::string Snapshot() const override;
  void Restore(std::string_view snapshot) override;

  const std::vector<RigidBody>& Bodies() const { return bodies_; }
  // Whether any box falls within `frames` frames when nobody touches the tower: the label of stability tests.
  bool Stands(int64_t frames) const;

 protected:
  void Draw(Canvas& canvas) const override;
  void DoIntervene(const std::string& name, const Json& params) override;

 private:
  size_t Find(int64_t id) const;  // throws Error

  StackOptions options_;
  RigidScene scene_;
  RigidView view_;
  std::vector<RigidBody> bodies_;  // from the bottom
  std::vector<float> stood_;       // height at which each stood
  std::vector<uint8_t> fallen_;
  int32_t tint_ = 0;
};

}  // namespace orrery
