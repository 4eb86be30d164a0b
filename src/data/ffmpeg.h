// FFmpeg's C objects with owners, for the video sources of this room.
#pragma once
extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/frame.h>
#include <libswscale/swscale.h>
}

#include <memory>
#include <string>

namespace orrery::ffmpeg {

struct Free {
  void operator()(AVFrame* p) const { av_frame_free(&p); }
  void operator()(AVPacket* p) const { av_packet_free(&p); }
  void operator()(AVCodecContext* p) const { avcodec_free_context(&p); }
  void operator()(SwsContext* p) const { sws_freeContext(p); }
};
using Frame = std::unique_ptr<AVFrame, Free>;
using Packet = std::unique_ptr<AVPacket, Free>;
using Codec = std::unique_ptr<AVCodecContext, Free>;
using Scaler = std::unique_ptr<SwsContext, Free>;

Frame MakeFrame();                                               // empty
Frame MakePicture(AVPixelFormat format, int width, int height);  // with a buffer of its own
std::string Reason(int code);                                    // FFmpeg's words for an error code
void Silence();                                                  // FFmpeg's printing; errors are ours to tell

// A scaler between sizes and formats: area when shrinking, bicubic when growing.
// `source` gives the colour space and range of what comes in, or null for ours (RGB in, BT.601 out).
Scaler MakeScaler(int width, int height, AVPixelFormat from, int to_width, int to_height, AVPixelFormat to, const AVFrame* source);

}  // namespace orrery::ffmpeg
