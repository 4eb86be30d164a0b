// What the rules of claims are written with.
#pragma once
#include <set>

#include "eval/report/claims.h"

namespace orrery {

using Members = std::vector<const Recipe*>;

Members Those(const std::vector<Recipe>& models, const std::function<bool(const Recipe&)>& wanted);
Members Implicit(const std::vector<Recipe>& models);
Members Explicit(const std::vector<Recipe>& models);
Members OfKind(const std::vector<Recipe>& models, const std::string& kind);
Members Both(const Members& a, const Members& b);

// Worlds on which all of them have this metric (or its part).
std::vector<std::string> CommonWorlds(const Members& members, const std::string& id, const std::string& part = "");

// Memory gain against the gap on one world: the first of recall (all shown) and revisit (the way imagined) that all have at such a gap.
struct Gap {
  std::string id, world, part;  // part: "gap=0064"
  int64_t frames = 0;
  std::string Text() const;  // "memory gain (recall) after 64 frames on maze"
};
std::vector<Gap> CommonGaps(const Members& members, const std::string& id);
// The longest gap of at most / the shortest of at least `frames`; none: nothing fits.
std::optional<Gap> LongestWithin(const Members& members, int64_t frames);
std::optional<Gap> ShortestBeyond(const Members& members, int64_t frames);
constexpr const char* kGains[] = {"persistence.recall.gain", "persistence.revisit.gain"};

// Recipe::WindowReach over those with a window that does not hold all: least and most; 0 when none has one.
int64_t LeastReach(const Members& members);
int64_t MostReach(const Members& members);

// One number a member.
std::vector<SeedValues> NumbersOf(const Members& members, const std::string& id, const std::string& world, const std::string& part = "");

// Adds a finding; `may_contradict`: whether the opposite speaks against the claim.
void AddFinding(Ruling& ruling, std::string what, const Resampled& r, bool may_contradict = true);
// About `of` the numbers.
void Find(Ruling& ruling, std::string what, std::span<const SeedValues> numbers, const std::function<double(std::span<const double>)>& of,
          bool may_contradict = true);
// Mean over `a` less mean over `b` of one metric; `sign` -1 where lower is better.
void FindDifference(Ruling& ruling, std::string what, const Members& a, const Members& b, const std::string& id, const std::string& world,
                    const std::string& part = "", double sign = 1);

// Says that members are missing; true when there are some.
bool Present(Ruling& ruling, const Members& members, const std::string& what);

}  // namespace orrery
