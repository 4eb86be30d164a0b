// A chain of dominoes seen from the side: the cleanest causal test, since what falls after a cut is a suffix of the chain.
#pragma once
#include "worlds/flat_world.h"
#include "worlds/params.h"
#include "worlds/rigid.h"

namespace orrery {

struct DominoesOptions {
  int64_t count = 10;     // 4..20
  double height_m = 1.2;  // of a domino, m, 0.8..1.6
  int64_t height = 64, width = 64;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(DominoesOptions, count, height_m, height, width)

// Actions: none, push-first (to the right), push-last (to the left). 30 fps.
// True state, one row a domino from left to right (a blocker last): position {n, 2} m, angle {n} radians counter-clockwise,
// velocity {n, 3} m/s and radians/s, fallen {n}, gone {n}, id {n}. n changes when a blocker comes.
// Events: topple (domino) when one first leans by more than 20 degrees.
// Interventions: remove(domino), gap(domino, width), blocker(domino), stand(domino), tint (which means nothing).
class Dominoes : public FlatWorld {
 public:
  static constexpr size_t kMaxBodies = 24;
  static constexpr int32_t kBlocker = 100;  // ids of blockers: this and above; dominoes: 1..count

  explicit Dominoes(const DominoesOptions& options);
  static orrery::Facts Describe();

  void Reset(uint64_t seed) override;
  void Step(std::span<const float> action) override;
  std::vector<StateVariable> TrueState() const override;
  std::vector<WorldObject> Objects() const override;
  void Perturb(uint64_t take) override;
  std::string Snapshot() const override;
  void Restore(std::string_view snapshot) override;

  const std::vector<RigidBody>& Bodies() const { return bodies_; }
  const std::vector<uint8_t>& Fallen() const { return fallen_; }  // of every body
  double Scale() const { return view_.scale; }                    // pixels a metre

 protected:
  void Draw(Canvas& canvas) const override;
  void DoIntervene(const std::string& name, const Json& params) override;

 private:
  size_t Find(int64_t id) const;  // throws Error
  RigidBody* End(bool first);     // the outermost that stands there, or null

  DominoesOptions options_;
  RigidScene scene_;
  RigidView view_;
  std::vector<RigidBody> bodies_;  // from left to right, then blockers
  std::vector<uint8_t> fallen_;
  int32_t tint_ = 0;
};

}  // namespace orrery
