#include "eval/dummies/stand_in.h"

#include <utility>

#include "core/rng.h"

namespace orrery {

StandIn::StandIn(std::string_view name, const Scenario& scenario, std::unique_ptr<World> inner)
    : scenario_(scenario), id_(scenario.Id()), inner_(std::move(inner)), facts_(inner_->Facts()), start_(inner_->Snapshot()) {
  facts_.spec = fmt::format("dummy:{} of {}", name, facts_.spec);
}

void StandIn::Reset(uint64_t seed) {
  inner_->Restore(start_);
  events_.clear();
  clock_ = 0;
  seed_ = seed;
  Draw();
  Prepare();
}

void StandIn::Step(std::span<const float> action) {
  facts_.actions.Check(action);
  Advance(action);
  ++clock_;
}

void StandIn::Advance(std::span<const float> action) {
  inner_->Step(action);
  events_ = inner_->Events();
}

void StandIn::DoIntervene(const std::string& name, const Json& params) {
  Hand(FormatSpec(name, params));
  events_.clear();
}

uint64_t StandIn::Chance(std::string_view purpose) const { return DeriveSeed(DeriveSeed(seed_, purpose), static_cast<uint64_t>(clock_)); }

std::string StandIn::Snapshot() const {
  SnapshotWriter out(facts_.spec);
  out.Put(id_);
  out.Put(clock_);
  out.Put(seed_);
  PutText(out, inner_->Snapshot());
  Save(out);
  return std::move(out).Finish();
}

void StandIn::Restore(std::string_view snapshot) {
  SnapshotReader in(snapshot, facts_.spec);
  if (in.Get<uint64_t>() != id_) Fail("snapshot: of another scenario than this world of {}", facts_.spec);
  const auto clock = in.Get<int64_t>();
  const auto seed = in.Get<uint64_t>();
  inner_->Restore(GetText(in));
  clock_ = clock;
  events_.clear();
  if (std::exchange(seed_, seed) != seed) Draw();
  Load(in);
  in.Finish();
}

void PutText(SnapshotWriter& out, std::string_view text) {
  out.Put(static_cast<uint32_t>(text.size()));
  out.PutAll(std::span<const char>(text));
}

std::string GetText(SnapshotReader& in) {
  std::string text(in.Get<uint32_t>(), '\0');
  in.GetAll(std::span<char>(text));
  return text;
}

}  // namespace orrery
