#include "model/trainer.h"

#include <ATen/ops/_foreach_copy.h>
#include <ATen/ops/_foreach_lerp.h>

#include <chrono>
#include <cmath>
#include <ctime>
#include <numbers>

#include "core/autocast.h"
#include "core/file.h"
#include "core/progress.h"
#include "core/shape.h"
#include "core/signals.h"
#include "model/metrics_log.h"
#include "model/optimizer.h"

namespace orrery {

namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using Series = std::map<std::string, std::vector<at::Tensor>>;

constexpr const char* kCheckpoint = "checkpoint.safetensors";
constexpr double kWarmupShare = 0.05;

double SecondsSince(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

void CheckOptions(const TrainOptions& o) {
  if (!HasBudget(o))
    Fail("training needs a budget: give minutes, cpu_minutes, steps or frames (got {}, {}, {}, {})", o.minutes, o.cpu_minutes, o.steps,
         o.frames);
  const auto positive = [](double value, const char* name) {
    if (!(value > 0)) Fail("training option {}: expected a positive number, got {}", name, value);
  };
  const auto share = [](double value, const char* name) {
    if (!(value >= 0 && value <= 1)) Fail("training option {}: expected a number in [0, 1], got {}", name, value);
  };
  positive(o.lr, "lr");
  positive(o.muon_lr, "muon_lr");
  positive(static_cast<double>(o.accumulate), "accumulate");
  positive(static_cast<double>(o.log_every), "log_every");
  share(o.decay_from, "decay_from");
  share(o.final_lr, "final_lr");
  share(o.ema, "ema");
}

OptimizerOptions OptimizerOf(const TrainOptions& o) {
  return {.name = o.optimizer, .lr = o.lr, .beta1 = o.beta1, .beta2 = o.beta2, .muon_lr = o.muon_lr, .weight_decay = o.weight_decay};
}

// Warm-up, a plateau, then half a cosine; `done` is the share of the budget used.
double RateScale(const TrainOptions& o, int64_t step, double done) {
  const double warm = static_cast<double>(step + 1) / static_cast<double>(std::max<int64_t>(o.warmup, 1));
  const double rise = std::min(1.0, std::max(warm, done / kWarmupShare));
  if (done <= o.decay_from) return rise;
  const double progress = std::min(1.0, (done - o.decay_from) / (1 - o.decay_from));
  return rise * (o.final_lr + (1 - o.final_lr) * 0.5 * (1 + std::cos(std::numbers::pi * progress)));
}

void CopyInto(const at::Tensor& to, const at::Tensor& from, const std::string& name) {
  if (to.sizes() != from.sizes())
    Fail("checkpoint: '{}' has the shape {}, this network expects {}; start a new run folder", name, ShapeText(from.sizes()),
         ShapeText(to.sizes()));
  at::Tensor target = to;
  target.copy_(from);
}

// Puts the averaged weights into the module for the scope.
class AveragedWeights {
 public:
  AveragedWeights(const std::vector<at::Tensor>& weights, const std::vector<at::Tensor>& average) : weights_(weights) {
    if (average.empty()) return;
    for (const at::Tensor& w : weights_) kept_.push_back(w.detach().clone());
    at::_foreach_copy_(weights_, average);
  }
  AveragedWeights(const AveragedWeights&) = delete;
  AveragedWeights& operator=(const AveragedWeights&) = delete;
  ~AveragedWeights() {
    at::NoGradGuard no_grad;
    if (!kept_.empty()) at::_foreach_copy_(weights_, kept_);
  }

 private:
  const std::vector<at::Tensor>& weights_;
  std::vector<at::Tensor> kept_;
};

class Trainer {
 public:
  Trainer(TrainTask& task, const TrainOptions& options, const fs::path& run)
      : task_(task),
        options_(options),
        run_(run),
        optimizer_(task.Module().named_parameters(), OptimizerOf(options), task.Edges()),
        rng_(options.seed, "train") {
    if (optimizer_.Parameters().empty()) Fail("training: the network has no weights to train");
    device_ = optimizer_.Parameters().front().device();
    if (options_.ema > 0)
      for (const at::Tensor& w : optimizer_.Parameters()) average_.push_back(w.detach().clone());
  }

  TrainReport Run();

 private:
  double Seconds() const { return seconds_before_ + SecondsSince(start_); }
  double Done() const;
  void Step();
  void Log();
  void CheckFinite() const;
  void Validate();
  void Finish();
  void Save();
  void Resume();
  void Restore(const TensorFile& file);

  TrainTask& task_;
  const TrainOptions options_;
  const fs::path run_;
  Optimizer optimizer_;
  Rng rng_;
  at::Device device_ = at::kCPU;
  std::vector<at::Tensor> average_;  // of the weights; empty without EMA

  int64_t step_ = 0, frames_ = 0;
  double cpu_seconds_ = 0;     // of processor time in steps
  double seconds_before_ = 0;  // in runs before this one
  Clock::time_point start_ = Clock::now();
  Series pending_;  // loss, gradient norm and terms of every step since the last line
  double rate_ = 0;
  double busy_ = 0;  // seconds and frames of steps in this process since the last line
  int64_t busy_frames_ = 0;
  std::unique_ptr<MetricsLog> log_;
  Json validation_;
};

double Trainer::Done() const {
  double done = 0;
  if (options_.steps > 0) done = std::max(done, static_cast<double>(step_) / static_cast<double>(options_.steps));
  if (options_.frames > 0) done = std::max(done, static_cast<double>(frames_) / static_cast<double>(options_.frames));
  if (options_.minutes > 0) done = std::max(done, Seconds() / (60 * options_.minutes));
  if (options_.cpu_minutes > 0) done = std::max(done, cpu_seconds_ / (60 * options_.cpu_minutes));
  return done;
}

void Trainer::Step() {
  const auto begin = Clock::now();
  const std::clock_t cpu_begin = std::clock();
  const double scale = RateScale(options_, step_, Done());
  const double share = 1.0 / static_cast<double>(options_.accumulate);
  Series parts;
  for (int64_t i = 0; i < options_.accumulate; ++i) {
    std::map<std::string, at::Tensor> terms;
    at::Tensor loss;
    {
      const Autocast autocast(device_, options_.bf16);
      loss = task_.Loss(rng_, terms);
    }
    (loss * share).backward();
    terms["loss"] = loss;
    for (const auto& [name, value] : terms) parts[name].push_back(value.detach());
  }
  parts["grad_norm"].push_back(ClipGradients(optimizer_.Parameters(), options_.clip));
  optimizer_.Step(scale);
  optimizer_.ClearGradients();
  ++step_;
  const int64_t frames = options_.accumulate * task_.FramesPerBatch();
  frames_ += frames;

  at::NoGradGuard no_grad;
  for (const auto& [name, values] : parts) pending_[name].push_back(at::stack(values).to(at::kFloat).mean());
  if (!average_.empty()) {
    const double n = static_cast<double>(step_);
    at::_foreach_lerp_(average_, optimizer_.Parameters(), 1 - std::min(options_.ema, (1 + n) / (10 + n)));
  }
  rate_ = options_.lr * scale;
  busy_ += SecondsSince(begin);
  cpu_seconds_ += static_cast<double>(std::clock() - cpu_begin) / CLOCKS_PER_SEC;
  busy_frames_ += frames;
}

void Trainer::CheckFinite() const {
  for (const char* name : {"loss", "grad_norm"}) {
    const auto found = pending_.find(name);
    if (found == pending_.end()) continue;
    const at::Tensor finite = at::isfinite(at::stack(found->second)).cpu();
    const auto n = finite.numel();
    for (int64_t i = 0; i < n; ++i)
      if (!finite[i].item<bool>())
        Fail("training: the {} is not finite at step {}; lower lr (now {}) or set bf16 to false{}",
             name == std::string("loss") ? "loss" : "gradient", step_ - n + i + 1, options_.lr,
             fs::exists(run_ / kCheckpoint) ? "; the last checkpoint is kept" : "");
  }
}

void Trainer::Log() {
  CheckFinite();
  if (pending_.empty()) return;
  Json line = {{"step", step_}, {"frames", frames_}, {"seconds", Seconds()}, {"cpu_seconds", cpu_seconds_}, {"loss", nullptr}};
  for (const auto& [name, values] : pending_) line[name] = at::stack(values).mean().item<double>();
  line["lr"] = rate_;
  line["frames_per_s"] = static_cast<double>(busy_frames_) / std::max(busy_, 1e-9);
  log_->Write(line);
  pending_.clear();
  busy_ = 0;
  busy_frames_ = 0;
}

void Trainer::Validate() {
  CheckFinite();
  at::NoGradGuard no_grad;
  const AveragedWeights averaged(optimizer_.Parameters(), average_);
  task_.Module().eval();
  validation_ = task_.Validate();
  task_.WriteSamples(run_ / "samples", step_);
  task_.Module().train();
  log_->Write({{"step", step_}, {"frames", frames_}, {"seconds", Seconds()}, {"validation", validation_}});
}

void Trainer::Finish() {
  Log();
  Validate();
  at::NoGradGuard no_grad;
  const AveragedWeights averaged(optimizer_.Parameters(), average_);
  task_.Module().eval();
  task_.SaveResult(run_);
}

void Trainer::Save() {
  CheckFinite();
  NamedTensors tensors;
  for (const auto& item : task_.Module().named_parameters()) tensors.emplace_back("weights/" + item.key(), item.value().detach());
  for (const auto& item : task_.Module().named_buffers()) tensors.emplace_back("buffers/" + item.key(), item.value());
  for (size_t i = 0; i < average_.size(); ++i) tensors.emplace_back(fmt::format("average/{}", i), average_[i]);
  for (const auto& [name, tensor] : optimizer_.State()) tensors.emplace_back("optimizer/" + name, tensor);
  for (const auto& [name, values] : pending_) tensors.emplace_back("pending/" + name, at::stack(values));
  const Json progress = {{"step", step_},
                         {"frames", frames_},
                         {"seconds", Seconds()},
                         {"cpu_seconds", cpu_seconds_},
                         {"optimizer", options_.optimizer},
                         {"rng", {rng_.GetState().key, rng_.GetState().counter}},
                         {"data", task_.DataPosition()}};
  SaveSafetensors(run_ / kCheckpoint, tensors, {{"training", progress.dump()}});
}

void Trainer::Restore(const TensorFile& file) {
  at::NoGradGuard no_grad;
  const std::string where = (run_ / kCheckpoint).string();
  for (const auto& item : task_.Module().named_parameters()) CopyInto(item.value(), file.At("weights/" + item.key(), where), item.key());
  for (const auto& item : task_.Module().named_buffers()) CopyInto(item.value(), file.At("buffers/" + item.key(), where), item.key());
  for (size_t i = 0; i < average_.size(); ++i) {
    const at::Tensor* average = file.Find(fmt::format("average/{}", i));
    CopyInto(average_[i], average ? *average : optimizer_.Parameters()[i], fmt::format("average/{}", i));
  }
  NamedTensors state;
  for (const auto& [name, tensor] : file.tensors) {
    if (name.starts_with("optimizer/")) state.emplace_back(name.substr(10), tensor);
    if (name.starts_with("pending/")) pending_[name.substr(8)] = tensor.unbind();
  }
  optimizer_.SetState(state);
}

void Trainer::Resume() {
  const fs::path path = run_ / kCheckpoint;
  if (fs::exists(path)) {
    const TensorFile file = LoadSafetensors(path);
    const auto found = file.metadata.find("training");
    if (found == file.metadata.end()) Fail("{}: not a training checkpoint (no \"training\" in its metadata)", path.string());
    const Json progress = ParseJson(found->second, path.string());
    if (const std::string before = progress.at("optimizer"); before != options_.optimizer)
      Fail("{}: this run was started with the optimizer {}, not {}; take it again or a new run folder", path.string(), before,
           options_.optimizer);
    Restore(file);
    step_ = progress.at("step");
    frames_ = progress.at("frames");
    seconds_before_ = progress.at("seconds");
    cpu_seconds_ = progress.value("cpu_seconds", 0.0);
    rng_.SetState({progress.at("rng").at(0), progress.at("rng").at(1)});
    task_.SetDataPosition(progress.at("data"));
  }
  log_ = std::make_unique<MetricsLog>(run_ / "metrics.jsonl", step_);
}

TrainReport Trainer::Run() {
  MakeFolder(run_);
  Resume();
  Progress progress("training", 0, "frames");
  bool interrupted = false;
  auto saved = Clock::now(), validated = saved;
  try {
    task_.Module().train();
    while (Done() < 1) {
      ThrowIfStopRequested();
      Step();
      if (step_ % options_.log_every == 0) {
        progress.UpdateFraction(Done(), frames_, fmt::format("step {}, loss {:.4f}", step_, pending_.at("loss").back().item<double>()));
        Log();
      }
      if (SecondsSince(validated) >= 60 * options_.validate_minutes) {
        Validate();
        validated = Clock::now();
      }
      if (SecondsSince(saved) >= 60 * options_.checkpoint_minutes) {
        Save();
        saved = Clock::now();
      }
    }
    Finish();
  } catch (const Interrupted&) {
    interrupted = true;
  }
  Save();
  progress.Finish(interrupted ? "interrupted; run again to go on" : "");
  return {step_, frames_, Seconds(), validation_, interrupted};
}

}  // namespace

bool HasBudget(const TrainOptions& o) { return o.minutes > 0 || o.cpu_minutes > 0 || o.steps > 0 || o.frames > 0; }

TrainReport Train(TrainTask& task, const TrainOptions& options, const fs::path& run) {
  CheckOptions(options);
  return Trainer(task, options, run).Run();
}

}  // namespace orrery
