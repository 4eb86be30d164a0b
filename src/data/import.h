// A folder of videos with an action table becomes a data set.
#pragma once
#include "data/dataset.h"
#include "data/video.h"

namespace orrery {

struct ImportOptions {
  std::filesystem::path videos;   // folder; files in name order
  std::filesystem::path actions;  // actions.csv, or empty: no actions
  std::filesystem::path out;
  VideoReadOptions video;
  bool overwrite = false;
};

// actions.csv: header `video,frame,a0,a1,...` and optional `x,y,angle`. The row of frame t holds the action taken while t is
// on screen, which leads to frame t+1 (Minari's convention); the last frame's row may be missing. One column a0 of natural numbers
// only is a discrete action; anything else is continuous. With `fps` set, rows are those of the frames that are kept (discrete) or their sum (continuous).
// Every fault (missing column, missing or double row, a wrong number of cells, NaN, unknown video) is an Error "FILE:LINE: ...".
DatasetFacts ImportVideos(const ImportOptions& options);

}  // namespace orrery
