#include "worlds/snapshot.h"

namespace orrery {

namespace {

constexpr std::string_view kMagic = "ORRW";
constexpr uint32_t kVersion = 1;

}  // namespace

SnapshotWriter::SnapshotWriter(std::string_view spec) : bytes_(kMagic) {
  Put(kVersion);
  Put(static_cast<uint32_t>(spec.size()));
  bytes_ += spec;
}

std::string SnapshotWriter::Finish() && {
  Put(HashBytes(bytes_));
  return std::move(bytes_);
}

SnapshotReader::SnapshotReader(std::string_view bytes, std::string_view spec) : rest_(bytes) {
  if (std::string_view(Take(kMagic.size()), kMagic.size()) != kMagic)
    Fail("snapshot: these {} bytes are not the snapshot of a world", bytes.size());
  const auto version = Get<uint32_t>();
  if (version != kVersion) Fail("snapshot: expected version {}, got {}", kVersion, version);
  const auto length = Get<uint32_t>();
  const std::string_view found(Take(length), length);
  if (found != spec) Fail("snapshot: expected one of {}, got one of {}", spec, found);
  uint64_t checksum;
  if (rest_.size() < sizeof(checksum)) Fail("snapshot: {} bytes are cut short", bytes.size());
  std::memcpy(&checksum, bytes.data() + bytes.size() - sizeof(checksum), sizeof(checksum));
  if (checksum != HashBytes(bytes.substr(0, bytes.size() - sizeof(checksum))))
    Fail("snapshot: the checksum differs; the {} bytes are damaged or cut short", bytes.size());
  rest_.remove_suffix(sizeof(checksum));
}

const char* SnapshotReader::Take(size_t count) {
  if (rest_.size() < count) Fail("snapshot: expected {} more bytes, got {}; it is cut short", count, rest_.size());
  const char* at = rest_.data();
  rest_.remove_prefix(count);
  return at;
}

void SnapshotReader::Finish() const {
  if (!rest_.empty()) Fail("snapshot: {} bytes too many", rest_.size());
}

}  // namespace orrery
