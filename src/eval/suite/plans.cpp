#include "eval/suite/suite.h"

namespace orrery {

namespace {

ProbePlan Plan(const char* probe, const char* world, int64_t scenarios, int64_t frames, const char* trajectory = "",
               std::vector<std::string> interventions = {}) {
  ProbePlan plan;
  plan.probe = probe;
  plan.world = world;
  plan.scenarios = scenarios;
  plan.frames = frames;
  plan.trajectory = trajectory;
  plan.interventions = std::move(interventions);
  return plan;
}

constexpr const char* kPush = "script(actions=\"none*4, push-first, none*115\")";
constexpr const char* kTopple = "script(actions=\"none*8, left-2, none*3, left-2, none*40\")";
constexpr const char* kWatch = "script(actions=\"none*90\")";

// What is out of sight: occlusion, a turned back, a long time.
void AddPersistence(std::vector<ProbePlan>& plans, int64_t scale) {
  const int64_t n = 12 * scale;
  const int64_t lasting = scale == 1 ? 8 : 16;  // 2,048 frames of a learned model take most of a minute each
  plans.push_back(Plan("endurance", "maze", lasting, scale == 1 ? 256 : 2048));
  plans.push_back(Plan("endurance", "billiards(speed=8, friction=0)", lasting, scale == 1 ? 128 : 1024));
  plans.push_back(Plan("hidden", "occluder(discs=3)", n, 68, "hide(by=light, before=16, hold=64, after=4)"));
  plans.back().context = 17;
  plans.push_back(Plan("hidden", "occluder(discs=5)", n, 56, "hide(by=screen, before=16, hold=40, after=16)"));
  plans.back().context = 17;
  plans.push_back(Plan("updated", "maze", n, 40, "look-away(degrees=180, hold=24)"));
  plans.push_back(Plan("updated", "pair(view=7)", n, 41, "behind-back(before=7, hold=36, after=1)"));
  plans.push_back(Plan("surprise", "occluder", 10 * scale, 24));
  plans.push_back(Plan("surprise", "occluder(post=true)", 6 * scale, 24));
}

// What is known and what is done with it.
void AddKnowledge(std::vector<ProbePlan>& plans, int64_t scale) {
  plans.push_back(Plan("memory-probe", "maze", 40 * scale, 48));
  if (scale > 1) plans.push_back(Plan("memory-mlp", "maze", 24 * scale, 48));  // minutes a subject
  plans.push_back(Plan("wcs", "billiards(speed=8, friction=0)", 8 * scale, 40));
  plans.push_back(Plan("wcs", "dominoes", 6 * scale, 44, kPush));
  plans.push_back(Plan("wcs", "keys", 8 * scale, 72));
  plans.push_back(Plan("wcs", "occluder(discs=3, speed=0.4)", 8 * scale, 64,
                       "script(actions=\"screen-down, none*11, light, none*39, light, none*40\")"));  // in the dark for 40 frames
  plans.back().context = 12;
  for (const char* world : {"keys", "pair"}) plans.push_back(Plan("solve", world, 8 * scale, 64));
  for (const char* world : {"maze", "keys", "pair"}) plans.push_back(Plan("planning", world, 12 * scale, 24));
  plans.push_back(Plan("planning", "dominoes(count=8)", 8 * scale, 24));
  plans.push_back(Plan("planning", "billiards(balls=3, speed=0)", 24 * scale, 24));
}

// What the world would do, and whether the subject does it.
void AddLaws(std::vector<ProbePlan>& plans, int64_t scale) {
  const int64_t n = 12 * scale;
  plans.push_back(Plan("laws", "billiards(speed=6, friction=0, restitution=1, solver=exact)", n, 80, kWatch));
  plans.push_back(Plan("laws", "pendulum", n, 150, "script(actions=\"none*160\")"));
  plans.push_back(Plan("laws", "pendulum(damping=0.3)", n, 80, kWatch));
  plans.push_back(Plan("laws", "pendulum", n, 24, kWatch, {"cut"}));
  plans.push_back(Plan("following", "maze", 3 * n, 24));
  plans.push_back(Plan("rules", "keys", 8 * scale, 120, "try-rules(frames=127)"));
}

// What hands and actions change, and when.
void AddEffects(std::vector<ProbePlan>& plans, int64_t scale) {
  const int64_t n = 12 * scale;
  plans.push_back(Plan("dose", "billiards(speed=0)", n, 24, kWatch,
                       {"velocity(1, 1, 0)", "velocity(1, 2, 0)", "velocity(1, 4, 0)", "velocity(1, 7, 0)", "velocity(1, 11, 0)"}));
  plans.push_back(Plan("dose", "pendulum", n, 24, kWatch, {"kick(0.3)", "kick(0.6)", "kick(1.2)", "kick(2)", "kick(3)"}));
  plans.push_back(Plan("order", "growth(frames=60)", 8 * scale, 40, kWatch));
  plans.push_back(Plan("order", "pendulum(damping=0.3)", 8 * scale, 80, kWatch));
  plans.push_back(Plan("order", "dominoes", 8 * scale, 60, kPush));
  if (scale > 1) plans.push_back(Plan("order", "stack", 8 * scale, 40, kTopple));  // most stand as they fell: the judge sees no arrow
  plans.push_back(Plan("order", "billiards(speed=8)", 8 * scale, 60, kWatch));
  plans.push_back(Plan("attribution", "pair", 8 * scale, 32));
  for (const char* world : {"maze", "billiards"}) plans.push_back(Plan("future-leak", world, 8 * scale, 24));
}

std::vector<ProbePlan> Plans(int64_t scale) {
  const int64_t n = 12 * scale;
  std::vector<ProbePlan> plans;
  for (const char* world : {"maze", "billiards", "occluder", "pendulum", "keys", "pair", "growth(frames=60)"})
    plans.push_back(Plan("similarity", world, n, 24));
  plans.push_back(Plan("similarity", "dominoes(count=4)", n, 60, kPush));
  plans.push_back(Plan("similarity", "stack", n, 24, kTopple));
  for (const char* world : {"maze", "billiards"}) plans.push_back(Plan("drift", world, scale == 1 ? n : 8, scale == 1 ? 64 : 2048));
  plans.push_back(Plan("revisit", "maze", n, scale == 1 ? 128 : 512));
  plans.push_back(Plan("recall", "maze", n, scale == 1 ? 128 : 512));
  for (const char* scene : {"maze-loop", "maze-out-and-back"}) plans.push_back(ScenePlan("self-consistency", scene, 6 * scale, 0));
  for (const char* scene : {"billiards-remove", "pendulum-kick"}) plans.push_back(ScenePlan("physics-iq", scene, n, 60));
  plans.push_back(Plan("physics-iq", "dominoes(count=4)", n, 60, kPush));
  plans.push_back(Plan("twins", "dominoes", n, 80, kPush, {"remove(3)", "remove(5)", "remove(7)"}));
  plans.push_back(Plan("twins", "billiards(speed=8, friction=0)", n, 60, kWatch, {"remove(1)", "remove(2)", "remove(3)"}));
  plans.push_back(Plan("twins", "billiards(speed=8, friction=0)", n, 24, kWatch, {"velocity(1)", "velocity(2)", "velocity(3)"}));
  plans.push_back(Plan("twins", "keys", n, 32, "", {"floor(1)", "floor(2)"}));  // seen, and of no consequence
  for (const char* world : {"maze", "billiards"}) plans.push_back(Plan("control", world, n, 24));
  for (const char* world : {"maze", "billiards"}) plans.push_back(Plan("distribution", world, scale == 1 ? 32 : 1024, 16));
  for (const char* world : {"maze", "billiards"}) plans.push_back(Plan("motion", world, 18 * scale, scale == 1 ? 129 : 513));
  AddPersistence(plans, scale);
  AddKnowledge(plans, scale);
  AddLaws(plans, scale);
  AddEffects(plans, scale);
  plans.push_back(Plan("cost", "maze", 1, scale == 1 ? 256 : 4096));
  return plans;
}

// What mechanisms of memory are compared by: few scenarios of long gaps and long films.
std::vector<ProbePlan> MemoryPlans() {
  return {Plan("recall", "maze", 24, 512), Plan("revisit", "maze", 12, 512), Plan("drift", "maze", 12, 256),
          Plan("endurance", "maze", 4, 1800), Plan("cost", "maze", 1, 4096)};
}

}  // namespace

std::vector<ProbePlan> SuitePlans(const std::string& suite) {
  if (suite == "quick") return Plans(1);
  if (suite == "full") return Plans(4);
  if (suite == "memory") return MemoryPlans();
  FailUnknown("suite", suite, std::vector<std::string>{"quick", "full", "memory"});
}

}  // namespace orrery
