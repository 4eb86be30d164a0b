// Claims over hand-made results: every rule is supported, contradicted, undecided and unmeasured where it should be.
#include "eval/report/claims.h"

#include <gtest/gtest.h>

#include <cmath>
#include <deque>

#include "core/rng.h"

namespace orrery {
namespace {

// Models with two seeds each and numbers over eight scenarios whose noise is common to all of them.
class Models {
 public:
  Recipe& Add(const std::string& kind, bool explicit_state, bool bounded = true, int64_t window = 8) {
    Recipe r;
    r.name = kind;
    r.model = true;
    r.facts = {{"name", kind}, {"kind", "model"}, {"layout", "frame_causal"}, {"depth", 2}};
    r.mechanism.kind = kind;
    r.mechanism.implicit = !explicit_state;
    r.mechanism.explicit_state = explicit_state;
    r.mechanism.bounded = bounded;
    r.mechanism.window = window;
    r.mechanism.reach = kind == "sliding window" ? window : -1;
    for (int seed = 0; seed < 2; ++seed) {
      Evaluation e;
      e.model = r.facts;
      e.model["training_seed"] = seed;
      evaluations_.push_back(e);
      r.runs.push_back(&evaluations_.back());
    }
    recipes_.push_back(r);
    return recipes_.back();
  }

  // The metric on the world, its mean over scenarios, or of its part.
  void Set(const std::string& kind, const std::string& id, double value, const std::string& part = "", const std::string& world = "maze") {
    for (const Recipe& r : recipes_)
      if (r.name == kind)
        for (size_t seed = 0; seed < r.runs.size(); ++seed)
          Put(*const_cast<Evaluation*>(r.runs[seed]), id, world, value, static_cast<double>(seed), part);
  }
  void Gain(const std::string& kind, std::initializer_list<std::pair<int, double>> by_gap) {
    for (const auto& [gap, gain] : by_gap) {
      Set(kind, "persistence.revisit.gain", gain);
      Set(kind, "persistence.revisit.gain", gain, fmt::format("gap={:04}", gap));
    }
  }
  void Bytes(const std::string& kind, const std::function<double(double)>& bytes, double time_exponent = 0) {
    Set(kind, "cost.bytes-exponent", 0.5);
    Set(kind, "cost.time-exponent", time_exponent);
    for (const Recipe& r : recipes_)
      if (r.name == kind)
        for (const Evaluation* e : r.runs)
          for (Metric& m : const_cast<Evaluation*>(e)->metrics)
            if (m.id == "cost.bytes-exponent") {
              m.curve = Curve{};
              for (double t = 16; t <= 256; t *= 2) {
                m.curve->x.push_back(t);
                m.curve->y.push_back(bytes(t));
              }
            }
  }

  Recipe& Of(const std::string& kind) {
    for (Recipe& r : recipes_)
      if (r.name == kind) return r;
    throw std::logic_error(kind);
  }
  Claim Judge(const std::string& id) const {
    for (const Claim& c : JudgeClaims({recipes_.begin(), recipes_.end()}))
      if (c.id == id) return c;
    throw std::logic_error(id);
  }

 private:
  static void Put(Evaluation& e, const std::string& id, const std::string& world, double value, double seed, const std::string& part) {
    auto found = std::find_if(e.metrics.begin(), e.metrics.end(), [&](const Metric& m) { return m.id == id && m.world == world; });
    if (found == e.metrics.end()) {
      e.metrics.emplace_back();
      found = e.metrics.end() - 1;
      found->id = id;
      found->world = world;
    }
    const double scale = 0.01 * std::abs(value);
    const double here = value + scale * (seed - 0.5);
    std::vector<double> scenarios;
    Rng rng(7);
    for (int i = 0; i < 4; ++i) {  // pairs around the mean, the same for every subject
      const double d = 5 * scale * rng.Normal();
      scenarios.push_back(here + d);
      scenarios.push_back(here - d);
    }
    if (part.empty()) {
      found->value = here;
      found->interval = Interval{here - 5 * scale, here + 5 * scale};
      found->per_scenario = scenarios;
      found->count = 8;
    } else {
      found->by[part] = {here, Interval{here - 5 * scale, here + 5 * scale}, 8, scenarios};
    }
  }

