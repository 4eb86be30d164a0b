#include "data/action_table.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/error.h"
#include "data/csv.h"

namespace orrery {

namespace {

constexpr int64_t kMostChoices = 65536;

bool Digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string_view Trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

template <class Number>
bool Parse(std::string_view text, Number& value) {
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  return failed == std::errc() && end == text.data() + text.size();
}

template <class Value>
void Permute(std::vector<Value>& values, const std::vector<size_t>& order, size_t stride) {
  std::vector<Value> sorted;
  sorted.reserve(values.size());
  for (const size_t i : order)
    for (size_t k = 0; k < stride; ++k) sorted.push_back(values[i * stride + k]);
  values = std::move(sorted);
}

}  // namespace

ActionTable::ActionTable(const std::filesystem::path& path, const std::vector<std::string>& videos)
    : path_(path.string()), videos_(videos), tracks_(videos.size()) {
  CsvReader reader(path);
  std::vector<std::string> cells;
  if (!reader.Next(cells)) FailAt(1, "the file is empty; expected the columns video,frame,a0,a1,...");
  ReadHeader(cells, reader.Line());
  while (reader.Next(cells)) ReadRow(cells, reader.Line());
  for (size_t video = 0; video < tracks_.size(); ++video) {
    if (tracks_[video].frames.empty())
      FailAt(reader.LastLine(), fmt::format("the table ends without a row for the video {}", videos_[video]));
    Sort(tracks_[video], videos_[video]);
  }
  if (width_ == 1 && natural_) {
    space_.count = static_cast<int64_t>(largest_) + 1;
  } else {
    space_.dims = static_cast<int64_t>(width_);
  }
}

void ActionTable::FailAt(int64_t line, const std::string& message) const { Fail("{}:{}: {}", path_, line, message); }

void ActionTable::ReadHeader(const std::vector<std::string>& cells, int64_t line) {
  cells_ = cells.size();
  std::vector<std::string> header;
  for (const std::string& cell : cells) header.emplace_back(Trim(cell));
  const auto place = [&](const std::string& name) {
    const auto found = std::find(header.begin(), header.end(), name);
    if (found == header.end()) FailAt(line, fmt::format("the column {} is missing", name));
    if (std::find(found + 1, header.end(), name) != header.end()) FailAt(line, fmt::format("the column {} is there twice", name));
    return static_cast<size_t>(found - header.begin());
  };
  const auto has = [&](const std::string& name) { return std::find(header.begin(), header.end(), name) != header.end(); };
  video_column_ = place("video");
  frame_column_ = place("frame");
  for (const std::string& name : header) width_ += name.size() > 1 && name[0] == 'a' && Digits(name.substr(1));
  width_ = std::max<size_t>(width_, 1);  // a0 at least
  for (size_t i = 0; i < width_; ++i) names_.push_back(fmt::format("a{}", i));
  has_pose_ = has("x") || has("y") || has("angle");
  if (has_pose_) names_.insert(names_.end(), {"x", "y", "angle"});
  for (const std::string& name : names_) columns_.push_back(place(name));
  for (const std::string& name : header)
    if (name != "video" && name != "frame" && std::find(names_.begin(), names_.end(), name) == names_.end())
      FailAt(line, fmt::format("unknown column '{}' (valid: video, frame, a0, a1, ..., x, y, angle)", name));
}

size_t ActionTable::ReadVideo(const std::string& cell, int64_t line) const {
  const auto found = std::lower_bound(videos_.begin(), videos_.end(), cell);
  if (found != videos_.end() && *found == cell) return static_cast<size_t>(found - videos_.begin());
  const std::string near = Nearest(cell, videos_);
  FailAt(line, fmt::format("there is no video '{}' in the folder{}", cell, near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
}

float ActionTable::ReadNumber(const std::string& cell, size_t number, int64_t line) {
  const std::string_view text = Trim(cell);
  float value = std::numeric_limits<float>::quiet_NaN();
  if (text.empty() && number < width_) return value;
  if (!Parse(text, value) || !std::isfinite(value))
    FailAt(line, fmt::format("{}: expected a finite number, got '{}'", names_[number], cell));
  if (number == 0) {
    natural_ &= Digits(text);
    largest_ = std::max(largest_, value);
    if (width_ == 1 && natural_ && largest_ >= kMostChoices)
      FailAt(line, fmt::format("a0: expected one of at most {} choices, got {}; a continuous action is written with a point", kMostChoices,
                               text));
  }
  return value;
}

void ActionTable::ReadRow(const std::vector<std::string>& cells, int64_t line) {
  if (cells.size() != cells_) FailAt(line, fmt::format("expected {} cells, got {}", cells_, cells.size()));
  Track& track = tracks_[ReadVideo(cells[video_column_], line)];
  int64_t frame = 0;
  const std::string_view text = Trim(cells[frame_column_]);
  if (!Parse(text, frame) || frame < 0)
    FailAt(line, fmt::format("frame: expected a number counted from 0, got '{}'", cells[frame_column_]));
  track.frames.push_back(frame);
  track.lines.push_back(line);
  for (size_t i = 0; i < columns_.size(); ++i) track.numbers.push_back(ReadNumber(cells[columns_[i]], i, line));
}

// Brings the rows into the order of frames and checks that there is one for each.
void ActionTable::Sort(Track& track, const std::string& video) const {
  if (!std::is_sorted(track.frames.begin(), track.frames.end())) {
    std::vector<size_t> order(track.frames.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return track.frames[a] < track.frames[b]; });
    Permute(track.frames, order, 1);
    Permute(track.lines, order, 1);
    Permute(track.numbers, order, names_.size());
  }
  for (size_t t = 0; t < track.frames.size(); ++t) {
    const int64_t expected = static_cast<int64_t>(t), frame = track.frames[t];
    if (frame > expected) FailAt(track.lines[t], fmt::format("{}: frame {} has no row; this one is for frame {}", video, expected, frame));
    if (frame < expected)
      FailAt(track.lines[t], fmt::format("{}: frame {} was given in line {} already", video, frame, track.lines[t - 1]));
  }
  track.frames = {};
}

std::span<const float> ActionTable::Row(size_t video, int64_t frame) const {
  const Track& track = tracks_[video];
  const auto rows = static_cast<int64_t>(track.lines.size());
  if (frame >= rows)
    FailAt(track.lines.back(), fmt::format("{}: the rows end with frame {}, but frame {} needs one", videos_[video], rows - 1, frame));
  return {track.numbers.data() + static_cast<size_t>(frame) * names_.size(), names_.size()};
}

std::span<const float> ActionTable::Action(size_t video, int64_t frame) const {
  const std::span<const float> action = Row(video, frame).first(width_);
  for (size_t i = 0; i < width_; ++i)
    if (std::isnan(action[i]))
      FailAt(tracks_[video].lines[static_cast<size_t>(frame)],
             fmt::format("{} is empty; only the last frame of a video has no action", names_[i]));
  return action;
}

std::span<const float> ActionTable::Pose(size_t video, int64_t frame) const { return Row(video, frame).subspan(width_); }

void ActionTable::CheckEnd(size_t video, int64_t frames) const {
  const Track& track = tracks_[video];
  if (static_cast<int64_t>(track.lines.size()) > frames)
    FailAt(track.lines[static_cast<size_t>(frames)],
           fmt::format("frame {}: the video {} has only {} frames", frames, videos_[video], frames));
}

}  // namespace orrery
