// Videos and pictures through FFmpeg's libraries and libpng.
#pragma once
#include <ATen/core/Tensor.h>

#include <filesystem>
#include <memory>

namespace orrery {

struct VideoReadOptions {
  int64_t height = 64, width = 64;
  bool crop = true;     // crop to the target's aspect around the centre before resizing; false: stretch
  double fps = 0;       // 0: the file's own rate; else frames are taken at this rate (nearest in time)
};

struct Video {
  at::Tensor frames;  // [T, H, W, 3] uint8 RGB
  double fps = 0;     // of `frames`
};

// MP4/H.264, WebM/VP9, GIF and whatever the installed FFmpeg reads. Throws Error that names the file (and the frame) on a
// file that is truncated, has no video stream or cannot be decoded to its end.
Video ReadVideo(const std::filesystem::path& path, const VideoReadOptions& options);

struct VideoWriteOptions {
  double fps = 15;
  int64_t scale = 1;      // each pixel becomes scale x scale (nearest), so that small frames are seen
  double quality = 18;    // constant rate factor of H.264 (0 lossless .. 51); GIF ignores it
};

// Writes frame by frame; the suffix decides: .mp4 (H.264, yuv420p), .webm (VP9), .gif. Whole or absent.
class VideoWriter {
 public:
  VideoWriter(const std::filesystem::path& path, int64_t height, int64_t width, const VideoWriteOptions& options);
  ~VideoWriter();
  void Add(const at::Tensor& frame);  // [H, W, 3] uint8
  void Finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

void WritePng(const std::filesystem::path& path, const at::Tensor& image);  // [H, W, 3] uint8, atomic
std::string EncodePng(const at::Tensor& image);                            // the bytes of the same
at::Tensor ReadPng(const std::filesystem::path& path);                      // [H, W, 3] uint8

// Rows of frames side by side with a gap, each row [T, H, W, 3]; scaled by `scale` (nearest).
at::Tensor FilmStrip(const std::vector<at::Tensor>& rows, int64_t scale, int64_t gap);

}  // namespace orrery
