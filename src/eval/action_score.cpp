#include "eval/action_score.h"

#include <algorithm>
#include <numeric>

#include "data/windows.h"
#include "eval/inverse_model.h"
#include "eval/pixels.h"
#include "eval/statistics.h"

namespace orrery {

namespace {

struct Pairs {
  at::Tensor before, after, action;  // [P, H, W, 3] x 2, [P, A]
};

// Random pairs of neighbouring frames, read in short runs so that each access gives several.
Pairs RealPairs(const Dataset& dataset, const std::vector<int64_t>& episodes, int64_t count, Rng& rng) {
  constexpr int64_t kRun = 16;
  std::vector<at::Tensor> before, after, action;
  std::vector<int64_t> usable;
  for (const int64_t e : episodes)
    if (dataset.Frames(e) > kRun) usable.push_back(e);
  if (usable.empty()) Fail("action score: no episode has more than {} frames", kRun);
  for (int64_t have = 0; have < count; have += kRun) {
    const int64_t e = usable[rng.Below(static_cast<int64_t>(usable.size()))];
    const Episode part = dataset.Read(e, rng.Below(dataset.Frames(e) - kRun), kRun + 1);
    before.push_back(part.frames.narrow(0, 0, kRun));
    after.push_back(part.frames.narrow(0, 1, kRun));
    action.push_back(part.actions.narrow(0, 1, kRun));
  }
  return {at::cat(before), at::cat(after), at::cat(action)};
}

// [W, frames, H, W, 3]: what the model imagines after the context of every window, under the recorded actions.
at::Tensor Dream(const std::shared_ptr<const WorldModel>& model, const Episode& windows, const ActionScoreOptions& o) {
  constexpr int64_t kBatch = 32;
  std::vector<at::Tensor> films;
  for (int64_t begin = 0; begin < o.windows; begin += kBatch) {
    const int64_t count = std::min(kBatch, o.windows - begin);
    const auto part = [&](const at::Tensor& t) { return t.defined() ? t.narrow(0, begin, count) : t; };
    const auto head = [&](const at::Tensor& t) { return t.defined() ? part(t).narrow(1, 0, o.context) : t; };
    std::vector<uint64_t> seeds;
    for (int64_t i = 0; i < count; ++i) seeds.push_back(DeriveSeed(o.seed, static_cast<uint64_t>(begin + i)));
    Session session(model, o.rollout);
    session.Reset(head(windows.frames), head(windows.actions), head(windows.pose), seeds);
    std::vector<at::Tensor> film;
    for (int64_t t = o.context; t < o.context + o.frames; ++t) {
      session.Step(part(windows.actions).select(1, t), windows.pose.defined() ? part(windows.pose).select(1, t) : at::Tensor());
      film.push_back(session.Frame());
    }
    films.push_back(at::stack(film, 1));
  }
  return at::cat(films);
}

// Scores over chosen rows of prediction against truth [W, P, ...].
double Measure(const ActionSpace& actions, const at::Tensor& predicted, const at::Tensor& truth, const std::vector<int64_t>& rows) {
  const at::Tensor index = at::tensor(rows, at::kLong);
  const at::Tensor p = predicted.index_select(0, index), t = truth.index_select(0, index);
  if (!actions.Discrete()) {
    const at::Tensor x = p.flatten(0, 1), y = t.flatten(0, 1);
    return (1 - (x - y).square().mean(0) / y.var(0, false).clamp_min(1e-8)).mean().item<double>();
  }
  double recall = 0;
  int64_t classes = 0;
  for (int64_t a = 0; a < actions.count; ++a) {
    const at::Tensor is = t == a;
    const auto n = is.sum().item<int64_t>();
    if (n == 0) continue;
    recall += ((p == a) & is).sum().item<double>() / static_cast<double>(n);
    ++classes;
  }
  return classes ? recall / static_cast<double>(classes) : NAN;
}

}  // namespace

Json ScoreActions(const std::shared_ptr<const WorldModel>& model, const Dataset& dataset, const std::vector<int64_t>& train,
                  const std::vector<int64_t>& held_out, const ActionScoreOptions& o) {
  const ActionSpace& actions = model->Actions();
  if (actions.Width() == 0) Fail("action score: this model was trained without actions");
  Rng rng(o.seed, "action score");
  const DatasetFacts& facts = dataset.Facts();
  InverseModel inverse(actions, facts.height, facts.width, DeriveSeed(o.seed, "inverse model weights"));
  const Pairs pairs = RealPairs(dataset, train, o.training_pairs, rng);
  inverse.Fit(pairs.before, pairs.after, pairs.action, o.epochs, o.seed);

  const at::NoGradGuard guard;
  const Episode windows = SampleWindows(dataset, held_out, o.windows, o.context + o.frames, rng);
  const at::Tensor dream = Dream(model, windows, o);
  const int64_t P = o.frames - 1;  // pairs whose two frames are both imagined
  const at::Tensor real = windows.frames.narrow(1, o.context, o.frames), chosen = windows.actions.narrow(1, o.context + 1, P);
  const auto predict = [&](const at::Tensor& film) {
    std::vector<at::Tensor> rows;
    for (int64_t w = 0; w < o.windows; ++w) rows.push_back(inverse.Predict(film[w].narrow(0, 0, P), film[w].narrow(0, 1, P)));
    return at::stack(rows);
  };
  const at::Tensor truth = actions.Discrete() ? chosen.select(2, 0).to(at::kLong) : chosen;
  const at::Tensor on_real = predict(real), on_dream = predict(dream);

  std::vector<int64_t> all(o.windows);
  std::iota(all.begin(), all.end(), 0);
  const double real_score = Measure(actions, on_real, truth, all), dream_score = Measure(actions, on_dream, truth, all);
  const Interval ratio = Bootstrap(o.windows, [&](std::span<const int64_t> rows) {
    const std::vector<int64_t> drawn(rows.begin(), rows.end());
    return Measure(actions, on_dream, truth, drawn) / Measure(actions, on_real, truth, drawn);
  });
  Json per_action = Json::array();
  for (int64_t a = 0; actions.Discrete() && a < actions.count; ++a) {
    const at::Tensor is = truth == a;
    const auto n = is.sum().item<double>();
    if (n == 0) continue;
    per_action.push_back({{"action", a < static_cast<int64_t>(actions.names.size()) ? actions.names[a] : std::to_string(a)},
                          {"pairs", n},
                          {"real", ((on_real == a) & is).sum().item<double>() / n},
                          {"dream", ((on_dream == a) & is).sum().item<double>() / n}});
  }
  return {{"measure", actions.Discrete() ? "balanced accuracy" : "R2"},
          {"pairs", o.windows * P},
          {"real", real_score},
          {"dream", dream_score},
          {"ratio", dream_score / real_score},
          {"ratio_low", ratio.low},
          {"ratio_high", ratio.high},
          {"per_action", per_action}};
}

}  // namespace orrery
