// JPEG pictures: Minari stores large observations so unless told otherwise.
#pragma once
#include <cstdint>
#include <span>
#include <string>

namespace orrery {

// Decodes into `rgb`, height x width x 3 bytes (a grey picture fills all three channels). Throws Error that starts with
// `where` when the bytes are no JPEG of that size.
void DecodeJpeg(std::span<const uint8_t> bytes, int64_t height, int64_t width, uint8_t* rgb, const std::string& where);

}  // namespace orrery
