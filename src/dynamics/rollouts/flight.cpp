#include "dynamics/rollouts/flight.h"

#include <ATen/ATen.h>

#include "core/error.h"

namespace orrery {

namespace {

// One tensor of every frame, [frames, ...]; undefined when no frame has it.
template <class Frame, class Get>
at::Tensor StackOf(const std::vector<Frame>& frames, Get get) {
  if (frames.empty() || !get(frames[0]).defined()) return {};
  std::vector<at::Tensor> all;
  for (const Frame& f : frames) all.push_back(get(f));
  return at::stack(all);
}

void AddIfDefined(Parts& parts, const char* name, const char* axes, const at::Tensor& value) {
  if (value.defined()) parts.Add(name, axes, value);
}

at::Tensor GetRow(const Parts& parts, const char* name, int64_t i) { return parts.Has(name) ? parts.Get(name).select(0, i) : at::Tensor(); }

// A row a frame: its conditions. `known` is written whole, since only some frames may have it.
template <class Frame>
void AddConditions(Parts& parts, const std::vector<Frame>& frames) {
  AddIfDefined(parts, "action", "frame batch action", StackOf(frames, [](const Frame& f) { return f.condition.action; }));
  AddIfDefined(parts, "pose", "frame batch x,y,angle", StackOf(frames, [](const Frame& f) { return f.condition.pose; }));
  const auto known = [](const Frame& f) {
    return f.condition.known.defined() ? f.condition.known : at::ones({f.latent.size(0)}, f.latent.options().dtype(at::kBool));
  };
  if (std::any_of(frames.begin(), frames.end(), [](const Frame& f) { return f.condition.known.defined(); }))
    AddIfDefined(parts, "known", "frame batch", StackOf(frames, known));
}

StepCondition ConditionAt(const Parts& parts, int64_t i) {
  return {GetRow(parts, "action", i), GetRow(parts, "pose", i), GetRow(parts, "known", i)};
}

Parts PastParts(const RecentPast& past) {
  Parts parts;
  parts.Add("latent", "frame batch channel row column", StackOf(past.frames, [](const PastFrame& f) { return f.latent; }));
  AddIfDefined(parts, "noise", "frame batch channel row column", StackOf(past.frames, [](const PastFrame& f) { return f.noise; }));
  AddConditions(parts, past.frames);
  parts.Append("start", past.start);
  parts.Append("middle", past.middle);
  parts.Add("forgotten", "", at::full({}, past.forgotten, at::kLong));
  return parts;
}

RecentPast PastOf(const Parts& parts) {
  RecentPast past{parts.Extract("start"), parts.Extract("middle"), {}, parts.Get("forgotten").item<int64_t>()};
  for (int64_t i = 0; i < parts.Get("latent").size(0); ++i)
    past.frames.push_back({parts.Get("latent").select(0, i), GetRow(parts, "noise", i), ConditionAt(parts, i)});
  return past;
}

}  // namespace

FrameCondition JoinConditions(const std::vector<StepCondition>& frames) {
  const auto join = [&](auto get) {
    std::vector<at::Tensor> all;
    for (const StepCondition& c : frames)
      if (get(c).defined()) all.push_back(get(c));
    if (all.empty()) return at::Tensor();
    ORRERY_CHECK(all.size() == frames.size());
    return at::stack(all, 1);
  };
  return {join([](const StepCondition& c) { return c.action; }),
          join([](const StepCondition& c) { return c.known; }),
          join([](const StepCondition& c) { return c.pose; }),
          {}};
}

void Flight::Land(int64_t next_frame) {
  frames.clear();
  base = next = next_frame;
  clock = 0;
}

Parts Flight::ToParts() const {
  Parts parts;
  if (!frames.empty()) {
    parts.Add("latent", "frame batch channel row column", StackOf(frames, [](const FlightFrame& f) { return f.latent; }));
    std::vector<int64_t> steps;
    for (const FlightFrame& f : frames) steps.push_back(f.steps);
    parts.Add("steps", "frame", at::tensor(steps, at::kLong));
    parts.Add("clock", "base,row", at::tensor({base, clock}, at::kLong));
    AddConditions(parts, frames);
  }
  if (!sink.All().empty()) parts.Append("sink", sink);
  if (!past.frames.empty()) parts.Append("past", PastParts(past));
  return parts;
}

Flight Flight::FromParts(const Parts& parts, int64_t next_frame) {
  Flight flight;
  flight.Land(next_frame);
  flight.sink = parts.Extract("sink");
  if (const Parts past = parts.Extract("past"); past.Has("latent")) flight.past = PastOf(past);
  if (!parts.Has("latent")) return flight;
  const at::Tensor steps = parts.Get("steps"), clock = parts.Get("clock");
  flight.base = clock[0].item<int64_t>();
  flight.clock = clock[1].item<int64_t>();
  for (int64_t i = 0; i < steps.size(0); ++i)
    flight.frames.push_back({parts.Get("latent").select(0, i), steps[i].item<int64_t>(), ConditionAt(parts, i)});
  return flight;
}

}  // namespace orrery
