// Videos and pictures through FFmpeg's libraries and libpng.
#pragma once
#include <ATen/core/Tensor.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace orrery {

struct VideoReadOptions {
  int64_t height = 64, width = 64;
  bool crop = true;  // crop to the target's aspect around the centre before resizing; false: stretch
  double fps = 0;    // 0: the file's own rate; else frames are taken at this rate (nearest in time)
};

// Frames one after another: MP4/H.264, WebM/VP9, GIF and whatever the installed FFmpeg reads. Strict, since actions belong
// to frames by number: a file that is cut short, that has no video stream or no rate, or of which one frame cannot be
// decoded is an Error that names the file and the frame reached.
class VideoReader {
 public:
  struct Frame {
    at::Tensor image;   // [H, W, 3] uint8 RGB
    int64_t index = 0;  // counted in the file, whatever `fps`
  };

  VideoReader(const std::filesystem::path& path, const VideoReadOptions& options);
  ~VideoReader();
  std::optional<Frame> Next();  // nothing after the last
  double Fps() const;           // of the frames that Next() returns
  int64_t Decoded() const;      // frames of the file decoded so far

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

struct Video {
  at::Tensor frames;  // [T, H, W, 3] uint8 RGB
  double fps = 0;     // of `frames`
};

Video ReadVideo(const std::filesystem::path& path, const VideoReadOptions& options);  // the whole of it at once

struct VideoWriteOptions {
  double fps = 15;
  int64_t scale = 1;    // each pixel becomes scale x scale (nearest), so that small frames are seen
  double quality = 18;  // constant rate factor of H.264 (0 best .. 51), spread to VP9's 0 .. 63; GIF ignores it
};

// Writes frame by frame; the suffix decides: .mp4 (H.264, yuv420p), .webm (VP9), .gif. Whole or absent. The last row or
// column of an odd size is doubled, which yuv420p needs.
class VideoWriter {
 public:
  VideoWriter(const std::filesystem::path& path, int64_t height, int64_t width, const VideoWriteOptions& options);
  ~VideoWriter();
  void Add(const at::Tensor& frame);  // [H, W, 3] uint8
  void Finish();                      // throws Error without a frame

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

void WritePng(const std::filesystem::path& path, const at::Tensor& image);  // [H, W, 3] uint8, atomic
std::string EncodePng(const at::Tensor& image);                             // the bytes of the same
at::Tensor ReadPng(const std::filesystem::path& path);                      // [H, W, 3] uint8

// Rows of frames side by side with a white gap, each row [T, H, W, 3] (T may differ); scaled by `scale` (nearest).
at::Tensor FilmStrip(const std::vector<at::Tensor>& rows, int64_t scale, int64_t gap);

}  // namespace orrery
