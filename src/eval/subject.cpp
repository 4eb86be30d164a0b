#include "eval/subject.h"

#include <ATen/ATen.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/hash.h"
#include "core/rng.h"
#include "core/sha256.h"
#include "eval/dummies/registry.h"
#include "eval/memory/vector.h"
#include "eval/model_films.h"
#include "eval/recordings/recording.h"
#include "model/dream_world.h"
#include "nn/module_tensors.h"

namespace orrery {

namespace {

class True : public Subject {
 public:
  std::string Name() const override { return "truth"; }
  SubjectKind Kind() const override { return SubjectKind::kTruth; }
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

Json WeightsHash(const WorldModel& model) {
  uint64_t hash = kHashStart;
  for (const torch::nn::Module* module :
       {static_cast<torch::nn::Module*>(&model.Network()), static_cast<torch::nn::Module*>(model.GetMemory().get())})
    for (const auto& [name, tensor] : ModuleTensors(*module)) {
      const at::Tensor bytes = tensor.detach().cpu().contiguous();
      hash = HashBytes({static_cast<const char*>(bytes.const_data_ptr()), bytes.nbytes()}, HashBytes(name, hash));
    }
  return {{"weights_hash", fmt::format("{:016x}", hash)}};
}

// Hashes of a model folder's files, and the seed it was trained with where that is told.
Json FilesFacts(const std::filesystem::path& folder) {
  Json facts;
  for (const char* file : {"model.safetensors", "codec.safetensors"}) facts["sha256"][file] = FileSha256(folder / file);
  if (!std::filesystem::exists(folder / "train.json")) return facts;
  const Json train = ReadJson(folder / "train.json");
  if (const Json::json_pointer seed("/training/seed"); train.contains(seed)) facts["training_seed"] = train.at(seed);
  return facts;
}

class Learned : public Subject {
 public:
  // `identity`: facts that tell it from another model of the same config.
  Learned(std::string name, std::shared_ptr<const WorldModel> model, const RolloutOptions& rollout, Json identity)
      : name_(std::move(name)), model_(std::move(model)), rollout_(rollout), identity_(std::move(identity)) {}
  std::string Name() const override { return name_; }
  SubjectKind Kind() const override { return SubjectKind::kModel; }

  Json Facts() const override {
    const ModelConfig& c = model_->Config();
    Json facts = Subject::Facts();
    facts.update({{"state", c.state},
                  {"path", c.path},
                  {"codec", c.codec},
                  {"layout", c.transition.layout},
                  {"depth", c.transition.depth},
                  {"rollout", rollout_},
                  {"parameters", model_->Parameters()},
                  {"trained_on", c.data.source}});
    if (const std::string objective = c.objective.substr(0, c.objective.find('(')); objective != "diffusion_forcing")
      facts["objective"] = objective;  // not told of the default, so that finished cells of models from before keep their keys
    if (model_->NeedsPose()) facts["poses"] = "given";  // those that the true world has under the same actions, as a camera path is
    facts.update(identity_);
    return facts;
  }

  std::string Unfit(const Scenario& scenario) const override {
    const WorldFacts facts = MakeEvalWorld(scenario.world)->Facts();
    const DatasetFacts& data = model_->Config().data;
    if (data.height != facts.height || data.width != facts.width)
      return fmt::format("it makes frames of {}x{}, {} has {}x{}", data.height, data.width, facts.spec, facts.height, facts.width);
    if (!SameActions(data.actions, facts.actions))
      return fmt::format("it was trained with {}, {} takes {}", ActionsText(data.actions), facts.spec, ActionsText(facts.actions));
    if (model_->NeedsPose() && !facts.has_pose) return fmt::format("it asks for the pose of every frame, and {} has none", facts.spec);
    return "";
  }

  std::unique_ptr<World> Begin(const Scenario& scenario, uint64_t sample) const override {
    Check(scenario);
    ShownContext shown = ContextFor(*model_, scenario);
    auto dream =
        std::make_unique<DreamWorld>(model_, std::make_shared<const Starts>(std::move(shown.starts)), rollout_, std::move(shown.guide));
    dream->Reset(SampleSeed(scenario, sample));
    return dream;
  }

  std::unique_ptr<World> BeginForeign(const Scenario& scenario, const Scenario& other, uint64_t sample) const override {
    auto own = Begin(scenario, sample);
    dynamic_cast<DreamWorld&>(*own).TakeOlder(dynamic_cast<const DreamWorld&>(*Begin(other, sample)));
    return own;
  }

  std::vector<Film> Films(std::span<const Scenario> scenarios, const FilmOptions& options) const override {
    if (!Alike(scenarios)) return Subject::Films(scenarios, options);
    for (const Scenario& s : scenarios) Check(s);
    return FilmsTogether(model_, rollout_, scenarios, options);
  }

  bool Observe(World& begun, std::span<const uint8_t> rgb, std::span<const float> action) const override {
    dynamic_cast<DreamWorld&>(begun).Observe(rgb, action);
    return true;
  }
  std::optional<int64_t> StateBytes(const World& begun) const override {
    return dynamic_cast<const DreamWorld&>(begun).Dream().Snapshot().memory.Bytes();
  }

  std::optional<at::Tensor> Memory(const World& begun) const override {
    return SessionVector(dynamic_cast<const DreamWorld&>(begun).Dream().Snapshot());
  }

