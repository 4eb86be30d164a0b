// Reading growth: the picture of every progress is drawn, and the likest is it.
#include <algorithm>
#include <cmath>

#include "eval/readers/bodies.h"
#include "worlds/growth.h"

namespace orrery {

namespace {

constexpr int kSteps = 40;         // of the first search
constexpr double kFine = 5e-4;     // of progress
constexpr double kMostError = 40;  // root mean square of grey levels, beyond which it is another picture
constexpr double kPlainError = 4;  // beyond which other tints are tried

class Progress : public ObjectReader {
 public:
  explicit Progress(const Growth& shown) : world_(shown), told_(shown.Objects()[0]), tint_(shown.State().tint) {
    rgb_.resize(static_cast<size_t>(3 * world_.Facts().height * world_.Facts().width));
  }
  std::string Name() const override { return "progress"; }

  std::vector<Reading> Read(std::span<const uint8_t> frame) override {
    ORRERY_CHECK(frame.size() == rgb_.size());
    GrowthState best = world_.State();
    best.tint = tint_;
    lens_ = 0;
    double least = Find(frame, best), lens = 0;
    const auto attempt = [&](uint8_t tint, double blur) {
      GrowthState other = best;
      other.tint = tint;
      lens_ = blur;
      const double error = Find(frame, other);
      if (error >= least) return;
      least = error;
      best = other;
      lens = blur;
    };
    if (std::sqrt(least) > kPlainError) {
      for (uint8_t tint = 0; tint < 3; ++tint)
        if (tint != best.tint) attempt(tint, 0);
      for (const double blur : kLenses)
        if (blur > 0) attempt(best.tint, blur);
    }
    lens_ = lens;
    tint_ = best.tint;
    world_.SetState(best);
    const double error = std::sqrt(least);
    const bool seen = error <= kMostError;
    if (seen) told_ = world_.Objects()[0];
    return {{told_, seen ? Sighting::kSeen : Sighting::kAbstained, std::clamp(1 - error / (2 * kMostError), 0.0, 1.0)}};
  }

 private:
  double Error(std::span<const uint8_t> frame, const GrowthState& state) {
    world_.SetState(state);
    world_.Render(rgb_);
    Smear(rgb_, world_.Facts().height, world_.Facts().width, lens_);
    int64_t sum = 0;
    for (size_t i = 0; i < rgb_.size(); ++i) {
      const int difference = static_cast<int>(rgb_[i]) - static_cast<int>(frame[i]);
      sum += difference * difference;
    }
    return static_cast<double>(sum) / static_cast<double>(rgb_.size());
  }

  // Sets the state's progress and speed to the likest; the mean square error there.
  double Find(std::span<const uint8_t> frame, GrowthState& state) {
    double least = -1;
    GrowthState best = state;
    const auto attempt = [&](GrowthState trial) {
      const double error = Error(frame, trial);
      if (least >= 0 && error >= least) return false;
      least = error;
      best = trial;
      return true;
    };
    for (int i = 0; i <= kSteps; ++i) {
      state.progress = static_cast<double>(i) / kSteps;
      attempt(state);
    }
    const auto refine = [&](double step) {
      for (; step > kFine; step /= 2)
        for (const double side : {-1.0, 1.0}) {
          GrowthState trial = best;
          trial.progress = std::clamp(best.progress + side * step, 0.0, 1.0);
          if (trial.progress != best.progress && attempt(trial)) break;
        }
    };
    refine(0.5 / kSteps);
    for (const uint8_t speed : {0, 1, 2, 4}) {
      GrowthState trial = best;
      trial.speed = speed;
      if (speed != best.speed) attempt(trial);
    }
    refine(2 * kFine);
    state = best;
    return least;
  }

  Growth world_;
  WorldObject told_;
  uint8_t tint_;
  double lens_ = 0;  // sigma of the blur that is drawn, px
  std::vector<uint8_t> rgb_;
};

}  // namespace

std::unique_ptr<ObjectReader> ProgressReader(const World& shown) {
  const auto* growth = dynamic_cast<const Growth*>(&shown);
  return growth ? std::make_unique<Progress>(*growth) : nullptr;
}

}  // namespace orrery
