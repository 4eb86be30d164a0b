#include "state/registry.h"

#include "state/explicit/coupled/delta.h"
#include "state/explicit/coupled/linear.h"
#include "state/explicit/coupled/lstm.h"
#include "state/explicit/coupled/ssm.h"
#include "state/explicit/decoupled/map.h"
#include "state/explicit/decoupled/points.h"
#include "state/explicit/parametric/titans.h"
#include "state/explicit/parametric/ttt.h"
#include "state/implicit/compression/framepack.h"
#include "state/implicit/compression/tome.h"
#include "state/implicit/consolidation/anchor.h"
#include "state/implicit/consolidation/far.h"
#include "state/implicit/dense.h"
#include "state/implicit/retrieval/by_key.h"
#include "state/implicit/retrieval/by_pose.h"
#include "state/implicit/retrieval/moba.h"
#include "state/implicit/retrieval/radial.h"
#include "state/implicit/window.h"
#include "state/stack.h"

namespace orrery {

const MemoryRegistry& States() {
  static const MemoryRegistry registry(
      "state", {
                   {WindowMemory::Describe(),
                    [](const Json& p, const MemoryGeometry& g) { return std::make_shared<WindowMemory>(p["frames"].get<int64_t>(), g); }},
                   {DenseMemory::Describe(), [](const Json&, const MemoryGeometry& g) { return std::make_shared<DenseMemory>(g); }},
                   {FramePackMemory::Describe(),
                    [](const Json& p, const MemoryGeometry& g) {
                      return std::make_shared<FramePackMemory>(p["groups"].get<std::string>(), p["tail"].get<bool>(), g);
                    }},
                   {TomeMemory::Describe(), TomeMemory::Make},
                   {PoseRetrieval::Describe(),
                    [](const Json& p, const MemoryGeometry& g) { return std::make_shared<PoseRetrieval>(PoseRetrieval::Options(p), g); }},
                   {KeyRetrieval::Describe(),
                    [](const Json& p, const MemoryGeometry& g) { return std::make_shared<KeyRetrieval>(KeyRetrieval::Options(p), g); }},
                   {MobaMemory::Describe(),
                    [](const Json& p, const MemoryGeometry& g) {
                      return std::make_shared<MobaMemory>(p["k"].get<int64_t>(), p["anchor"].get<bool>(), g);
                    }},
                   {RadialMemory::Describe(),
                    [](const Json& p, const MemoryGeometry& g) { return std::make_shared<RadialMemory>(p["sink"].get<bool>(), g); }},
                   {AnchorMemory::Describe(), AnchorMemory::Make},
                   {FarMemory::Describe(),
                    [](const Json& p, const MemoryGeometry& g) { return std::make_shared<FarMemory>(p["pool"].get<int64_t>(), g); }},
                   {LinearMemory::Describe(), LinearMemory::Make},
                   {SsmMemory::Describe(), SsmMemory::Make},
                   {LstmMemory::Describe(), LstmMemory::Make},
                   {DeltaMemory::Describe(), DeltaMemory::Make},
                   {TttMemory::Describe(), TttMemory::Make},
                   {TitansMemory::Describe(), TitansMemory::Make},
                   {MapMemory::Describe(), MapMemory::Make},
                   {PointsMemory::Describe(), PointsMemory::Make},
               });
  return registry;
}

std::shared_ptr<Memory> MakeMemory(std::string_view spec, const MemoryGeometry& geometry) {
  const std::vector<SpecPart> parts = ParseSpec(spec);
  if (parts.size() == 1) return States().Make(parts[0], geometry);
  // Each part is made once to learn what it holds, then again knowing what the others hold.
  MemoryGeometry told = geometry;
  for (const SpecPart& part : parts) {
    const MemoryFacts facts = States().Make(part, geometry)->Declared();
    if (facts.held < 0) Fail("state \"{}\": {} holds every frame, nothing is left for the other parts", spec, part.name);
    told.recent = std::max(told.recent, facts.held);
  }
  std::vector<std::shared_ptr<Memory>> stack;
  for (const SpecPart& part : parts) stack.push_back(States().Make(part, told));
  return std::make_shared<StackedMemory>(std::move(stack));
}

}  // namespace orrery
