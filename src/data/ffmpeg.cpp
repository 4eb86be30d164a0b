#include "data/ffmpeg.h"

extern "C" {
#include <libavutil/log.h>
}

#include "core/error.h"

namespace orrery::ffmpeg {

Frame MakeFrame() {
  Frame frame(av_frame_alloc());
  ORRERY_CHECK(frame);
  return frame;
}

Frame MakePicture(AVPixelFormat format, int width, int height) {
  Frame frame = MakeFrame();
  frame->format = format;
  frame->width = width;
  frame->height = height;
  if (av_frame_get_buffer(frame.get(), 0) < 0) Fail("no memory for a picture of {}x{}", height, width);
  return frame;
}

std::string Reason(int code) {
  char text[AV_ERROR_MAX_STRING_SIZE] = {};
  av_strerror(code, text, sizeof(text));
  return text;
}

void Silence() { av_log_set_level(AV_LOG_QUIET); }

Scaler MakeScaler(int width, int height, AVPixelFormat from, int to_width, int to_height, AVPixelFormat to, const AVFrame* source) {
  const bool shrinks = to_width < width || to_height < height;
  const int flags = (shrinks ? SWS_AREA : SWS_BICUBIC) | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT | SWS_FULL_CHR_H_INP;
  Scaler scaler(sws_getContext(width, height, from, to_width, to_height, to, flags, nullptr, nullptr, nullptr));
  if (!scaler) Fail("cannot scale a picture of {}x{} to {}x{}", height, width, to_height, to_width);
  const bool named = source && source->colorspace != AVCOL_SPC_UNSPECIFIED && source->colorspace != AVCOL_SPC_RGB;
  const int* matrix = sws_getCoefficients(named ? source->colorspace : SWS_CS_DEFAULT);
  const int full = source && (source->color_range == AVCOL_RANGE_JPEG || from == AV_PIX_FMT_YUVJ420P || from == AV_PIX_FMT_YUVJ422P ||
                              from == AV_PIX_FMT_YUVJ444P);
  constexpr int kUnit = 1 << 16;  // contrast and saturation in 16.16
  sws_setColorspaceDetails(scaler.get(), matrix, full, sws_getCoefficients(SWS_CS_DEFAULT), 0, 0, kUnit, kUnit);
  return scaler;
}

}  // namespace orrery::ffmpeg
