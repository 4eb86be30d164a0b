// Counter-based random numbers: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
// One generator a purpose, so that a draw more here never shifts the numbers there.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

namespace orrery {

// A 64-bit seed for one purpose of a base seed: DeriveSeed(7, "noise") != DeriveSeed(7, "actions").
uint64_t DeriveSeed(uint64_t seed, std::string_view purpose);
uint64_t DeriveSeed(uint64_t seed, uint64_t index);

class Rng {
 public:
  // All there is to know: plain data that a snapshot can hold.
  struct State {
    uint64_t key = 0;
    uint64_t counter = 0;  // 32-bit words drawn so far
    bool operator==(const State&) const = default;
  };

  Rng() = default;
  explicit Rng(uint64_t seed) : state_{seed, 0} {}
  Rng(uint64_t seed, std::string_view purpose) : Rng(DeriveSeed(seed, purpose)) {}

  uint32_t U32();
  uint64_t U64();
  double Uniform();                         // [0, 1), 53 bits
  double Uniform(double low, double high);  // [low, high)
  double Normal();                          // N(0, 1); four words a draw, none kept
  int64_t Below(int64_t n);                 // {0 .. n-1}, n >= 1, unbiased
  bool Bernoulli(double p) { return Uniform() < p; }

  const State& GetState() const { return state_; }
  void SetState(const State& state) { state_ = state; }

 private:
  State state_;
};

// The Philox4x32-10 block function; public for its known-answer test.
std::array<uint32_t, 4> Philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

}  // namespace orrery
