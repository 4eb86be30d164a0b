#include <ATen/Functions.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/error.h"
#include "core/file.h"
#include "core/shape.h"
#include "data/ffmpeg.h"
#include "data/palette.h"
#include "data/video.h"

namespace orrery {

namespace fs = std::filesystem;

namespace {

struct Format {
  const char* encoder;
  AVPixelFormat pixels;
};

Format FormatOf(const fs::path& path) {
  const std::string suffix = path.extension().string();
  if (suffix == ".mp4") return {"libx264", AV_PIX_FMT_YUV420P};
  if (suffix == ".webm") return {"libvpx-vp9", AV_PIX_FMT_YUV420P};
  if (suffix == ".gif") return {"gif", AV_PIX_FMT_PAL8};
  Fail("{}: expected a film's name to end in .mp4, .webm or .gif", path.string());
}

struct CloseOutput {
  void operator()(AVFormatContext* p) const {
    avio_closep(&p->pb);
    avformat_free_context(p);
  }
};

}  // namespace

struct VideoWriter::Impl {
  std::string path;
  int64_t height, width;  // of the frames that arrive
  VideoWriteOptions options;
  Format format;
  AtomicFile file;
  std::unique_ptr<AVFormatContext, CloseOutput> output;
  ffmpeg::Codec codec;
  ffmpeg::Packet packet{av_packet_alloc()};
  ffmpeg::Scaler scaler;
  std::unique_ptr<Palette> palette;
  int64_t written = 0;

