// The rules of the rooms (worlds/keys.h), checked step by step in a film.
#pragma once
#include <optional>
#include <string>

#include "eval/causality/frames.h"
#include "worlds/keys.h"

namespace orrery {

// Which rule decides what an action of the only agent does in a state: turn, walk, blocked, slide, push, pick, drop, unlock (the key of the
// door's colour), wrong-key (another one, or none), lever, done, idle (nothing may happen).
const std::vector<std::string>& GridRules();
std::string RuleOf(const KeysState& state, Keys::Action action);

struct GridStep {
  std::string rule;       // that the state before asks for
  bool readable = false;  // both states could be read off their pictures without doubt
  bool legal = false;     // the state after is what the action leads to
  bool possible = false;  // it is what some action leads to
};

struct GridFilm {
  std::vector<GridStep> steps;
  std::optional<bool> done;  // whether the agent has said so in the film's last state; nothing when that cannot be read
};

// frames: those that follow the picture of `start`, one an action. A frame that cannot be read counts against the steps on both sides of
// it: they are neither legal nor possible, under the rule of the last state that could be read. Throws Error unless there is one agent, the
// whole grid is shown and the sizes fit.
GridFilm JudgeSteps(const Keys& start, const FrameSpan& frames, std::span<const Keys::Action> actions);

}  // namespace orrery
