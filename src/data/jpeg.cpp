#include "data/jpeg.h"

#include <turbojpeg.h>

#include <memory>

#include "core/error.h"

namespace orrery {

void DecodeJpeg(std::span<const uint8_t> bytes, int64_t height, int64_t width, uint8_t* rgb, const std::string& where) {
  const std::unique_ptr<void, decltype(&tjDestroy)> decoder(tjInitDecompress(), tjDestroy);
  ORRERY_CHECK(decoder);
  const auto size = static_cast<unsigned long>(bytes.size());
  int w = 0, h = 0, subsampling = 0, colorspace = 0;
  if (tjDecompressHeader3(decoder.get(), bytes.data(), size, &w, &h, &subsampling, &colorspace) != 0)
    Fail("{}: not a JPEG picture: {}", where, tjGetErrorStr2(decoder.get()));
  if (h != height || w != width) Fail("{}: expected a picture of {}x{}, got {}x{}", where, height, width, h, w);
  if (tjDecompress2(decoder.get(), bytes.data(), size, rgb, w, 0, h, TJPF_RGB, TJFLAG_STOPONWARNING) != 0)
    Fail("{}: damaged JPEG picture: {}", where, tjGetErrorStr2(decoder.get()));
}

}  // namespace orrery
