// The shipped worlds do what one asks of them: who turns left sees the picture move to the right, who stands sees it stand.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "model/session.h"
#include "model/starts.h"

namespace orrery {
namespace {

// Mean over columns of [B, H, W, 3] bytes as [B, W] profiles of the middle rows, without their mean.
at::Tensor Profile(const at::Tensor& frames) {
  const at::Tensor p = frames.narrow(1, frames.size(1) / 4, frames.size(1) / 2).to(at::kFloat).mean({1, 3});
  return p - p.mean(1, true);
}

// By how many pixels (to the right: positive) `after` is shifted against `before`, the best match of the profiles, [B].
std::vector<int64_t> Shift(const at::Tensor& before, const at::Tensor& after) {
  const at::Tensor a = Profile(before), b = Profile(after);
  const int64_t W = a.size(1), reach = W * 3 / 8;
  std::vector<int64_t> best(static_cast<size_t>(a.size(0)));
  for (int64_t i = 0; i < a.size(0); ++i) {
    double least = 1e30;
    for (int64_t s = -reach; s <= reach; ++s) {
      const int64_t n = W - std::abs(s);
      const at::Tensor x = a[i].narrow(0, std::max<int64_t>(0, -s), n), y = b[i].narrow(0, std::max<int64_t>(0, s), n);
      const double error = (x - y).square().mean().item<double>();
      if (error < least) least = error, best[static_cast<size_t>(i)] = s;
    }
  }
  return best;
}

struct Held {
  double change = 0;    // mean absolute difference of successive frames, 0..255
  double to_right = 0;  // share of steps in which the picture moves to the right,
  double to_left = 0;   // and to the left
};

// Holds one action for 50 steps from every beginning.
Held Hold(const std::shared_ptr<const WorldModel>& model, const Starts& starts, const std::string& action) {
  const at::NoGradGuard guard;
  const int64_t B = starts.Count();
  std::vector<uint64_t> seeds;
  for (int64_t i = 0; i < B; ++i) seeds.push_back(static_cast<uint64_t>(i));
  Session session(model, model->Config().rollout);
  session.Reset(starts.frames, starts.actions, starts.pose, seeds);
  const at::Tensor held = at::full({B, 1}, static_cast<double>(model->Actions().Index(action)));
  at::Tensor last = session.Frame();
  Held result;
  constexpr int kSteps = 50;
  for (int t = 0; t < kSteps; ++t) {
    session.Step(held, {});
    const at::Tensor now = session.Frame();
    result.change += (now.to(at::kFloat) - last.to(at::kFloat)).abs().mean().item<double>() / kSteps;
    for (const int64_t s : Shift(last, now)) {
      result.to_right += (s > 0) / static_cast<double>(kSteps * B);
      result.to_left += (s < 0) / static_cast<double>(kSteps * B);
    }
    last = now.clone();
  }
  return result;
}

void ObeysWhoWalksAndTurns(const char* folder, const char* forward, const char* left, const char* right, const char* stand) {
  const std::shared_ptr<const WorldModel> model = WorldModel::Load(folder);
  Starts starts = LoadStarts(folder);
  for (at::Tensor* t : {&starts.frames, &starts.actions, &starts.pose})
    if (t->defined()) *t = t->narrow(0, 0, 4);
  const Held lefts = Hold(model, starts, left), rights = Hold(model, starts, right);
  const Held forwards = Hold(model, starts, forward), stands = Hold(model, starts, stand);
  EXPECT_GT(lefts.to_right, 0.6);
  EXPECT_LT(lefts.to_left, 0.25);
  EXPECT_GT(rights.to_left, 0.6);
  EXPECT_LT(rights.to_right, 0.25);
  EXPECT_GT(lefts.change, 2 * stands.change);
  EXPECT_GT(rights.change, 2 * stands.change);
  EXPECT_GT(forwards.change, stands.change);
  printf("%s: mean change a step: left %.1f, right %.1f, forward %.1f, stand %.1f; left moves right %.2f, right moves left %.2f\n", folder,
         lefts.change, rights.change, forwards.change, stands.change, lefts.to_right, rights.to_left);
}

TEST(Shipped, DoomTurnsAndWalksWhileAKeyIsHeld) { ObeysWhoWalksAndTurns("models/doom", "forward", "turn left", "turn right", "noop"); }

TEST(Shipped, TheMazeTurnsAndWalksWhileAKeyIsHeld) { ObeysWhoWalksAndTurns("models/maze", "forward", "left", "right", "noop"); }

}  // namespace
}  // namespace orrery
