// A learned model behind the interface of a ground-truth world, so that whatever plays, plans in or scores a world does so in a model.
#pragma once
#include "model/session.h"
#include "model/starts.h"
#include "worlds/world.h"

namespace orrery {

// True pose of a world that has one, [3].
at::Tensor PoseRow(const World& world);

// Reset(seed) begins from real start seed mod count, with the seed's own noise. TrueState is empty: a dream has none. A model that takes
// poses is given those of its starts, and then those of a guide, or its own odometry's.
class DreamWorld : public World {
 public:
  // `guide`: a true world at the last frame of the only start. It takes the same actions, and the model is told the pose that it has after
  // each, and nothing else. Throws Error when the model takes poses and cannot have them.
  DreamWorld(std::shared_ptr<const WorldModel> model, std::shared_ptr<const Starts> starts, const RolloutOptions& options,
             std::unique_ptr<World> guide = nullptr);

  const WorldFacts& Facts() const override { return facts_; }
  void Reset(uint64_t seed) override;
  void Step(std::span<const float> action) override;
  void Render(std::span<uint8_t> rgb) const override;
  std::vector<StateVariable> TrueState() const override { return {}; }
  std::string Snapshot() const override;  // safetensors bytes of SessionState::ToParts, and of the guide
  void Restore(std::string_view snapshot) override;

  // Goes on with a real frame [H, W, 3] that `action` led to, in place of an imagined one. Throws Error when they do not fit.
  void Observe(std::span<const uint8_t> rgb, std::span<const float> action);

  void TakeOlder(const DreamWorld& other) { session_.TakeOlder(other.session_.Snapshot()); }  // as Session

  const Session& Dream() const { return session_; }

 private:
  at::Tensor NextPose(std::span<const float> action);

  std::shared_ptr<const Starts> starts_;
  Session session_;
  WorldFacts facts_;
  std::unique_ptr<World> guide_;
  std::string guide_start_;  // its snapshot
};

}  // namespace orrery
