// One training loop for codecs and world models: budget, optimiser, schedule, EMA, checkpoints, metrics, resume.
#pragma once
#include <torch/nn/module.h>

#include <filesystem>

#include "core/config.h"
#include "core/rng.h"

namespace orrery {

struct TrainOptions {
  // Budget: the first that is reached ends training. 0: no such limit; one must be set.
  double minutes = 0;      // of training time, summed over resumed runs
  double cpu_minutes = 0;  // of processor time in steps, all threads: equal compute for mechanisms that are compared
  int64_t steps = 0;
  int64_t frames = 0;  // training frames seen

  std::string optimizer = "adamw";  // "adamw", or "muon": Muon on matrices of hidden layers, AdamW on the rest
  double lr = 1e-3;
  double muon_lr = 0.01;
  double beta1 = 0.9, beta2 = 0.99;
  double weight_decay = 0.01;
  int64_t warmup = 200;     // steps, at most a twentieth of the budget
  double decay_from = 0.6;  // share of the budget after which the rate falls to `final_lr` x lr (cosine)
  double final_lr = 0.01;
  double clip = 1.0;       // global gradient norm; 0: none
  int64_t accumulate = 1;  // micro-batches a step
  double ema = 0.999;      // beta_n = min(ema, (1 + n) / (10 + n)); 0: none
  bool bf16 = true;        // autocast
  uint64_t seed = 0;

  double checkpoint_minutes = 5;
  double validate_minutes = 3;  // also once at the end
  int64_t log_every = 20;       // steps a line of metrics.jsonl
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(TrainOptions, minutes, cpu_minutes, steps, frames, optimizer, lr, muon_lr, beta1, beta2,
                                                weight_decay, warmup, decay_from, final_lr, clip, accumulate, ema, bf16, seed,
                                                checkpoint_minutes, validate_minutes, log_every)

// What is trained. Everything random comes from the Rng that is handed in, so that a step can be done again.
class TrainTask {
 public:
  virtual ~TrainTask() = default;
  virtual torch::nn::Module& Module() = 0;
  // How the names of first and last layers and of embeddings begin: AdamW keeps these under "muon".
  virtual std::vector<std::string> Edges() const { return {}; }
  virtual int64_t FramesPerBatch() const = 0;
  // Loss of the next micro-batch, with its graph; terms worth logging go into `terms` (detached scalars). Never throws Interrupted.
  virtual at::Tensor Loss(Rng& rng, std::map<std::string, at::Tensor>& terms) = 0;
  // Held-out metrics with the weights now in Module() (the trainer puts the EMA there and takes it out again).
  virtual Json Validate() = 0;
  // Sample films or pictures into `folder`, named after `step`.
  virtual void WriteSamples(const std::filesystem::path& folder, int64_t step) = 0;
  // Position in the data, saved and restored with the checkpoint.
  virtual Json DataPosition() const = 0;
  virtual void SetDataPosition(const Json& position) = 0;
  // Writes the usable result (EMA weights are in Module()) into the run folder.
  virtual void SaveResult(const std::filesystem::path& run) = 0;
};

struct TrainReport {
  int64_t steps = 0, frames = 0;
  double seconds = 0;
  Json validation;  // of the last validation
  bool interrupted = false;
};

// Whether one of the limits is set.
bool HasBudget(const TrainOptions& options);

// Trains in the folder `run`: config.json is the caller's; here are metrics.jsonl (a line every log_every steps with the means since
// the last one, and a line for every validation), checkpoint.safetensors (weights, EMA, optimiser, rng, data position; written
// whole or not at all) and samples/. If `run` holds a checkpoint, training goes on from it, to the bit for step and frame
// budgets. On SIGINT or SIGTERM it writes a checkpoint and returns with interrupted = true; nothing that was there before is
// lost. A loss or gradient that is not finite stops with Error naming the step; the last checkpoint is from before it.
TrainReport Train(TrainTask& task, const TrainOptions& options, const std::filesystem::path& run);

}  // namespace orrery
