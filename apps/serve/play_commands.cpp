// What a session does with the commands of its page, and what it tells about itself.
#include "core/error.h"
#include "serve/play_connection.h"

namespace orrery {

namespace asio = boost::asio;

asio::awaitable<void> PlayConnection::Execute(ClientMessage command) {
  std::string trouble;
  try {
    if (auto* step = std::get_if<StepMessage>(&command)) {
      co_await Step(std::move(*step->action));
    } else {
      co_await Manage(std::move(command));
      SayStatus();
    }
    co_return;
  } catch (const boost::system::system_error&) {
    throw;
  } catch (const std::exception& e) {
    trouble = e.what();
  }
  if (std::holds_alternative<StepMessage>(command)) paused_ = true;
  SayError(trouble);
  SayStatus();
}

asio::awaitable<void> PlayConnection::Step(Action action) {
  const uint32_t input = input_;
  const auto asked = Clock::now();
  Clock::time_point began;
  PicturePtr picture = co_await OnWorker([&] {
    began = Clock::now();
    return session_->Step(action);
  });
  latest_wait_ms_ = std::chrono::duration<float, std::milli>(began - asked).count();
  Show(std::move(picture), input);
}

asio::awaitable<void> PlayConnection::Manage(ClientMessage command) {
  if (const auto* pause = std::get_if<PauseMessage>(&command)) {
    paused_ = pause->paused;
    next_step_ = Clock::now();
  } else if (const auto* rate = std::get_if<RateMessage>(&command)) {
    fps_ = rate->fps;
    next_step_ = Clock::now();
  } else if (const auto* reset = std::get_if<ResetMessage>(&command)) {
    const auto& starts = state_.play.starts;
    if (reset->start && *reset->start >= static_cast<int64_t>(starts.size()))
      Fail("reset: this world has {} starts, there is no number {}", starts.size(), *reset->start);
    co_await Reset(reset->start ? starts[static_cast<size_t>(*reset->start)].seed : *reset->seed, reset->start);
  } else if (std::holds_alternative<KeepMessage>(command)) {
    kept_ = co_await OnWorker([this] {
      session_->Keep();
      return KeptStates();
    });
  } else if (const auto* forget = std::get_if<ForgetMessage>(&command)) {
    kept_ = co_await OnWorker([this, id = forget->id] {
      session_->Forget(id);
      return KeptStates();
    });
  } else if (const auto* rewind = std::get_if<RewindMessage>(&command)) {
    Show(co_await OnWorker([this, id = rewind->id] { return session_->Rewind(id); }), input_);
    seed_ = session_->Seed();
    start_.reset();
  }
}

asio::awaitable<void> PlayConnection::Reset(uint64_t seed, std::optional<int64_t> start) {
  Show(co_await OnWorker([this, seed] { return session_->Reset(seed); }), input_);
  seed_ = seed;
  start_ = start;
}

std::vector<PlayConnection::KeptState> PlayConnection::KeptStates() const {
  std::vector<KeptState> states;
  for (const PlaySession::Kept& kept : session_->KeptStates()) states.push_back({kept.id, kept.tick});
  return states;
}

void PlayConnection::SayStatus() {
  Json kept = Json::array();
  for (const auto& [id, tick] : kept_) kept.push_back({{"id", id}, {"tick", tick}});
  Say({{"type", "status"},
       {"paused", paused_},
       {"fps", fps_},
       {"seed", seed_},
       {"start", start_ ? Json(*start_) : Json(nullptr)},
       {"kept", kept}});
}

Json PlayConnection::Hello() const {
  const WorldFacts& facts = session_->Facts();
  Json starts = Json::array();
  for (size_t i = 0; i < state_.play.starts.size(); ++i) {
    const PlayStart& start = state_.play.starts[i];
    const Json picture = start.png.empty() ? Json(nullptr) : Json(fmt::format("/starts/{}.png", i));
    starts.push_back({{"label", start.label}, {"picture", picture}});
  }
  return {{"type", "hello"},
          {"session", id_},
          {"number", number_},
          {"title", state_.play.title},
          {"model", state_.play.model},
          {"facts", state_.play.facts},
          {"world", facts.spec},
          {"width", facts.width},
          {"height", facts.height},
          {"fps", facts.fps},
          {"actions", facts.actions},
          {"starts", starts},
          {"film", fmt::format("/sessions/{}/film", id_)}};
}

FrameHeader PlayConnection::Header() const {
  const WorldFacts& facts = session_->Facts();
  FrameHeader header;
  header.session = number_;
  header.sequence = latest_->sequence;
  header.tick = latest_->tick;
  header.input = latest_input_;
  header.width = static_cast<uint16_t>(facts.width);
  header.height = static_cast<uint16_t>(facts.height);
  header.step_ms = latest_->step_ms;
  header.wait_ms = latest_wait_ms_;
  header.jump = latest_->jump;
  header.time_ms = std::chrono::duration<double, std::milli>(Clock::now() - state_.started).count();
  header.action = latest_->action;
  return header;
}

}  // namespace orrery
