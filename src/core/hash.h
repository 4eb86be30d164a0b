// FNV-1a, 64 bits: for content hashes, checksums and seeds, not against malice.
#pragma once
#include <cstdint>
#include <string_view>

namespace orrery {

constexpr uint64_t kHashStart = 0xCBF29CE484222325ull;

// Over `bytes`, going on from `hash`: HashBytes(b, HashBytes(a)) is the hash of a followed by b.
constexpr uint64_t HashBytes(std::string_view bytes, uint64_t hash = kHashStart) {
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ull;
  return hash;
}

}  // namespace orrery
