// actions.csv: which action was taken while which frame of which video was on screen.
#pragma once
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "core/action_space.h"

namespace orrery {

// Header `video,frame,a0,a1,...` and optionally `x,y,angle`, columns in any order. `video` is a file name in the folder of
// videos, `frame` counts from 0. The row of frame t holds the action taken while t is on screen, which leads to frame t+1
// (Minari's convention), and the pose at t. Rows may come in any order. The last frame of a video has no action: its row may be
// missing (not with pose), or its action cells empty. One column a0 of natural numbers only is a discrete action; anything
// else is continuous.
//
// Read line by line into a few numbers a frame. Every fault is an Error "FILE:LINE: ...".
class ActionTable {
 public:
  // Checks all that can be known without the videos: columns, cells, double rows, gaps, unknown videos, videos without rows.
  ActionTable(const std::filesystem::path& path, const std::vector<std::string>& videos);

  const ActionSpace& Space() const { return space_; }
  bool HasPose() const { return has_pose_; }

  // Width() numbers; throws when frame `frame` has no row or an empty action.
  std::span<const float> Action(size_t video, int64_t frame) const;
  std::span<const float> Pose(size_t video, int64_t frame) const;  // x, y, angle; throws when there is no row
  // Throws when the table goes on after the last of the `frames` frames of video number `video`.
  void CheckEnd(size_t video, int64_t frames) const;

 private:
  struct Track {  // rows of one video; after reading, row t is that of frame t
    std::vector<int64_t> frames;
    std::vector<int64_t> lines;  // in the file
    std::vector<float> numbers;  // action (NaN: empty), then pose
  };

  void ReadHeader(const std::vector<std::string>& cells, int64_t line);
  void ReadRow(const std::vector<std::string>& cells, int64_t line);
  float ReadNumber(const std::string& cell, size_t number, int64_t line);
  size_t ReadVideo(const std::string& cell, int64_t line) const;
  void Sort(Track& track, const std::string& video) const;
  std::span<const float> Row(size_t video, int64_t frame) const;
  [[noreturn]] void FailAt(int64_t line, const std::string& message) const;

  std::string path_;
  std::vector<std::string> videos_;
  std::vector<Track> tracks_;
  std::vector<std::string> names_;  // of the numbers of a row: a0.., then x, y, angle
  std::vector<size_t> columns_;     // where they stand
  size_t video_column_ = 0, frame_column_ = 0, cells_ = 0;
  size_t width_ = 0;  // numbers of an action
  bool has_pose_ = false, natural_ = true;
  float largest_ = 0;
  ActionSpace space_;
};

}  // namespace orrery
