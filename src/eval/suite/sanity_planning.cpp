// What dummies must score where somebody acts: plans, policies, actions read off films.
#include <deque>

#include "eval/suite/sanity_checks.h"

namespace orrery {

using namespace sanity;

namespace {

using On = SanityRule::On;

// Not above 0 by more than chance explains: the dummy's own interval holds 0 or lies below it.
SanityCheck NotAboveZero(const char* dummy) {
  return [=](double value, const Scores& all) {
    const auto& interval = all.at(dummy).interval;
    return value <= 0 || (interval && interval->low <= 0);
  };
}
// Above 0, by more than chance explains.
SanityCheck AboveZero(const char* dummy) {
  return [=](double, const Scores& all) {
    const auto& interval = all.at(dummy).interval;
    return interval && interval->low > 0;
  };
}

const char* Named(const std::string& task, const char* name) {
  static std::deque<std::string> names;  // rules point into it
  names.push_back("causality.planning." + task + "." + name);
  return names.back().c_str();
}

// What holds of every task.
void AddTask(std::vector<SanityRule>& rules, const std::string& task) {
  const auto add = [&](const char* name, const char* dummy, const char* expected, SanityCheck check) {
    rules.push_back({Named(task, name), dummy, expected, std::move(check)});
  };
  add("success", "copy", "> 0.9", Above(0.9));
  add("success", "ignore", "< 0.5", Below(0.5));
  add("regret", "copy", "0", Near(0, 1e-9));
  add("regret", "ignore", "1: all plans look alike, and the first is taken", Near(1, 1e-9));
  add("regret", "frozen", "1", Near(1, 1e-9));
  add("regret", "wrongact", "> copy", Compared("copy", true));
  add("return", "frozen", "< copy", Compared("copy", false));
  add("fidelity-spearman", "copy", "1", Near(1, 1e-9));
  add("fidelity-spearman", "ignore", "0", Near(0, 1e-9));
  add("exploitation-gap", "copy", "0", Near(0, 1e-9));
  add("exploitation-gap", "wrongact", "other than 0: what it shows is not what would happen", OffCopy(1e-9, true));
  for (const char* name : {"policy-spearman", "policy-kendall"}) {
    add(name, "copy", "1", Near(1, 1e-9));
    for (const char* film : {"ignore", "frozen", "wrongact", "random", "reverse", "shuffle"})
      add(name, film, "0: all policies look alike", Near(0, 1e-9));
    add(name, "noise", "> 0, beyond chance: all policies suffer alike", AboveZero("noise"));
    add(name, "lag2", "> 0: it ends two frames early", Above(0));
  }
  add("policy-violation", "copy", "0", Near(0, 1e-9));
  add("policy-violation", "ignore", "> 0", Above(0));
  add("policy-violation", "frozen", "> 0", Above(0));
  add("policy-bias", "copy", "0", Near(0, 1e-9));
  add("policy-bias", "frozen", "< 0: nothing comes nearer", Below(0));
}

}  // namespace

std::vector<SanityRule> PlanningSanityRules() {
  std::vector<SanityRule> rules = {
      {"causality.planning.picture.spl", "copy", "> 0.9", Above(0.9)},
      {"causality.planning.picture.spl", "frozen", "< copy", Compared("copy", false)},
      {"causality.planning.meet.spl", "frozen", "< copy", Compared("copy", false)},
      {"causality.planning.door.spl", "frozen", "< copy", Compared("copy", false)},
      {"causality.planning.pass.spl", "frozen", "< copy", Compared("copy", false)},
      {"causality.planning.hit.success", "passthru", "< copy: no ball is ever hit", Compared("copy", false)},
      {"causality.planning.hit.policy-bias", "passthru", "< 0: no ball is ever hit", Below(0)},
      {"causality.planning.door.success", "anykey", "< copy: the wrong key seems to do", Compared("copy", false)},
      {"causality.planning.door.fidelity-spearman", "anykey", "< copy", Compared("copy", false)},
      {"causality.planning.door.exploitation-gap", "anykey", "> 0: doors open that will not", Above(0)},
      {"causality.following.af", "copy", "1", Near(1, 1e-9)},
      {"causality.following.af", "frozen", "< copy", Compared("copy", false)},
      {"causality.following.af", "lag2", "< copy: actions come late", Compared("copy", false)},
      {"causality.following.f1", "wrongact", "< copy", Compared("copy", false)},
      {"causality.following.obeyed", "copy", "1", Near(1, 1e-9)},
      {"causality.following.obeyed", "noise", "> 0, beyond chance", AboveZero("noise")},
      {"causality.following.obeyed", "blur", "> 0, beyond chance", AboveZero("blur")},
      {"causality.following.obeyed", "lag2", "< copy: actions come late", Compared("copy", false)},
      {"causality.following.pose-cells", "copy", "0", Near(0, 0)},
      {"causality.following.pose-cells", "ignore", "> copy", Compared("copy", true)},
      {"causality.following.pose-cells", "wrongact", "> copy", Compared("copy", true)},
      {"causality.following.pose-degrees", "copy", "0", Near(0, 0)},
      {"causality.following.pose-degrees", "lag2", "> copy", Compared("copy", true)}};
  for (const char* dummy : {"ignore", "frozen", "wrongact", "random", "reverse", "shuffle"})
    rules.push_back({"causality.following.obeyed", dummy, "0 or less, within its interval", NotAboveZero(dummy)});
  for (const char* dummy : {"ignore", "frozen"})
    rules.push_back({"causality.following.obeyed@context", dummy, "0 or less, within its interval: it shows the context, no more",
                     NotAboveZero(dummy)});
  for (const char* dummy : {"wrongact", "random"})
    rules.push_back({"causality.following.obeyed@habit", dummy, "0 or less, within its interval: the right actions at the wrong time",
                     NotAboveZero(dummy)});
  for (const char* task : {"picture", "hit", "meet", "door", "pass"}) AddTask(rules, task);
  return rules;
}

}  // namespace orrery
