// A window that is computed anew for every frame knows nothing but its frames: it is a session that began with them.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "awake.h"
#include "core/tensor_rng.h"
#include "dynamics/rollouts/executor.h"
#include "state/registry.h"

namespace orrery {
namespace {

const LatentShape kCells{.channels = 3, .height = 4, .width = 4};
constexpr int64_t kWindow = 3, kFilm = 8;

class Recomputed : public testing::TestWithParam<std::string> {
 protected:
  Recomputed() {
    at::manual_seed(1);
    network_ = std::make_shared<Transition>(TransitionOptions{.dim = 32, .depth = 3, .heads = 2}, kCells, ActionSpace{3, 0, {}, {}, {}});
    Awaken(*network_, 0.3);
    network_->eval();
    memory_ = MakeMemory(GetParam(), network_->Geometry());
    Rng rng(7);
    for (int64_t t = 0; t < kFilm + 2; ++t) noise_.push_back(NormalTensor({2, 3, 4, 4}, rng));
  }
  Executor Make(const std::string& spec) const {
    RolloutOptions options;
    options.steps = 2;
    options.spec = spec;
    return {network_, memory_, NoisePaths().Make("flow"), options, Capabilities{.accepts_mixed_levels = true, .clean_label = true}};
  }
  StepCondition At(int64_t t) const { return {at::full({2, 1}, static_cast<double>(t % 3)), {}, {}}; }
  NoiseSource Noise(int64_t t) const {
    return {[this, t] { return noise_[static_cast<size_t>(t)]; }, {}};
  }
  Parts Begin() const { return memory_->Reset(2, at::kCPU, at::kFloat, 0); }

  std::shared_ptr<Transition> network_;
  std::shared_ptr<Memory> memory_;
  std::vector<at::Tensor> noise_;
};

TEST_P(Recomputed, IsASessionThatBeganWithItsWindow) {
  const at::NoGradGuard guard;
  Executor executor = Make("recomputed"), sequential = Make("sequential");
  Parts state = Begin(), other = Begin();
  Flight flight, flight_of_other;
  std::vector<at::Tensor> film;
  double older = 0;  // how much a window that goes on tells of frames that left it
  for (int64_t t = 0; t < kFilm; ++t) {
    const auto condition = [&](int64_t) { return At(t); };
    if (t == 0) {
      film.push_back(noise_[kFilm]);
      executor.Force(state, flight, At(t), film[0], Noise(t));
      sequential.Force(other, flight_of_other, At(t), film[0], Noise(t));
      continue;
    }
    Executor fresh = Make("sequential");
    Parts begun = Begin();
    Flight flight_of_begun;
    for (int64_t i = std::max<int64_t>(0, t - kWindow); i < t; ++i)
      fresh.Force(begun, flight_of_begun, At(i), film[static_cast<size_t>(i)], Noise(i));
    const at::Tensor expected = fresh.Next(begun, flight_of_begun, condition, Noise(t)).latent;
    film.push_back(executor.Next(state, flight, condition, Noise(t)).latent);
    EXPECT_LT((film.back() - expected).abs().max().item<double>(), 1e-4) << t;
    Parts went_on = other.Fork();
    Flight flight_on = flight_of_other;
    older = std::max(older, (sequential.Next(went_on, flight_on, condition, Noise(t)).latent - expected).abs().max().item<double>());
    sequential.Force(other, flight_of_other, At(t), film.back(), Noise(t));
  }
  EXPECT_GT(older, 1e-3) << "there is nothing to forget in this test";
}

TEST_P(Recomputed, GoesOnFromItsPartsToTheBitAndCountsItsPasses) {
  const at::NoGradGuard guard;
  Executor executor = Make("recomputed");
  Parts state = Begin();
  Flight flight;
  executor.Force(state, flight, At(0), noise_[kFilm], Noise(0));
  for (int64_t t = 1; t < kFilm; ++t) {
    const RolloutCount before = executor.Count();
    Parts saved = state.Clone();
    Flight again = Flight::FromParts(flight.ToParts().Clone(), t);
    const auto condition = [&](int64_t) { return At(t); };
    const at::Tensor frame = executor.Next(state, flight, condition, Noise(t)).latent;
    const int64_t passes = executor.Count().denoise + executor.Count().commit - before.denoise - before.commit;
    EXPECT_EQ(passes, t > kWindow ? executor.Plan().ForwardsPerFrame() : executor.Plan().Steps() + 1);
    EXPECT_TRUE(at::equal(frame, executor.Next(saved, again, condition, Noise(t)).latent)) << t;
    EXPECT_EQ(saved.Difference(state), "") << t;
  }
}

INSTANTIATE_TEST_SUITE_P(States, Recomputed, testing::Values("window(3)", "window(3) + delta(heads=2, dim=8)"));

TEST(RecomputedRollout, RefusesAStateWithoutAWindow) {
  const auto network = std::make_shared<Transition>(TransitionOptions{.dim = 32, .depth = 1, .heads = 2}, kCells, ActionSpace{});
  RolloutOptions options;
  options.spec = "recomputed";
  EXPECT_THROW(Executor(network, MakeMemory("delta(heads=2, dim=8)", network->Geometry()), NoisePaths().Make("flow"), options,
                        Capabilities{.accepts_mixed_levels = true, .clean_label = true}),
               Error);
}

}  // namespace
}  // namespace orrery
