// Training of a world model on a data set.
#pragma once
#include <functional>

#include "data/dataset.h"
#include "model/latents.h"
#include "model/starts.h"
#include "model/trainer.h"
#include "model/world_model.h"

namespace orrery {

struct ModelTrainOptions {
  int64_t batch = 8;              // clips a micro-batch
  int64_t clip = 0;               // frames a clip; 0: the state's reach + 1, at most 32
  int64_t windows = 1;            // clips in a row from one episode: the state goes over from one to the next, gradients do not
  double validation_share = 0.1;  // of the episodes
  int64_t starts = 12;            // real beginnings kept with the model
  int64_t start_frames = 8;       // frames of each
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(ModelTrainOptions, batch, clip, windows, validation_share, starts, start_frames)

// The optimiser settings that world models train best with; the budget is left open.
TrainOptions ModelTrainDefaults();

// Scores of a model on held-out data while it trains, and after.
using ModelScore = std::function<Json(const std::shared_ptr<const WorldModel>&)>;
// Sample films into a folder, named after the step.
using ModelFilms = std::function<void(const std::shared_ptr<const WorldModel>&, const std::filesystem::path& folder, int64_t step)>;

class ModelTask : public TrainTask {
 public:
  // `latents` in a cache below the run; `score` and `films` may be empty. `teacher`: for objectives that learn from a trained model; it
  // must have the same codec. Throws Error when the model's objective cannot train its state, or has no teacher and needs one.
  ModelTask(std::shared_ptr<WorldModel> model, std::shared_ptr<const Dataset> dataset, const ModelTrainOptions& options,
            const std::filesystem::path& cache, ModelScore score, ModelFilms films, std::shared_ptr<const WorldModel> teacher = nullptr);

  torch::nn::Module& Module() override { return *module_; }
  std::vector<std::string> Edges() const override;
  int64_t FramesPerBatch() const override { return options_.batch * options_.clip * options_.windows; }
  at::Tensor Loss(Rng& rng, std::map<std::string, at::Tensor>& terms) override;
  Json Validate() override;
  void WriteSamples(const std::filesystem::path& folder, int64_t step) override;
  Json DataPosition() const override { return Json::object(); }  // windows are drawn by the trainer's Rng
  void SetDataPosition(const Json&) override {}
  void SaveResult(const std::filesystem::path& run) override;

 private:
  std::shared_ptr<WorldModel> model_;
  std::shared_ptr<const Dataset> dataset_;
  ModelTrainOptions options_;
  LatentStore latents_;
  std::vector<int64_t> train_, validation_;
  std::shared_ptr<Objective> objective_;
  std::shared_ptr<torch::nn::Module> module_;  // transition, memory and what the objective trains beside them
  ModelScore score_;
  ModelFilms films_;
};

}  // namespace orrery
