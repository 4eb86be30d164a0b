#include "eval/recordings/windows.h"

#include <algorithm>
#include <map>

#include "core/rng.h"

namespace orrery {

namespace {

// Items in an order that the generator decides.
template <class T>
void Shuffle(std::vector<T>& items, Rng& rng) {
  for (auto i = static_cast<int64_t>(items.size()) - 1; i > 0; --i)
    std::swap(items[static_cast<size_t>(i)], items[static_cast<size_t>(rng.Below(i + 1))]);
}

void RequireEnough(const RecordingWorld& recording, size_t got, int64_t count, std::string_view what) {
  const int64_t least = std::min(count, kLeastEpisodes);
  if (std::ssize(recording.Episodes()) >= least && static_cast<int64_t>(got) >= least) return;
  Fail("{}: at least {} episodes {} expected, one a scenario, got {} of {}; record more, or a set of its own to be judged with split=all",
       recording.Facts().spec, least, what, got, recording.Episodes().size());
}

Scenario Begin(std::string_view world, const RecordingWorld& recording, int64_t episode, int64_t frame, int64_t context) {
  Scenario s;
  s.world = world;
  s.seed = recording.Seed(episode, frame);
  s.context = context;
  return s;
}

}  // namespace

std::vector<Scenario> RecordedScenarios(std::string_view world, int64_t count, int64_t context, int64_t frames, uint64_t seed) {
  const auto recording = MakeRecording(world);
  const int64_t actions = context + frames - 1;
  std::vector<int64_t> fit;
  for (const int64_t e : recording->Episodes())
    if (recording->Set().Data().Frames(e) > actions) fit.push_back(e);
  RequireEnough(*recording, fit.size(), count, fmt::format("of {} frames or more", actions + 1));
  Rng rng(seed, "recorded scenarios");
  Shuffle(fit, rng);
  fit.resize(std::min(fit.size(), static_cast<size_t>(count)));
  std::vector<Scenario> scenarios;
  for (const int64_t e : fit) {
    const int64_t first = rng.Below(recording->Set().Data().Frames(e) - actions);
    scenarios.push_back(Begin(world, *recording, e, first, context));
    scenarios.back().actions = recording->Actions(e, first, actions);
  }
  return scenarios;
}

std::pair<uint64_t, ActionList> RandomWindow(const RecordingWorld& recording, int64_t count, uint64_t seed, int64_t other_than) {
  int64_t starts = 0;
  const auto room = [&](int64_t e) { return e == other_than ? 0 : std::max<int64_t>(0, recording.Set().Data().Frames(e) - count); };
  for (const int64_t e : recording.Episodes()) starts += room(e);
  if (starts == 0) throw NoRoom(fmt::format("{}: no other episode has {} frames", recording.Facts().spec, count + 1));
  int64_t chosen = Rng(seed, "recorded window").Below(starts);
  for (const int64_t e : recording.Episodes()) {
    if (chosen < room(e)) return {recording.Seed(e, chosen), recording.Actions(e, chosen, count)};
    chosen -= room(e);
  }
  ORRERY_CHECK(false);
  return {};
}

int64_t LongestWindow(const RecordingWorld& recording, int64_t episodes) {
  std::vector<int64_t> frames;
  for (const int64_t e : recording.Episodes()) frames.push_back(recording.Set().Data().Frames(e));
  if (episodes < 1 || std::ssize(frames) < episodes) return 0;
  std::nth_element(frames.begin(), frames.begin() + episodes - 1, frames.end(), std::greater<>());
  return frames[static_cast<size_t>(episodes - 1)];
}

std::vector<TwinScenarios> RecordedTwinScenarios(std::string_view world, int64_t count, int64_t context, int64_t lead, int64_t frames,
                                                 uint64_t seed) {
  ORRERY_CHECK(lead >= 0 && lead < frames);
  const auto recording = MakeRecording(world);
  const int64_t before = context - 1 + lead;  // actions that both share
  std::map<int64_t, std::vector<RecordedTwins>> by_episode;
  for (const RecordedTwins& t : recording->Twins())
    if (t.at >= before && t.after >= frames - lead) by_episode[t.episode].push_back(t);
  std::vector<std::vector<RecordedTwins>> fit;
  for (auto& [episode, twins] : by_episode) fit.push_back(std::move(twins));
  RequireEnough(*recording, fit.size(), count,
                fmt::format("with twins that share {} frames and go on for {} (orrery-record --twins)", before + 1, frames - lead));
  Rng rng(seed, "recorded twins");
  Shuffle(fit, rng);
  fit.resize(std::min(fit.size(), static_cast<size_t>(count)));
  std::vector<TwinScenarios> pairs;
  for (const std::vector<RecordedTwins>& choice : fit) {
    const RecordedTwins& t = choice[static_cast<size_t>(rng.Below(std::ssize(choice)))];
    const Scenario start = Begin(world, *recording, t.episode, t.at - before, context);
    TwinScenarios pair{start, start};
    pair.factual.actions = recording->Actions(t.episode, t.at - before, before + frames - lead);
    pair.changed.actions = recording->Actions(t.episode, t.at - before, before);
    for (auto& action : recording->Actions(t.twin, t.at - t.begin, frames - lead)) pair.changed.actions.push_back(std::move(action));
    pairs.push_back(std::move(pair));
  }
  return pairs;
}

}  // namespace orrery
