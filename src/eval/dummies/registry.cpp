#include "eval/dummies/registry.h"

#include <algorithm>

#include "eval/dummies/kinds.h"
#include "eval/recordings/recording.h"

namespace orrery {

namespace {

class Dummy : public Subject {
 public:
  using Maker = std::function<DummyWorld(const Scenario&)>;
  Dummy(std::string name, Maker make) : name_(std::move(name)), make_(std::move(make)) {}
  std::string Name() const override { return name_; }
  SubjectKind Kind() const override { return SubjectKind::kDummy; }

  std::string Unfit(const Scenario& scenario) const override {
    try {
      make_(scenario);
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  }

  std::unique_ptr<World> Begin(const Scenario& scenario, uint64_t sample) const override {
    auto world = make_(scenario);
    world->Reset(SampleSeed(scenario, sample));
    return world;
  }

 private:
  std::string name_;
  Maker make_;
};

struct Kind {
  Facts facts;
  std::string fails;
  std::function<DummyWorld(const Scenario&, const Json&)> make;
  bool simulates = false;  // needs a world that can go on otherwise than it did; a recording cannot
};

template <auto make>
DummyWorld Plain(const Scenario& scenario, const Json&) {
  return make(scenario);
}

const std::vector<Kind>& Kinds() {
  static const std::vector<Kind> kinds = {
      {{"copy", "the truth", "own", {}}, "nothing: it passes every metric", Plain<CopyDummy>},
      {{"take2", "the truth of a second take", "own", {{"nudge", 1, "takes further, 1.."}}},
       "nothing: it bounds what chaos allows",
       [](const Scenario& s, const Json& p) { return Take2Dummy(s, p["nudge"]); },
       true},
      {{"frozen", "the last frame of the context, for ever", "own", {}},
       "dynamic ratio, duplicate frames, FVD, drift survival, effects, planning",
       Plain<FrozenDummy>},
      {{"blur", "the truth, blurred", "own", {{"sigma", 1.5, "pixels, 0..16"}}},
       "sharpness, SSIM, FID, LPIPS-like distance",
       [](const Scenario& s, const Json& p) { return BlurDummy(s, p["sigma"]); }},
      {{"noise", "the truth with noise on every byte", "own", {{"sigma", 0.05, "of a data range of 1, 0..1"}}},
       "PSNR (26 dB), SSIM, flicker, twins without shared noise",
       [](const Scenario& s, const Json& p) { return NoiseDummy(s, p["sigma"]); }},
      {{"rising-noise",
        "the truth with noise that grows with time",
        "own",
        {{"sigma", 0.01, "at the context's end, of a data range of 1, 0..1"}, {"rise", 20.0, "dB in 100 frames, 0.1..100"}}},
       "exposure slope, survival, memory gain",
       [](const Scenario& s, const Json& p) { return RisingNoiseDummy(s, p["sigma"], p["rise"]); }},
      {{"shuffle", "the true frames in random order", "own", {}}, "FVD, FVMD, flicker, order of events", Plain<ShuffleDummy>},
      {{"reverse", "the true frames backwards", "own", {}}, "arrow of time, action following, FVD", Plain<ReverseDummy>},
      {{"wrongact", "the simulator under other actions than it is given", "own", {}},
       "action following, Delta PSNR, controllability",
       Plain<WrongActDummy>,
       true},
      {{"random", "the truth of another scenario", "own", {}},
       "PSNR, anticipation leak, action following, memory gain",
       Plain<RandomDummy>},
      {{"forget",
        "the simulator with what is out of sight drawn anew",
        "own",
        {{"frames", 32, "out of sight before it is forgotten, 0.."}}},
       "memory gain at gaps beyond it, identity after occlusion",
       [](const Scenario& s, const Json& p) { return ForgetDummy(s, p["frames"]); },
       true},
      {{"stale", "the simulator with what is out of sight standing still", "own", {}},
       "recall at the new place, progress out of sight",
       Plain<StaleDummy>,
       true},
      {{"passthru", "the simulator with bodies that pass through each other", "own", {}},
       "invariants of collisions, effects on others",
       Plain<PassthruDummy>,
       true},
      {{"anykey", "the simulator in which any key opens any door", "own", {}},
       "the rule that a door wants its own key, and no other rule",
       Plain<AnyKeyDummy>,
       true},
      {{"mixup", "the simulator with each of two agents doing what the other one is told", "own", {}},
       "attribution: the wrong one answers",
       Plain<MixupDummy>,
       true},
      {{"leak", "the true frames with later ones shining through", "own", {{"frames", 4, "later, 1..64"}}},
       "future leak, anticipation leak, light cone",
       [](const Scenario& s, const Json& p) { return LeakDummy(s, p["frames"]); }},
      {{"lag2", "the truth, late", "own", {{"frames", 2, "1.."}}},
       "onset of effects, action following in time",
       [](const Scenario& s, const Json& p) { return LagDummy(s, p["frames"]); }},
      {{"ignore", "the simulator that obeys nothing after the context", "own", {}},
       "Delta PSNR, effect error and recall, controllability, planning",
       Plain<IgnoreDummy>,
       true}};
  return kinds;
}

}  // namespace

const Registry<std::unique_ptr<Subject>>& Dummies() {
  static const Registry<std::unique_ptr<Subject>> dummies = [] {
    std::vector<Registry<std::unique_ptr<Subject>>::Entry> entries;
    for (const Kind& kind : Kinds())
      entries.push_back({kind.facts, [kind](const Json& params) -> std::unique_ptr<Subject> {
                           bool plain = true;
                           for (const Param& param : kind.facts.params) plain = plain && params[param.name] == param.value;
                           const std::string name = plain ? kind.facts.name : FormatSpec(kind.facts.name, params);
                           return std::make_unique<Dummy>("dummy:" + name, [kind, params](const Scenario& s) {
                             if (kind.simulates && IsRecording(s.world))
                               Fail("dummy:{} means nothing in {}: it needs a simulator, and a recording knows only what was done",
                                    kind.facts.name, s.world);
                             return kind.make(s, params);
                           });
                         }});
    return Registry<std::unique_ptr<Subject>>("dummy", std::move(entries));
  }();
  return dummies;
}

const std::string& DummyFails(std::string_view name) {
  Dummies().Find(name);
  const auto found = std::find_if(Kinds().begin(), Kinds().end(), [&](const Kind& kind) { return kind.facts.name == name; });
  return found->fails;
}

}  // namespace orrery
