// frozen, shuffle, reverse, random, leak: films that nobody's actions change.
#include <algorithm>
#include <tuple>

#include "core/rng.h"
#include "eval/dummies/kinds.h"
#include "eval/recordings/windows.h"
#include "worlds/params.h"

namespace orrery {

namespace {

struct Moment {
  std::string world;
  std::vector<WorldEvent> events;
};

// The world's moments at frames context .. T.
std::vector<Moment> TrueMoments(const Scenario& scenario) {
  const auto world = ContextEnd(scenario);
  std::vector<Moment> moments;
  for (int64_t t = scenario.context - 1; t < scenario.Last(); ++t) {
    if (t == scenario.at && !scenario.intervention.empty()) world->Intervene(scenario.intervention);
    world->Step(scenario.actions[static_cast<size_t>(t)]);
    moments.push_back({world->Snapshot(), world->Events()});
  }
  return moments;
}

class FilmShow : public StandIn {
 public:
  FilmShow(std::string_view name, const Scenario& scenario) : StandIn(name, scenario, ContextEnd(scenario)) {}

 protected:
  // The moments of the film for this Seed().
  virtual std::vector<Moment> Cut() const = 0;

  void Draw() override { film_ = Cut(); }
  void Advance(std::span<const float>) override {
    if (Clock() >= static_cast<int64_t>(film_.size())) Fail("{}: the film ends with frame {} of the scenario", Facts().spec, Plan().Last());
    const Moment& next = film_[static_cast<size_t>(Clock())];
    Inner().Restore(next.world);
    events_ = next.events;
  }
  void Hand(std::string_view) override {}
  const std::vector<Moment>& Moments() const { return film_; }

 private:
  std::vector<Moment> film_;
};

class Shuffle : public FilmShow {
 public:
  explicit Shuffle(const Scenario& scenario) : FilmShow("shuffle", scenario), truth_(TrueMoments(scenario)) {}

 protected:
  std::vector<Moment> Cut() const override {
    std::vector<Moment> film = truth_;
    Rng rng(Seed(), "shuffle");
    for (auto i = static_cast<int64_t>(film.size()) - 1; i > 0; --i) std::swap(film[i], film[rng.Below(i + 1)]);
    return film;
  }

 private:
  std::vector<Moment> truth_;
};

class Reverse : public FilmShow {
 public:
  explicit Reverse(const Scenario& scenario) : FilmShow("reverse", scenario), truth_(TrueMoments(scenario)) {
    std::reverse(truth_.begin(), truth_.end());
  }

 protected:
  std::vector<Moment> Cut() const override { return truth_; }

 private:
  std::vector<Moment> truth_;
};

// Each picture shows a quarter of a later one.
class Leak : public FilmShow {
 public:
  Leak(const Scenario& scenario, int64_t frames)
      : FilmShow("leak", scenario), truth_(TrueMoments(scenario)), ahead_(frames), later_(ContextEnd(scenario)) {}

  void Render(std::span<uint8_t> rgb) const override {
    Inner().Render(rgb);
    if (Clock() == 0) return;
    std::vector<uint8_t> ghost(rgb.size());
    later_->Render(ghost);
    std::ranges::transform(rgb, ghost, rgb.begin(), [](int now, int later) { return static_cast<uint8_t>((3 * now + later + 2) / 4); });
  }

 protected:
  std::vector<Moment> Cut() const override { return truth_; }
  void Advance(std::span<const float> action) override {
    FilmShow::Advance(action);
    LookAhead(Clock());
  }
  void Load(SnapshotReader&) override {
    if (Clock() > 0) LookAhead(Clock() - 1);
  }

 private:
  // From the moment of that number.
  void LookAhead(int64_t moment) {
    later_->Restore(Moments()[static_cast<size_t>(std::min(moment + ahead_, std::ssize(Moments()) - 1))].world);
  }

  std::vector<Moment> truth_;
  int64_t ahead_;
  std::unique_ptr<World> later_;
};

class Stranger : public FilmShow {
 public:
  explicit Stranger(const Scenario& scenario) : FilmShow("random", scenario) {}

 protected:
  std::vector<Moment> Cut() const override {
    if (IsRecording(Plan().world)) return OfAnotherEpisode();
    const uint64_t chance = DeriveSeed(Seed(), Plan().Id());
    Scenario other = Plan();
    other.seed = DeriveSeed(chance, "world");
    other.take = 0;
    other.intervention.clear();
    const auto wrong = WrongActions(Plan(), Facts().actions, chance);
    std::copy(wrong.begin(), wrong.end(), other.actions.begin() + other.context - 1);
    return TrueMoments(other);
  }

 private:
  std::vector<Moment> OfAnotherEpisode() const {
    const auto recording = MakeRecording(Plan().world);
    recording->Reset(Plan().seed);
    Scenario other = Plan();
    other.world = "recording";  // wherever it lies
    const uint64_t chance = DeriveSeed(DeriveSeed(Seed(), other.Id()), "window");
    other.world = Plan().world;
    std::tie(other.seed, other.actions) = RandomWindow(*recording, other.Last(), chance, recording->Place().first);
    return TrueMoments(other);
  }
};

class Frozen : public StandIn {
 public:
  explicit Frozen(const Scenario& scenario) : StandIn("frozen", scenario, ContextEnd(scenario)) {}

 protected:
  void Advance(std::span<const float>) override { events_.clear(); }
  void Hand(std::string_view) override {}
};

}  // namespace

DummyWorld FrozenDummy(const Scenario& scenario) { return std::make_unique<Frozen>(scenario); }
DummyWorld ShuffleDummy(const Scenario& scenario) { return std::make_unique<Shuffle>(scenario); }
DummyWorld ReverseDummy(const Scenario& scenario) { return std::make_unique<Reverse>(scenario); }
DummyWorld LeakDummy(const Scenario& scenario, int64_t frames) {
  RequireRange<int64_t>("dummy:leak", "frames", frames, 1, 64);
  return std::make_unique<Leak>(scenario, frames);
}
DummyWorld RandomDummy(const Scenario& scenario) { return std::make_unique<Stranger>(scenario); }

}  // namespace orrery
