// A folder of videos with an action table becomes a data set.
#pragma once
#include <filesystem>

#include "data/episode.h"
#include "data/video.h"

namespace orrery {

struct ImportOptions {
  std::filesystem::path videos;   // folder; its .mp4, .webm, .gif, .mkv, .mov, .avi, .m4v files in name order
  std::filesystem::path actions;  // actions.csv (data/action_table.h), or empty: no actions
  std::filesystem::path out;
  VideoReadOptions video;
  bool overwrite = false;
};

// Each video becomes an episode; one video is read at a time, a few frames in memory. All videos must have one rate unless
// `video.fps` gives it. With `video.fps`, a kept frame has its own action (discrete) or the sum of the actions up to the next
// kept one (continuous); a rate above the file's is an Error. Every fault of the table is an Error "FILE:LINE: ...", every
// fault of a video names its file. Whole or absent: on any Error, or Interrupted, `out` is as it was.
DatasetFacts ImportVideos(const ImportOptions& options);

}  // namespace orrery
