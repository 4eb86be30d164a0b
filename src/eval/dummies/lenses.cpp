// copy, take2, blur, noise, rising-noise, lag2: the truth, or what somebody made of its frames.
#include <algorithm>
#include <cmath>
#include <deque>

#include "core/rng.h"
#include "eval/dummies/kinds.h"
#include "worlds/params.h"

namespace orrery {

namespace {

class Copy : public StandIn {
 public:
  Copy(std::string_view name, const Scenario& scenario, std::unique_ptr<World> world) : StandIn(name, scenario, std::move(world)) {}
};

uint8_t Byte(double value) { return static_cast<uint8_t>(std::clamp(std::floor(value + 0.5), 0.0, 255.0)); }

class Blur : public StandIn {
 public:
  Blur(const Scenario& scenario, double sigma) : StandIn("blur", scenario, ContextEnd(scenario)) {
    const int64_t radius = static_cast<int64_t>(4 * sigma + 0.5);
    double sum = 0;
    for (int64_t i = -radius; i <= radius; ++i) {
      const double x = static_cast<double>(i) / sigma;
      weights_.push_back(sigma > 0 ? std::exp(-0.5 * x * x) : 1);
      sum += weights_.back();
    }
    for (double& w : weights_) w /= sum;
  }

  void Render(std::span<uint8_t> rgb) const override {
    Inner().Render(rgb);
    if (Clock() == 0) return;
    std::vector<double> image(rgb.begin(), rgb.end());
    const int64_t height = Facts().height, width = Facts().width;
    for (int64_t y = 0; y < height; ++y) Filter(image, 3 * width * y, width, 3);
    for (int64_t x = 0; x < width; ++x) Filter(image, 3 * x, height, 3 * width);
    std::transform(image.begin(), image.end(), rgb.begin(), Byte);
  }

 private:
  // One row or column of pixels, in place.
  void Filter(std::vector<double>& image, int64_t start, int64_t count, int64_t stride) const {
    const auto radius = static_cast<int64_t>(weights_.size() / 2);
    const auto mirrored = [count](int64_t i) {
      const int64_t period = 2 * count, within = ((i % period) + period) % period;
      return within < count ? within : period - 1 - within;
    };
    std::vector<double> line(static_cast<size_t>(count));
    for (int64_t channel = 0; channel < 3; ++channel) {
      for (int64_t i = 0; i < count; ++i) line[i] = image[start + i * stride + channel];
      for (int64_t i = 0; i < count; ++i) {
        double sum = 0;
        for (int64_t k = -radius; k <= radius; ++k) sum += weights_[k + radius] * line[mirrored(i + k)];
        image[start + i * stride + channel] = sum;
      }
    }
  }

  std::vector<double> weights_;
};

class Noise : public StandIn {
 public:
  Noise(const Scenario& scenario, double sigma, double rise)
      : StandIn(rise > 0 ? "rising-noise" : "noise", scenario, ContextEnd(scenario)), sigma_(sigma), rise_(rise) {}

  void Render(std::span<uint8_t> rgb) const override {
    Inner().Render(rgb);
    if (Clock() == 0) return;
    Rng rng(Chance("noise"));
    const double sigma = sigma_ * std::pow(10.0, rise_ * static_cast<double>(Clock()) / 2000);
    for (uint8_t& value : rgb) value = Byte(value + 255 * sigma * rng.Normal());
  }

 private:
  double sigma_, rise_;
};

class Lag : public StandIn {
 public:
  Lag(const Scenario& scenario, int64_t frames)
      : StandIn("lag2", scenario, StartWorld(scenario)), lag_(static_cast<size_t>(frames)), shown_(StartWorld(scenario)) {
    RunContext(*shown_, scenario, [&](const World& now) { Push(context_, {now.Snapshot(), now.Events()}); });
  }

 protected:
  const World& Shown() const override { return *shown_; }

  void Prepare() override {
    past_ = context_;
    Inner().Restore(past_.back().world);
    shown_->Restore(past_.back().world);
  }

  void Advance(std::span<const float> action) override {
    Inner().Step(action);
    Push(past_, {Inner().Snapshot(), Inner().Events()});
    shown_->Restore(past_.front().world);
    events_ = past_.front().events;
  }

  void Save(SnapshotWriter& out) const override {
    out.Put(static_cast<uint32_t>(past_.size()));
    for (const Moment& moment : past_) {
      PutText(out, moment.world);
      out.Put(static_cast<uint32_t>(moment.events.size()));
      for (const WorldEvent& event : moment.events) {
        PutText(out, event.kind);
        out.Put(event.subject);
        out.Put(event.object);
      }
    }
  }

  void Load(SnapshotReader& in) override {
    past_.resize(in.Get<uint32_t>());
    for (Moment& moment : past_) {
      moment.world = GetText(in);
      moment.events.resize(in.Get<uint32_t>());
      for (WorldEvent& event : moment.events) {
        event.kind = GetText(in);
        event.subject = in.Get<int64_t>();
        event.object = in.Get<int64_t>();
      }
    }
    shown_->Restore(Clock() == 0 ? past_.back().world : past_.front().world);
  }

 private:
  struct Moment {
    std::string world;
    std::vector<WorldEvent> events;
  };
  void Push(std::deque<Moment>& moments, Moment moment) const {
    moments.push_back(std::move(moment));
    if (moments.size() > lag_ + 1) moments.pop_front();
  }

  size_t lag_;
  std::deque<Moment> context_, past_;  // oldest first, the last one is the present
  std::unique_ptr<World> shown_;
};

}  // namespace

DummyWorld CopyDummy(const Scenario& scenario) { return std::make_unique<Copy>("copy", scenario, ContextEnd(scenario)); }

DummyWorld Take2Dummy(const Scenario& scenario, uint64_t nudge) {
  RequireRange<uint64_t>("dummy:take2", "nudge", nudge, 1, 1000000);
  Scenario other = scenario;
  other.take += nudge;
  if (StartWorld(other)->Snapshot() == StartWorld(scenario)->Snapshot())
    Fail("dummy:take2 means nothing in {}: there is nothing to nudge, a second take would be the first", scenario.world);
  return std::make_unique<Copy>("take2", scenario, ContextEnd(other));
}

DummyWorld BlurDummy(const Scenario& scenario, double sigma) {
  RequireRange<double>("dummy:blur", "sigma", sigma, 0, 16);
  return std::make_unique<Blur>(scenario, sigma);
}

DummyWorld NoiseDummy(const Scenario& scenario, double sigma) {
  RequireRange<double>("dummy:noise", "sigma", sigma, 0, 1);
  return std::make_unique<Noise>(scenario, sigma, 0);
}

DummyWorld RisingNoiseDummy(const Scenario& scenario, double sigma, double rise) {
  RequireRange<double>("dummy:rising-noise", "sigma", sigma, 0, 1);
  RequireRange<double>("dummy:rising-noise", "rise", rise, 0.1, 100);
  return std::make_unique<Noise>(scenario, sigma, rise);
}

DummyWorld LagDummy(const Scenario& scenario, int64_t frames) {
  RequireRange<int64_t>("dummy:lag2", "frames", frames, 1, 64);
  return std::make_unique<Lag>(scenario, frames);
}

}  // namespace orrery
