#include "eval/recordings/recording.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>

#include "core/hash.h"
#include "data/loader.h"
#include "worlds/params.h"
#include "worlds/registry.h"
#include "worlds/snapshot.h"

namespace orrery {

namespace fs = std::filesystem;

namespace {

constexpr size_t kKeptEpisodes = 16;

LoaderOptions::Split SplitOf(const std::string& name) {
  if (name == "validation") return LoaderOptions::Split::kValidation;
  if (name == "train") return LoaderOptions::Split::kTrain;
  if (name == "all") return LoaderOptions::Split::kAll;
  FailUnknown("split of a recording", name, std::vector<std::string>{"validation", "train", "all"});
}

std::span<const float> Row(const at::Tensor& rows, int64_t row) {
  if (!rows.defined()) return {};
  return {rows.const_data_ptr<float>() + row * rows.size(1), static_cast<size_t>(rows.size(1))};
}

}  // namespace

struct RecordedSet::Kept {
  std::mutex mutex;
  std::deque<std::pair<int64_t, std::shared_ptr<const Episode>>> episodes;  // the last read first
};

RecordedSet::RecordedSet(const fs::path& folder) : data_(folder), kept_(std::make_shared<Kept>()) {}

std::shared_ptr<const RecordedSet> RecordedSet::Open(const fs::path& folder) {
  using Key = std::pair<fs::path, fs::file_time_type>;
  static std::mutex mutex;
  // Never destroyed: HDF5 is gone before static objects are.
  static auto& open = *new std::map<Key, std::shared_ptr<const RecordedSet>>;
  const std::lock_guard lock(mutex);
  std::error_code missing;
  fs::path file = fs::weakly_canonical(folder, missing) / "main_data.hdf5";
  if (!fs::exists(file, missing)) file = file.parent_path() / "data/main_data.hdf5";
  const Key key{file, fs::exists(file, missing) ? fs::last_write_time(file) : fs::file_time_type()};
  auto& set = open[key];
  if (!set) {
    try {
      set = std::make_shared<RecordedSet>(folder);
    } catch (...) {
      open.erase(key);
      throw;
    }
  }
  return set;
}

std::shared_ptr<const Episode> RecordedSet::Read(int64_t episode) const {
  const std::lock_guard lock(kept_->mutex);
  auto& kept = kept_->episodes;
  auto found = std::find_if(kept.begin(), kept.end(), [&](const auto& e) { return e.first == episode; });
  if (found == kept.end()) {
    auto whole = std::make_shared<const Episode>(data_.Read(episode, 0, data_.Frames(episode)));
    kept.emplace_front(episode, std::move(whole));
    if (kept.size() > kKeptEpisodes) kept.pop_back();
  } else {
    std::rotate(kept.begin(), found, found + 1);
  }
  return kept.front().second;
}

at::Tensor RecordedSet::Poses(int64_t episode) const {
  ORRERY_CHECK(data_.Facts().has_pose);
  Episode rows;
  rows.pose = at::empty({data_.Frames(episode), 3}, at::kFloat);
  data_.ReadInto(episode, 0, rows);
  return rows.pose;
}

Facts RecordingWorld::Describe() {
  return {"recording", "recorded episodes, played back", "own",
          DescribeParams(Json(RecordingOptions()), {{"path", "folder of the data set"},
                                                    {"split", "validation: held-out episodes; train; all"},
                                                    {"share", "of the episodes that is held out, 0..1"}})};
}

RecordingWorld::RecordingWorld(const RecordingOptions& options) {
  const auto split = SplitOf(options.split);
  if (options.path.empty()) Fail("recording: the folder of a data set expected, as recording(path=\"data/doom\")");
  RequireRange<double>("recording", "share", options.share, 0, 1);
  set_ = RecordedSet::Open(options.path);
  const Dataset& data = set_->Data();
  for (const int64_t e : SplitEpisodes(data.Episodes(), split, options.share))
    if (!data.Twin(e)) episodes_.push_back(e);
  if (episodes_.empty())
    Fail("{}: the split '{}' (share {}) has no episode of its {}; record more, or judge on split=all of a set that no model was trained on",
         options.path, options.split, options.share, data.Episodes());
  begin_.push_back(0);
  for (const int64_t e : episodes_) begin_.push_back(begin_.back() + data.Frames(e));
  for (int64_t e = 0; e < data.Episodes(); ++e)
    if (const auto& mark = data.Twin(e); mark && std::binary_search(episodes_.begin(), episodes_.end(), mark->of)) {
      const int64_t at = mark->begin + mark->at;
      twins_.push_back({mark->of, e, at, mark->begin, std::min(data.Frames(mark->of) - 1 - at, data.Frames(e) - 1 - mark->at)});
    }
  const DatasetFacts& facts = data.Facts();
  facts_.spec = FormatSpec("recording", Json(options));
  facts_.height = facts.height;
  facts_.width = facts.width;
  facts_.fps = facts.fps;
  facts_.actions = facts.actions;
  facts_.has_pose = facts.has_pose;
  Reset(0);
}

void RecordingWorld::Go(int64_t episode, int64_t frame) {
  if (!now_ || episode != episode_) now_ = set_->Read(episode);
  episode_ = episode;
  frame_ = frame;
}

void RecordingWorld::Reset(uint64_t seed) {
  const auto number = static_cast<int64_t>(seed % static_cast<uint64_t>(begin_.back()));
  const auto next = std::upper_bound(begin_.begin(), begin_.end(), number);
  Go(episodes_[static_cast<size_t>(next - begin_.begin() - 1)], number - *(next - 1));
}

uint64_t RecordingWorld::Seed(int64_t episode, int64_t frame) const {
  const auto found = std::lower_bound(episodes_.begin(), episodes_.end(), episode);
  ORRERY_CHECK(found != episodes_.end() && *found == episode && frame >= 0 && frame < set_->Data().Frames(episode));
  return static_cast<uint64_t>(begin_[static_cast<size_t>(found - episodes_.begin())] + frame);
}

bool RecordingWorld::Follow(int64_t episode, int64_t frame, std::span<const float> action) {
  if (frame >= set_->Data().Frames(episode)) return false;
  const auto there = episode == episode_ ? now_ : set_->Read(episode);
  const std::span<const float> taken = Row(there->actions, frame);
  if (!std::equal(taken.begin(), taken.end(), action.begin(), action.end())) return false;
  Go(episode, frame);
  return true;
}

void RecordingWorld::Step(std::span<const float> action) {
  facts_.actions.Check(action);
  if (Follow(episode_, frame_ + 1, action)) return;
  for (const RecordedTwins& t : twins_)
    if (t.episode == episode_ && t.at == frame_ && Follow(t.twin, t.at - t.begin + 1, action)) return;
  if (frame_ + 1 >= now_->Frames()) throw UnknownTruth(fmt::format("{}: episode {} ends with frame {}", facts_.spec, episode_, frame_));
  throw UnknownTruth(
      fmt::format("{}: nobody took this action at frame {} of episode {}, and a recording does not know what it would have done",
                  facts_.spec, frame_, episode_));
}

void RecordingWorld::Render(std::span<uint8_t> rgb) const {
  const at::Tensor frame = now_->frames[frame_];
  ORRERY_CHECK(rgb.size() == frame.nbytes());
  std::memcpy(rgb.data(), frame.const_data_ptr(), rgb.size());
}

std::optional<Pose> RecordingWorld::TruePose() const {
  if (!now_->pose.defined()) return std::nullopt;
  const std::span<const float> row = Row(now_->pose, frame_);
  return Pose{row[0], row[1], row[2]};
}

std::string RecordingWorld::Snapshot() const {
  SnapshotWriter out(facts_.spec);
  out.Put(episode_);
  out.Put(frame_);
  return std::move(out).Finish();
}

void RecordingWorld::Restore(std::string_view snapshot) {
  SnapshotReader in(snapshot, facts_.spec);
  const auto episode = in.Get<int64_t>(), frame = in.Get<int64_t>();
  in.Finish();
  if (episode < 0 || episode >= set_->Data().Episodes() || frame < 0 || frame >= set_->Data().Frames(episode))
    Fail("snapshot: frame {} of episode {} is not in {}", frame, episode, facts_.spec);
  Go(episode, frame);
}

ActionList RecordingWorld::Actions(int64_t episode, int64_t first, int64_t count) const {
  const auto whole = set_->Read(episode);
  if (first + count >= whole->Frames())
    throw NoRoom(fmt::format("{}: {} frames after frame {} of episode {} expected, it has {}", facts_.spec, count, first, episode,
                             whole->Frames() - 1 - first));
  ActionList actions;
  for (int64_t t = first + 1; t <= first + count; ++t) {
    const std::span<const float> row = Row(whole->actions, t);
    actions.emplace_back(row.begin(), row.end());
  }
  return actions;
}

uint64_t RecordingWorld::Fingerprint() const {
  std::string seen;
  for (const int64_t e : episodes_) {
    const Episode first = set_->Data().Read(e, 0, 1);
    const std::string_view pixels(static_cast<const char*>(first.frames.const_data_ptr()), first.frames.nbytes());
    seen += fmt::format("{} {} {} {:x}\n", e, set_->Data().Frames(e), first.seed, HashBytes(pixels));
  }
  return HashBytes(seen);
}

bool IsRecording(std::string_view spec) { return spec == "recording" || spec.starts_with("recording("); }

std::unique_ptr<RecordingWorld> MakeRecording(std::string_view spec) {
  if (!IsRecording(spec)) Fail("world \"{}\": a recording expected, as recording(path=\"data/doom\")", spec);
  return std::make_unique<RecordingWorld>(Bind(ParseSpec(spec).front(), RecordingWorld::Describe()).get<RecordingOptions>());
}

std::unique_ptr<World> MakeEvalWorld(std::string_view spec) {
  if (IsRecording(spec)) return MakeRecording(spec);
  return MakeWorld(spec);
}

}  // namespace orrery
