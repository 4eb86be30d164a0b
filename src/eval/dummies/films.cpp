// frozen, shuffle, reverse, random: films that nobody's actions change.
#include <algorithm>
#include <tuple>

#include "core/rng.h"
#include "eval/dummies/kinds.h"
#include "eval/recordings/windows.h"

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
DummyWorld RandomDummy(const Scenario& scenario) { return std::make_unique<Stranger>(scenario); }

}  // namespace orrery
