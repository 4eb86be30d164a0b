// A tiny world for tests of the play server: a square walks over a pattern that the seed colours.
#pragma once
#include <chrono>
#include <cstring>
#include <thread>

#include "worlds/world.h"

namespace orrery {

struct ToyOptions {
  bool continuous = false;
  int64_t side = 64;
  double step_ms = 0;  // that a step takes, as a model's would
};

class ToyWorld : public World {
 public:
  explicit ToyWorld(const ToyOptions& options) : options_(options) {
    facts_.spec = "toy";
    facts_.height = facts_.width = options.side;
    facts_.fps = 20;
    if (options.continuous) {
      facts_.actions = {0, 2, {"x", "y"}, {-1, -1}, {1, 1}};
    } else {
      facts_.actions.names = {"noop", "forward", "backward", "turn_left", "turn_right", "forward_left", "ATTACK"};
      facts_.actions.count = static_cast<int64_t>(facts_.actions.names.size());
    }
    Reset(0);
  }

  const WorldFacts& Facts() const override { return facts_; }

  void Reset(uint64_t seed) override { state_ = {seed, 0.5f * options_.side, 0.5f * options_.side, 0}; }

  void Step(std::span<const float> action) override {
    facts_.actions.Check(action);
    if (options_.step_ms > 0) std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(options_.step_ms));
    float dx = 0, dy = 0;
    if (options_.continuous) {
      dx = 3 * action.front();
      dy = -3 * action.back();
    } else {
      const auto index = static_cast<int64_t>(action.front());
      dy = index == 1 || index == 5 ? -2.0f : index == 2 ? 2.0f : 0.0f;
      dx = index == 3 || index == 5 ? -2.0f : index == 4 ? 2.0f : 0.0f;
      state_.fired += index == 6;
    }
    state_.x = Wrap(state_.x + dx);
    state_.y = Wrap(state_.y + dy);
  }

  void Render(std::span<uint8_t> rgb) const override {
    for (int64_t y = 0; y < options_.side; ++y) {
      for (int64_t x = 0; x < options_.side; ++x) {
        uint8_t* pixel = rgb.data() + 3 * (y * options_.side + x);
        const bool inside = std::abs(static_cast<float>(x) - state_.x) < 6 && std::abs(static_cast<float>(y) - state_.y) < 6;
        const bool dark = ((x / 8) + (y / 8)) % 2 == 0;
        pixel[0] = inside ? 250 : static_cast<uint8_t>(40 + 30 * (state_.seed % 5) + (dark ? 0 : 20));
        pixel[1] = inside ? 220 : static_cast<uint8_t>(60 + 20 * (state_.seed % 7) + (dark ? 0 : 20));
        pixel[2] = inside ? static_cast<uint8_t>(60 + 40 * (state_.fired % 4)) : static_cast<uint8_t>(dark ? 90 : 130);
      }
    }
  }

  std::vector<StateVariable> TrueState() const override { return {{"position", {2}, {state_.x, state_.y}}}; }

  std::string Snapshot() const override { return {reinterpret_cast<const char*>(&state_), sizeof(state_)}; }

  void Restore(std::string_view snapshot) override {
    if (snapshot.size() != sizeof(state_)) Fail("toy: expected {} bytes, got {}", sizeof(state_), snapshot.size());
    std::memcpy(&state_, snapshot.data(), sizeof(state_));
  }

 private:
  struct State {
    uint64_t seed;
    float x, y;
    int64_t fired;
  };

  float Wrap(float v) const {
    const auto side = static_cast<float>(options_.side);
    return v < 0 ? v + side : v >= side ? v - side : v;
  }

  ToyOptions options_;
  WorldFacts facts_;
  State state_{};
};

}  // namespace orrery
