#include "model/train_model.h"

#include "data/loader.h"
#include "dynamics/objectives/registry.h"

namespace orrery {

namespace {

// What is optimised: the transition, the parameters of the state mechanism, the odometry and the objective's own, under one roof.
struct Trainable : torch::nn::Module {
  Trainable(const WorldModel& model, const std::shared_ptr<Objective>& objective) {
    register_module("transition", model.SharedNetwork());
    register_module("memory", model.GetMemory());
    if (model.GetOdometry()) register_module("odometry", model.GetOdometry());
    register_module("objective", objective);
  }
};

constexpr int64_t kMaxClip = 32;
constexpr int64_t kValidationBatches = 8;

ModelTrainOptions Complete(ModelTrainOptions options, int64_t reach) {
  if (options.clip == 0) options.clip = reach < 0 ? kMaxClip : std::min(reach + 1, kMaxClip);
  if (options.clip < 2) Fail("train model: clips of at least 2 frames expected, got {}", options.clip);
  if (options.windows < 1) Fail("train model: windows must be >= 1, got {}", options.windows);
  if (options.batch < 1) Fail("train model: batch must be >= 1, got {}", options.batch);
  return options;
}

std::shared_ptr<Objective> BegunObjective(const WorldModel& model, const WorldModel* teacher) {
  std::shared_ptr<Objective> objective = Objectives().Make(model.Config().objective, model.Path());
  if (!teacher) {
    objective->Begin(model.Network(), *model.GetMemory(), nullptr);
    return objective;
  }
  if (teacher->Config().codec_hash != model.Config().codec_hash)
    Fail("train model: the teacher's codec (hash {}) is not this model's (hash {}); train both with one codec",
         teacher->Config().codec_hash, model.Config().codec_hash);
  if (teacher->Config().path != model.Config().path)
    Fail("train model: the teacher's noise path is {}, this model's {}; train both with one", teacher->Config().path, model.Config().path);
  const Teacher known{teacher->SharedNetwork(), teacher->GetMemory(), teacher->Config().objective, teacher->Able()};
  objective->Begin(model.Network(), *model.GetMemory(), &known);
  return objective;
}

}  // namespace

TrainOptions ModelTrainDefaults() {
  TrainOptions options;
  options.optimizer = "muon";
  return options;
}

std::vector<std::string> ModelTask::Edges() const {
  return {"transition.patch",      "transition.place",  "transition.level_in", "transition.action", "transition.pose",
          "transition.modulation", "transition.output", "transition.step",     "odometry."};
}

ModelTask::ModelTask(std::shared_ptr<WorldModel> model, std::shared_ptr<const Dataset> dataset, const ModelTrainOptions& options,
                     const std::filesystem::path& cache, ModelScore score, ModelFilms films, std::shared_ptr<const WorldModel> teacher)
    : model_(std::move(model)),
      dataset_(std::move(dataset)),
      options_(Complete(options, model_->GetMemory()->Declared().reach)),
      latents_(*dataset_, model_->GetCodec(), model_->Config().codec_hash, cache),
      train_(SplitEpisodes(dataset_->Episodes(), LoaderOptions::Split::kTrain, options.validation_share)),
      validation_(SplitEpisodes(dataset_->Episodes(), LoaderOptions::Split::kValidation, options.validation_share)),
      objective_(BegunObjective(*model_, teacher.get())),
      module_(std::make_shared<Trainable>(*model_, objective_)),
      score_(std::move(score)),
      films_(std::move(films)) {
  if (validation_.empty()) validation_ = train_;
  if (model_->NeedsPose()) {
    const auto [mean, deviation] = latents_.PoseScale();
    if (!mean.defined()) Fail("train model: --pose and the state {} need a data set with poses, this one has none", model_->Config().state);
    if (model_->Config().transition.pose) model_->Network().SetPoseScale(mean, deviation);
    model_->GetMemory()->AdoptPoses(mean, deviation);
    if (model_->GetOdometry()) model_->GetOdometry()->SetScale(latents_.MotionScale());
  }
}

at::Tensor ModelTask::Loss(Rng& rng, std::map<std::string, at::Tensor>& terms) {
  const Clip clip = latents_.Sample(train_, options_.batch, options_.clip * options_.windows, rng);
  at::Tensor loss = objective_->Loss(model_->Network(), *model_->GetMemory(), clip, options_.windows, rng, &terms);
  if (!model_->GetOdometry()) return loss;
  const at::Tensor odometry = model_->GetOdometry()->Loss(clip);
  terms["odometry"] = odometry.detach();
  return loss + odometry;
}

Json ModelTask::Validate() {
  const at::NoGradGuard guard;
  Rng rng(0, "validation");  // the same windows and noise every time
  double sum = 0;
  OdometryError odometry;
  for (int64_t i = 0; i < kValidationBatches; ++i) {
    const Clip clip = latents_.Sample(validation_, options_.batch, options_.clip * options_.windows, rng);
    sum += objective_->Loss(model_->Network(), *model_->GetMemory(), clip, options_.windows, rng).item<double>();
    if (model_->GetOdometry()) odometry.Add(model_->GetOdometry()->Score(clip));
  }
  Json scores{{"loss", sum / static_cast<double>(kValidationBatches)}};
  if (model_->GetOdometry()) scores["odometry"] = odometry.Root();
  if (score_) scores.update(score_(model_));
  return scores;
}

void ModelTask::WriteSamples(const std::filesystem::path& folder, int64_t step) {
  if (films_) films_(model_, folder, step);
}

void ModelTask::SaveResult(const std::filesystem::path& run) {
  model_->Save(run);
  const int64_t longest = [&] {
    int64_t frames = 0;
    for (const int64_t e : validation_) frames = std::max(frames, dataset_->Frames(e));
    return frames;
  }();
  SaveStarts(CollectStarts(*dataset_, validation_, options_.starts, std::min(options_.start_frames, longest), 0), run);
}

}  // namespace orrery
