#include "eval/causality/grid_rules.h"

#include <algorithm>
#include <cmath>

#include "eval/readers/tiles.h"

namespace orrery {

namespace {

// All that a picture shows: not which of two alike is which.
KeysState WithoutIds(KeysState state) {
  for (KeysTile& tile : state.tiles) tile.id = 0;
  for (KeysAgent& agent : state.agents) agent.carried_id = 0;
  return state;
}

const KeysTile& Ahead(const KeysState& state, int32_t steps) {
  const auto side = static_cast<int32_t>(std::lround(std::sqrt(static_cast<double>(state.tiles.size()))));
  const KeysAgent& agent = state.agents[0];
  const auto [dx, dy] = Keys::kAhead[static_cast<size_t>(agent.heading)];
  return state.tiles[static_cast<size_t>((agent.y + steps * dy) * side + agent.x + steps * dx)];
}

bool Walkable(const KeysTile& tile) {
  return tile.item == KeysTile::kEmpty || ((tile.item == KeysTile::kDoor || tile.item == KeysTile::kGate) && tile.open);
}

// Whether `action` leads from `before` to `after`.
bool Leads(Keys& scratch, const KeysState& before, Keys::Action action, const KeysState& after) {
  scratch.SetState(before);
  scratch.Step(std::vector<float>{static_cast<float>(action)});
  return WithoutIds(scratch.State()) == WithoutIds(after);
}

// The state in a picture; nothing when it is in doubt or no state at all.
std::optional<KeysState> ReadState(TileDecoder& decoder, Keys& scratch, std::span<const uint8_t> rgb) {
  decoder.Read(rgb);
  if (!decoder.Certain()) return std::nullopt;
  try {
    scratch.SetState(decoder.State());
  } catch (const Error&) {
    return std::nullopt;
  }
  return decoder.State();
}

}  // namespace

const std::vector<std::string>& GridRules() {
  static const std::vector<std::string> rules = {"turn", "walk",   "blocked",   "slide", "push", "pick",
                                                 "drop", "unlock", "wrong-key", "lever", "done", "idle"};
  return rules;
}

std::string RuleOf(const KeysState& state, Keys::Action action) {
  const KeysAgent& agent = state.agents.at(0);
  const KeysTile& ahead = Ahead(state, 1);
  const auto side = static_cast<int32_t>(std::lround(std::sqrt(static_cast<double>(state.tiles.size()))));
  switch (action) {
    case Keys::kLeft:
    case Keys::kRight:
      return "turn";
    case Keys::kForward:
      if (ahead.item == KeysTile::kBox) return "push";
      if (!Walkable(ahead)) return "blocked";
      return ahead.floor == KeysTile::kIce ? "slide" : "walk";
    case Keys::kPick:
      return ahead.item == KeysTile::kKey && !agent.carried ? "pick" : "idle";
    case Keys::kDrop:
      return ahead.item == KeysTile::kEmpty && ahead.floor == KeysTile::kPlain && agent.carried ? "drop" : "idle";
    case Keys::kToggle:
      if (ahead.item == KeysTile::kLever) return "lever";
      if (ahead.item != KeysTile::kDoor || ahead.open) return "idle";
      return agent.carried == 1 + ahead.color ? "unlock" : "wrong-key";
    case Keys::kDone:
      return state.tiles[static_cast<size_t>(agent.y * side + agent.x)].floor == KeysTile::kGoal && !agent.done ? "done" : "idle";
  }
  return "idle";
}

GridFilm JudgeSteps(const Keys& start, const FrameSpan& frames, std::span<const Keys::Action> actions) {
  const WorldFacts& facts = start.Facts();
  if (start.State().agents.size() != 1) Fail("rules: the world keys expected, got {}", facts.spec);
  if (frames.height != facts.height || frames.width != facts.width)
    Fail("rules: frames of {} x {} expected, got {} x {}", facts.height, facts.width, frames.height, frames.width);
  if (frames.frames != static_cast<int64_t>(actions.size()))
    Fail("rules: a frame an action expected, got {} and {}", frames.frames, actions.size());
  TileDecoder decoder(start);
  Keys scratch = start;
  GridFilm film;
  KeysState before = start.State();
  bool known = true;
  for (int64_t t = 0; t < frames.frames; ++t) {
    const Keys::Action action = actions[static_cast<size_t>(t)];
    GridStep step{RuleOf(before, action), false, false, false};
    const auto after = ReadState(decoder, scratch, frames.At(t));
    step.readable = known && after;
    if (step.readable) {
      step.legal = step.possible = Leads(scratch, before, action, *after);
      for (int a = 0; a < Keys::kActions && !step.possible; ++a)
        step.possible = Leads(scratch, before, static_cast<Keys::Action>(a), *after);
    }
    known = after.has_value();
    film.done = after ? std::optional(after->agents[0].done == 1) : std::nullopt;
    if (after) before = *after;
    film.steps.push_back(std::move(step));
  }
  return film;
}

}  // namespace orrery
