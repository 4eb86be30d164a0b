// One WebSocket and its session: reads messages, steps the world in time, writes frames.
#pragma once
#include <boost/asio/strand.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "serve/play_session.h"
#include "serve/server_state.h"
#include "serve/signal.h"

namespace orrery {

// Three loops on the IO thread, which wake one another:
//   read   parses messages; inputs and acknowledgements take effect at once, commands queue (at most kMaxCommands, then
//          the socket is read no further)
//   game   runs commands in order and, when neither paused nor ahead of the page, one step a frame time, on a worker
//   write  texts first, then the newest frame; there is one place for an unsent frame and a newer one takes it
// A page acknowledges what it has drawn; the world waits while `window` frames are on their way. So a slow or silent page
// costs nobody anything and never builds up latency.
class PlayConnection : public std::enable_shared_from_this<PlayConnection> {
 public:
  using Request = boost::beast::http::request<boost::beast::http::string_body>;

  PlayConnection(ServerState& state, boost::beast::tcp_stream stream);
  ~PlayConnection();

  // From the handshake to the end of the connection.
  boost::asio::awaitable<void> Run(Request upgrade);

  // Says goodbye after what is queued: a WebSocket close code and a reason for people, at most 123 bytes.
  void Close(uint16_t code, std::string reason);

  // The frames for the film, taken between two steps.
  boost::asio::awaitable<std::vector<PicturePtr>> Film();
  double Fps() const { return fps_; }
  const WorldFacts& Facts() const { return session_->Facts(); }  // once the session has begun

 private:
  using Clock = std::chrono::steady_clock;
  struct KeptState {
    int64_t id = 0;
    uint32_t tick = 0;
  };
  struct Goodbye {
    uint16_t code;
    std::string reason;
  };
  static constexpr size_t kMaxCommands = 8, kMaxTexts = 32, kMaxFaults = 16;

  boost::asio::awaitable<bool> Open();
  boost::asio::awaitable<void> ReadLoop();
  // One message; what is longer than allowed says goodbye and is thrown away as it comes.
  boost::asio::awaitable<std::string> ReadMessage();
  boost::asio::awaitable<void> GameLoop();
  boost::asio::awaitable<void> WriteLoop();
  void Start(boost::asio::awaitable<void> (PlayConnection::*loop)());
  void Leave();  // ends the loops
  void End();    // and closes the socket

  void Handle(ClientMessage message);
  boost::asio::awaitable<void> Execute(ClientMessage command);
  boost::asio::awaitable<void> Step(Action action);
  boost::asio::awaitable<void> Manage(ClientMessage command);  // every command but a step
  boost::asio::awaitable<void> Reset(uint64_t seed, std::optional<int64_t> start);
  // Runs what touches session_.
  template <class Work>
  boost::asio::awaitable<std::invoke_result_t<Work&>> OnWorker(Work work) {
    co_return co_await RunOn(strand_, std::move(work));
  }

  Clock::time_point NextStep() const;  // max(): not before something changes
  void Hold(const InputMessage& input);
  void Seen(uint32_t sequence);
  void Show(PicturePtr picture, uint32_t input);
  void Say(const Json& json);
  void SayError(std::string_view message);
  void SayStatus();
  Json Hello() const;
  FrameHeader Header() const;                 // of latest_
  std::vector<KeptState> KeptStates() const;  // on strand_

  ServerState& state_;
  boost::beast::websocket::stream<boost::beast::tcp_stream> socket_;
  boost::asio::strand<boost::asio::thread_pool::executor_type> strand_;  // the session's own, on the workers
  std::string id_;
  uint32_t number_ = 0;
  std::unique_ptr<PlaySession> session_;  // used on strand_ only

  bool open_ = true, paused_ = false;
  std::optional<Goodbye> goodbye_;
  double fps_ = 0;
  std::optional<Action> held_;
  uint32_t input_ = 0, seen_ = 0;
  Clock::time_point next_step_, last_step_, active_;
  std::deque<ClientMessage> commands_;
  std::deque<std::string> texts_;
  size_t faults_ = 0;
  PicturePtr latest_;
  bool unsent_ = false;  // latest_ is not written yet
  uint32_t latest_input_ = 0;
  float latest_wait_ms_ = 0;
  uint64_t seed_ = 0;
  std::optional<int64_t> start_;
  std::vector<KeptState> kept_;
  Signal read_wake_, game_wake_, write_wake_;
};

}  // namespace orrery
