#include "data/episode.h"

#include "core/error.h"

namespace orrery {

std::string TwinMark::Fault(int64_t count, std::span<const int64_t> frames) const {
  if (of < 0 || of >= std::ssize(frames) || frames[static_cast<size_t>(of)] == 0)
    return fmt::format("a twin of an earlier episode that is no twin itself expected, got twin_of = {}", of);
  const int64_t theirs = frames[static_cast<size_t>(of)];
  if (begin < 0 || begin >= theirs || at < 0 || at >= count - 1 || at >= theirs - begin - 1)
    return fmt::format("twin_begin = {}, twin_at = {}: both episodes must have a frame after the last shared one ({} and {} frames)", begin,
                       at, theirs, count);
  return "";
}

}  // namespace orrery
