#include "eval/report/claims.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "eval/report/evidence.h"

namespace orrery {

namespace {

constexpr double kLevel = 0.05;

// In both directions, before Holm.
struct Judged {
  double holds = 1, fails = 1;
  double Both() const { return std::min(1.0, 2 * std::min(holds, fails)); }
};

Judged Judge(const Ruling& ruling) {
  Judged p{0, 1};
  for (const Finding& f : ruling.findings) {
    p.holds = std::max(p.holds, f.p_for);
    p.fails = std::min(p.fails, f.p_against);
  }
  p.fails = std::min(1.0, p.fails * static_cast<double>(ruling.findings.size()));
  return p;
}

const Finding& Deciding(const Ruling& ruling, bool holds) {
  return holds ? *std::max_element(ruling.findings.begin(), ruling.findings.end(),
                                   [](const Finding& a, const Finding& b) { return a.p_for < b.p_for; })
               : *std::min_element(ruling.findings.begin(), ruling.findings.end(),
                                   [](const Finding& a, const Finding& b) { return a.p_against < b.p_against; });
}

std::string Reason(const Ruling& ruling) {
  std::vector<std::string> words;
  for (const Finding& f : ruling.findings)
    words.push_back(fmt::format("{}: {:.3g} ({:.3g} to {:.3g})", f.what, f.effect, f.interval.low, f.interval.high));
  if (!ruling.missing.empty()) words.push_back(fmt::format("not measured: {}", fmt::join(ruling.missing, "; ")));
  if (ruling.one_seed) words.push_back("1 seed: intervals leave out what training varies");
  return fmt::format("{}", fmt::join(words, "; "));
}

}  // namespace

std::vector<Claim> JudgeClaims(const std::vector<Recipe>& recipes) {
  std::vector<Recipe> models;
  std::copy_if(recipes.begin(), recipes.end(), std::back_inserter(models), [](const Recipe& r) { return r.model; });
  std::vector<Ruling> rulings;
  std::vector<double> p;
  for (const ClaimRule& rule : ClaimRules()) {
    rulings.push_back(rule.judge(models));
    if (!rulings.back().findings.empty()) p.push_back(Judge(rulings.back()).Both());
  }
  const std::vector<double> adjusted = Holm(p);
  std::vector<Claim> claims;
  size_t measured = 0;
  for (size_t i = 0; i < rulings.size(); ++i) {
    const Ruling& ruling = rulings[i];
    Claim c{ClaimRules()[i].id, ClaimRules()[i].statement, "crossed-bootstrap", {}, {}, {}, "undecided", Reason(ruling)};
    if (!ruling.findings.empty()) {
      const Judged both = Judge(ruling);
      const bool holds = both.holds <= both.fails;
      const Finding& deciding = Deciding(ruling, holds);
      c.effect = deciding.effect;
      c.interval = deciding.interval;
      c.p_holm = adjusted[measured++];
      if (*c.p_holm < kLevel && !holds) c.verdict = "contradicted";
      if (*c.p_holm < kLevel && holds && ruling.missing.empty()) c.verdict = "supported";
    }
    claims.push_back(std::move(c));
  }
  return claims;
}

}  // namespace orrery
