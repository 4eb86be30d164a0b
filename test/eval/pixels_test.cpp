#include "eval/pixels.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/rng.h"
#include "eval/inverse_model.h"

namespace orrery {
namespace {

TEST(Psnr, HasItsClosedForm) {
  const at::Tensor black = at::zeros({2, 4, 4, 3}, at::kByte), grey = at::full({2, 4, 4, 3}, 51, at::kByte);  // 0.2 apart
  const at::Tensor mse = ImageMse(black, grey);
  ASSERT_EQ(mse.sizes(), (at::IntArrayRef{2}));
  EXPECT_NEAR(mse[0].item<double>(), 0.04, 1e-12);
  EXPECT_NEAR(Psnr(0.04), 13.9794, 1e-4);
  EXPECT_EQ(Psnr(0), 100);
}

TEST(InverseModel, NamesTheMovementOfABar) {
  Rng rng(1);
  const auto pairs = [&](int64_t count) {
    const at::Tensor before = at::full({count, 16, 16, 3}, 30, at::kByte), after = before.clone(), action = at::zeros({count, 1});
    for (int64_t i = 0; i < count; ++i) {
      const int64_t place = 2 + rng.Below(11), move = rng.Below(3);
      before[i].narrow(1, place, 2).fill_(220);
      after[i].narrow(1, place + move - 1, 2).fill_(220);
      action[i][0] = static_cast<double>(move);
    }
    return std::tuple{before, after, action};
  };
  InverseModel model(ActionSpace{3, 0, {}, {}, {}}, 16, 16, 1);
  const auto [before, after, action] = pairs(1280);
  model.Fit(before, after, action, 4, 1);
  const auto [b, a, truth] = pairs(200);
  const double accuracy = (model.Predict(b, a) == truth.select(1, 0)).to(at::kFloat).mean().item<double>();
  EXPECT_GT(accuracy, 0.95);
  // Frames that do not move must not be named "moved": with before = after the answer is the middle action.
  EXPECT_GT((model.Predict(b, b) == 1).to(at::kFloat).mean().item<double>(), 0.9);
}

}  // namespace
}  // namespace orrery
