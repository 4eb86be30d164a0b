// Films of a learned model: what it is shown of a scenario, and several scenarios imagined side by side, as rows of one session.
// B scenarios, H x W frames.
#pragma once
#include "eval/subject.h"
#include "model/starts.h"
#include "model/world_model.h"

namespace orrery {

// What a model is shown of a scenario: one start with the context's frames, actions and poses; and, for a model that takes poses, the true
// world at the context's end, which tells the poses to come.
struct ShownContext {
  Starts starts;
  std::unique_ptr<World> guide;  // null for models without poses
};
ShownContext ContextFor(const WorldModel& model, const Scenario& scenario);

// Whether scenarios can be rows of one session: contexts and films of one length in one world, nothing told after the context.
bool Alike(std::span<const Scenario> scenarios);

// Frames context .. T of each, at most kRowsTogether at once. A row's frames do not depend on the others but for rounding.
constexpr size_t kRowsTogether = 12;
std::vector<Film> FilmsTogether(const std::shared_ptr<const WorldModel>& model, const RolloutOptions& rollout,
                                std::span<const Scenario> scenarios, const FilmOptions& options);

}  // namespace orrery
