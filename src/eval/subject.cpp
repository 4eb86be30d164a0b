#include "eval/subject.h"

#include <ATen/ATen.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/rng.h"
#include "eval/dummies/registry.h"
#include "model/dream_world.h"
#include "worlds/registry.h"

namespace orrery {

namespace {

class True : public Subject {
 public:
  std::string Name() const override { return "truth"; }
  std::string Unfit(const Scenario&) const override { return ""; }

  std::unique_ptr<World> Begin(const Scenario& scenario, uint64_t) const override { return ContextEnd(scenario); }
};

std::string ActionsText(const ActionSpace& actions) {
  if (actions.Width() == 0) return "no actions";
  if (!actions.Discrete()) return fmt::format("{} numbers an action", actions.dims);
  return actions.names.empty() ? fmt::format("{} actions", actions.count)
                               : fmt::format("{} actions ({})", actions.count, fmt::join(actions.names, ", "));
}

bool SameActions(const ActionSpace& a, const ActionSpace& b) {
  return a.count == b.count && a.dims == b.dims && (a.names.empty() || b.names.empty() || a.names == b.names);
}

class Learned : public Subject {
 public:
  Learned(std::string name, std::shared_ptr<const WorldModel> model, const RolloutOptions& rollout)
      : name_(std::move(name)), model_(std::move(model)), rollout_(rollout) {}
  std::string Name() const override { return name_; }

  std::string Unfit(const Scenario& scenario) const override {
    const WorldFacts facts = MakeWorld(scenario.world)->Facts();
    const DatasetFacts& data = model_->Config().data;
    if (data.height != facts.height || data.width != facts.width)
      return fmt::format("it makes frames of {}x{}, {} has {}x{}", data.height, data.width, facts.spec, facts.height, facts.width);
    if (!SameActions(data.actions, facts.actions))
      return fmt::format("it was trained with {}, {} takes {}", ActionsText(data.actions), facts.spec, ActionsText(facts.actions));
    if (model_->Config().transition.pose) return "it asks for the pose of every frame, which an imagined frame does not have";
    return "";
  }

  std::unique_ptr<World> Begin(const Scenario& scenario, uint64_t sample) const override {
    if (const std::string reason = Unfit(scenario); !reason.empty()) Fail("{} does not fit {}: {}", name_, scenario.world, reason);
    const auto world = StartWorld(scenario);
    const WorldFacts& facts = world->Facts();
    Starts context;
    context.frames = at::empty({1, scenario.context, facts.height, facts.width, 3}, at::kByte);
    const int64_t width = facts.actions.Width();
    if (width > 0) context.actions = at::zeros({1, scenario.context, width}, at::kFloat);
    int64_t t = 0;
    RunContext(*world, scenario, [&](const World& now) {
      const at::Tensor frame = context.frames[0][t];
      now.Render({frame.mutable_data_ptr<uint8_t>(), static_cast<size_t>(frame.numel())});
      // Row t leads to frame t; nothing leads to frame 0, whose row is ignored but must be an action.
      if (width > 0 && !scenario.actions.empty()) {
        const auto& action = scenario.actions[static_cast<size_t>(std::max<int64_t>(t - 1, 0))];
        std::copy(action.begin(), action.end(), context.actions[0][t].mutable_data_ptr<float>());
      }
      ++t;
    });
    auto dream = std::make_unique<DreamWorld>(model_, std::make_shared<const Starts>(std::move(context)), rollout_);
    dream->Reset(SampleSeed(scenario, sample));
    return dream;
  }

 private:
  std::string name_;
  std::shared_ptr<const WorldModel> model_;
  RolloutOptions rollout_;
};

}  // namespace

std::unique_ptr<Subject> TruthSubject() { return std::make_unique<True>(); }

std::unique_ptr<Subject> ModelSubject(std::string name, std::shared_ptr<const WorldModel> model, const RolloutOptions& rollout) {
  return std::make_unique<Learned>(std::move(name), std::move(model), rollout);
}

std::vector<std::unique_ptr<Subject>> MakeSubjects(std::string_view spec, const std::optional<RolloutOptions>& rollout) {
  constexpr std::string_view kDummy = "dummy:";
  std::vector<std::unique_ptr<Subject>> subjects;
  if (spec == "truth") {
    subjects.push_back(TruthSubject());
  } else if (spec == "dummy:all") {
    for (const std::string& name : Dummies().Names()) subjects.push_back(Dummies().Make(std::string_view(name)));
  } else if (spec.starts_with(kDummy)) {
    subjects.push_back(Dummies().Make(spec.substr(kDummy.size())));
  } else {
    const auto model = WorldModel::Load(std::filesystem::path(spec));
    subjects.push_back(ModelSubject(std::string(spec), model, rollout.value_or(model->Config().rollout)));
  }
  return subjects;
}

Film Imagine(const Subject& subject, const Scenario& scenario, uint64_t sample, int64_t reground) {
  const int64_t last = scenario.Last();
  if (reground < 0) Fail("imagine: a true frame every 1 or more frames expected, or 0 for never, got {}", reground);
  if (reground == 0) return RecordFilm(*subject.Begin(scenario, sample), scenario, scenario.context - 1, last);
  Film whole;
  std::vector<at::Tensor> frames;
  for (int64_t first = scenario.context - 1; first < last; first += reground) {
    Scenario part = scenario;
    part.context = first + 1;
    const uint64_t chance = frames.empty() ? sample : DeriveSeed(sample, static_cast<uint64_t>(first));
    Film film = RecordFilm(*subject.Begin(part, chance), part, first, std::min(first + reground, last));
    frames.push_back(std::move(film.frames));
    std::move(film.objects.begin(), film.objects.end(), std::back_inserter(whole.objects));
    std::move(film.events.begin(), film.events.end(), std::back_inserter(whole.events));
    std::move(film.poses.begin(), film.poses.end(), std::back_inserter(whole.poses));
  }
  if (!frames.empty()) whole.frames = at::cat(frames);
  return whole;
}

}  // namespace orrery
