#include "core/spec.h"

#include <gtest/gtest.h>

#include "core/action_space.h"
#include "core/registry.h"
#include "error_of.h"

namespace orrery {
namespace {

const Facts kFacts{
    "pose", "retrieval", "own", {{"k", 4, "frames"}, {"weight", 0.5, "share"}, {"mode", "fov", "how"}, {"hard", false, "top-k"}}};

TEST(Spec, ReadsSumsNamesAndArguments) {
  const auto parts = ParseSpec("window(16) + retrieval.pose(k=4, mode=\"near by\", weight=1e-3, hard=true)+ssm()");
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_EQ(parts[0].name, "window");
  EXPECT_EQ(parts[0].arguments[0].key, "");
  EXPECT_EQ(parts[0].arguments[0].value, 16);
  EXPECT_EQ(parts[1].name, "retrieval.pose");
  EXPECT_EQ(parts[1].arguments[1].value, "near by");
  EXPECT_EQ(parts[1].arguments[2].value, 1e-3);
  EXPECT_EQ(parts[1].arguments[3].value, true);
  EXPECT_TRUE(parts[2].arguments.empty());
}

TEST(Spec, BindsOverDefaultsInOrder) {
  const Json bound = Bind(ParseSpec("pose(7, hard=true)")[0], kFacts);
  EXPECT_EQ(bound.dump(), R"({"k":7,"weight":0.5,"mode":"fov","hard":true})");
  EXPECT_EQ(Bind(ParseSpec(FormatSpec("pose", bound))[0], kFacts), bound);
}

TEST(Spec, FaultsSayWhereAndWhat) {
  EXPECT_EQ(ErrorOf([] { ParseSpec("window(16"); }), "spec \"window(16\": expected ',' or ')' at character 10, got the end");
  EXPECT_EQ(ErrorOf([] { ParseSpec(""); }), "spec \"\": expected a name at character 1, got the end");
  EXPECT_EQ(ErrorOf([] { Bind(ParseSpec("pose(kk=1)")[0], kFacts); }),
            "unknown parameter of pose 'kk'; did you mean 'k'? (valid: k, weight, mode, hard)");
  EXPECT_EQ(ErrorOf([] { Bind(ParseSpec("pose(k=1.5)")[0], kFacts); }), "pose: 'k' must be an integer, got 1.5");
  EXPECT_EQ(ErrorOf([] { Bind(ParseSpec("pose(mode=3)")[0], kFacts); }), "pose: 'mode' must be string, got 3");
  EXPECT_EQ(ErrorOf([] { Bind(ParseSpec("pose(1, k=2)")[0], kFacts); }), "pose: 'k' is given twice");
  EXPECT_EQ(ErrorOf([] { Bind(ParseSpec("pose(1, 2, a, true, 5)")[0], kFacts); }), "pose: takes 4 arguments at most, got 5");
}

TEST(Registry, MakesOneAndListsNames) {
  const Registry<int, int> registry("thing", {{kFacts, [](const Json& p, int x) { return p["k"].get<int>() * x; }}});
  EXPECT_EQ(registry.Make("pose(k=3)", 5), 15);
  EXPECT_EQ(ErrorOf([&] { registry.Make("pos", 1); }), "unknown thing 'pos'; did you mean 'pose'? (valid: pose)");
  EXPECT_EQ(ErrorOf([&] { registry.Make("pose + pose", 1); }), "thing \"pose + pose\": expected one part, got 2");
}

TEST(ActionSpace, ChecksActions) {
  const ActionSpace discrete{3, 0, {"left", "right", "forward"}, {}, {}};
  const std::vector<float> good{2}, high{3}, half{0.5f}, two{1, 1}, nan{NAN};
  EXPECT_NO_THROW(discrete.Check(good));
  for (const auto& bad : {high, half, two, nan}) EXPECT_THROW(discrete.Check(bad), Error);
  EXPECT_EQ(discrete.Index("forward"), 2);
  EXPECT_EQ(discrete.Index("1"), 1);
  EXPECT_EQ(ErrorOf([&] { discrete.Index("forwrad"); }), "unknown action 'forwrad'; did you mean 'forward'? (valid: left, right, forward)");
  const ActionSpace continuous{0, 2, {}, {-1, -1}, {1, 1}};
  EXPECT_NO_THROW(continuous.Check(std::vector<float>{0.5f, -1}));
  EXPECT_THROW(continuous.Check(std::vector<float>{0.5f, -1.1f}), Error);
  EXPECT_EQ(FromJson<ActionSpace>(Json(continuous), "actions"), continuous);
}

TEST(Config, UnknownKeysAndKindsAreNamed) {
  EXPECT_EQ(ErrorOf([] {
              FromJson<ActionSpace>(Json{{"cuont", 3}}, "actions");
            }),
            "unknown key of actions 'cuont'; did you mean 'count'? (valid: count, dims, names, low, high)");
  EXPECT_EQ(ErrorOf([] {
              FromJson<ActionSpace>(Json{{"count", "three"}}, "actions");
            }),
            "actions: 'count' must be a number, got string (\"three\")");
  EXPECT_EQ(ErrorOf([] { ParseJson("{\"a\": }", "x.json"); }), "x.json: not valid JSON at byte 7");
}

}  // namespace
}  // namespace orrery
