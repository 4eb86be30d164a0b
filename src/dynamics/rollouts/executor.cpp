#include "dynamics/rollouts/executor.h"

#include <ATen/ATen.h>

#include "core/error.h"

namespace orrery {

namespace {

void CheckRollout(const RolloutOptions& o, const Capabilities& able) {
  if (o.guidance < 0) Fail("rollout: guidance must be >= 0, got {}", o.guidance);
  if (!(o.context_level >= -1 && o.context_level < 1)) Fail("rollout: context_level must lie in [-1, 1), got {}", o.context_level);
  if (o.context_level == 0 && !able.clean_label)
    Fail("rollout: context_level 0, but this model was not trained with clean frames labelled so; use a small level, as 0.05");
  if (o.context_noise && o.context_scale) Fail("rollout: context_noise and context_scale exclude each other");
}

// What the plan wants to see of finished frames must be in the state.
void CheckSight(const RolloutPlan& plan, const Memory& memory) {
  const MemoryFacts facts = memory.Declared();
  if ((plan.window > 0 || plan.sink > 0) && facts.held == 0)
    Fail("rollout {}: it looks at the newest frames one by one, but the state {} holds none of them; add a window, as \"window(16) + {}\"",
         plan.spec, memory.Spec(), memory.Spec());
  if (facts.held > 0 && plan.window - plan.sink > facts.held)
    Fail("rollout {}: {} newest frames to be seen, but the state {} holds {}", plan.spec, plan.window - plan.sink, memory.Spec(),
         facts.held);
  if (plan.recache && plan.window == 0 && facts.held <= 0)
    Fail("rollout {}: give the window that is to be committed again; the state {} has none", plan.spec, memory.Spec());
}

// How many frames a memory is made anew of.
int64_t Renewed(const RolloutPlan& plan, const Memory& memory) {
  const int64_t held = memory.Declared().held;
  if (plan.anew < 0 && held <= 0)
    Fail("rollout {}: give the window that is computed anew; the state {} has none", plan.spec, memory.Spec());
  return plan.anew < 0 ? held : plan.anew;
}

// One frame's activations of those of several.
LayerActivation FrameOf(const LayerActivation& all, int64_t frame, int64_t tokens) {
  const int64_t first = frame * tokens;
  return {all.key.narrow(2, first, tokens), all.value.narrow(2, first, tokens), all.features.narrow(1, first, tokens)};
}

// Levels of T frames as [1, T, 1, 1, 1].
at::Tensor LevelColumn(const std::vector<double>& levels, const at::TensorOptions& options) {
  return at::tensor(levels, at::kDouble).to(options).view({1, -1, 1, 1, 1});
}

}  // namespace

Executor::Executor(std::shared_ptr<Transition> network, std::shared_ptr<const Memory> memory, std::shared_ptr<const NoisePath> path,
                   const RolloutOptions& options, const Capabilities& able)
    : network_(std::move(network)),
      memory_(std::move(memory)),
      path_(std::move(path)),
      options_(options),
      plan_(MakeRollout(options.spec, {*path_, able, options.steps})),
      able_(able) {
  CheckRollout(options, able);
  CheckSight(plan_, *memory_);
  plan_.anew = Renewed(plan_, *memory_);
  if (plan_.FramesInFlight() > 1 && network_->Options().layout != "frame_causal")
    Fail("rollout {}: frames in flight need the layout frame_causal, this model has {}; use \"sequential\"", plan_.spec,
         network_->Options().layout);
}

Executor::Reader Executor::Open(const Parts& state, const Flight& flight, int64_t first,
                                const std::vector<StepCondition>& conditions) const {
  const MemoryGeometry g = network_->Geometry();
  std::vector<FrameQuery> queries;
  for (size_t i = 0; i < conditions.size(); ++i)
    queries.push_back({first - flight.past.forgotten + static_cast<int64_t>(i), conditions[i].action, conditions[i].pose});
  const FlightSight sight{.joint = !able_.causal,
                          .block = able_.block,
                          .offset = (first - flight.base) % plan_.block,
                          .window = plan_.window,
                          .sink = plan_.sink,
                          .kept = &flight.sink,
                          .rows = g.rows,
                          .columns = g.columns};
  return std::make_unique<FlightReader>(*memory_, state, queries, sight);
}

// Frames that begin with this row; all of those that are not finished take the newest conditions, where the plan says so.
void Executor::Enter(const RolloutRow& row, Flight& flight, const ConditionSource& conditions, const NoiseSource& noise) const {
  const int64_t end = flight.base + row.first + row.Frames();
  while (flight.next + static_cast<int64_t>(flight.frames.size()) < end) {
    const at::Tensor start = noise.next();
    const at::Tensor level = at::full({start.size(0), 1, 1, 1}, plan_.levels[0], start.options());
    flight.frames.push_back({path_->Mix(at::zeros_like(start), start, level), 0, conditions(static_cast<int64_t>(flight.frames.size()))});
  }
}

// I1 levels fall from where they are; I2 a frame is clean when it is finished; I3 only frames that are not committed are active; I4 none is
// cleaner than the one before it.
void Executor::Check(const RolloutRow& row, const Flight& flight) const {
  const int64_t S = plan_.Steps();
  ORRERY_CHECK(flight.base + row.first == flight.next && row.Frames() == static_cast<int64_t>(flight.frames.size()));
  for (size_t i = 0; i < row.in.size(); ++i) {
    ORRERY_CHECK(flight.frames[i].steps < S && row.in[i] == plan_.levels[static_cast<size_t>(flight.frames[i].steps)]);
    ORRERY_CHECK(row.out[i] < row.in[i]);
    ORRERY_CHECK(i == 0 || row.in[i] >= row.in[i - 1]);
    const bool finished = std::find(row.finish.begin(), row.finish.end(), row.first + static_cast<int64_t>(i)) != row.finish.end();
    ORRERY_CHECK(finished == (row.out[i] == 0));
  }
}

at::Tensor Executor::Answer(const at::Tensor& input, const at::Tensor& label, const FrameCondition& condition, MemoryReader& reader) {
  const int64_t frames = input.size(1);
  count_.answers += frames;
  const at::Tensor out = network_->Forward(input, label, condition, reader);
  if (options_.guidance == 1) return out;
  count_.answers += frames;
  FrameCondition hidden;
  hidden.pose = condition.pose;
  hidden.step = condition.step;
  const at::Tensor without = network_->Forward(input, label, hidden, reader);
  return without + options_.guidance * (out - without);
}

void Executor::Run(const RolloutRow& row, Flight& flight, MemoryReader& reader, const NoiseSource& noise) {
  Check(row, flight);
  std::vector<at::Tensor> latents;
  std::vector<StepCondition> conditions;
  for (const FlightFrame& f : flight.frames) {
    latents.push_back(f.latent);
    conditions.push_back(f.condition);
  }
  at::Tensor x = at::stack(latents, 1);
  const int64_t B = x.size(0), T = x.size(1);
  const at::Tensor from = LevelColumn(row.in, x.options()), to = LevelColumn(row.out, x.options());
  FrameCondition condition = JoinConditions(conditions);
  if (able_.step_size) condition.step = (from - to).view({1, T}).expand({B, T});
  const at::Tensor out = Answer(path_->Input(x, from), from.view({1, T}).expand({B, T}), condition, reader);
  if (row.update == Update::kStep) {
    x = path_->Step(x, out, from, to);
  } else {
    std::vector<at::Tensor> fresh;
    for (int64_t i = 0; i < T; ++i) fresh.push_back(noise.again(flight.next + i, flight.frames[static_cast<size_t>(i)].steps + 1));
    const at::Tensor clean = path_->ToClean(x, out, from);
    x = at::where(to > 0, path_->Mix(clean, at::stack(fresh, 1), to), clean);
  }
  for (int64_t i = 0; i < T; ++i) {
    FlightFrame& f = flight.frames[static_cast<size_t>(i)];
    f.latent = x.select(1, i).contiguous();
    ++f.steps;
  }
  ++flight.clock;
  ++count_.rows;
  count_.denoise += T;
}

ShownFrame Executor::Next(Parts& state, Flight& flight, const ConditionSource& conditions, const NoiseSource& noise) {
  const at::NoGradGuard guard;
  const int64_t S = plan_.Steps();
  if (plan_.anew > 0 && flight.next > plan_.anew && flight.frames.empty()) Renew(state, flight);
  if (plan_.reread)
    for (size_t i = 0; i < flight.frames.size(); ++i)
      if (flight.frames[i].steps < S) flight.frames[i].condition = conditions(static_cast<int64_t>(i));
  Reader reader;
  for (size_t read = 0; !flight.Finished(S);) {
    const RolloutRow row = plan_.RowAt(flight.clock);
    Enter(row, flight, conditions, noise);
    if (read != flight.frames.size()) {  // what is chosen stays chosen as long as the same frames ask
      std::vector<StepCondition> asking;
      for (const FlightFrame& f : flight.frames) asking.push_back(f.condition);
      reader.reset();
      reader = Open(state, flight, flight.next, asking);
      read = flight.frames.size();
    }
    Run(row, flight, *reader, noise);
  }
  const FlightFrame front = std::move(flight.frames.front());
  std::vector<PastFrame> beside;
  std::vector<StepCondition> asking{front.condition};
  for (size_t i = 1; plan_.together && i < flight.frames.size() && flight.frames[i].steps == S; ++i) {
    const FlightFrame& f = flight.frames[i];
    beside.push_back(
        {f.latent, options_.context_noise ? noise.again(flight.next + static_cast<int64_t>(i), 0) : at::Tensor(), f.condition});
    asking.push_back(f.condition);
  }
  if (!reader || flight.frames.size() > 1) {
    reader.reset();
    reader = Open(state, flight, flight.next, asking);
  }
  flight.frames.erase(flight.frames.begin());
  const auto grain = [&] { return plan_.together ? noise.again(flight.next, 0) : noise.next(); };
  Commit(state, flight, std::move(reader), {front.latent, options_.context_noise ? grain() : at::Tensor(), front.condition}, beside);
  if (flight.frames.empty()) flight.Land(flight.next);
  return {front.latent, front.condition};
}

void Executor::Force(Parts& state, Flight& flight, const StepCondition& condition, const at::Tensor& latent, const NoiseSource& noise) {
  const at::NoGradGuard guard;
  flight.frames.clear();
  Commit(state, flight, Open(state, flight, flight.next, {condition}),
         {latent, options_.context_noise ? noise.next() : at::Tensor(), condition});
  flight.Land(flight.next);
}

// A finished frame as the network is shown it: labelled alone, shrunk, or noised (the three ways of stabilising a history).
at::Tensor Executor::Shown(const at::Tensor& latent, const at::Tensor& noise) const {
  const at::Tensor level = at::full({latent.size(0), 1, 1, 1}, std::max(0.0, options_.context_level), latent.options());
  if (options_.context_scale) return path_->Input(path_->Mix(latent, at::zeros_like(latent), level), level);
  return path_->Input(options_.context_noise ? path_->Mix(latent, noise, level) : latent, level);
}

void Executor::Commit(Parts& state, Flight& flight, Reader reader, const PastFrame& frame, const std::vector<PastFrame>& beside) {
  if (plan_.recache || plan_.anew > 0) Remember(state, flight, frame);
  std::vector<at::Tensor> shown{Shown(frame.latent, frame.noise)};
  std::vector<StepCondition> conditions{frame.condition};
  for (const PastFrame& f : beside) {
    shown.push_back(Shown(f.latent, f.noise));
    conditions.push_back(f.condition);
  }
  const auto n = static_cast<int64_t>(shown.size());
  const at::Tensor level = at::full({frame.latent.size(0), n}, options_.context_level, frame.latent.options());
  CleanFrame clean{reader->Plan(0).query, frame.latent, {}};
  network_->Forward(at::stack(shown, 1), level, JoinConditions(conditions), *reader, &clean.layers);
  for (LayerActivation& l : clean.layers)
    if (n > 1) l = FrameOf(l, 0, network_->Tokens());
  count_.commit += n;
  count_.answers += n;
  const ReadPlan plan = reader->Plan(0);
  reader.reset();  // views of the state would make its writer copy first
  if (flight.next < plan_.sink) KeepSink(flight, clean.layers);
  memory_->Commit(state, plan, clean);
  ++flight.next;
}

void Executor::KeepSink(Flight& flight, const std::vector<LayerActivation>& layers) const {
  std::vector<at::Tensor> keys, values;
  for (const LayerActivation& l : layers) {
    keys.push_back(l.key);
    values.push_back(l.value);
  }
  at::Tensor key = at::stack(keys), value = at::stack(values);
  if (flight.next == 0) flight.sink = {};
  if (!flight.sink.All().empty()) {
    const int64_t before = flight.next * network_->Tokens();  // of a frame that is committed again, what followed is dropped
    key = at::cat({flight.sink.Get("key").narrow(3, 0, before), key}, 3);
    value = at::cat({flight.sink.Get("value").narrow(3, 0, before), value}, 3);
    flight.sink = {};
  }
  flight.sink.Add("key", "layer batch head token dim", key);
  flight.sink.Add("value", "layer batch head token dim", value);
}

void Executor::Remember(const Parts& state, Flight& flight, const PastFrame& frame) const {
  RecentPast& past = flight.past;
  if (past.frames.empty()) past.start = state.Fork();
  if (plan_.anew > 0) {
    if (static_cast<int64_t>(past.frames.size()) == plan_.anew) past.frames.erase(past.frames.begin());
    past.frames.push_back(frame);
    return;
  }
  const auto W = static_cast<size_t>(plan_.window > 0 ? plan_.window - plan_.sink : memory_->Declared().held);
  if (past.frames.size() == W) past.middle = state.Fork();
  if (past.frames.size() == 2 * W) {
    past.start = std::move(past.middle);
    past.middle = state.Fork();
    past.frames.erase(past.frames.begin(), past.frames.begin() + static_cast<int64_t>(W));
  }
  past.frames.push_back(frame);
}

// The memory as if the session had begun with the newest frames: one pass over them together, then a commit of each.
void Executor::Renew(Parts& state, Flight& flight) {
  RecentPast& past = flight.past;
  const auto n = static_cast<int64_t>(past.frames.size());
  ORRERY_CHECK(n == plan_.anew);
  std::vector<at::Tensor> latents, shown;
  std::vector<StepCondition> conditions;
  for (const PastFrame& f : past.frames) {
    latents.push_back(f.latent);
    shown.push_back(Shown(f.latent, f.noise));
    conditions.push_back(f.condition);
    if (!f.condition.known.defined()) conditions.back().known = at::ones({f.latent.size(0)}, f.latent.options().dtype(at::kBool));
  }
  const FrameCondition condition = JoinConditions(conditions);
  const at::Tensor clip = at::stack(latents, 1), level = at::full({clip.size(0), n}, options_.context_level, clip.options());
  std::vector<LayerActivation> layers;
  const auto reader = memory_->OpenClip({clip.size(0), n, clip, condition.action, condition.pose, {}});
  network_->Forward(at::stack(shown, 1), level, condition, *reader, &layers);
  count_.commit += n;
  count_.answers += n;
  state = past.start.Fork();
  past.forgotten = flight.next - n;
  const int64_t N = network_->Tokens();
  for (int64_t i = 0; i < n; ++i) {
    const FrameQuery query{i, conditions[static_cast<size_t>(i)].action, conditions[static_cast<size_t>(i)].pose};
    CleanFrame clean{query, latents[static_cast<size_t>(i)], {}};
    for (const LayerActivation& l : layers) clean.layers.push_back(FrameOf(l, i, N));
    memory_->Commit(state, memory_->BeginFrame(state, query), clean);
  }
}

void Executor::Recache(Parts& state, Flight& flight, const std::vector<StepCondition>& conditions) {
  const at::NoGradGuard guard;
  if (!plan_.recache) Fail("rollout {}: it keeps no frames to commit again; use \"sliding(recache=true)\"", plan_.spec);
  const std::vector<PastFrame> frames = std::move(flight.past.frames);
  if (conditions.size() != frames.size()) Fail("recache: conditions of {} frames expected, got {}", frames.size(), conditions.size());
  state = flight.past.start.Fork();
  flight.past = {};
  flight.Land(flight.next - static_cast<int64_t>(frames.size()));
  for (size_t i = 0; i < frames.size(); ++i)
    Commit(state, flight, Open(state, flight, flight.next, {conditions[i]}), {frames[i].latent, frames[i].noise, conditions[i]});
  flight.Land(flight.next);
}

}  // namespace orrery
