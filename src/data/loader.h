// Random windows of a data set, read ahead by a thread, in an order that a seed decides and a position can resume.
#pragma once
#include "data/dataset.h"

namespace orrery {

struct LoaderOptions {
  int64_t batch = 16;
  int64_t length = 16;  // frames a window; shorter episodes are skipped
  uint64_t seed = 0;
  int64_t prefetch = 4;         // batches read ahead
  int64_t rank = 0, ranks = 1;  // shard: this process draws every ranks-th window of the common order
  // Episodes used: those whose hash lies in the training or the validation share.
  enum class Split { kAll, kTrain, kValidation } split = Split::kTrain;
  double validation_share = 0.1;  // at least one episode when > 0 and there are two
};

struct Batch {
  at::Tensor frames;   // [B, T, H, W, 3] uint8
  at::Tensor actions;  // [B, T, A] float32, row t leads to frame t; undefined when A = 0. Row 0 leads to the window's
                       // first frame (zeros at an episode's start)
  at::Tensor pose;     // [B, T, 3]; undefined without pose
  std::vector<std::pair<int64_t, int64_t>> origin;  // episode and first frame of every window
};

// The episodes of a split, ascending: the same on every machine, and an episode keeps its side when the set grows (but
// for the one that is moved so that neither side is empty).
std::vector<int64_t> SplitEpisodes(int64_t episodes, LoaderOptions::Split split, double validation_share);

// Windows are drawn with equal chance from all that fit (with replacement). Window i of the common order depends on the
// seed and i alone; with `ranks` R, batch b of rank r holds the windows (b * batch + j) * R + r.
class Loader {
 public:
  Loader(std::shared_ptr<const Dataset> dataset, const LoaderOptions& options);  // throws Error when no window fits
  ~Loader();

  Batch Next();  // blocks until read; rethrows the reader's Error

  // Batches handed out so far. Restored, Next() returns what it would have returned; read-ahead is not counted.
  int64_t Position() const;
  void SetPosition(int64_t batches);

  int64_t Windows() const;  // different windows to draw from

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace orrery
