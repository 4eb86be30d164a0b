#include "serve/play_connection.h"

#include <array>
#include <boost/asio/detached.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>
#include <random>
#include <utility>

#include "core/error.h"

namespace orrery {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using asio::use_awaitable;

namespace {

// 128 bits of the system's entropy: who knows it may download the session's film.
std::string SecretId() {
  std::random_device entropy;
  std::string id;
  for (int i = 0; i < 4; ++i) id += fmt::format("{:08x}", entropy());
  return id;
}

}  // namespace

PlayConnection::PlayConnection(ServerState& state, beast::tcp_stream stream)
    : state_(state),
      socket_(std::move(stream)),
      strand_(asio::make_strand(state.workers.get_executor())),
      id_(SecretId()),
      fps_(state.options.fps),
      active_(Clock::now()),
      read_wake_(state.io),
      game_wake_(state.io),
      write_wake_(state.io) {}

PlayConnection::~PlayConnection() { state_.sessions.erase(id_); }

asio::awaitable<void> PlayConnection::Run(Request upgrade) {
  websocket::stream_base::timeout patience{};
  patience.handshake_timeout = std::chrono::seconds(10);
  patience.idle_timeout = std::chrono::seconds(60);
  patience.keep_alive_pings = true;
  beast::get_lowest_layer(socket_).expires_never();
  socket_.set_option(patience);
  socket_.read_message_max(0);  // ReadMessage has the limit; Beast's own resets the connection before the page hears why
  socket_.auto_fragment(false);
  co_await socket_.async_accept(upgrade, use_awaitable);
  Start(&PlayConnection::WriteLoop);
  if (co_await Open()) Start(&PlayConnection::GameLoop);
  co_await ReadLoop();
}

asio::awaitable<bool> PlayConnection::Open() {
  if (static_cast<int64_t>(state_.sessions.size()) >= state_.options.max_sessions) {
    Close(websocket::close_code::try_again_later, fmt::format("all {} places are taken; try again later", state_.options.max_sessions));
    co_return false;
  }
  state_.sessions[id_] = weak_from_this();
  number_ = ++state_.session_count;
  std::string trouble;
  try {
    const PlayLimits limits{size_t(state_.options.film_megabytes) << 20, size_t(state_.options.keep_megabytes) << 20};
    session_ = co_await OnWorker([this, limits] { return std::make_unique<PlaySession>(state_.play.make(), limits); });
    if (fps_ == 0) fps_ = session_->Facts().fps;
    Say(Hello());
    const bool starts = !state_.play.starts.empty();
    co_await Reset(starts ? state_.play.starts[0].seed : 0, starts ? std::optional<int64_t>(0) : std::nullopt);
    SayStatus();
    co_return true;
  } catch (const std::exception& e) {
    trouble = e.what();
  }
  SayError(trouble);
  Close(websocket::close_code::internal_error, "the world could not be started");
  co_return false;
}

void PlayConnection::Start(asio::awaitable<void> (PlayConnection::*loop)()) {
  auto guarded = [self = shared_from_this(), loop]() -> asio::awaitable<void> {
    try {
      co_await ((*self).*loop)();
    } catch (const boost::system::system_error&) {
      self->Leave();  // the read loop closes the socket when the peer's last bytes are in
    }
  };
  asio::co_spawn(state_.io, std::move(guarded), asio::detached);
}

void PlayConnection::End() {
  beast::get_lowest_layer(socket_).close();
  Leave();
}

void PlayConnection::Leave() {
  open_ = false;
  read_wake_.Notify();
  game_wake_.Notify();
  write_wake_.Notify();
}

void PlayConnection::Close(uint16_t code, std::string reason) {
  if (goodbye_) return;
  goodbye_ = Goodbye{code, reason.substr(0, 123)};
  game_wake_.Notify();
  write_wake_.Notify();
}

asio::awaitable<void> PlayConnection::ReadLoop() {
  try {
    while (open_) {
      while (open_ && (commands_.size() >= kMaxCommands || texts_.size() >= kMaxTexts)) co_await read_wake_.Wait();
      const std::string message = co_await ReadMessage();
      if (goodbye_) continue;
      try {
        if (!socket_.got_text()) Fail("message: expected JSON text, got {} binary bytes", message.size());
        Handle(ParseClientMessage(message));
      } catch (const Error& e) {
        SayError(e.what());
        if (++faults_ >= kMaxFaults) Close(websocket::close_code::policy_error, "too many messages that make no sense");
      }
    }
  } catch (const boost::system::system_error&) {
  }
  End();
}

asio::awaitable<std::string> PlayConnection::ReadMessage() {
  const auto most = static_cast<size_t>(state_.options.message_bytes);
  beast::flat_buffer buffer;
  do {
    co_await socket_.async_read_some(buffer, most + 1, use_awaitable);
    if (buffer.size() <= most) continue;
    Close(websocket::close_code::too_big, fmt::format("a message may have {} bytes", most));
    buffer.clear();
  } while (!socket_.is_message_done());
  co_return std::string(static_cast<const char*>(buffer.data().data()), buffer.size());
}

asio::awaitable<void> PlayConnection::WriteLoop() {
  while (open_) {
    if (!texts_.empty()) {
      const std::string text = std::move(texts_.front());
      texts_.pop_front();
      read_wake_.Notify();
      socket_.text(true);
      co_await socket_.async_write(asio::buffer(text), use_awaitable);
    } else if (goodbye_) {
      const websocket::close_reason reason(static_cast<websocket::close_code>(goodbye_->code), goodbye_->reason);
      co_await socket_.async_close(reason, use_awaitable);
      End();
    } else if (unsent_) {
      unsent_ = false;
      const PicturePtr picture = latest_;
      const std::string header = EncodeFrameHeader(Header());
      const std::array<asio::const_buffer, 2> parts = {asio::buffer(header), asio::buffer(picture->rgb)};
      socket_.binary(true);
      co_await socket_.async_write(parts, use_awaitable);
      game_wake_.Notify();
    } else {
      co_await write_wake_.Wait();
    }
  }
}

asio::awaitable<void> PlayConnection::GameLoop() {
  const auto idle = std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(state_.options.idle_minutes * 60));
  while (open_ && !goodbye_) {
    const auto now = Clock::now();
    if (!commands_.empty()) {
      ClientMessage command = std::move(commands_.front());
      commands_.pop_front();
      read_wake_.Notify();
      co_await Execute(std::move(command));
    } else if (now - active_ >= idle) {
      Close(4001, fmt::format("no input for {:g} minutes", state_.options.idle_minutes));
    } else if (NextStep() <= now) {
      const auto period = std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(1 / fps_));
      next_step_ = std::max(next_step_ + period, now);
      last_step_ = now;
      ClientMessage step = StepMessage{held_};  // named: GCC 12 destroys an aggregate in a co_await's arguments twice
      co_await Execute(std::move(step));
    } else {
      co_await game_wake_.Wait(std::min(NextStep(), active_ + idle));
    }
  }
}

