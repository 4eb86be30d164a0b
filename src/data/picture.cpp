#include <ATen/Functions.h>
#include <png.h>

#include "core/error.h"
#include "core/file.h"
#include "core/shape.h"
#include "data/video.h"

namespace orrery {

namespace {

png_image Header() {
  png_image header = {};
  header.version = PNG_IMAGE_VERSION;
  return header;
}

void CheckImage(const at::Tensor& image) {
  CheckShape(image, {kAny, kAny, 3}, "picture");
  CheckDtype(image, at::kByte, "picture");
}

}  // namespace

std::string EncodePng(const at::Tensor& image) {
  CheckImage(image);
  const at::Tensor pixels = image.contiguous();
  png_image header = Header();
  header.height = static_cast<png_uint_32>(image.size(0));
  header.width = static_cast<png_uint_32>(image.size(1));
  header.format = PNG_FORMAT_RGB;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(header);
  std::string bytes(size, '\0');
  if (!png_image_write_to_memory(&header, bytes.data(), &size, 0, pixels.const_data_ptr<uint8_t>(), 0, nullptr))
    Fail("cannot encode a picture of {}: {}", ShapeText(image.sizes()), header.message);
  bytes.resize(size);
  return bytes;
}

void WritePng(const std::filesystem::path& path, const at::Tensor& image) { WriteFileAtomic(path, EncodePng(image)); }

at::Tensor ReadPng(const std::filesystem::path& path) {
  const std::string bytes = ReadFile(path);
  png_image header = Header();
  if (!png_image_begin_read_from_memory(&header, bytes.data(), bytes.size()))
    Fail("{}: not a readable PNG picture: {}", path.string(), header.message);
  header.format = PNG_FORMAT_RGB;
  at::Tensor image = at::empty({header.height, header.width, 3}, at::kByte);
  const png_color black = {0, 0, 0};  // behind transparent pixels
  if (!png_image_finish_read(&header, &black, image.mutable_data_ptr<uint8_t>(), 0, nullptr))
    Fail("{}: damaged PNG picture: {}", path.string(), header.message);
  return image;
}

at::Tensor FilmStrip(const std::vector<at::Tensor>& rows, int64_t scale, int64_t gap) {
  if (rows.empty() || scale < 1 || gap < 0) Fail("film strip: expected rows, a scale of 1 or more and a gap of 0 or more");
  CheckShape(rows[0], {kAny, kAny, kAny, 3}, "film strip");
  const int64_t height = rows[0].size(1), width = rows[0].size(2);
  int64_t columns = 0;
  for (const at::Tensor& row : rows) {
    CheckShape(row, {kAny, height, width, 3}, "film strip");
    CheckDtype(row, at::kByte, "film strip");
    columns = std::max(columns, row.size(0));
  }
  if (columns == 0) Fail("film strip: no frame");
  const int64_t h = height * scale, w = width * scale, n = static_cast<int64_t>(rows.size());
  at::Tensor strip = at::full({n * (h + gap) - gap, columns * (w + gap) - gap, 3}, 255, at::kByte);
  for (int64_t r = 0; r < n; ++r)
    for (int64_t t = 0; t < rows[static_cast<size_t>(r)].size(0); ++t)
      strip.narrow(0, r * (h + gap), h)
          .narrow(1, t * (w + gap), w)
          .copy_(rows[static_cast<size_t>(r)][t].repeat_interleave(scale, 0).repeat_interleave(scale, 1));
  return strip;
}

}  // namespace orrery
