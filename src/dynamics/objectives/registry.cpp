#include "dynamics/objectives/registry.h"

#include "dynamics/objectives/ar_diffusion.h"
#include "dynamics/objectives/causal_ode.h"
#include "dynamics/objectives/diffusion_forcing.h"
#include "dynamics/objectives/error_bank.h"
#include "dynamics/objectives/far.h"
#include "dynamics/objectives/full_sequence.h"
#include "dynamics/objectives/resampling.h"
#include "dynamics/objectives/self_forcing.h"
#include "dynamics/objectives/shortcut.h"
#include "dynamics/objectives/teacher_forcing.h"

namespace orrery {

namespace {

// An objective that takes its options as one struct.
template <class Kind, class Options>
ObjectiveRegistry::Entry Entry() {
  return {Kind::Describe(), [](const Json& p, std::shared_ptr<const NoisePath> path) -> std::shared_ptr<Objective> {
            return std::make_shared<Kind>(p.get<Options>(), std::move(path));
          }};
}

}  // namespace

const ObjectiveRegistry& Objectives() {
  static const ObjectiveRegistry registry("objective", {
                                                           Entry<DiffusionForcing, DiffusionForcingOptions>(),
                                                           Entry<FarObjective, FarOptions>(),
                                                           Entry<TeacherForcing, TeacherForcingOptions>(),
                                                           Entry<VideoGpt, VideoGptOptions>(),
                                                           Entry<Resampling, ResamplingOptions>(),
                                                           Entry<Shortcut, ShortcutOptions>(),
                                                           Entry<ErrorBank, ErrorBankOptions>(),
                                                           Entry<ArDiffusion, ArDiffusionOptions>(),
                                                           Entry<CausalOde, CausalOdeOptions>(),
                                                           Entry<SelfForcing, SelfForcingOptions>(),
                                                           Entry<FullSequence, FullSequenceOptions>(),
                                                       });
  return registry;
}

}  // namespace orrery