  Impl(const fs::path& target, int64_t h, int64_t w, const VideoWriteOptions& o);
  void Check(int status) const;
  void OpenCodec(AVStream* stream);
  ffmpeg::Frame Picture(const at::Tensor& frame) const;
  void Encode(const AVFrame* frame);
};

VideoWriter::Impl::Impl(const fs::path& target, int64_t h, int64_t w, const VideoWriteOptions& o)
    : path(target.string()), height(h), width(w), options(o), format(FormatOf(target)), file(target) {
  if (height < 1 || width < 1 || options.scale < 1 || std::max(height, width) * options.scale > 16384)
    Fail("{}: cannot write frames of {}x{} at scale {}", path, height, width, options.scale);
  if (!(options.fps > 0 && options.fps <= 1000)) Fail("{}: expected a rate in 0..1000 fps, got {}", path, options.fps);
  if (!(options.quality >= 0 && options.quality <= 51)) Fail("{}: expected a quality in 0..51, got {}", path, options.quality);
  ffmpeg::Silence();
  AVFormatContext* raw = nullptr;
  Check(avformat_alloc_output_context2(&raw, nullptr, nullptr, file.Path().c_str()));
  output.reset(raw);
  AVStream* stream = avformat_new_stream(output.get(), nullptr);
  ORRERY_CHECK(stream);
  OpenCodec(stream);
  Check(avio_open(&output->pb, file.Path().c_str(), AVIO_FLAG_WRITE));
  Check(avformat_write_header(output.get(), nullptr));
}

void VideoWriter::Impl::Check(int status) const {
  if (status < 0) Fail("cannot write {}: {} (the previous file is unchanged)", path, ffmpeg::Reason(status));
}

void VideoWriter::Impl::OpenCodec(AVStream* stream) {
  const AVCodec* encoder = avcodec_find_encoder_by_name(format.encoder);
  if (!encoder) Fail("{}: this FFmpeg has no encoder {}", path, format.encoder);
  codec.reset(avcodec_alloc_context3(encoder));
  const bool palettes = format.pixels == AV_PIX_FMT_PAL8;
  const auto even = [&](int64_t n) { return static_cast<int>(palettes ? n : n + n % 2); };
  codec->width = even(width * options.scale);
  codec->height = even(height * options.scale);
  codec->pix_fmt = format.pixels;
  codec->framerate = av_d2q(options.fps, 100000);
  codec->time_base = av_inv_q(codec->framerate);
  stream->avg_frame_rate = codec->framerate;
  if (palettes) {
    palette = std::make_unique<Palette>(codec->width, codec->height, codec->time_base);
  } else {
    codec->colorspace = AVCOL_SPC_SMPTE170M;  // what the scaler makes of RGB
    codec->color_range = AVCOL_RANGE_MPEG;
    scaler = ffmpeg::MakeScaler(codec->width, codec->height, AV_PIX_FMT_RGB24, codec->width, codec->height, format.pixels, nullptr);
  }
  if (output->oformat->flags & AVFMT_GLOBALHEADER) codec->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
  AVDictionary* extra = nullptr;
  const bool vp9 = std::string_view(format.encoder) == "libvpx-vp9";
  const double quality = vp9 ? std::round(options.quality * 63 / 51) : options.quality;
  if (!palettes) av_dict_set(&extra, "crf", fmt::format("{}", quality).c_str(), 0);
  if (vp9) av_dict_set(&extra, "cpu-used", "4", 0);
  const int status = avcodec_open2(codec.get(), encoder, &extra);
  av_dict_free(&extra);
  Check(status);
  stream->time_base = codec->time_base;
  Check(avcodec_parameters_from_context(stream->codecpar, codec.get()));
}

// The frame scaled by whole pixels, as wide and high as the codec wants it.
ffmpeg::Frame VideoWriter::Impl::Picture(const at::Tensor& frame) const {
  ffmpeg::Frame picture = ffmpeg::MakePicture(AV_PIX_FMT_RGB24, codec->width, codec->height);
  const at::Tensor pixels = frame.contiguous();
  const uint8_t* from = pixels.const_data_ptr<uint8_t>();
  for (int64_t y = 0; y < codec->height; ++y) {
    const uint8_t* row = from + std::min(y / options.scale, height - 1) * width * 3;
    uint8_t* to = picture->data[0] + y * picture->linesize[0];
    for (int64_t x = 0; x < codec->width; ++x) std::memcpy(to + x * 3, row + std::min(x / options.scale, width - 1) * 3, 3);
  }
  return picture;
}

void VideoWriter::Impl::Encode(const AVFrame* frame) {
  Check(avcodec_send_frame(codec.get(), frame));
  while (true) {
    const int status = avcodec_receive_packet(codec.get(), packet.get());
    if (status == AVERROR(EAGAIN) || status == AVERROR_EOF) return;
    Check(status);
    AVStream* stream = output->streams[0];
    if (packet->duration == 0) packet->duration = 1;
    av_packet_rescale_ts(packet.get(), codec->time_base, stream->time_base);
    packet->stream_index = 0;
    Check(av_interleaved_write_frame(output.get(), packet.get()));
    Check(output->pb->error);
  }
}

VideoWriter::VideoWriter(const fs::path& path, int64_t height, int64_t width, const VideoWriteOptions& options)
    : impl_(std::make_unique<Impl>(path, height, width, options)) {}
VideoWriter::~VideoWriter() = default;

void VideoWriter::Add(const at::Tensor& frame) {
  CheckShape(frame, {impl_->height, impl_->width, 3}, impl_->path + ", frame");
  CheckDtype(frame, at::kByte, impl_->path + ", frame");
  ffmpeg::Frame picture = impl_->Picture(frame);
  ffmpeg::Frame ready;
  if (impl_->palette) {
    picture->pts = impl_->written;
    ready = impl_->palette->Map(std::move(picture));
  } else {
    ready = ffmpeg::MakePicture(impl_->format.pixels, picture->width, picture->height);
    sws_scale(impl_->scaler.get(), picture->data, picture->linesize, 0, picture->height, ready->data, ready->linesize);
  }
  ready->pts = impl_->written++;
  impl_->Encode(ready.get());
}

void VideoWriter::Finish() {
  if (impl_->written == 0) Fail("cannot write {}: no frame was given", impl_->path);
  impl_->Encode(nullptr);
  impl_->Check(av_write_trailer(impl_->output.get()));
  avio_flush(impl_->output->pb);
  impl_->Check(impl_->output->pb->error);
  impl_->Check(avio_closep(&impl_->output->pb));
  impl_->file.Commit();
}

}  // namespace orrery