PlayConnection::Clock::time_point PlayConnection::NextStep() const {
  const bool ahead = unsent_ || (latest_ && latest_->sequence - seen_ >= static_cast<uint32_t>(state_.options.window));
  return paused_ || !held_ || ahead ? Clock::time_point::max() : next_step_;
}

void PlayConnection::Handle(ClientMessage message) {
  if (!session_ || goodbye_) return;
  if (const auto* seen = std::get_if<SeenMessage>(&message)) return Seen(seen->sequence);
  active_ = Clock::now();
  if (const auto* input = std::get_if<InputMessage>(&message)) return Hold(*input);
  if (const auto* step = std::get_if<StepMessage>(&message)) {
    const auto& action = step->action ? step->action : held_;
    if (!action) Fail("step: say which action, as none is held");
    session_->Facts().actions.Check(*action);
    message = StepMessage{action};
    if (!std::exchange(paused_, true)) SayStatus();
  }
  commands_.push_back(std::move(message));
  game_wake_.Notify();
}

// A change takes effect early, but never sooner than half a frame time after the last step: that halves the mean latency
// and moves the beat instead of speeding up the world.
void PlayConnection::Hold(const InputMessage& input) {
  if (input.action) session_->Facts().actions.Check(*input.action);
  const auto half = std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(0.5 / fps_));
  if (input.action != held_) next_step_ = std::min(next_step_, std::max(Clock::now(), last_step_ + half));
  held_ = input.action;
  input_ = input.number;
  game_wake_.Notify();
}

void PlayConnection::Seen(uint32_t sequence) {
  if (!latest_ || sequence > latest_->sequence) Fail("seen: frame {} has not been sent", sequence);
  seen_ = std::max(seen_, sequence);
  game_wake_.Notify();
}

void PlayConnection::Show(PicturePtr picture, uint32_t input) {
  latest_ = std::move(picture);
  latest_input_ = input;
  unsent_ = true;
  write_wake_.Notify();
}

void PlayConnection::Say(const Json& json) {
  texts_.push_back(json.dump(-1, ' ', false, Json::error_handler_t::replace));
  write_wake_.Notify();
}

void PlayConnection::SayError(std::string_view message) { Say({{"type", "error"}, {"message", message}}); }

asio::awaitable<std::vector<PicturePtr>> PlayConnection::Film() {
  if (!session_) Fail("the session has not begun");
  co_return co_await OnWorker([this] { return session_->Film(); });
}

}  // namespace orrery
