// Whether a video file is as long as its own structure says.
#pragma once
#include <cstdint>
#include <filesystem>

namespace orrery {

// Bytes that the outer structure of an MP4/MOV (boxes), Matroska/WebM (segment) or GIF (blocks) promises beyond the end of
// the file; 0 when whole, of another kind, or without a promise (a live recording).
int64_t MissingBytes(const std::filesystem::path& path);

}  // namespace orrery
