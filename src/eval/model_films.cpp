#include "eval/model_films.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "model/dream_world.h"

namespace orrery {

namespace {

// Rows of one session in lockstep, each with its guide.
class Rows {
 public:
  Rows(std::shared_ptr<const WorldModel> model, const RolloutOptions& rollout, std::span<const Scenario> scenarios, uint64_t sample)
      : session_(model, rollout), scenarios_(scenarios) {
    std::vector<at::Tensor> frames, actions, poses;
    std::vector<uint64_t> seeds;
    for (const Scenario& s : scenarios) {
      ShownContext shown = ContextFor(*model, s);
      frames.push_back(shown.starts.frames);
      if (shown.starts.actions.defined()) actions.push_back(shown.starts.actions);
      if (shown.starts.pose.defined()) poses.push_back(shown.starts.pose);
      if (shown.guide) guides_.push_back(std::move(shown.guide));
      seeds.push_back(SampleSeed(s, sample));
    }
    const auto joined = [](const std::vector<at::Tensor>& rows) { return rows.empty() ? at::Tensor() : at::cat(rows); };
    session_.Reset(joined(frames), joined(actions), joined(poses), seeds);
  }

  Session& Get() { return session_; }

  // Action t of every row and the pose after it; guides go on.
  std::pair<at::Tensor, at::Tensor> Next(int64_t t) {
    std::vector<at::Tensor> actions, poses;
    for (size_t i = 0; i < scenarios_.size(); ++i) {
      const std::vector<float>& action = scenarios_[i].actions[static_cast<size_t>(t)];
      if (!action.empty()) actions.push_back(at::tensor(action, at::kFloat));
      if (guides_.empty()) continue;
      guides_[i]->Step(action);
      poses.push_back(PoseRow(*guides_[i]));
    }
    const auto stacked = [](const std::vector<at::Tensor>& rows) { return rows.empty() ? at::Tensor() : at::stack(rows); };
    return {stacked(actions), stacked(poses)};
  }

 private:
  Session session_;
  std::span<const Scenario> scenarios_;
  std::vector<std::unique_ptr<World>> guides_;
};

// [B, C, h, w] of frame t of every truth [T + 1, H, W, 3].
at::Tensor TrueLatents(const WorldModel& model, const std::vector<at::Tensor>& truths, int64_t t) {
  std::vector<at::Tensor> frames;
  for (const at::Tensor& truth : truths) frames.push_back(truth[t]);
  return model.Encode(at::stack(frames));
}

// Films of B rows; true frames are shown after every `reground` imagined ones.
std::vector<Film> RowFilms(const std::shared_ptr<const WorldModel>& model, const RolloutOptions& rollout,
                           std::span<const Scenario> scenarios, const FilmOptions& options) {
  const at::NoGradGuard guard;
  Rows rows(model, rollout, scenarios, options.sample);
  if (!options.foreign.empty()) rows.Get().TakeOlder(Rows(model, rollout, options.foreign, options.sample).Get().Snapshot());
  std::vector<at::Tensor> truths;
  if (options.reground > 0)
    for (const Scenario& s : scenarios) truths.push_back(MakeTruth(s).film.frames);

  const int64_t first = scenarios[0].context - 1, last = scenarios[0].Last();
  const DatasetFacts& data = model->Config().data;
  std::vector<at::Tensor> frames(scenarios.size());
  for (at::Tensor& film : frames) film = at::empty({last - first, data.height, data.width, 3}, at::kByte);
  SessionState before = rows.Get().Snapshot();
  std::vector<std::pair<at::Tensor, at::Tensor>> since;
  for (int64_t t = first; t < last; ++t) {
    since.push_back(rows.Next(t));
    rows.Get().Step(since.back().first, since.back().second);
    const at::Tensor shown = rows.Get().Frame();
    for (size_t i = 0; i < frames.size(); ++i) frames[i][t - first].copy_(shown[static_cast<int64_t>(i)]);
    if (options.reground == 0 || std::ssize(since) < options.reground) continue;
    rows.Get().Restore(before);
    for (int64_t k = 0; k < std::ssize(since); ++k) {
      const auto& [action, pose] = since[static_cast<size_t>(k)];
      rows.Get().Force(TrueLatents(*model, truths, t + 2 - std::ssize(since) + k), action, pose);
    }
    before = rows.Get().Snapshot();
    since.clear();
  }
  std::vector<Film> films;
  for (at::Tensor& film : frames) {
    Film made;
    made.objects.resize(static_cast<size_t>(film.size(0)));
    made.events.resize(made.objects.size());
    made.frames = std::move(film);
    films.push_back(std::move(made));
  }
  return films;
}

}  // namespace

ShownContext ContextFor(const WorldModel& model, const Scenario& scenario) {
  ShownContext shown;
  auto world = StartWorld(scenario);
  const WorldFacts& facts = world->Facts();
  Starts& context = shown.starts;
  context.frames = at::empty({1, scenario.context, facts.height, facts.width, 3}, at::kByte);
  const int64_t width = facts.actions.Width();
  if (width > 0) context.actions = at::zeros({1, scenario.context, width}, at::kFloat);
  if (model.NeedsPose()) context.pose = at::empty({1, scenario.context, 3}, at::kFloat);
  int64_t t = 0;
  RunContext(*world, scenario, [&](const World& now) {
    const at::Tensor frame = context.frames[0][t];
    now.Render({frame.mutable_data_ptr<uint8_t>(), static_cast<size_t>(frame.numel())});
    // Row t leads to frame t; nothing leads to frame 0, whose row is ignored but must be an action.
    if (width > 0 && !scenario.actions.empty()) {
      const auto& action = scenario.actions[static_cast<size_t>(std::max<int64_t>(t - 1, 0))];
      std::copy(action.begin(), action.end(), context.actions[0][t].mutable_data_ptr<float>());
    }
    if (model.NeedsPose()) context.pose[0][t].copy_(PoseRow(now));
    ++t;
  });
  if (model.NeedsPose()) shown.guide = std::move(world);
  return shown;
}

bool Alike(std::span<const Scenario> scenarios) {
  return std::all_of(scenarios.begin(), scenarios.end(), [&](const Scenario& s) {
    return s.world == scenarios[0].world && s.context == scenarios[0].context && s.Last() == scenarios[0].Last() &&
           (s.intervention.empty() || s.InContext());
  });
}

std::vector<Film> FilmsTogether(const std::shared_ptr<const WorldModel>& model, const RolloutOptions& rollout,
                                std::span<const Scenario> scenarios, const FilmOptions& options) {
  ORRERY_CHECK(Alike(scenarios) && (options.foreign.empty() || options.foreign.size() == scenarios.size()));
  std::vector<Film> films;
  for (size_t i = 0; i < scenarios.size(); i += kRowsTogether) {
    const size_t n = std::min(kRowsTogether, scenarios.size() - i);
    FilmOptions some = options;
    if (!options.foreign.empty()) some.foreign = options.foreign.subspan(i, n);
    for (Film& film : RowFilms(model, rollout, scenarios.subspan(i, n), some)) films.push_back(std::move(film));
  }
  return films;
}

}  // namespace orrery
