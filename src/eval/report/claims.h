// What the survey (arXiv 2601.17067, sections 4.3 and 5, Table 3) claims of states and dynamics, as rules over measured numbers.
#pragma once
#include "eval/report/recipes.h"

namespace orrery {

// One thing that a claim says, as a number that is above 0 when it is so.
struct Finding {
  std::string what;  // "memory gain after 16 frames, implicit less explicit"
  double effect = 0;
  Interval interval;
  double p_for = 1, p_against = 1;  // one-sided, of kDraws draws; against: 1 where the opposite would not contradict the claim
};

struct Ruling {
  std::vector<Finding> findings;
  std::vector<std::string> missing;  // what would have to be measured, or which subject is not there
  bool one_seed = false;             // of some recipe in it
};

struct ClaimRule {
  const char *id, *statement;
  Ruling (*judge)(const std::vector<Recipe>& models);
};
const std::vector<ClaimRule>& ClaimRules();

// One claim a rule, in order; recipes that are no models have no part in them. Supported: all that it says is measured and holds;
// contradicted: the opposite of something that it says holds; else undecided. A claim holds with the largest p of its findings (all must)
// and is contradicted with the smallest times their number; twice the smaller of both is its p, adjusted by Holm over the claims that were
// measured, and must be below 0.05. Effect and interval are those of the finding that decides.
std::vector<Claim> JudgeClaims(const std::vector<Recipe>& recipes);

}  // namespace orrery
