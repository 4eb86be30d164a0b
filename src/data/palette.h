// Colours of a GIF: the best 256 of each frame, by FFmpeg's filters palettegen and paletteuse.
#pragma once
#include "data/ffmpeg.h"

struct AVFilterGraph;
struct AVFilterContext;

namespace orrery {

class Palette {
 public:
  Palette(int width, int height, AVRational time_base);
  ~Palette();
  Palette(const Palette&) = delete;
  Palette& operator=(const Palette&) = delete;

  // RGB24 with a time stamp to PAL8 with a palette of its own.
  ffmpeg::Frame Map(ffmpeg::Frame picture);

 private:
  AVFilterGraph* graph_;
  AVFilterContext* source_ = nullptr;
  AVFilterContext* sink_ = nullptr;
};

}  // namespace orrery
