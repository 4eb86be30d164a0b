// Conditions of sanity rules: what a number must be, alone or beside that of another dummy on the same metric and world.
#pragma once
#include <cmath>

#include "eval/suite/sanity_rules.h"

namespace orrery::sanity {

using SanityCheck = std::function<bool(double, const SanityRule::Scores&)>;
using Scores = SanityRule::Scores;

inline SanityCheck Near(double wanted, double tolerance) {
  return [=](double value, const Scores&) { return std::abs(value - wanted) <= tolerance; };
}
inline SanityCheck SameAs(const char* other, double tolerance) {
  return [=](double value, const Scores& all) {
    const auto found = all.find(other);
    return found == all.end() || (found->second.value && std::abs(value - *found->second.value) <= tolerance);
  };
}
inline SanityCheck Above(double least) {
  return [=](double value, const Scores&) { return value > least; };
}
inline SanityCheck Below(double most) {
  return [=](double value, const Scores&) { return value < most; };
}
// Against another dummy, where that one has a value.
inline SanityCheck Compared(const char* other, bool above) {
  return [=](double value, const Scores& all) {
    const auto found = all.find(other);
    if (found == all.end() || !found->second.value) return true;
    return above ? value > *found->second.value : value < *found->second.value;
  };
}

// Off what the truth's copy scores, by less or by more than so much.
inline SanityCheck OffCopy(double limit, bool more) {
  return [=](double value, const Scores& all) {
    const auto copy = all.find("copy");
    if (copy == all.end() || !copy->second.value) return true;
    return more == (std::abs(value - *copy->second.value) > limit);
  };
}

}  // namespace orrery::sanity
