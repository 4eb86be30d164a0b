#include "data/import.h"

#include <ATen/Functions.h>

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/progress.h"
#include "data/action_table.h"
#include "data/dataset_writer.h"

namespace orrery {

namespace fs = std::filesystem;

namespace {

constexpr int64_t kRowsAtOnce = 32;

std::vector<std::string> VideoNames(const fs::path& folder) {
  if (!fs::is_directory(folder)) Fail("{}: expected a folder of videos", folder.string());
  const std::vector<std::string> suffixes = {".mp4", ".webm", ".gif", ".mkv", ".mov", ".avi", ".m4v"};
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string(), suffix = entry.path().extension().string();
    const bool video = std::find(suffixes.begin(), suffixes.end(), suffix) != suffixes.end();
    if (video && !name.starts_with('.') && entry.is_regular_file()) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  if (names.empty()) Fail("{}: no video there (expected files ending in {})", folder.string(), fmt::join(suffixes, ", "));
  return names;
}

// One video on its way into the writer, a few rows at a time.
class EpisodeImport {
 public:
  EpisodeImport(DatasetWriter& writer, const ActionTable* table, size_t video) : writer_(writer), table_(table), video_(video) {
    writer_.Begin();
  }

  void Add(VideoReader::Frame frame) {
    if (table_) {
      AddAction(frame.index);
      if (table_->HasPose()) Append(pose_, table_->Pose(video_, frame.index));
    }
    last_index_ = frame.index;
    frames_.push_back(std::move(frame.image));
    ++count_;
    if (std::ssize(frames_) == kRowsAtOnce) Flush();
  }

  void Finish(int64_t frames_of_file) {
    if (table_) table_->CheckEnd(video_, frames_of_file);
    if (!frames_.empty()) Flush();
    writer_.End();
  }

  int64_t Count() const { return count_; }
  int64_t LastIndex() const { return last_index_; }

 private:
  static void Append(std::vector<float>& to, std::span<const float> row) { to.insert(to.end(), row.begin(), row.end()); }

  // The action that leads to frame `index` from the frame kept before it.
  void AddAction(int64_t index) {
    const auto width = static_cast<size_t>(table_->Space().Width());
    std::vector<float> action(width, 0.0f);
    if (last_index_ >= 0) {
      const int64_t end = table_->Space().Discrete() ? last_index_ + 1 : index;
      for (int64_t t = last_index_; t < end; ++t) {
        const std::span<const float> row = table_->Action(video_, t);
        for (size_t i = 0; i < width; ++i) action[i] += row[i];
      }
    }
    Append(actions_, action);
  }

  void Flush() {
    const int64_t count = std::ssize(frames_);
    Episode rows;
    rows.frames = at::stack(frames_);
    if (table_) rows.actions = at::from_blob(actions_.data(), {count, table_->Space().Width()}, at::kFloat);
    if (!pose_.empty()) rows.pose = at::from_blob(pose_.data(), {count, 3}, at::kFloat);
    writer_.Append(rows);
    frames_.clear();
    actions_.clear();
    pose_.clear();
  }

  DatasetWriter& writer_;
  const ActionTable* table_;
  size_t video_;
  int64_t last_index_ = -1, count_ = 0;
  std::vector<at::Tensor> frames_;
  std::vector<float> actions_, pose_;
};

void ImportVideo(VideoReader& reader, const std::string& path, EpisodeImport& episode, bool has_actions) {
  while (std::optional<VideoReader::Frame> frame = reader.Next()) {
    if (has_actions && frame->index == episode.LastIndex())
      Fail("{}: {} frames a second are more than the file has; ask for fewer", path, reader.Fps());
    episode.Add(std::move(*frame));
  }
  if (episode.Count() < 2) Fail("{}: expected two frames or more, got {}", path, episode.Count());
}

DatasetFacts MakeFacts(const ImportOptions& options, double fps, const std::optional<ActionTable>& table) {
  DatasetFacts facts;
  const fs::path out = options.out.lexically_normal();
  facts.name = (out.has_filename() ? out : out.parent_path()).filename().string();
  facts.source = "videos:" + options.videos.string();
  facts.height = options.video.height;
  facts.width = options.video.width;
  facts.fps = fps;
  if (table) {
    facts.actions = table->Space();
    facts.has_pose = table->HasPose();
  }
  return facts;
}

}  // namespace

DatasetFacts ImportVideos(const ImportOptions& options) {
  const std::vector<std::string> names = VideoNames(options.videos);
  std::optional<ActionTable> table;
  if (!options.actions.empty()) table.emplace(options.actions, names);
  const DatasetFacts facts = MakeFacts(options, VideoReader(options.videos / names[0], options.video).Fps(), table);
  DatasetWriter writer(options.out, facts, {.overwrite = options.overwrite});
  Progress progress("importing", std::ssize(names), "videos");
  int64_t frames = 0;
  for (size_t i = 0; i < names.size(); ++i) {
    const fs::path path = options.videos / names[i];
    VideoReader reader(path, options.video);
    if (std::abs(reader.Fps() / facts.fps - 1) > 0.01)
      Fail("{}: it has {:.4g} frames a second, {} has {:.4g}; give one rate for all", path.string(), reader.Fps(), names[0], facts.fps);
    EpisodeImport episode(writer, table ? &*table : nullptr, i);
    ImportVideo(reader, path.string(), episode, table.has_value());
    episode.Finish(reader.Decoded());
    frames += episode.Count();
    progress.Update(static_cast<int64_t>(i) + 1, fmt::format("{} frames", frames));
  }
  writer.Finish();
  progress.Finish();
  return facts;
}

}  // namespace orrery
