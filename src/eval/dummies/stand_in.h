// A world that stands in for another and differs in one thing: the base of the dummies.
#pragma once
#include "eval/scenario.h"
#include "worlds/snapshot.h"

namespace orrery {

// Everything goes to the inner world, which is at the end of the context, unless a derived class says otherwise.
// Reset(seed): back to the end of the context, with the chance of `seed`. Snapshots belong to one scenario.
class StandIn : public World {
 public:
  const WorldFacts& Facts() const override { return facts_; }
  void Reset(uint64_t seed) final;
  void Step(std::span<const float> action) final;
  void Render(std::span<uint8_t> rgb) const override { Shown().Render(rgb); }
  void RenderDepth(std::span<float> depth) const override { Shown().RenderDepth(depth); }
  void RenderIds(std::span<int32_t> ids) const override { Shown().RenderIds(ids); }
  std::vector<StateVariable> TrueState() const override { return Shown().TrueState(); }
  std::optional<Pose> TruePose() const override { return Shown().TruePose(); }
  std::vector<WorldObject> Objects() const override { return Shown().Objects(); }
  const std::vector<WorldEvent>& Events() const override { return events_; }
  void Perturb(uint64_t take) override { inner_->Perturb(take); }
  std::string Snapshot() const final;
  void Restore(std::string_view snapshot) final;

 protected:
  StandIn(std::string_view name, const Scenario& scenario, std::unique_ptr<World> inner);

  // One step; the action is valid. Sets events_. Must throw before it changes anything.
  virtual void Advance(std::span<const float> action);
  // A hand's change, whose name and parameters are known to the world; throws Error when it is not possible now.
  virtual void Hand(std::string_view spec) { inner_->Intervene(spec); }
  // Draws what hangs on Seed() alone, whenever that is new.
  virtual void Draw() {}
  // After a Reset: the inner world is at the end of the context, Clock() is 0.
  virtual void Prepare() {}
  virtual const World& Shown() const { return *inner_; }
  // What a derived class remembers beside the inner world.
  virtual void Save(SnapshotWriter&) const {}
  virtual void Load(SnapshotReader&) {}

  void DoIntervene(const std::string& name, const Json& params) final;
  World& Inner() { return *inner_; }
  const World& Inner() const { return *inner_; }
  const Scenario& Plan() const { return scenario_; }
  int64_t Clock() const { return clock_; }          // steps since the context
  uint64_t Seed() const { return seed_; }           // of this sample
  uint64_t Chance(std::string_view purpose) const;  // a seed for what happens at Clock()

  std::vector<WorldEvent> events_;

 private:
  Scenario scenario_;
  uint64_t id_;
  std::unique_ptr<World> inner_;
  WorldFacts facts_;
  std::string start_;
  int64_t clock_ = 0;
  uint64_t seed_ = 0;
};

// Text within a snapshot.
void PutText(SnapshotWriter& out, std::string_view text);
std::string GetText(SnapshotReader& in);

}  // namespace orrery
