#include "eval/scenario.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "core/hash.h"
#include "core/rng.h"
#include "eval/recordings/recording.h"

namespace orrery {

namespace {

class FilmMaker {
 public:
  FilmMaker(const WorldFacts& facts, int64_t count) { film_.frames = at::empty({count, facts.height, facts.width, 3}, at::kByte); }

  void Add(const World& world) {
    const int64_t size = film_.frames[0].numel(), index = static_cast<int64_t>(film_.objects.size());
    world.Render({film_.frames.mutable_data_ptr<uint8_t>() + index * size, static_cast<size_t>(size)});
    std::vector<WorldObject> objects = world.Objects();
    std::sort(objects.begin(), objects.end(), [](const WorldObject& a, const WorldObject& b) { return a.id < b.id; });
    film_.objects.push_back(std::move(objects));
    film_.events.push_back(world.Events());
    if (const auto pose = world.TruePose()) film_.poses.push_back(*pose);
  }

  // Frames first + 1 .. last.
  void Play(World& world, const Scenario& scenario, int64_t first, int64_t last) {
    for (int64_t t = first; t < last; ++t) {
      if (t == scenario.at && !scenario.intervention.empty()) world.Intervene(scenario.intervention);
      world.Step(scenario.actions[static_cast<size_t>(t)]);
      Add(world);
    }
  }

  Film Finish() && { return std::move(film_); }

 private:
  Film film_;
};

}  // namespace

uint64_t Scenario::Id() const { return HashBytes(Json(*this).dump()); }

uint64_t SampleSeed(const Scenario& scenario, uint64_t sample) { return DeriveSeed(DeriveSeed(scenario.seed, "sample"), sample); }

std::unique_ptr<World> StartWorld(const Scenario& s) {
  if (s.context < 1 || s.context > s.Last() + 1)
    Fail("scenario: a context of 1..{} frames expected ({} actions), got {}", s.Last() + 1, s.Last(), s.context);
  if (s.at < 0 || s.at > s.Last())
    Fail("scenario: the intervention must come before one of {} actions or after the last, got {}", s.Last(), s.at);
  auto world = MakeEvalWorld(s.world);
  world->Reset(s.seed);
  world->Perturb(s.take);
  return world;
}

void RunContext(World& world, const Scenario& s, const std::function<void(const World&)>& look) {
  if (look) look(world);
  for (int64_t t = 0; t + 1 < s.context; ++t) {
    if (t == s.at && !s.intervention.empty()) world.Intervene(s.intervention);
    world.Step(s.actions[static_cast<size_t>(t)]);
    if (look) look(world);
  }
}

std::unique_ptr<World> ContextEnd(const Scenario& scenario) {
  auto world = StartWorld(scenario);
  RunContext(*world, scenario);
  return world;
}

Film RecordFilm(World& world, const Scenario& scenario, int64_t first, int64_t last) {
  ORRERY_CHECK(first >= 0 && first <= last && last <= scenario.Last());
  const bool told = !scenario.intervention.empty() && scenario.at >= first && scenario.at < last;
  if (told && world.Facts().interventions.empty())
    Fail("{}: cannot be told of \"{}\"; let it happen before action {}, so that the context shows it, or change an action instead",
         world.Facts().spec, scenario.intervention, first);
  FilmMaker maker(world.Facts(), last - first);
  maker.Play(world, scenario, first, last);
  return std::move(maker).Finish();
}

Truth MakeTruth(const Scenario& scenario) {
  const auto world = StartWorld(scenario);
  FilmMaker maker(world->Facts(), scenario.Last() + 1);
  Truth truth;
  RunContext(*world, scenario, [&](const World& now) { maker.Add(now); });
  truth.context_end = world->Snapshot();
  maker.Play(*world, scenario, scenario.context - 1, scenario.Last());
  truth.film = std::move(maker).Finish();
  return truth;
}

}  // namespace orrery
