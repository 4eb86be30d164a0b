#include "eval/report/evidence.h"

#include <algorithm>
#include <cmath>

namespace orrery {

Members Those(const std::vector<Recipe>& models, const std::function<bool(const Recipe&)>& wanted) {
  Members members;
  for (const Recipe& r : models)
    if (wanted(r)) members.push_back(&r);
  return members;
}

Members Implicit(const std::vector<Recipe>& models) {
  return Those(models, [](const Recipe& r) { return r.mechanism.implicit; });
}

Members Explicit(const std::vector<Recipe>& models) {
  return Those(models, [](const Recipe& r) { return r.mechanism.explicit_state; });
}

Members OfKind(const std::vector<Recipe>& models, const std::string& kind) {
  return Those(models, [&](const Recipe& r) { return r.mechanism.kind == kind; });
}

Members Both(const Members& a, const Members& b) {
  Members all = a;
  all.insert(all.end(), b.begin(), b.end());
  return all;
}

std::vector<std::string> CommonWorlds(const Members& members, const std::string& id, const std::string& part) {
  std::vector<std::string> worlds;
  if (members.empty()) return worlds;
  for (const Evaluation* e : members[0]->runs)
    for (const Metric& m : e->metrics)
      if (m.id == id && std::find(worlds.begin(), worlds.end(), m.world) == worlds.end() &&
          std::all_of(members.begin(), members.end(), [&](const Recipe* r) { return !ValuesOf(*r, id, m.world, part).empty(); }))
        worlds.push_back(m.world);
  return worlds;
}

std::string Gap::Text() const {
  return fmt::format("memory gain ({}) after {} frames on {}", id.find("recall") == std::string::npos ? "revisit" : "recall", frames,
                     world);
}

std::vector<Gap> CommonGaps(const Members& members, const std::string& id) {
  std::vector<Gap> gaps;
  for (const std::string& world : CommonWorlds(members, id))
    for (const auto& [part, score] : members[0]->Find(id, world)->by)
      if (part.starts_with("gap=") &&
          std::all_of(members.begin(), members.end(), [&](const Recipe* r) { return !ValuesOf(*r, id, world, part).empty(); }))
        gaps.push_back({id, world, part, std::stoll(part.substr(4))});
  return gaps;
}

std::optional<Gap> LongestWithin(const Members& members, int64_t frames) {
  std::optional<Gap> best;
  for (const char* id : kGains) {
    for (const Gap& gap : CommonGaps(members, id))
      if (gap.frames <= frames && (!best || gap.frames > best->frames)) best = gap;
    if (best) break;
  }
  return best;
}

std::optional<Gap> ShortestBeyond(const Members& members, int64_t frames) {
  std::optional<Gap> best;
  for (const char* id : kGains) {
    for (const Gap& gap : CommonGaps(members, id))
      if (gap.frames >= frames && (!best || gap.frames < best->frames)) best = gap;
    if (best) break;
  }
  return best;
}

int64_t LeastReach(const Members& members) {
  int64_t least = 0;
  for (const Recipe* r : members)
    if (const int64_t w = r->WindowReach(); w > 0) least = least == 0 ? w : std::min(least, w);
  return least;
}

int64_t MostReach(const Members& members) {
  int64_t most = 0;
  for (const Recipe* r : members) most = std::max(most, r->WindowReach());
  return most;
}

std::vector<SeedValues> NumbersOf(const Members& members, const std::string& id, const std::string& world, const std::string& part) {
  std::vector<SeedValues> numbers;
  for (const Recipe* r : members) numbers.push_back(ValuesOf(*r, id, world, part));
  return numbers;
}

void AddFinding(Ruling& ruling, std::string what, const Resampled& r, bool may_contradict) {
  const auto share = [&](auto opposite) {
    return static_cast<double>(1 + std::count_if(r.draws.begin(), r.draws.end(), opposite)) / static_cast<double>(kDraws + 1);
  };
  Finding f{std::move(what), r.value, r.interval, share([](double v) { return v <= 0; }), 1};
  if (may_contradict) f.p_against = share([](double v) { return v >= 0; });
  ruling.findings.push_back(std::move(f));
}

void Find(Ruling& ruling, std::string what, std::span<const SeedValues> numbers, const std::function<double(std::span<const double>)>& of,
          bool may_contradict) {
  AddFinding(ruling, std::move(what), Resample(numbers, of), may_contradict);
  for (const SeedValues& seeds : numbers) ruling.one_seed = ruling.one_seed || seeds.size() == 1;
}

void FindDifference(Ruling& ruling, std::string what, const Members& a, const Members& b, const std::string& id, const std::string& world,
                    const std::string& part, double sign) {
  const std::vector<SeedValues> numbers = NumbersOf(Both(a, b), id, world, part);
  const size_t first = a.size();
  Find(ruling, std::move(what), numbers,
       [=](std::span<const double> m) { return sign * (Mean(m.subspan(0, first)) - Mean(m.subspan(first))); });
}

bool Present(Ruling& ruling, const Members& members, const std::string& what) {
  if (members.empty()) ruling.missing.push_back("no model with " + what);
  return !members.empty();
}

}  // namespace orrery
