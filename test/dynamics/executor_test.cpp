// Frames in flight against the whole clip at once, rollouts against each other, and what an executor counts, keeps and refuses.
#include <gtest/gtest.h>

#include "../state/small_specs.h"
#include "awake.h"
#include "plain_rollout.h"
#include "streaming.h"

namespace orrery {
namespace {

const LatentShape kLatent{.channels = 3, .height = 4, .width = 4};

struct Model {
  std::shared_ptr<Transition> network;
  std::shared_ptr<Memory> memory;
  std::shared_ptr<NoisePath> path;

  explicit Model(const std::string& state = "window(3)", const std::string& path_spec = "flow", const std::string& layout = "frame_causal")
      : path(NoisePaths().Make(path_spec)) {
    at::manual_seed(2);
    network = std::make_shared<Transition>(TransitionOptions{.layout = layout, .dim = 32, .depth = 2, .heads = 2}, kLatent,
                                           ActionSpace{3, 0, {}, {}, {}});
    memory = MakeMemory(state, network->Geometry());
    memory->AdoptEmbedding(network->Embedding());
    const at::NoGradGuard guard;
    Awaken(*network, 0.2);
    Awaken(*memory, 0.2);
    network->eval();
    memory->eval();
  }
  Rolling Start(const std::string& spec, RolloutOptions options = {}) const {
    options.spec = spec;
    return {network, memory, path, options};
  }
};

Clip Walk(int64_t frames, uint64_t seed = 3) {
  Rng rng(seed);
  Clip clip;
  clip.latent = NormalTensor({2, frames, 3, 4, 4}, rng);
  clip.condition.action = (UniformTensor({2, frames, 1}, rng) * 3).floor();
  return clip;
}

Clip Part(const Clip& clip, int64_t first, int64_t frames) {
  Clip part;
  part.latent = clip.latent.narrow(1, first, frames);
  part.condition.action = clip.condition.action.narrow(1, first, frames);
  return part;
}

std::vector<FrameQuery> Queries(const Clip& clip, int64_t first, int64_t frames) {
  std::vector<FrameQuery> queries;
  for (int64_t t = first; t < first + frames; ++t) queries.push_back(QueryAt(clip.condition, t));
  return queries;
}

constexpr int64_t kPast = 3, kFlight = 3;

// Answers about kFlight frames at rising noise, in flight after kPast committed ones.
at::Tensor InFlight(const Model& m, const Clip& clip, const at::Tensor& level) {
  const at::NoGradGuard guard;
  Parts state = m.memory->Reset(2, at::kCPU, at::kFloat, 0);
  const Clip past = Part(clip, 0, kPast), flight = Part(clip, kPast, kFlight);
  Streaming(*m.network, *m.memory, past, level.narrow(1, 0, kPast), state);
  const MemoryGeometry g = m.network->Geometry();
  FlightReader reader(*m.memory, state, Queries(clip, kPast, kFlight), {.rows = g.rows, .columns = g.columns});
  return m.network->Forward(flight.latent, level.narrow(1, kPast, kFlight), flight.condition, reader);
}

at::Tensor Levels() { return at::tensor({0.05, 0.05, 0.05, 0.3, 0.6, 1.0}).repeat({2, 1}); }

class FlightOf : public testing::TestWithParam<std::string> {};

// Also where frames in flight push committed ones out of the window: nothing was evicted before those in flight came.
TEST_P(FlightOf, EqualsTheWholeClipAtOnce) {
  const Model m(GetParam());
  const at::NoGradGuard guard;
  const Clip clip = Walk(kPast + kFlight);
  const at::Tensor whole = Parallel(*m.network, *m.memory, clip, Levels()).narrow(1, kPast, kFlight), flight = InFlight(m, clip, Levels());
  EXPECT_LT(((whole - flight).abs().max() / whole.abs().max()).item<double>(), m.memory->Declared().tolerance);
}

TEST_P(FlightOf, NoFrameKnowsOfALaterOne) {
  const Model m(GetParam());
  const Clip clip = Walk(kPast + kFlight);
  Clip other = Walk(kPast + kFlight);
  other.latent.narrow(1, kPast + 1, 2).add_(1);
  other.condition.action.narrow(1, kPast + 1, 2).copy_(2 - other.condition.action.narrow(1, kPast + 1, 2));
  const at::Tensor a = InFlight(m, clip, Levels()), b = InFlight(m, other, Levels());
  EXPECT_TRUE(at::equal(a.select(1, 0), b.select(1, 0)));
  EXPECT_FALSE(at::equal(a.select(1, 1), b.select(1, 1)));
}

// What remembers the newest frames whole, or by a recurrence. Others (packed, merged, retrieved, sparse old frames) are as exact as long as
// the window beside them is not pushed out by the flight; beyond that they lag behind by the frames in flight.
std::vector<std::string> ExactInFlight() {
  std::vector<std::string> specs{"window(8)", "dense()", "anchor(heads=2, dim=8, pool=1)",
                                 "window(5) + ssm(heads=2, dim=8, state=4, every=1)", "window(3) + delta(heads=2, dim=8, every=1)"};
  for (const std::string& spec : AllSmallSpecs()) {
    bool exact = true;
    for (const SpecPart& part : ParseSpec(spec)) {
      const std::string family =
          MakeMemory(SmallSpec(part.name), {.layers = 2, .heads = 2, .head_dim = 16, .rows = 2, .columns = 2, .channels = 3})
              ->Declared()
              .family;
      exact = exact && (part.name == "window" || family == "hidden" || family == "parametric");
    }
    if (exact) specs.push_back(spec);
  }
  for (const char* old : {"moba(k=2, anchor=false)", "radial()", "far(pool=2)", "framepack(groups=\"2x1x2\", tail=true)",
                          "tome(frames=2, every=1)", "retrieval.key(k=2, dim=8)"})
    specs.push_back(std::string("window(5) + ") + old);
  return specs;
}

INSTANTIATE_TEST_SUITE_P(States, FlightOf, testing::ValuesIn(ExactInFlight()),
                         [](const auto& info) { return TestName(info.param) + "_" + std::to_string(info.index); });

TEST(FlightReader, JointFramesSeeEachOtherBothWays) {
  const Model m("window(8)");
  const at::NoGradGuard guard;
  const Clip clip = Walk(3);
  const Parts state = m.memory->Reset(2, at::kCPU, at::kFloat, 0);
  const at::Tensor level = at::full({2, 3}, 0.5);
  const MemoryGeometry g = m.network->Geometry();
  const auto answer = [&](const FlightSight& sight) {
    FlightReader reader(*m.memory, state, Queries(clip, 0, 3), sight);
    return m.network->Forward(clip.latent, level, clip.condition, reader);
  };
  const auto masked = [&](const ClipMask& mask) {
    WindowReader all(-1);
    return m.network->Forward(clip.latent, level, clip.condition, all, nullptr, mask);
  };
  const at::Tensor joint = answer({.joint = true, .rows = g.rows, .columns = g.columns}),
                   block = answer({.block = 2, .rows = g.rows, .columns = g.columns}),
                   causal = answer({.rows = g.rows, .columns = g.columns});
  EXPECT_LT((joint - masked({.kind = ClipMask::Kind::kFull})).abs().max().item<double>(), 1e-5);
  EXPECT_LT((block - masked({.kind = ClipMask::Kind::kCausal, .block = 2})).abs().max().item<double>(), 1e-5);
  EXPECT_LT((causal - masked({})).abs().max().item<double>(), 1e-5);
  EXPECT_GT((joint - causal).abs().max().item<double>(), 1e-3);
  EXPECT_GT((block - causal).abs().max().item<double>(), 1e-3);
}

TEST(FlightReader, FirstFramesStayInSightJustBeforeTheOthers) {
  const Model m("window(4)");
  Rolling session = m.Start("sliding(window=3, sink=1)", {.steps = 1});
  session.Context(10);
  const MemoryGeometry g = m.network->Geometry();
  const auto read = [&](int64_t frames) {
    std::vector<FrameQuery> queries;
    for (int64_t t = 0; t < frames; ++t) queries.push_back({10 + t, at::ones({1, 1}), {}});
    FlightReader reader(*m.memory, session.state, queries,
                        {.window = 3, .sink = 1, .kept = &session.flight.sink, .rows = g.rows, .columns = g.columns});
    const at::Tensor none;
    return reader.Read(0, {none, at::zeros({1, 2, g.Tokens() * frames, 16}), none}, none).context;
  };
  const AttentionContext one = read(1);
  const int64_t N = g.Tokens();
  ASSERT_EQ(one.Size(), 3 * N);  // the sink, frames 8 and 9
  EXPECT_EQ(one.frame[0].item<int64_t>(), 0);
  EXPECT_EQ(one.frame[N].item<int64_t>(), 8);
  EXPECT_EQ(one.coord[0][0].item<double>(), -3);
  EXPECT_EQ(one.coord[N][0].item<double>(), -2);
  EXPECT_TRUE(at::equal(one.key.narrow(2, 0, N), session.flight.sink.Get("key").select(0, 0)));
  // Of three in flight the last has pushed both out; the sink stays.
  const AttentionContext three = read(3);
  const at::Tensor seen = (three.bias > kAbsent / 2).sum({1, 2, 3});
  EXPECT_EQ(seen[0].item<int64_t>(), 3 * N);
  EXPECT_EQ(seen[1].item<int64_t>(), 2 * N);
  EXPECT_EQ(seen[2].item<int64_t>(), N);
}

// B5: what attention sees of the past is what its order and its times say.
TEST(Executor, PermutedPastsGiveOtherFrames) {
  const Model m;
  const auto frame = [&](bool swap) {
    Rolling session = m.Start("sequential", {.steps = 2});
    session.Context(3);
    for (const char* part : {"key", "value"}) {
      at::Tensor& ring = session.state.Mutable(part);
      if (swap) ring.copy_(ring.index_select(3, at::tensor({1, 0, 2}, at::kLong)));
    }
    return session.Next(ActionOf(1));
  };
  EXPECT_GT((frame(false) - frame(true)).abs().max().item<double>(), 1e-4);
}

TEST(Executor, CommittingTheSameFrameFromTheSameStateGivesTheSameState) {
  const Model m;
  Rolling session = m.Start("sequential");
  session.Context(4);
  Parts a = session.state.Fork(), b = session.state.Fork();
  Flight x = session.flight, y = session.flight;
  Rng rng(1);
  const at::Tensor latent = NormalTensor({1, 3, 4, 4}, rng);
  session.executor.Force(a, x, ActionOf(2), latent, session.Source());
  session.executor.Force(b, y, ActionOf(2), latent, session.Source());
  EXPECT_EQ(a.Difference(b), "");
}

// Rollouts that have the same rows give the same frames to the bit.
TEST(Executor, RolloutsWithTheSameRowsAreOne) {
  const Model m;
  const auto film = [&](const std::string& spec, int64_t steps = 3) {
    Rolling session = m.Start(spec, {.steps = steps});
    session.Context(3);
    std::vector<at::Tensor> frames;
    for (int64_t t = 0; t < 6; ++t) frames.push_back(session.Next(ActionOf(static_cast<double>(t % 3))));
    return at::stack(frames);
  };
  const at::Tensor sequential = film("sequential");
  for (const std::string spec : {"pyramid(u=3)", "ad(s=3)", "ad(s=7)", "pyramid(u=1, horizon=1)", "ad(s=0, horizon=1)", "sliding(sink=0)"})
    EXPECT_TRUE(at::equal(film(spec), sequential)) << spec;
  EXPECT_TRUE(at::equal(film("ad(s=1)"), film("pyramid(u=1)")));
  EXPECT_TRUE(at::equal(film("ad(s=0, horizon=3)"), film("pyramid(u=0, horizon=3)")));
  EXPECT_FALSE(at::equal(film("pyramid(u=1)"), sequential));
  EXPECT_TRUE(at::equal(film("rolling(window=1)", 1), film("sequential", 1)));  // one step leaves nothing to noise anew
  EXPECT_FALSE(at::equal(film("rolling(window=3)"), film("pyramid(u=1)")));
  EXPECT_FALSE(at::equal(film("sliding(window=2, sink=1)"), sequential));
}

// I5, exactly: every frame takes S steps and one commit, and what is in flight as many as it has done.
TEST(Executor, CountsWhatTheFormulaSays) {
  const Model m;
  constexpr int64_t kFrames = 9, kSteps = 4, kContext = 3;
  const std::vector<std::pair<std::string, int64_t>> rows{
      {"sequential", 4}, {"pyramid(u=1)", 1}, {"ad(s=2)", 2}, {"pipeline(window=2, steps=4)", 2}, {"rolling(window=4)", 1}};
  for (const auto& [spec, lag] : rows)
    for (const double guidance : {1.0, 2.0}) {
      Rolling session = m.Start(spec, {.steps = kSteps, .guidance = guidance});
      session.Context(kContext);
      for (int64_t t = 0; t < kFrames; ++t) session.Next(ActionOf(0));
      int64_t denoise = kFrames * kSteps;
      for (int64_t left = kSteps - lag; left > 0; left -= lag) denoise += left;
      const RolloutCount& count = session.executor.Count();
      EXPECT_EQ(count.denoise, denoise) << spec;
      EXPECT_EQ(count.commit, kContext + kFrames) << spec;
      EXPECT_EQ(count.rows, kSteps + (kFrames - 1) * lag) << spec;
      EXPECT_EQ(count.answers, denoise * (guidance == 1 ? 1 : 2) + count.commit) << spec;
    }
}

// What a new action reaches: frames in flight read it on their next row, or keep the one they began with.
TEST(Executor, ActionsReachFramesInFlightAsTheRolloutSays) {
  const Model m;
  const auto first_difference = [&](const std::string& spec) {
    Rolling a = m.Start(spec, {.steps = 4}), b = m.Start(spec, {.steps = 4});
    a.Context(3);
    b.Context(3);
    for (int64_t t = 0; t < 12; ++t) {
      const at::Tensor x = a.Next(ActionOf(0)), y = b.Next(ActionOf(t < 5 ? 0 : 2));
      if (!at::equal(x, y)) return t - 5;
    }
    return int64_t{-1};
  };
  EXPECT_EQ(first_difference("sequential"), 0);
  EXPECT_EQ(first_difference("pyramid(u=1)"), 0);
  EXPECT_EQ(first_difference("rolling(window=3)"), 0);
  EXPECT_EQ(first_difference("pipeline(window=4, steps=4)"), 3);
  EXPECT_EQ(first_difference("pipeline(window=2, steps=4)"), 1);
  EXPECT_EQ(first_difference("pipeline(window=4, steps=4, reread=true)"), 0);
}

// The three ways of showing finished frames: labelled, shrunk, noised.
TEST(Executor, FinishedFramesAreLabelledShrunkOrNoised) {
  const Model m("window(3)", "flow(shift=1)");
  Rng rng(1);
  const at::Tensor latent = NormalTensor({1, 3, 4, 4}, rng), noise = NormalTensor({1, 3, 4, 4}, rng);
  const auto committed = [&](bool scale, bool add, const at::Tensor& frame) {
    Rolling session = m.Start("sequential", {.context_level = 0.25, .context_noise = add, .context_scale = scale});
    session.executor.Force(session.state, session.flight, ActionOf(1), frame, {[&] { return noise; }, {}});
    return session.state;
  };
  EXPECT_EQ(committed(true, false, latent).Difference(committed(false, false, latent * 0.75)), "");
  EXPECT_NE(committed(true, false, latent).Difference(committed(false, false, latent)), "");
  const Parts noised = committed(false, true, latent), mixed = committed(false, false, latent * 0.75 + noise * 0.25);
  EXPECT_LT((noised.Get("key") - mixed.Get("key")).abs().max().item<double>(), 1e-5);
  EXPECT_THROW(committed(true, true, latent), Error);
}

// Models that were trained on blocks: what is committed is what one pass over the block makes of it, though frame after frame is.
TEST(Executor, BlocksAreCommittedAsTheyWereTrained) {
  const Model m("window(8)");
  const Capabilities able{.clean_label = true, .block = 3};
  Rolling session(m.network, m.memory, m.path, {.steps = 2}, able);
  std::vector<at::Tensor> frames;
  for (int64_t t = 0; t < 6; ++t) frames.push_back(session.Next(ActionOf(1)));
  const at::NoGradGuard guard;
  WindowReader all(-1);
  FrameCondition condition;
  condition.action = at::ones({1, 6, 1});
  std::vector<LayerActivation> layers;
  m.network->Forward(at::stack(frames, 1), at::full({1, 6}, 0.05), condition, all, &layers, {.kind = ClipMask::Kind::kCausal, .block = 3});
  const at::Tensor key = session.state.Get("key").select(0, 1).narrow(2, 0, 6).flatten(2, 3);  // the last layer's
  EXPECT_LT((key - layers[1].key).abs().max().item<double>(), 1e-4);
  EXPECT_EQ(session.executor.Count().commit, 2 * (3 + 2 + 1));
  EXPECT_EQ(session.executor.Plan().ForwardsPerFrame(), 2 + 2);
  std::vector<LayerActivation> causal;
  m.network->Forward(at::stack(frames, 1), at::full({1, 6}, 0.05), condition, all, &causal);
  EXPECT_GT((key - causal[1].key).abs().max().item<double>(), 1e-3);
}

TEST(Executor, RecacheGivesWhatTheOtherActionsWouldHave) {
  const Model m("window(4) + ssm(heads=2, dim=8, state=4, every=1)");
  const std::string spec = "sliding(window=4, sink=1, recache=true)";
  const auto forced = [&](double action, int64_t from) {
    Rolling session = m.Start(spec, {.steps = 2});
    Rng rng(4);
    for (int64_t t = 0; t < 11; ++t)
      session.executor.Force(session.state, session.flight, ActionOf(t < from ? 0 : action), NormalTensor({1, 3, 4, 4}, rng),
                             session.Source());
    return session;
  };
  Rolling session = forced(0, 0);
  const auto kept = static_cast<int64_t>(session.flight.past.frames.size());
  ASSERT_GE(kept, 3);
  ASSERT_LE(kept, 6);
  const Parts before = session.state.Clone();
  session.executor.Recache(session.state, session.flight, std::vector<StepCondition>(kept, ActionOf(0)));
  EXPECT_EQ(session.state.Difference(before), "");
  session.executor.Recache(session.state, session.flight, std::vector<StepCondition>(kept, ActionOf(2)));
  EXPECT_NE(session.state.Difference(before), "");
  EXPECT_EQ(session.state.Difference(forced(2, 11 - kept).state), "");
  EXPECT_EQ(session.flight.next, 11);
  EXPECT_THROW(session.executor.Recache(session.state, session.flight, {}), Error);
  Rolling plain = m.Start("sliding(window=4, sink=1)", {});
  EXPECT_THROW(plain.executor.Recache(plain.state, plain.flight, {}), Error);
}

TEST(Executor, WhatDoesNotFitIsRefused) {
  const auto refusal = [](const Model& m, const std::string& spec, const Capabilities& able, RolloutOptions options) {
    options.spec = spec;
    try {
      Executor(m.network, m.memory, m.path, options, able);
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  const Model window, branch("ssm(heads=2, dim=8, state=4, every=1)"), axial("window(3)", "flow", "axial");
  EXPECT_NE(refusal(branch, "sliding(window=4, sink=1)", kAbleAll, {}).find("holds none"), std::string::npos);
  EXPECT_NE(refusal(window, "sliding(window=8, sink=1)", kAbleAll, {}).find("holds 3"), std::string::npos);
  EXPECT_EQ(refusal(window, "sliding(window=4, sink=1)", kAbleAll, {}), "");
  EXPECT_NE(refusal(axial, "pyramid(u=1)", kAbleAll, {}).find("frame_causal"), std::string::npos);
  EXPECT_EQ(refusal(axial, "sequential", kAbleAll, {}), "");
  EXPECT_NE(refusal(window, "sequential", {}, {.context_level = 0}).find("context_level 0"), std::string::npos);
  EXPECT_NE(refusal(window, "pyramid(u=1)", {.clean_label = true}, {}).find("not trained for"), std::string::npos);
  EXPECT_NE(refusal(window, "sequential", kAbleAll, {.guidance = -1}).find("guidance"), std::string::npos);
}

// Memory, flight and positions of a long rollout stay as they are.
void StaysBounded(int64_t frames) {
  for (const std::string spec : {"sequential", "pyramid(u=1)", "pyramid(u=0, horizon=3)", "ad(s=2)", "pipeline(window=2, steps=4)",
                                 "rolling(window=3, sink=1)", "sliding(window=3, sink=1, recache=true)"}) {
    at::manual_seed(5);
    Model m("window(3)");
    m.network = std::make_shared<Transition>(TransitionOptions{.dim = 8, .depth = 1, .heads = 1}, kLatent, ActionSpace{3, 0, {}, {}, {}});
    m.memory = MakeMemory("window(3)", m.network->Geometry());
    const at::NoGradGuard guard;
    Awaken(*m.network, 0.2);
    m.network->eval();
    Rolling session = m.Start(spec, {.steps = 2});
    session.Context(2);
    size_t most = 0;
    for (int64_t t = 0; t < frames; ++t) {
      const at::Tensor frame = session.Next(ActionOf(static_cast<double>(t % 3)));
      const size_t bytes = session.state.Bytes() + session.flight.ToParts().Bytes();
      if (t < 24) most = std::max(most, bytes);
      ASSERT_LE(bytes, most) << spec << " frame " << t;
      ASSERT_TRUE(at::isfinite(frame).all().item<bool>()) << spec << " frame " << t;
    }
    EXPECT_EQ(session.flight.next, 2 + frames);
  }
}

TEST(Executor, LongRolloutsStayBounded) { StaysBounded(200); }
TEST(Long, DISABLED_TwentyThousandFramesStayBounded) { StaysBounded(20'000); }

}  // namespace
}  // namespace orrery