  std::deque<Evaluation> evaluations_;
  std::deque<Recipe> recipes_;
};

// A sliding window and a recurrent state whose pictures and gains are given.
Models Pair(double psnr_window, double psnr_hidden, double gain_window, double gain_hidden) {
  Models m;
  m.Add("sliding window", false);
  m.Add("hidden variable", true);
  m.Set("sliding window", "quality.psnr", psnr_window);
  m.Set("hidden variable", "quality.psnr", psnr_hidden);
  m.Gain("sliding window", {{16, gain_window}, {64, 0.1}});
  m.Gain("hidden variable", {{16, gain_hidden}, {64, 0.1}});
  return m;
}

TEST(Claims, ImplicitStatesKeepMoreDetail) {
  const Claim yes = Pair(20, 18, 0.8, 0.6).Judge("H1");
  EXPECT_EQ(yes.verdict, "supported") << yes.reason;
  EXPECT_LT(*yes.p_holm, 0.05);
  EXPECT_EQ(Pair(18, 20, 0.8, 0.6).Judge("H1").verdict, "contradicted") << "one half of it is false";
  EXPECT_EQ(Pair(20, 18, 0.6, 0.6).Judge("H1").verdict, "undecided") << "no difference is no evidence";
}

TEST(Claims, WhatIsNotMeasuredIsSaid) {
  Models one;
  one.Add("sliding window", false);
  for (const Claim& c : JudgeClaims({one.Of("sliding window")})) {
    EXPECT_EQ(c.verdict, "undecided") << c.id;
    EXPECT_NE(c.reason.find("not measured"), std::string::npos) << c.id << ": " << c.reason;
  }
  EXPECT_NE(one.Judge("H1").reason.find("no model with an explicit state"), std::string::npos);
  // Half of a claim is measured and holds: not supported.
  Models half;
  half.Add("sliding window", false);
  half.Add("hidden variable", true);
  half.Set("sliding window", "quality.psnr", 20);
  half.Set("hidden variable", "quality.psnr", 18);
  const Claim c = half.Judge("H1");
  EXPECT_EQ(c.verdict, "undecided");
  EXPECT_LT(*c.p_holm, 0.05);
  EXPECT_NE(c.reason.find("a memory gain of all of them within the reach of the window (16 frames)"), std::string::npos) << c.reason;
}

TEST(Claims, WindowsEnd) {
  const auto with = [](std::initializer_list<std::pair<int, double>> gains) {
    Models m;
    m.Add("sliding window", false);
    m.Gain("sliding window", gains);
    return m.Judge("H2");
  };
  EXPECT_EQ(with({{8, 0.9}, {16, 0.8}, {32, 0.3}, {64, 0.1}}).verdict, "supported");
  EXPECT_EQ(with({{8, 0.9}, {16, 0.9}, {32, 0.9}, {64, 0.85}}).verdict, "contradicted") << "it remembers beyond its window";
  EXPECT_EQ(with({{16, 0.9}, {32, 0.85}, {64, 0.8}, {128, 0.1}}).verdict, "contradicted");
  EXPECT_EQ(with({{8, 0.9}, {16, 0.85}, {64, 0.5}, {128, 0.1}}).verdict, "undecided") << "it falls later than at twice the window";
  EXPECT_EQ(with({{32, 0.9}, {64, 0.1}}).verdict, "undecided") << "nothing within the window";
}

TEST(Claims, ExplicitStatesReachFurther) {
  const auto with = [](double far, double half_window, double half_hidden) {
    Models m = Pair(20, 18, 0.8, 0.6);
    m.Gain("hidden variable", {{64, far}});
    m.Set("sliding window", "persistence.revisit.half-life", half_window);
    m.Set("hidden variable", "persistence.revisit.half-life", half_hidden);
    return m.Judge("H3");
  };
  EXPECT_EQ(with(0.3, 20, 60).verdict, "supported") << with(0.3, 20, 60).reason;
  EXPECT_EQ(with(0.3, 60, 20).verdict, "contradicted");
  EXPECT_EQ(with(0, 20, 60).verdict, "undecided");
}

TEST(Claims, RecallIsPreferredToTheImaginedWay) {
  Models m = Pair(20, 18, 0.8, 0.6);
  for (const char* kind : {"sliding window", "hidden variable"}) {
    m.Set(kind, "persistence.revisit.half-life", 20);
    m.Set(kind, "persistence.recall.gain", 0.5);
    m.Set(kind, "persistence.recall.gain", 0.5, "gap=0064");
  }
  EXPECT_NE(m.Judge("H3").reason.find("memory gain (recall) after 64 frames on maze"), std::string::npos);
  EXPECT_NE(m.Judge("H1").reason.find("memory gain (revisit) after 16 frames"), std::string::npos) << "recall has no gap within the window";
}

TEST(Claims, BytesGrowWhereFramesAreKept) {
  const auto with = [](const std::function<double(double)>& buffer, const std::function<double(double)>& recurrent) {
    Models m;
    m.Add("full attention", false, false, -1);
    m.Add("hidden variable", true);
    m.Bytes("full attention", buffer);
    m.Bytes("hidden variable", recurrent);
    return m.Judge("H4");
  };
  const auto linear = [](double t) { return 1e6 + 100 * t; };  // a window beside it hides the slope of the logarithms, not the growth
  const auto constant = [](double) { return 5e5; };
  EXPECT_EQ(with(linear, constant).verdict, "supported") << with(linear, constant).reason;
  EXPECT_EQ(with(linear, linear).verdict, "contradicted");
  EXPECT_EQ(with([](double t) { return t * t; }, constant).verdict, "contradicted");
}

TEST(Claims, TimeGrowsWithWhatIsRead) {
  const auto with = [](double full, double sparse, double recurrent) {
    Models m;
    m.Add("full attention", false, false, -1);
    m.Add("internal retrieval", false, false);
    m.Add("hidden variable", true);
    const auto bytes = [](double t) { return t; };
    m.Bytes("full attention", bytes, full);
    m.Bytes("internal retrieval", bytes, sparse);
    m.Bytes("hidden variable", bytes, recurrent);
    return m.Judge("H5");
  };
  EXPECT_EQ(with(0.8, 0.3, 0.01).verdict, "supported") << with(0.8, 0.3, 0.01).reason;
  EXPECT_EQ(with(0.8, 0.3, 0.2).verdict, "contradicted");
  EXPECT_EQ(with(0.3, 0.8, 0.01).verdict, "contradicted");
}

TEST(Claims, MasksAndLeaks) {
  const auto with = [](double causal_leak, double other_leak, double causal_error, double other_error) {
    Models m;
    m.Add("sliding window", false);
    m.Add("none", false).facts["layout"] = "bidirectional";
    for (const auto& [kind, leak, error] : {std::tuple{"sliding window", causal_leak, causal_error}, {"none", other_leak, other_error}}) {
      m.Set(kind, "causality.twin.remove.leak", leak);
      m.Set(kind, "causality.twin.remove.cne", error);
    }
    return m.Judge("H6");
  };
  EXPECT_EQ(with(0, 0.2, 0.3, 0.6).verdict, "supported") << with(0, 0.2, 0.3, 0.6).reason;
  EXPECT_EQ(with(0.2, 0.2, 0.3, 0.6).verdict, "contradicted");
  EXPECT_EQ(with(0, 0.2, 0.5, 0.5).verdict, "undecided");
}

TEST(Claims, ForcingAgainstDrift) {
  const auto with = [](double forcing_slope, double forcing_psnr) {
    Models m;
    m.Add("forced", false);
    m.Add("taught", false).facts["objective"] = "teacher-forcing";
    m.Set("forced", "persistence.exposure-slope", forcing_slope);
    m.Set("taught", "persistence.exposure-slope", 10);
    m.Set("forced", "persistence.forced.psnr", forcing_psnr);
    m.Set("taught", "persistence.forced.psnr", 28);
    return m.Judge("H7");
  };
  EXPECT_EQ(with(3, 28).verdict, "supported") << with(3, 28).reason;
  EXPECT_EQ(with(20, 28).verdict, "contradicted");
  EXPECT_EQ(with(3, 20).verdict, "contradicted") << "bought with the teacher-forced error";
}

TEST(Claims, GeometryAndMotion) {
  const auto with = [](double geometry_gain, double geometry_progress) {
    Models m = Pair(20, 18, 0.8, 0.6);
    m.Add("geometry", true);
    m.Gain("geometry", {{16, 0.9}, {64, geometry_gain}});
    for (const auto& [kind, progress] : {std::pair{"sliding window", 0.6}, {"hidden variable", 0.7}, {"geometry", geometry_progress}})
      m.Set(kind, "persistence.hidden.progress", progress, "", "occluder");
    return m.Judge("H8");
  };
  EXPECT_EQ(with(0.6, 0.1).verdict, "supported") << with(0.6, 0.1).reason;
  EXPECT_EQ(with(0.01, 0.1).verdict, "contradicted");
  EXPECT_EQ(with(0.6, 0.9).verdict, "contradicted");
}

TEST(Claims, ControlAndQualityAgainstSuccess) {
  const auto with = [](bool control_tells, int count) {
    Models m;
    for (int i = 0; i < count; ++i) {
      const std::string kind = fmt::format("m{}", i);
      m.Add(kind, false);
      m.Set(kind, "causality.planning.picture.success", 0.1 + 0.1 * i);
      m.Set(kind, control_tells ? "causality.control.normalised" : "quality.psnr", 1 + i);
      m.Set(kind, control_tells ? "quality.psnr" : "causality.control.normalised", 10 - i);
    }
    return m.Judge("H9");
  };
  EXPECT_EQ(with(true, 8).verdict, "supported") << with(true, 8).reason;
  EXPECT_EQ(with(false, 8).verdict, "contradicted");
  EXPECT_NE(with(true, 4).reason.find("of 5 models on one world (most: 4)"), std::string::npos);
}

TEST(Claims, PoseAndLikeness) {
  const auto with = [](double by_pose, double by_key) {
    Models m;
    m.Add("pose", false).mechanism.parts = {"window", "retrieval.pose"};
    m.Add("key", false).mechanism.parts = {"window", "retrieval.key"};
    m.Gain("pose", {{64, by_pose}});
    m.Gain("key", {{64, by_key}});
    return m.Judge("H10");
  };
  EXPECT_EQ(with(0.6, 0.3).verdict, "supported");
  EXPECT_EQ(with(0.3, 0.6).verdict, "contradicted");
  EXPECT_EQ(with(0.5, 0.5).verdict, "undecided");
}

// Holm over the family: p of each is at least what it would be alone, and a claim that was not measured does not count.
TEST(Claims, FamilyIsAdjusted) {
  Models alone = Pair(20, 18, 0.8, 0.6), more = Pair(20, 18, 0.8, 0.6);
  more.Set("sliding window", "persistence.revisit.half-life", 20);
  more.Set("hidden variable", "persistence.revisit.half-life", 20);
  more.Bytes("hidden variable", [](double) { return 1.0; });
  const std::vector<double> raw = [&] {
    std::vector<double> p;
    for (const ClaimRule& rule : ClaimRules()) {
      const Ruling r = rule.judge({more.Of("sliding window"), more.Of("hidden variable")});
      if (r.findings.empty()) continue;
      double holds = 0, fails = 1;
      for (const Finding& f : r.findings) {
        holds = std::max(holds, f.p_for);
        fails = std::min(fails, f.p_against);
      }
      p.push_back(std::min(1.0, 2 * std::min(holds, std::min(1.0, fails * static_cast<double>(r.findings.size())))));
    }
    return p;
  }();
  const std::vector<double> adjusted = Holm(raw);
  ASSERT_GE(raw.size(), 3u);
  EXPECT_DOUBLE_EQ(*more.Judge("H1").p_holm, adjusted[0]);
  EXPECT_GT(*more.Judge("H1").p_holm, *alone.Judge("H1").p_holm - 1e-12);
}

TEST(Claims, SubjectsThatAreNoModelsHaveNoPart) {
  Models m = Pair(20, 18, 0.8, 0.6);
  m.Of("hidden variable").model = false;
  EXPECT_NE(m.Judge("H1").reason.find("no model with an explicit state"), std::string::npos);
}

}  // namespace
}  // namespace orrery
