#include "data/loader.h"

#include <ATen/Functions.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>

#include "core/rng.h"

namespace orrery {

namespace {

// Where a hash of the episode falls in [0, 1).
double Fraction(int64_t episode) { return Rng(DeriveSeed(DeriveSeed(0, "split"), static_cast<uint64_t>(episode))).Uniform(); }

void CheckOptions(const LoaderOptions& o) {
  if (o.batch < 1) Fail("loader: batch must be at least 1, got {}", o.batch);
  if (o.length < 1) Fail("loader: length must be at least 1 frame, got {}", o.length);
  if (o.prefetch < 1) Fail("loader: prefetch must be at least 1, got {}", o.prefetch);
  if (o.ranks < 1 || o.rank < 0 || o.rank >= o.ranks)
    Fail("loader: rank must lie in 0..{}, got {}", std::max<int64_t>(o.ranks, 1) - 1, o.rank);
  if (!(o.validation_share >= 0 && o.validation_share < 1)) Fail("loader: validation_share must lie in [0, 1), got {}", o.validation_share);
}

}  // namespace

std::vector<int64_t> SplitEpisodes(int64_t episodes, LoaderOptions::Split split, double validation_share) {
  std::vector<std::pair<double, int64_t>> order;
  for (int64_t episode = 0; episode < episodes; ++episode) order.emplace_back(Fraction(episode), episode);
  std::sort(order.begin(), order.end());
  int64_t held_out = std::lower_bound(order.begin(), order.end(), std::pair{validation_share, int64_t{0}}) - order.begin();
  if (validation_share > 0 && episodes >= 2) held_out = std::clamp<int64_t>(held_out, 1, episodes - 1);
  if (validation_share <= 0 || episodes < 2) held_out = 0;
  std::vector<int64_t> chosen;
  for (int64_t i = 0; i < episodes; ++i)
    if (split == LoaderOptions::Split::kAll || (split == LoaderOptions::Split::kValidation) == (i < held_out))
      chosen.push_back(order[static_cast<size_t>(i)].second);
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

struct Loader::Impl {
  std::shared_ptr<const Dataset> dataset;
  LoaderOptions options;
  std::vector<int64_t> episodes;  // with at least one window
  std::vector<int64_t> ends;      // windows in the episodes up to and including this one

  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Batch> ready;
  std::exception_ptr failure;
  int64_t position = 0;  // batches handed out
  int64_t ahead = 0;     // batches read, or being read
  int64_t restarts = 0;  // a batch read before a restart is dropped
  bool stop = false;
  std::thread thread;

  Impl(std::shared_ptr<const Dataset> set, const LoaderOptions& o);
  ~Impl();
  std::pair<int64_t, int64_t> Draw(int64_t window) const;
  Batch ReadBatch(int64_t index) const;
  void ReadAhead();
};

Loader::Impl::Impl(std::shared_ptr<const Dataset> set, const LoaderOptions& o) : dataset(std::move(set)), options(o) {
  CheckOptions(options);
  int64_t longest = 0, windows = 0;
  const std::vector<int64_t> split = SplitEpisodes(dataset->Episodes(), options.split, options.validation_share);
  for (const int64_t episode : split) {
    const int64_t frames = dataset->Frames(episode);
    longest = std::max(longest, frames);
    if (frames < options.length) continue;
    windows += frames - options.length + 1;
    episodes.push_back(episode);
    ends.push_back(windows);
  }
  if (split.empty())
    Fail("{}: no episode in this split of {} (validation share {})", dataset->Folder().string(), dataset->Episodes(),
         options.validation_share);
  if (episodes.empty())
    Fail("{}: no episode of this split has {} frames (the longest has {}); take shorter windows", dataset->Folder().string(),
         options.length, longest);
  thread = std::thread([this] { ReadAhead(); });
}

Loader::Impl::~Impl() {
  {
    const std::lock_guard lock(mutex);
    stop = true;
  }
  changed.notify_all();
  thread.join();
}

std::pair<int64_t, int64_t> Loader::Impl::Draw(int64_t window) const {
  Rng rng(DeriveSeed(DeriveSeed(options.seed, "windows"), static_cast<uint64_t>(window)));
  const int64_t k = rng.Below(ends.back());
  const auto found = std::upper_bound(ends.begin(), ends.end(), k);
  const int64_t before = found == ends.begin() ? 0 : *(found - 1);
  return {episodes[static_cast<size_t>(found - ends.begin())], k - before};
}

Batch Loader::Impl::ReadBatch(int64_t index) const {
  const DatasetFacts& facts = dataset->Facts();
  const int64_t b = options.batch, t = options.length;
  Batch batch;
  batch.frames = at::empty({b, t, facts.height, facts.width, 3}, at::kByte);
  if (facts.actions.Width() > 0) batch.actions = at::empty({b, t, facts.actions.Width()}, at::kFloat);
  if (facts.has_pose) batch.pose = at::empty({b, t, 3}, at::kFloat);
  for (int64_t i = 0; i < b; ++i) {
    const auto [episode, begin] = Draw((index * b + i) * options.ranks + options.rank);
    Episode rows;
    rows.frames = batch.frames[i];
    if (batch.actions.defined()) rows.actions = batch.actions[i];
    if (batch.pose.defined()) rows.pose = batch.pose[i];
    dataset->ReadInto(episode, begin, rows);
    batch.origin.emplace_back(episode, begin);
  }
  return batch;
}

void Loader::Impl::ReadAhead() {
  std::unique_lock lock(mutex);
  while (true) {
    changed.wait(lock, [this] { return stop || (!failure && std::ssize(ready) < options.prefetch); });
    if (stop) return;
    const int64_t index = ahead++, restart = restarts;
    lock.unlock();
    Batch batch;
    std::exception_ptr thrown;
    try {
      batch = ReadBatch(index);
    } catch (...) {
      thrown = std::current_exception();
    }
    lock.lock();
    if (restart != restarts) continue;
    failure = thrown;
    if (!thrown) ready.push_back(std::move(batch));
    changed.notify_all();
  }
}

Loader::Loader(std::shared_ptr<const Dataset> dataset, const LoaderOptions& options)
    : impl_(std::make_unique<Impl>(std::move(dataset), options)) {}
Loader::~Loader() = default;

Batch Loader::Next() {
  std::unique_lock lock(impl_->mutex);
  impl_->changed.wait(lock, [this] { return !impl_->ready.empty() || impl_->failure; });
  if (impl_->ready.empty()) std::rethrow_exception(impl_->failure);
  Batch batch = std::move(impl_->ready.front());
  impl_->ready.pop_front();
  ++impl_->position;
  impl_->changed.notify_all();
  return batch;
}

int64_t Loader::Position() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->position;
}

void Loader::SetPosition(int64_t batches) {
  if (batches < 0) Fail("loader: position must not be negative, got {}", batches);
  const std::lock_guard lock(impl_->mutex);
  impl_->ready.clear();
  impl_->failure = nullptr;
  impl_->position = impl_->ahead = batches;
  ++impl_->restarts;
  impl_->changed.notify_all();
}

int64_t Loader::Windows() const { return impl_->ends.back(); }

}  // namespace orrery