 private:
  void Check(const Scenario& scenario) const {
    if (const std::string reason = Unfit(scenario); !reason.empty()) Fail("{} does not fit {}: {}", name_, scenario.world, reason);
  }

  std::string name_;
  std::shared_ptr<const WorldModel> model_;
  RolloutOptions rollout_;
  Json identity_;
};

Film Joined(std::vector<Film> parts) {
  Film whole;
  std::vector<at::Tensor> frames;
  for (Film& part : parts) {
    frames.push_back(std::move(part.frames));
    std::move(part.objects.begin(), part.objects.end(), std::back_inserter(whole.objects));
    std::move(part.events.begin(), part.events.end(), std::back_inserter(whole.events));
    std::move(part.poses.begin(), part.poses.end(), std::back_inserter(whole.poses));
  }
  if (!frames.empty()) whole.frames = at::cat(frames);
  return whole;
}

// Begins anew where the true past is given.
Film BegunAnew(const Subject& subject, const Scenario& scenario, uint64_t sample, int64_t reground) {
  std::vector<Film> parts;
  for (int64_t first = scenario.context - 1; first < scenario.Last(); first += reground) {
    Scenario part = scenario;
    part.context = first + 1;
    const uint64_t chance = parts.empty() ? sample : DeriveSeed(sample, static_cast<uint64_t>(first));
    parts.push_back(RecordFilm(*subject.Begin(part, chance), part, first, std::min(first + reground, scenario.Last())));
  }
  return Joined(std::move(parts));
}

// Goes back to the last true frame and is shown the true ones since.
Film Shown(const Subject& subject, const Scenario& scenario, uint64_t sample, int64_t reground) {
  const at::Tensor truth = MakeTruth(scenario).film.frames;
  const auto world = subject.Begin(scenario, sample);
  std::vector<Film> parts;
  for (int64_t first = scenario.context - 1; first < scenario.Last(); first += reground) {
    const int64_t last = std::min(first + reground, scenario.Last());
    const std::string before = world->Snapshot();
    parts.push_back(RecordFilm(*world, scenario, first, last));
    if (last == scenario.Last()) break;
    world->Restore(before);
    for (int64_t t = first; t < last; ++t) {
      const at::Tensor frame = truth[t + 1];
      ORRERY_CHECK(subject.Observe(*world, {frame.const_data_ptr<uint8_t>(), static_cast<size_t>(frame.numel())},
                                   scenario.actions[static_cast<size_t>(t)]));
    }
  }
  return Joined(std::move(parts));
}

}  // namespace

std::optional<at::Tensor> Subject::Memory(const World& begun) const {
  const at::Tensor state = StateVector(begun);
  return state.numel() ? std::optional(state) : std::nullopt;
}

std::vector<Film> Subject::Films(std::span<const Scenario> scenarios, const FilmOptions& options) const {
  ORRERY_CHECK(options.foreign.empty() || (options.foreign.size() == scenarios.size() && options.reground == 0));
  std::vector<Film> films;
  for (size_t i = 0; i < scenarios.size(); ++i) {
    const Scenario& s = scenarios[i];
    films.push_back(options.foreign.empty() ? Imagine(*this, s, options.sample, options.reground)
                                            : RecordFilm(*BeginForeign(s, options.foreign[i], options.sample), s, s.context - 1, s.Last()));
  }
  return films;
}

Json Subject::Facts() const {
  const char* kinds[] = {"truth", "dummy", "model"};
  return {{"name", Name()}, {"kind", kinds[static_cast<int>(Kind())]}};
}

std::unique_ptr<Subject> TruthSubject() { return std::make_unique<True>(); }

std::unique_ptr<Subject> ModelSubject(std::string name, std::shared_ptr<const WorldModel> model, const RolloutOptions& rollout) {
  const Json identity = WeightsHash(*model);
  return std::make_unique<Learned>(std::move(name), std::move(model), rollout, identity);
}

std::vector<std::unique_ptr<Subject>> MakeSubjects(std::string_view spec) {
  constexpr std::string_view kDummy = "dummy:";
  std::vector<std::unique_ptr<Subject>> subjects;
  if (spec == "truth") {
    subjects.push_back(TruthSubject());
  } else if (spec == "dummy:all") {
    for (const std::string& name : Dummies().Names()) subjects.push_back(Dummies().Make(std::string_view(name)));
  } else if (spec.starts_with(kDummy)) {
    subjects.push_back(Dummies().Make(spec.substr(kDummy.size())));
  } else {
    const std::filesystem::path folder(spec);
    const auto model = WorldModel::Load(folder);
    subjects.push_back(std::make_unique<Learned>(std::string(spec), model, model->Config().rollout, FilesFacts(folder)));
  }
  return subjects;
}

Film Imagine(const Subject& subject, const Scenario& scenario, uint64_t sample, int64_t reground) {
  if (reground < 0) Fail("imagine: a true frame every 1 or more frames expected, or 0 for never, got {}", reground);
  if (reground == 0) return RecordFilm(*subject.Begin(scenario, sample), scenario, scenario.context - 1, scenario.Last());
  return subject.Kind() == SubjectKind::kModel ? Shown(subject, scenario, sample, reground)
                                               : BegunAnew(subject, scenario, sample, reground);
}

}  // namespace orrery
