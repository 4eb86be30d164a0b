#include <ATen/Functions.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/error.h"
#include "core/signals.h"
#include "data/container.h"
#include "data/ffmpeg.h"
#include "data/video.h"

namespace orrery {

namespace fs = std::filesystem;

namespace {

struct CloseInput {
  void operator()(AVFormatContext* p) const { avformat_close_input(&p); }
};

struct TimedFrame {
  ffmpeg::Frame frame;
  int64_t index = 0;
  double seconds = 0;  // since the first frame
};

}  // namespace

struct VideoReader::Impl {
  std::string path;
  VideoReadOptions options;
  int64_t missing = 0;  // bytes
  std::unique_ptr<AVFormatContext, CloseInput> input;
  AVStream* stream = nullptr;
  ffmpeg::Codec codec;
  ffmpeg::Packet packet{av_packet_alloc()};
  double file_fps = 0;
  bool drained = false;
  int64_t packets = 0, decoded = 0;
  double first_seconds = 0;

  std::optional<TimedFrame> previous, current;  // neighbours in time of the next frame to take, when options.fps is set
  int64_t taken = 0;

  ffmpeg::Scaler scaler;
  int scaler_width = 0, scaler_height = 0, scaler_format = -1;

  Impl(const fs::path& file, const VideoReadOptions& o);
  void Open();
  void OpenCodec(const AVCodec* decoder);
  [[noreturn]] void FailAt(const std::string& reason) const;
  std::optional<TimedFrame> Decode();
  void Feed();
  void CheckEnd() const;
  std::optional<TimedFrame> NearestInTime();
  at::Tensor ToTensor(AVFrame& frame);
  void Crop(AVFrame& frame) const;
};

VideoReader::Impl::Impl(const fs::path& file, const VideoReadOptions& o) : path(file.string()), options(o) {
  if (options.height < 1 || options.width < 1)
    Fail("{}: expected a frame size to read it at, got {}x{}", path, options.height, options.width);
  if (!(options.fps >= 0 && options.fps <= 1000)) Fail("{}: expected a rate in 0..1000 fps, got {}", path, options.fps);
  if (!fs::is_regular_file(file)) Fail("{}: no such video file", path);
  ffmpeg::Silence();
  missing = MissingBytes(file);
  Open();
}

void VideoReader::Impl::Open() {
  AVFormatContext* raw = nullptr;
  int status = avformat_open_input(&raw, path.c_str(), nullptr, nullptr);
  input.reset(raw);
  if (status >= 0) status = avformat_find_stream_info(input.get(), nullptr);
  if (status < 0) FailAt(fmt::format("not a readable video ({})", ffmpeg::Reason(status)));
  const AVCodec* decoder = nullptr;
  const int index = av_find_best_stream(input.get(), AVMEDIA_TYPE_VIDEO, -1, -1, &decoder, 0);
  if (index < 0 || !decoder) FailAt("it has no video stream that can be decoded");
  stream = input->streams[index];
  for (unsigned i = 0; i < input->nb_streams; ++i)
    if (static_cast<int>(i) != index) input->streams[i]->discard = AVDISCARD_ALL;
  const AVRational rate = av_guess_frame_rate(input.get(), stream, nullptr);
  if (rate.num > 0 && rate.den > 0) file_fps = av_q2d(rate);
  if (file_fps <= 0 && options.fps <= 0) FailAt("it names no frame rate; give one");
  OpenCodec(decoder);
}

void VideoReader::Impl::OpenCodec(const AVCodec* decoder) {
  codec.reset(avcodec_alloc_context3(decoder));
  int status = avcodec_parameters_to_context(codec.get(), stream->codecpar);
  codec->pkt_timebase = stream->time_base;
  codec->err_recognition = AV_EF_CRCCHECK | AV_EF_BITSTREAM | AV_EF_BUFFER | AV_EF_EXPLODE;
  codec->error_concealment = 0;
  codec->thread_count = 0;
  if (status >= 0) status = avcodec_open2(codec.get(), decoder, nullptr);
  if (status < 0) FailAt(fmt::format("its decoder cannot start ({})", ffmpeg::Reason(status)));
}

void VideoReader::Impl::FailAt(const std::string& reason) const {
  const std::string reached = decoded > 0 ? fmt::format("; frames 0..{} can be decoded", decoded - 1) : "";
  if (missing > 0) Fail("{}: cut short, at least {} bytes are missing at its end{}", path, missing, reached);
  Fail("{}: {}{}", path, reason, reached);
}

// Hands one packet to the decoder, or the end of the file.
void VideoReader::Impl::Feed() {
  int status = 0;
  do {
    av_packet_unref(packet.get());
    status = av_read_frame(input.get(), packet.get());
  } while (status >= 0 && packet->stream_index != stream->index);
  if (status == AVERROR_EOF) {
    CheckEnd();
    drained = true;
    avcodec_send_packet(codec.get(), nullptr);
    return;
  }
  if (status < 0) FailAt(fmt::format("cannot be read to its end ({})", ffmpeg::Reason(status)));
  if (packet->flags & AV_PKT_FLAG_CORRUPT) FailAt(fmt::format("packet {} is damaged", packets));
  if (!(packet->flags & AV_PKT_FLAG_DISCARD)) ++packets;
  status = avcodec_send_packet(codec.get(), packet.get());
  if (status < 0) FailAt(fmt::format("packet {} cannot be decoded ({})", packets - 1, ffmpeg::Reason(status)));
}

void VideoReader::Impl::CheckEnd() const {
  if (missing > 0 || (input->pb && input->pb->error < 0)) FailAt("cannot be read to its end");
}

std::optional<TimedFrame> VideoReader::Impl::Decode() {
  ThrowIfStopRequested();
  ffmpeg::Frame frame = ffmpeg::MakeFrame();
  while (true) {
    const int status = avcodec_receive_frame(codec.get(), frame.get());
    if (status == AVERROR(EAGAIN)) {
      Feed();
      continue;
    }
    if (status == AVERROR_EOF) break;
    if (status < 0) FailAt(fmt::format("frame {} cannot be decoded ({})", decoded, ffmpeg::Reason(status)));
    if ((frame->flags & AV_FRAME_FLAG_CORRUPT) || frame->decode_error_flags) FailAt(fmt::format("frame {} is damaged", decoded));
    const bool timed = frame->best_effort_timestamp != AV_NOPTS_VALUE;
    const double seconds = timed ? static_cast<double>(frame->best_effort_timestamp) * av_q2d(stream->time_base)
                                 : first_seconds + static_cast<double>(decoded) / file_fps;
    if (decoded == 0) first_seconds = seconds;
    return TimedFrame{std::move(frame), decoded++, seconds - first_seconds};
  }
  // An MP4 counts its samples, each of which is one frame. (Elsewhere a packet may rightly show nothing.)
  if (stream->nb_frames > 0 && decoded < packets) FailAt(fmt::format("only {} of {} frames can be decoded", decoded, packets));
  if (decoded == 0) FailAt("it has no frame");
  return std::nullopt;
}

// The frame nearest to taken / fps seconds. The last frame lasts half a frame longer than its time says.
std::optional<TimedFrame> VideoReader::Impl::NearestInTime() {
  const double wanted = static_cast<double>(taken) / options.fps;
  if (taken == 0) current = Decode();
  while (current && current->seconds < wanted) {
    previous = std::move(current);
    current = Decode();
  }
  const double half = file_fps > 0 ? 0.5 / file_fps : 0;
  if (!current && wanted >= previous->seconds + half) return std::nullopt;
  ++taken;
  const bool earlier = previous && (!current || wanted - previous->seconds < current->seconds - wanted);
  const TimedFrame& nearest = earlier ? *previous : *current;
  return TimedFrame{ffmpeg::Frame(av_frame_clone(nearest.frame.get())), nearest.index, nearest.seconds};
}

// Narrows the frame to the target's aspect, around its centre.
void VideoReader::Impl::Crop(AVFrame& frame) const {
  const int64_t width = frame.width, height = frame.height;
  const double aspect = static_cast<double>(options.width) / static_cast<double>(options.height);
  const auto fit = [](double wanted, int64_t available) { return std::clamp<int64_t>(std::llround(wanted), 1, available); };
  const int64_t kept_width = fit(static_cast<double>(height) * aspect, width);
  const int64_t kept_height = fit(static_cast<double>(width) / aspect, height);
  // Even offsets fall on whole chroma samples.
  frame.crop_left = static_cast<size_t>((width - kept_width) / 2 & ~int64_t{1});
  frame.crop_top = static_cast<size_t>((height - kept_height) / 2 & ~int64_t{1});
  frame.crop_right = static_cast<size_t>(width - kept_width) - frame.crop_left;
  frame.crop_bottom = static_cast<size_t>(height - kept_height) - frame.crop_top;
  if (av_frame_apply_cropping(&frame, AV_FRAME_CROP_UNALIGNED) < 0) FailAt("cannot be cropped");
}

at::Tensor VideoReader::Impl::ToTensor(AVFrame& frame) {
  if (options.crop) Crop(frame);
  const int width = static_cast<int>(options.width), height = static_cast<int>(options.height);
  if (frame.width != scaler_width || frame.height != scaler_height || frame.format != scaler_format) {
    scaler =
        ffmpeg::MakeScaler(frame.width, frame.height, static_cast<AVPixelFormat>(frame.format), width, height, AV_PIX_FMT_RGB24, &frame);
    scaler_width = frame.width;
    scaler_height = frame.height;
    scaler_format = frame.format;
  }
  // The scaler may write past a row's end, into the padding of this picture.
  const ffmpeg::Frame picture = ffmpeg::MakePicture(AV_PIX_FMT_RGB24, width, height);
  if (sws_scale(scaler.get(), frame.data, frame.linesize, 0, frame.height, picture->data, picture->linesize) != height)
    FailAt("cannot be scaled");
  at::Tensor image = at::empty({options.height, options.width, 3}, at::kByte);
  for (int y = 0; y < height; ++y)
    std::memcpy(image.mutable_data_ptr<uint8_t>() + static_cast<int64_t>(y) * width * 3,
                picture->data[0] + static_cast<int64_t>(y) * picture->linesize[0], static_cast<size_t>(width) * 3);
  return image;
}

VideoReader::VideoReader(const fs::path& path, const VideoReadOptions& options) : impl_(std::make_unique<Impl>(path, options)) {}
VideoReader::~VideoReader() = default;

std::optional<VideoReader::Frame> VideoReader::Next() {
  std::optional<TimedFrame> next = impl_->options.fps > 0 ? impl_->NearestInTime() : impl_->Decode();
  if (!next) return std::nullopt;
  return Frame{impl_->ToTensor(*next->frame), next->index};
}

double VideoReader::Fps() const { return impl_->options.fps > 0 ? impl_->options.fps : impl_->file_fps; }
int64_t VideoReader::Decoded() const { return impl_->decoded; }

Video ReadVideo(const fs::path& path, const VideoReadOptions& options) {
  VideoReader reader(path, options);
  std::vector<at::Tensor> frames;
  while (std::optional<VideoReader::Frame> frame = reader.Next()) frames.push_back(std::move(frame->image));
  return {at::stack(frames), reader.Fps()};
}

}  // namespace orrery
