#include "cli/train_options.h"

namespace orrery::cli {

void AddTrainingOptions(CLI::App& verb, TrainOptions& t, bool& fp32) {
  verb.add_option("--minutes", t.minutes, "Budget: minutes of training");
  verb.add_option("--cpu-minutes", t.cpu_minutes, "Budget: minutes of processor time, to compare mechanisms at equal compute");
  verb.add_option("--steps", t.steps, "Budget: steps");
  verb.add_option("--frames", t.frames, "Budget: training frames");
  verb.add_option("--optimizer", t.optimizer, "adamw, or muon on the matrices")->capture_default_str();
  verb.add_option("--lr", t.lr, "Learning rate of AdamW")->capture_default_str();
  verb.add_option("--muon-lr", t.muon_lr, "Learning rate of Muon")->capture_default_str();
  verb.add_option("--weight-decay", t.weight_decay, "Decoupled weight decay")->capture_default_str();
  verb.add_option("--warmup", t.warmup, "Steps of warm-up")->capture_default_str();
  verb.add_option("--accumulate", t.accumulate, "Micro-batches a step")->capture_default_str();
  verb.add_option("--clip-norm", t.clip, "Global gradient norm; 0: no clipping")->capture_default_str();
  verb.add_option("--ema", t.ema, "Decay of the averaged weights; 0: none")->capture_default_str();
  verb.add_flag("--fp32", fp32, "Train in fp32 instead of bfloat16 autocast");
  verb.add_option("--seed", t.seed, "Seed of weights, data order and noise")->capture_default_str();
  verb.add_option("--checkpoint-minutes", t.checkpoint_minutes, "Minutes between checkpoints")->capture_default_str();
  verb.add_option("--validate-minutes", t.validate_minutes, "Minutes between validations and sample films")->capture_default_str();
}

void SetDefaultBudget(TrainOptions& training, double minutes) {
  if (!HasBudget(training)) training.minutes = minutes;
}

}  // namespace orrery::cli
