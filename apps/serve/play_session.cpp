#include "serve/play_session.h"

#include <algorithm>
#include <chrono>

#include "core/error.h"

namespace orrery {

namespace {

using Clock = std::chrono::steady_clock;

}  // namespace

PlaySession::PlaySession(std::unique_ptr<World> world, const PlayLimits& limits) : world_(std::move(world)), limits_(limits) {
  ORRERY_CHECK(world_ != nullptr);
}

PicturePtr PlaySession::Reset(uint64_t seed) {
  const auto start = Clock::now();
  world_->Reset(seed);
  seed_ = seed;
  tick_ = 0;
  return Show(start, std::nullopt);
}

PicturePtr PlaySession::Step(std::span<const float> action) {
  Facts().actions.Check(action);
  const auto start = Clock::now();
  world_->Step(action);
  ++tick_;
  return Show(start, Action(action.begin(), action.end()));
}

int64_t PlaySession::Keep() {
  Kept kept{next_id_, tick_, seed_, world_->Snapshot()};
  if (kept.snapshot.size() > limits_.keep_bytes)
    Fail("a snapshot of this world takes {} bytes, more than the {} that a session may keep", kept.snapshot.size(), limits_.keep_bytes);
  size_t bytes = kept.snapshot.size();
  for (const Kept& other : kept_) bytes += other.snapshot.size();
  while (bytes > limits_.keep_bytes || kept_.size() >= limits_.keep_count) {
    bytes -= kept_.front().snapshot.size();
    kept_.pop_front();
  }
  kept_.push_back(std::move(kept));
  return next_id_++;
}

PicturePtr PlaySession::Rewind(int64_t id) {
  const auto kept = Find(id);
  const auto start = Clock::now();
  world_->Restore(kept->snapshot);
  tick_ = kept->tick;
  seed_ = kept->seed;
  return Show(start, std::nullopt);
}

void PlaySession::Forget(int64_t id) { kept_.erase(Find(id)); }

PicturePtr PlaySession::Show(TimePoint since, std::optional<Action> action) {
  const WorldFacts& facts = Facts();
  auto picture = std::make_shared<Picture>();
  picture->rgb.resize(static_cast<size_t>(facts.height * facts.width * 3));
  world_->Render(picture->rgb);
  picture->sequence = ++sequence_;
  picture->tick = tick_;
  picture->jump = !action;
  if (action) picture->action = std::move(*action);
  picture->step_ms = std::chrono::duration<float, std::milli>(Clock::now() - since).count();
  film_.push_back(picture);
  const size_t most = std::max<size_t>(1, limits_.film_bytes / picture->rgb.size());
  while (film_.size() > most) film_.pop_front();
  return picture;
}

std::deque<PlaySession::Kept>::iterator PlaySession::Find(int64_t id) {
  const auto found = std::find_if(kept_.begin(), kept_.end(), [id](const Kept& kept) { return kept.id == id; });
  if (found == kept_.end()) Fail("snapshot {} is not kept any more", id);
  return found;
}

}  // namespace orrery
