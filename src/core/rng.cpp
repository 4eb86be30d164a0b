#include "core/rng.h"

#include <cmath>
#include <numbers>

#include "core/error.h"
#include "core/hash.h"

namespace orrery {

namespace {

uint64_t Mix(uint64_t x) {  // the finaliser of SplitMix64
  x += 0x9E3779B97F4A7C15ull;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
  return x ^ (x >> 31);
}

}  // namespace

uint64_t DeriveSeed(uint64_t seed, std::string_view purpose) { return Mix(seed ^ Mix(HashBytes(purpose))); }

uint64_t DeriveSeed(uint64_t seed, uint64_t index) { return Mix(Mix(seed) + 0x632BE59BD9B4E019ull * (index + 1)); }

std::array<uint32_t, 4> Philox4x32(std::array<uint32_t, 4> c, std::array<uint32_t, 2> k) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t{0xD2511F53u} * c[0];
    const uint64_t p1 = uint64_t{0xCD9E8D57u} * c[2];
    c = {static_cast<uint32_t>(p1 >> 32) ^ c[1] ^ k[0], static_cast<uint32_t>(p1), static_cast<uint32_t>(p0 >> 32) ^ c[3] ^ k[1],
         static_cast<uint32_t>(p0)};
    k[0] += 0x9E3779B9u;
    k[1] += 0xBB67AE85u;
  }
  return c;
}

uint32_t Rng::U32() {
  const uint64_t block = state_.counter >> 2;
  const auto words = Philox4x32({static_cast<uint32_t>(block), static_cast<uint32_t>(block >> 32), 0, 0},
                                {static_cast<uint32_t>(state_.key), static_cast<uint32_t>(state_.key >> 32)});
  return words[state_.counter++ & 3];
}

uint64_t Rng::U64() {
  const uint64_t low = U32();
  return low | (uint64_t{U32()} << 32);
}

double Rng::Uniform() { return static_cast<double>(U64() >> 11) * 0x1.0p-53; }

double Rng::Uniform(double low, double high) { return low + (high - low) * Uniform(); }

double Rng::Normal() {
  const double u = 1.0 - Uniform();
  const double angle = 2 * std::numbers::pi * Uniform();
  return std::sqrt(-2 * std::log(u)) * std::cos(angle);
}

int64_t Rng::Below(int64_t n) {
  ORRERY_CHECK(n >= 1);
  const uint64_t range = static_cast<uint64_t>(n);
  const uint64_t limit = range * (UINT64_MAX / range);
  uint64_t x = U64();
  while (x >= limit) x = U64();
  return static_cast<int64_t>(x % range);
}

}  // namespace orrery
