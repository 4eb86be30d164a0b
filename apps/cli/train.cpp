#include "cli/verbs.h"

#include <ATen/Parallel.h>

#include <iostream>

#include "cli/train_options.h"
#include "codec/checkpoint.h"
#include "core/file.h"
#include "core/progress.h"
#include "core/signals.h"
#include "data/video.h"
#include "dynamics/objectives/registry.h"
#include "eval/one_step.h"
#include "model/train_codec.h"
#include "model/train_model.h"

namespace orrery::cli {
namespace {

namespace fs = std::filesystem;

struct TrainArguments {
  std::string data, out, codec_spec = "vae";
  TrainOptions training;
  CodecTrainOptions codec_train;
  // of train model:
  std::string codec;                          // file or folder; empty: the run's own
  std::string adapt;                          // a model folder whose network is gone on with
  std::string teacher;                        // a model folder that the objective learns from
  std::vector<SpecPart::Argument> objective;  // parameters of it, given as options
  double codec_minutes = 12;
  ModelConfig model;
  ModelTrainOptions model_train;
  bool fp32 = false;
};

void Report(const TrainReport& report, const std::string& out) {
  std::cout << Json{{"run", out},
                    {"steps", report.steps},
                    {"frames", report.frames},
                    {"seconds", report.seconds},
                    {"validation", report.validation}}
                   .dump()
            << "\n";
  if (report.interrupted) throw Interrupted("interrupted");
}

void TrainCodecVerb(TrainArguments a) {
  a.training.bf16 = !a.fp32;
  SetDefaultBudget(a.training, 12);
  Report(TrainCodec(a.codec_spec, std::make_shared<Dataset>(a.data), a.codec_train, a.training, a.out), a.out);
}

// The codec of a model run: the one given, the one that is there, or a new one trained in RUN/codec.
std::shared_ptr<Codec> CodecFor(const TrainArguments& a, const std::shared_ptr<const Dataset>& dataset) {
  const fs::path run = a.out, own = run / "codec.safetensors";
  if (!a.codec.empty()) {
    std::shared_ptr<Codec> codec = LoadCodec(a.codec);
    if (fs::exists(own) && CodecHash(*LoadCodec(own)) != CodecHash(*codec))
      Fail("train model: {} was started with another codec than {}; take that one or a new run folder", a.out, a.codec);
    SaveCodec(own, *codec);
    return codec;
  }
  if (!fs::exists(own)) {
    fmt::print(stderr, "no --codec given: training one for {:.4g} minutes\n", a.codec_minutes);
    TrainOptions training = CodecTrainDefaults();
    training.minutes = a.codec_minutes;
    training.seed = a.training.seed;
    if (TrainCodec(a.codec_spec, dataset, a.codec_train, training, run / "codec").interrupted) throw Interrupted("interrupted");
    SaveCodec(own, *LoadCodec(run / "codec"));
  }
  return LoadCodec(own);
}

// One film a validation: four held-out beginnings, truth above dream.
ModelFilms Films(std::shared_ptr<const Dataset> dataset, double share) {
  return [dataset = std::move(dataset), share](const std::shared_ptr<const WorldModel>& model, const fs::path& folder, int64_t step) {
    const auto episodes = SplitEpisodes(dataset->Episodes(), LoaderOptions::Split::kValidation, share);
    const int64_t context = 4, frames = 32, count = 4;
    std::vector<at::Tensor> truth, actions, pose;
    for (const int64_t e : episodes) {
      if (dataset->Frames(e) < context + frames || static_cast<int64_t>(truth.size()) == count) continue;
      const Episode part = dataset->Read(e, 0, context + frames);
      truth.push_back(part.frames);
      if (part.actions.defined()) actions.push_back(part.actions);
      if (part.pose.defined()) pose.push_back(part.pose);
    }
    if (truth.empty()) return;
    const auto stack = [](const std::vector<at::Tensor>& t) { return t.empty() ? at::Tensor() : at::stack(t); };
    const auto head = [&](const at::Tensor& t) { return t.defined() ? t.narrow(1, 0, context) : t; };
    const at::Tensor films = stack(truth), a = stack(actions), p = stack(pose);
    Session session(model, model->Config().rollout);
    session.Reset(head(films), head(a), head(p), std::vector<uint64_t>(truth.size(), 0));
    MakeFolder(folder);
    VideoWriter writer(folder / fmt::format("step{:07}.mp4", step), 2 * films.size(2), static_cast<int64_t>(truth.size()) * films.size(3),
                       {.fps = dataset->Facts().fps, .scale = 3});
    for (int64_t t = context; t < context + frames; ++t) {
      session.Step(a.defined() ? a.select(1, t) : a, p.defined() ? p.select(1, t) : p);
      const auto row = [](const at::Tensor& x) { return x.permute({1, 0, 2, 3}).flatten(1, 2); };  // [S, H, W, 3] -> [H, S W, 3]
      writer.Add(at::cat({row(films.select(1, t)), row(session.Frame())}).contiguous());
    }
    writer.Finish();
  };
}

// The trained model to go on from, or null; its sizes, path and (unless one is given) codec become those of the new model.
std::shared_ptr<const WorldModel> AdaptFrom(TrainArguments& a) {
  if (a.adapt.empty()) return nullptr;
  std::shared_ptr<const WorldModel> trained = WorldModel::Load(a.adapt);
  const bool pose = a.model.transition.pose;
  a.model.transition = trained->Config().transition;
  a.model.transition.pose |= pose;
  a.model.path = trained->Config().path;
  if (a.codec.empty()) a.codec = (fs::path(a.adapt) / "codec.safetensors").string();
  return trained;
}

// The objective with the parameters given as options, as its full spec.
std::string ObjectiveSpec(const TrainArguments& a) {
  std::vector<SpecPart> parts = ParseSpec(a.model.objective);
  if (parts.size() != 1) Fail("objective \"{}\": expected one part, got {}", a.model.objective, parts.size());
  parts[0].arguments.insert(parts[0].arguments.end(), a.objective.begin(), a.objective.end());
  return FormatSpec(parts[0].name, Bind(parts[0], Objectives().Find(parts[0].name).facts));
}

void TrainModelVerb(TrainArguments a) {
  const std::shared_ptr<const WorldModel> trained = AdaptFrom(a);
  a.model.objective = ObjectiveSpec(a);
  const std::shared_ptr<Objective> objective = Objectives().Make(a.model.objective, NoisePaths().Make(a.model.path));
  a.model.rollout.context_level = objective->ContextLevel();
  // A model of listed levels cannot take any number of steps.
  const Capabilities able = objective->Trained();
  if (const auto levels = static_cast<int64_t>(able.levels.size()); levels > 0 && (!able.step_size || levels % a.model.rollout.steps != 0))
    a.model.rollout.steps = levels;
  const std::shared_ptr<const WorldModel> teacher = a.teacher.empty() ? nullptr : WorldModel::Load(a.teacher);
  a.training.bf16 = !a.fp32;
  SetDefaultBudget(a.training, 30);
  const auto dataset = std::make_shared<const Dataset>(a.data);
  MakeFolder(a.out);
  const std::shared_ptr<Codec> codec = CodecFor(a, dataset);
  a.model.data = dataset->Facts();
  const auto model = std::make_shared<WorldModel>(a.model, codec, DeriveSeed(a.training.seed, "weights"));
  if (trained) model->AdoptNetwork(*trained);
  WriteJson(fs::path(a.out) / "train.json", Json{{"data", a.data},
                                                 {"adapt_from", a.adapt},
                                                 {"teacher", a.teacher},
                                                 {"threads", at::get_num_threads()},
                                                 {"training", a.training},
                                                 {"model_train", a.model_train},
                                                 {"model", model->Config()}});
  const auto held_out = SplitEpisodes(dataset->Episodes(), LoaderOptions::Split::kValidation, a.model_train.validation_share);
  const ModelScore score = [&](const std::shared_ptr<const WorldModel>& m) {
    const Json one_step = held_out.empty() ? Json::object() : ScoreOneStep(m, *dataset, held_out, {.rollout = m->Config().rollout});
    return Json{{"one_step", one_step}};
  };
  ModelTask task(model, dataset, a.model_train, fs::path(a.out) / "latents", score, Films(dataset, a.model_train.validation_share),
                 teacher);
  Report(Train(task, a.training, a.out), a.out);
}

}  // namespace

void AddTrain(CLI::App& app) {
  CLI::App* train = app.add_subcommand("train", "Train a codec or a world model on a data set");
  train->require_subcommand(1);

  auto c = std::make_shared<TrainArguments>();
  c->training = CodecTrainDefaults();
  CLI::App* codec = train->add_subcommand("codec", "Train a codec: frames <-> latents");
  codec->add_option("--data", c->data, "Data set folder")->required();
  codec->add_option("--out", c->out, "Run folder; an unfinished run there goes on")->required();
  codec->add_option("--codec", c->codec_spec, "Codec spec: vae, \"vae(down=8, latent=8)\", vit, identity")->capture_default_str();
  codec->add_option("--batch", c->codec_train.batch, "Frames a step")->capture_default_str();
  CodecLossOptions& l = c->codec_train.loss;
  codec->add_option("--kl", l.kl, "Weight of the divergence of the latents from N(0, 1)")->capture_default_str();
  codec->add_option("--latent-noise", l.noise, "Half of the batch is decoded from latents with noise of up to this many deviations")
      ->capture_default_str();
  AddTrainingOptions(*codec, c->training, c->fp32);
  Example(*codec, "orrery train codec --data data/doom --out runs/doom-codec --minutes 12");
  codec->callback([c] { TrainCodecVerb(*c); });

  auto m = std::make_shared<TrainArguments>();
  m->training = ModelTrainDefaults();
  CLI::App* model = train->add_subcommand("model", "Train a world model (and a codec first, unless one is given)");
  model->add_option("--data", m->data, "Data set folder")->required();
  model->add_option("--out", m->out, "Run folder; an unfinished run there goes on")->required();
  model->add_option("--codec", m->codec, "Codec: a run of 'train codec' or a codec.safetensors (default: train one first)");
  model->add_option("--codec-spec", m->codec_spec, "Spec of the codec that is trained first")->capture_default_str();
  model->add_option("--codec-minutes", m->codec_minutes, "Its budget")->capture_default_str();
  model->add_option("--state", m->model.state, "State spec")->capture_default_str();
  model->add_option(
      "--adapt-from", m->adapt,
      "Model folder: begin with its network (its sizes, noise path and codec are taken; --pose may be added) and train this state on it");
  model->add_option("--path", m->model.path, "Noise path: flow, v_cosine or edm, with parameters")->capture_default_str();
  TransitionOptions& t = m->model.transition;
  model->add_option("--layout", t.layout, "Attention: frame_causal, axial or spatial_temporal")->capture_default_str();
  model->add_option("--dim", t.dim, "Width of the network")->capture_default_str();
  model->add_option("--depth", t.depth, "Blocks")->capture_default_str();
  model->add_option("--heads", t.heads, "Attention heads")->capture_default_str();
  model->add_option("--patch", t.patch, "Latent cells a token side: 2 gives 16 tokens of an 8x8 latent, 1 gives 64")->capture_default_str();
  model->add_flag("--pose", t.pose, "Take the pose of every frame as a condition; in play it is guessed");
  model->add_option("--objective", m->model.objective, "What training asks of the network (see 'orrery dynamics')")->capture_default_str();
  model->add_option("--teacher", m->teacher,
                    "Trained model of the same codec, for objectives that learn from one: causal_ode, self_forcing");
  const auto parameter = [&](const char* flag, const char* name, const char* what) {
    model->add_option_function<double>(
        flag,
        [m, name](double value) {
          m->objective.push_back({name, value});
        },
        fmt::format("Parameter {} of the objective: {}", name, what));
  };
  parameter("--context-share", "context_share", "share of frames that play context");
  parameter("--context-noise", "context_noise", "highest noise level of context frames");
  parameter("--prefix", "prefix", "share of clips with a clean prefix of over half their frames, which makes a memory needed");
  parameter("--history-noise", "history_noise", "highest noise level of the latents that input memories keep");
  parameter("--action-drop", "action_drop", "share of hidden actions, for guidance");
  model->add_option("--steps-per-frame", m->model.rollout.steps, "Denoising steps of the finished model")->capture_default_str();
  model->add_option("--batch", m->model_train.batch, "Clips a step")->capture_default_str();
  model->add_option("--clip", m->model_train.clip, "Frames a clip (0: what the state sees + 1, at most 32)")->capture_default_str();
  model
      ->add_option("--windows", m->model_train.windows,
                   "Clips in a row from one episode: a recurrent state goes over from one to the next, gradients do not")
      ->capture_default_str();
  AddTrainingOptions(*model, m->training, m->fp32);
  Example(*model, "orrery train model --data data/doom --out runs/doom --minutes 30");
  model->callback([m] { TrainModelVerb(*m); });
}

}  // namespace orrery::cli
