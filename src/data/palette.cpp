#include "data/palette.h"

extern "C" {
#include <libavfilter/avfilter.h>
#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
}

#include "core/error.h"

namespace orrery {

namespace {

void Check(int status) {
  if (status < 0) Fail("cannot choose the colours of a GIF: {}", ffmpeg::Reason(status));
}

}  // namespace

Palette::Palette(int width, int height, AVRational time_base) : graph_(avfilter_graph_alloc()) {
  ORRERY_CHECK(graph_);
  const std::string filters = fmt::format(
      "buffer=width={}:height={}:pix_fmt=rgb24:time_base={}/{}:sar=1,split[a][b];"
      "[a]palettegen=stats_mode=single:reserve_transparent=0[p];[b][p]paletteuse=new=1:dither=none,buffersink",
      width, height, time_base.num, time_base.den);
  AVFilterInOut *inputs = nullptr, *outputs = nullptr;
  const int status = avfilter_graph_parse2(graph_, filters.c_str(), &inputs, &outputs);
  avfilter_inout_free(&inputs);
  avfilter_inout_free(&outputs);
  Check(status);
  Check(avfilter_graph_config(graph_, nullptr));
  for (unsigned i = 0; i < graph_->nb_filters; ++i) {
    const std::string_view name = graph_->filters[i]->filter->name;
    if (name == "buffer") source_ = graph_->filters[i];
    if (name == "buffersink") sink_ = graph_->filters[i];
  }
  ORRERY_CHECK(source_ && sink_);
}

Palette::~Palette() { avfilter_graph_free(&graph_); }

ffmpeg::Frame Palette::Map(ffmpeg::Frame picture) {
  Check(av_buffersrc_add_frame(source_, picture.get()));
  ffmpeg::Frame mapped = ffmpeg::MakeFrame();
  Check(av_buffersink_get_frame(sink_, mapped.get()));
  return mapped;
}

}  // namespace orrery
