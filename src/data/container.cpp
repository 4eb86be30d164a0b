#include "data/container.h"

#include <array>
#include <cstring>
#include <fstream>
#include <optional>

namespace orrery {

namespace {

class Bytes {
 public:
  explicit Bytes(const std::filesystem::path& path) : in_(path, std::ios::binary) {
    std::error_code failed;
    size_ = static_cast<int64_t>(std::filesystem::file_size(path, failed));
    if (failed || !in_) size_ = 0;
  }
  int64_t Size() const { return size_; }
  // A big-endian number of `count` bytes at `position`; nothing beyond the end.
  std::optional<uint64_t> Number(int64_t position, int count) {
    std::array<char, 8> bytes = {};
    if (position < 0 || position + count > size_) return std::nullopt;
    in_.clear();
    in_.seekg(position);
    if (!in_.read(bytes.data(), count)) return std::nullopt;
    uint64_t value = 0;
    for (int i = 0; i < count; ++i) value = value << 8 | static_cast<unsigned char>(bytes[static_cast<size_t>(i)]);
    return value;
  }

 private:
  std::ifstream in_;
  int64_t size_ = 0;
};

constexpr uint64_t kLargest = uint64_t{1} << 60;

int64_t Beyond(int64_t end, int64_t size) { return std::max<int64_t>(0, end - size); }

// Boxes of ISO/IEC 14496-12: a 32-bit size (1: a 64-bit one follows the type; 0: to the end), a type, a body.
int64_t MissingOfMp4(Bytes& file) {
  int64_t position = 0;
  while (position < file.Size()) {
    const auto size = file.Number(position, 4), type = file.Number(position + 4, 4);
    if (!size || !type) return position + 8 - file.Size();
    if (*size == 0) return 0;
    uint64_t length = *size;
    if (*size == 1) {
      const auto large = file.Number(position + 8, 8);
      if (!large) return position + 16 - file.Size();
      length = *large;
    }
    if (length < 8 || length > kLargest) return 0;
    position += static_cast<int64_t>(length);
  }
  return Beyond(position, file.Size());
}

// A variable-length size of EBML (RFC 8794): the leading zeros of the first byte give its length.
struct EbmlSize {
  uint64_t value = 0;
  int bytes = 0;
  bool unknown = false;
};
std::optional<EbmlSize> ReadEbmlSize(Bytes& file, int64_t position) {
  const auto first = file.Number(position, 1);
  if (!first || *first == 0) return std::nullopt;
  EbmlSize size;
  size.bytes = 1 + __builtin_clz(static_cast<unsigned>(*first) << 24);
  const auto all = file.Number(position, size.bytes);
  if (!all) return std::nullopt;
  const uint64_t mask = (uint64_t{1} << (7 * size.bytes)) - 1;
  size.value = *all & mask;
  size.unknown = size.value == mask;
  return size;
}

int64_t MissingOfMatroska(Bytes& file) {
  const auto header = ReadEbmlSize(file, 4);
  if (!header || header->unknown || header->value > kLargest) return 0;
  const int64_t segment = 4 + header->bytes + static_cast<int64_t>(header->value);
  if (file.Number(segment, 4) != 0x18538067) return Beyond(segment + 4, file.Size());
  const auto body = ReadEbmlSize(file, segment + 4);
  if (!body || body->unknown || body->value > kLargest) return 0;
  return Beyond(segment + 4 + body->bytes + static_cast<int64_t>(body->value), file.Size());
}

int64_t ColourTableBytes(uint64_t flags) { return flags & 0x80 ? 3 << ((flags & 7) + 1) : 0; }

// GIF89a: a header, blocks of chained sub-blocks, the trailer 0x3B.
int64_t MissingOfGif(Bytes& file) {
  const auto flags = file.Number(10, 1);
  int64_t position = 13 + (flags ? ColourTableBytes(*flags) : 0);
  while (true) {
    const auto kind = file.Number(position, 1);
    if (!kind) return std::max<int64_t>(1, position + 1 - file.Size());
    if (*kind == 0x3B) return 0;
    if (*kind == 0x21) {
      position += 2;
    } else if (*kind == 0x2C) {
      const auto local = file.Number(position + 9, 1);
      position += 11 + (local ? ColourTableBytes(*local) : 0);
    } else {
      return 0;  // no GIF block: the decoder's to judge
    }
    while (true) {
      const auto length = file.Number(position, 1);
      if (!length) return std::max<int64_t>(1, position + 1 - file.Size());
      position += 1 + static_cast<int64_t>(*length);
      if (*length == 0) break;
    }
  }
}

}  // namespace

int64_t MissingBytes(const std::filesystem::path& path) {
  Bytes file(path);
  const uint64_t start = file.Number(0, 4).value_or(0), next = file.Number(4, 4).value_or(0);
  if (next == 0x66747970) return MissingOfMp4(file);        // ftyp
  if (start == 0x1A45DFA3) return MissingOfMatroska(file);  // EBML
  if (start == 0x47494638) return MissingOfGif(file);       // GIF8
  return 0;
}

}  // namespace orrery
