#include "dynamics/rollouts/flight_reader.h"

#include <ATen/ATen.h>

#include "core/error.h"
#include "state/join.h"

namespace orrery {

namespace {

// Rows of frames [T] of [B, ...] each -> [B T, ...].
at::Tensor ToRows(const std::vector<at::Tensor>& frames) { return at::stack(frames, 1).flatten(0, 1); }

// `x` with `count` more of `value` along `axis`.
at::Tensor Padded(const at::Tensor& x, int64_t axis, int64_t count, double value) {
  if (count == 0) return x;
  std::vector<int64_t> shape = x.sizes().vec();
  shape[static_cast<size_t>(axis)] = count;
  return at::cat({x, at::full(shape, value, x.options())}, axis);
}

at::Tensor PerRow(const at::Tensor& coord, int64_t rows) {
  return coord.dim() == 3 ? coord : coord.unsqueeze(0).expand({rows, coord.size(0), 3});
}

// Contexts of the frames, of different lengths, as rows: what is missing is absent.
AttentionContext JoinFrames(const std::vector<AttentionContext>& frames) {
  int64_t most = 0, H = 1, N = 1;
  const AttentionContext* some = nullptr;
  bool biased = false;
  for (const AttentionContext& f : frames) {
    if (f.Size() == 0) continue;
    some = &f;
    biased = biased || f.bias.defined() || (most > 0 && f.Size() != most);
    most = std::max(most, f.Size());
    if (f.bias.defined()) H = std::max(H, f.bias.size(1)), N = std::max(N, f.bias.size(2));
  }
  if (!some) return {};
  const int64_t B = some->key.size(0);
  std::vector<at::Tensor> key, value, coord, bias;
  for (const AttentionContext& f : frames) {
    const int64_t c = f.Size(), missing = most - c;
    biased = biased || missing > 0;
    const at::Tensor none = some->key.narrow(2, 0, 0);
    key.push_back(Padded(c ? f.key : none, 2, missing, 0));
    value.push_back(Padded(c ? f.value : none, 2, missing, 0));
    coord.push_back(Padded(c ? PerRow(f.coord, B) : PerRow(some->coord, B).narrow(1, 0, 0), 1, missing, 0));
    const auto floats = some->key.options().dtype(at::kFloat);
    const at::Tensor own = c && f.bias.defined() ? f.bias.expand({B, H, N, c}) : at::zeros({B, H, N, c}, floats);
    bias.push_back(Padded(own, 3, missing, kAbsent));
  }
  return {ToRows(key), ToRows(value), ToRows(coord), biased ? ToRows(bias) : at::Tensor(), {}};
}

InputContext JoinFrames(const std::vector<InputContext>& frames, int64_t batch) {
  InputContext out;
  if (frames[0].features.defined()) {
    std::vector<at::Tensor> features;
    for (const InputContext& f : frames) features.push_back(f.features);
    out.features = ToRows(features);
  }
  int64_t most = 0;
  const InputContext* some = nullptr;
  for (const InputContext& f : frames)
    if (f.tokens.defined()) some = &f, most = std::max(most, f.tokens.size(1));
  if (!some) return out;
  std::vector<at::Tensor> tokens, coord, bias;
  for (const InputContext& f : frames) {
    ORRERY_CHECK(!f.rows.defined());
    const int64_t c = f.tokens.defined() ? f.tokens.size(1) : 0;
    const at::Tensor none = some->tokens.narrow(1, 0, 0), nowhere = PerRow(some->coord, batch).narrow(1, 0, 0);
    tokens.push_back(Padded(c ? f.tokens : none, 1, most - c, 0));
    coord.push_back(Padded(c ? PerRow(f.coord, batch) : nowhere, 1, most - c, 0));
    const at::Tensor own = c && f.bias.defined() ? f.bias : at::zeros({batch, c}, none.options().dtype(at::kFloat));
    bias.push_back(Padded(own, 1, most - c, kAbsent));
  }
  out.tokens = ToRows(tokens);
  out.coord = ToRows(coord);
  out.bias = ToRows(bias);
  return out;
}

// `context` without the tokens that `hidden` [c] or [R, c] bool names.
AttentionContext Without(AttentionContext context, const at::Tensor& hidden) {
  if (!hidden.any().item<bool>()) return context;
  if (hidden.dim() == 1) {
    const at::Tensor left = hidden.logical_not().nonzero().flatten();
    const auto pick = [&](const at::Tensor& x, int64_t axis) { return x.defined() ? x.index_select(axis, left) : x; };
    const int64_t place = context.coord.dim() - 2;
    return {pick(context.key, 2), pick(context.value, 2), pick(context.coord, place), pick(context.bias, 3), pick(context.frame, 0)};
  }
  const at::Tensor absent = hidden.view({hidden.size(0), 1, 1, hidden.size(1)}).to(context.key.device()).to(at::kFloat) * kAbsent;
  context.bias = context.bias.defined() ? context.bias + absent : absent;
  return context;
}

}  // namespace

FlightReader::FlightReader(const Memory& memory, const Parts& state, const std::vector<FrameQuery>& queries, const FlightSight& sight)
    : memory_(memory), state_(state), sight_(sight), facts_(memory.Declared()) {
  ORRERY_CHECK(!queries.empty());
  for (const FrameQuery& query : queries) plans_.push_back(memory.BeginFrame(state, query));
}

InputContext FlightReader::Input() {
  if (input_) return *input_;
  std::vector<InputContext> frames;
  for (const ReadPlan& plan : plans_) frames.push_back(memory_.Input(state_, plan));
  if (frames.size() == 1) return *(input_ = frames[0]);
  int64_t batch = 0;
  for (const InputContext& f : frames)
    if (f.tokens.defined()) batch = f.tokens.size(0);
  return *(input_ = JoinFrames(frames, batch));
}

// Newest frames before one that it sees at their true distance; < 0: all.
int64_t FlightReader::Recent() const {
  const int64_t own = sight_.window - sight_.sink;
  return sight_.window == 0 ? facts_.held : facts_.held < 0 ? own : std::min(own, facts_.held);
}

// Left out: frames that those in flight have pushed out of the memory's window, and frames beyond the rollout's own window.
AttentionContext FlightReader::Limited(AttentionContext all, int64_t frame) const {
  const int64_t first = plans_[0].query.frame;
  if (all.Size() == 0 || !all.frame.defined()) return all;
  at::Tensor hidden = at::zeros_like(all.frame, at::kBool);
  if (facts_.held > 0) hidden = hidden | ((all.frame >= first - facts_.held) & (all.frame < frame - facts_.held));
  if (sight_.window > 0) hidden = hidden | ((all.frame >= 0) & (all.frame < frame - Recent()));
  return Without(std::move(all), hidden);
}

// First frames that have left the others' sight, at the times just before those.
AttentionContext FlightReader::SinkOf(int64_t layer, int64_t frame) const {
  if (sight_.sink == 0 || !sight_.kept || sight_.kept->All().empty() || Recent() < 0) return {};
  const at::Tensor key = sight_.kept->Get("key").select(0, layer), value = sight_.kept->Get("value").select(0, layer);
  const int64_t N = sight_.rows * sight_.columns, count = std::min(key.size(2) / N, frame - Recent());
  if (count <= 0) return {};
  const at::Tensor coord = GridCoordinates(count, sight_.rows, sight_.columns, static_cast<double>(-Recent() - count));
  const at::Tensor origin = at::arange(count, at::TensorOptions(at::kLong).device(key.device())).repeat_interleave(N);
  return {key.narrow(2, 0, count * N), value.narrow(2, 0, count * N), coord.to(key.device()), {}, origin};
}

AttentionContext FlightReader::ContextOf(size_t i, int64_t layer, const at::Tensor& query) const {
  const int64_t frame = plans_[i].query.frame;
  AttentionContext own = memory_.Context(state_, plans_[i], layer, query);
  return Plain() ? own : JoinContexts(SinkOf(layer, frame), Limited(std::move(own), frame));
}

ClipSight FlightReader::SightOf(at::Device device) const {
  ClipSight sight{.reach = Recent(), .far = {}, .far_time = 0, .near = {}};
  if (!sight_.joint && sight_.block == 1) return sight;
  const auto T = static_cast<int64_t>(plans_.size());
  at::Tensor part = at::arange(T, at::TensorOptions(at::kLong).device(device));
  part = sight_.joint ? at::zeros_like(part) : (part + sight_.offset).floor_divide(sight_.block);
  part = part.repeat_interleave(sight_.rows * sight_.columns);
  sight.near = part.unsqueeze(1) == part.unsqueeze(0);
  return sight;
}

LayerRead FlightReader::Read(int64_t layer, const LayerActivation& own, const at::Tensor& query) {
  if (plans_.size() == 1) return {{}, ContextOf(0, layer, query)};
  if (layer < static_cast<int64_t>(read_.size())) return read_[layer];
  const int64_t N = sight_.rows * sight_.columns;
  std::vector<AttentionContext> frames;
  for (size_t i = 0; i < plans_.size(); ++i)
    frames.push_back(ContextOf(i, layer, query.defined() ? query.narrow(2, static_cast<int64_t>(i) * N, N) : query));
  read_.push_back({SightOf(own.value.device()), JoinFrames(frames)});
  return read_.back();
}

at::Tensor FlightReader::Branch(int64_t layer, const at::Tensor& x) {
  return plans_.size() == 1 ? memory_.Branch(state_, plans_[0], layer, x) : memory_.BranchOfFlight(state_, plans_, layer, x);
}

}  // namespace orrery
