// What subjects with a known fault must score (evaluation 1.13, 2.10, 3.13).
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "eval/statistics.h"

namespace orrery {

struct SanityRule {
  struct Score {
    std::optional<double> value;
    std::string cause;  // of a missing value
    std::optional<Interval> interval = {};
  };
  using Scores = std::map<std::string, Score>;  // by dummy, of one metric on one world

  // What a recording shows is its recorder's choice; numbers that hang on the built-in worlds are not asked of it.
  enum class On { kAll, kBuiltIn, kRecordings };

  const char *metric, *dummy, *expected;  // "id", or "id@part" of one of its parts
  // Whether `value` is right; scores of other dummies of the same metric and world may be looked at.
  std::function<bool(double value, const Scores& all)> holds;
  On worlds = On::kAll;
  // Only where a world's spec begins so; "!NAME": only where it does not. Elsewhere nobody can have this number.
  std::string_view world = "";
};

const std::vector<SanityRule>& SanityRules();

// Parts of it, each in a file of its own.
std::vector<SanityRule> DistributionSanityRules();  // sanity_distribution.cpp: sets of films
std::vector<SanityRule> EffectSanityRules();        // sanity_effects.cpp: what interventions and actions change
std::vector<SanityRule> MatrixSanityRules();        // sanity_matrix.cpp: rows of the specification's matrices that are left
std::vector<SanityRule> MotionSanityRules();        // sanity_motion.cpp: how films move
std::vector<SanityRule> PlanningSanityRules();      // sanity_planning.cpp: plans, policies, actions read off films

}  // namespace orrery
