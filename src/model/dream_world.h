// A learned model behind the interface of a ground-truth world, so that whatever plays, plans in or scores a world does so in a model.
#pragma once
#include "model/session.h"
#include "model/starts.h"
#include "worlds/world.h"

namespace orrery {

// Reset(seed) begins from real start seed mod count, with the seed's own noise. TrueState is empty: a dream has none.
class DreamWorld : public World {
 public:
  DreamWorld(std::shared_ptr<const WorldModel> model, std::shared_ptr<const Starts> starts, const RolloutOptions& options);

  const WorldFacts& Facts() const override { return facts_; }
  void Reset(uint64_t seed) override;
  void Step(std::span<const float> action) override;
  void Render(std::span<uint8_t> rgb) const override;
  std::vector<StateVariable> TrueState() const override { return {}; }
  std::string Snapshot() const override;  // safetensors bytes of SessionState::ToParts
  void Restore(std::string_view snapshot) override;

  // Goes on with a real frame [H, W, 3] that `action` led to, in place of an imagined one. Throws Error when they do not fit.
  void Observe(std::span<const uint8_t> rgb, std::span<const float> action);

  void TakeOlder(const DreamWorld& other) { session_.TakeOlder(other.session_.Snapshot()); }  // as Session

  const Session& Dream() const { return session_; }

 private:
  std::shared_ptr<const Starts> starts_;
  Session session_;
  WorldFacts facts_;
};

}  // namespace orrery
