#include "serve/server.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket/rfc6455.hpp>

#include "core/error.h"
#include "core/signals.h"
#include "serve/http_routes.h"
#include "serve/play_connection.h"

namespace orrery {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::use_awaitable;
using asio::ip::tcp;

namespace {

constexpr uint32_t kHeaderLimit = 8192;
constexpr uint64_t kBodyLimit = 1024;
constexpr auto kHttpPatience = std::chrono::seconds(30);

// Counts one connection as long as it lives.
class Counted {
 public:
  explicit Counted(int64_t& count) : count_(count) { ++count_; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() { --count_; }

 private:
  int64_t& count_;
};

// Null when the request may open a session, else why not.
const char* UpgradeRefusal(const ServerState& state, const HttpRequest& request) {
  if (request.target() != "/play") return "the WebSocket is at /play";
  if (!OriginAllowed(state, request)) return "sessions are opened by the page of this server only";
  return nullptr;
}

asio::awaitable<void> ServeRequests(ServerState& state, beast::tcp_stream stream) {
  beast::flat_buffer buffer;
  for (bool keep = true; keep;) {
    http::request_parser<http::string_body> parser;
    parser.header_limit(kHeaderLimit);
    parser.body_limit(kBodyLimit);
    stream.expires_after(kHttpPatience);
    co_await http::async_read(stream, buffer, parser, use_awaitable);
    HttpRequest request = parser.release();
    HttpResponse response;
    if (!HostAllowed(state, request)) {
      response = Refusal(request, http::status::forbidden, "this server answers to loopback names only");
    } else if (beast::websocket::is_upgrade(request)) {
      if (const char* refusal = UpgradeRefusal(state, request)) {
        response = Refusal(request, http::status::forbidden, refusal);
      } else {
        const auto connection = std::make_shared<PlayConnection>(state, std::move(stream));
        co_await connection->Run(std::move(request));
        co_return;
      }
    } else {
      stream.expires_never();
      response = co_await Respond(state, request);
    }
    keep = response.keep_alive();
    stream.expires_after(kHttpPatience);
    co_await http::async_write(stream, response, use_awaitable);
  }
  boost::system::error_code ignored;
  stream.socket().shutdown(tcp::socket::shutdown_send, ignored);
}

// A connection that breaks, at whatever point, is over and concerns nobody else.
asio::awaitable<void> ServeConnection(ServerState& state, tcp::socket socket) {
  const Counted counted(state.connections);
  boost::system::error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  beast::tcp_stream stream(std::move(socket));
  try {
    co_await ServeRequests(state, std::move(stream));
  } catch (const boost::system::system_error&) {
  }
}

tcp::endpoint Resolve(asio::io_context& io, const ServeOptions& options) {
  boost::system::error_code error;
  const auto found = tcp::resolver(io).resolve(options.host, std::to_string(options.port), error);
  if (error || found.empty()) Fail("cannot find the address of host '{}': {}", options.host, error.message());
  return *found.begin();
}

}  // namespace

struct Server::Impl {
  Impl(const ServeOptions& options, PlayWorld play) : state(options, std::move(play)), acceptor(state.io) {}

  void Listen() {
    const tcp::endpoint endpoint = Resolve(state.io, state.options);
    state.loopback = endpoint.address().is_loopback();
    boost::system::error_code error;
    acceptor.open(endpoint.protocol());
    acceptor.set_option(asio::socket_base::reuse_address(true));
    acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (error)
      Fail("cannot listen on port {} of {}: {}; give another port (0 takes any free one)", state.options.port, state.options.host,
           error.message());
  }

  asio::awaitable<void> Accept() {
    while (!state.stopping) {
      boost::system::error_code error;
      tcp::socket socket = co_await acceptor.async_accept(asio::redirect_error(use_awaitable, error));
      if (error == asio::error::operation_aborted) break;
      if (error) {
        asio::steady_timer pause(state.io, std::chrono::milliseconds(50));
        co_await pause.async_wait(use_awaitable);
      } else if (state.connections < state.options.max_connections) {
        asio::co_spawn(state.io, ServeConnection(state, std::move(socket)), asio::detached);
      }
    }
  }

  asio::awaitable<void> WatchForStop() {
    asio::steady_timer timer(state.io);
    while (!state.stopping && !StopRequested()) {
      timer.expires_after(std::chrono::milliseconds(50));
      co_await timer.async_wait(use_awaitable);
    }
    state.stopping = true;
    acceptor.close();
    const auto sessions = state.sessions;
    for (const auto& [id, session] : sessions) {
      if (const auto connection = session.lock()) connection->Close(beast::websocket::close_code::going_away, "the server is stopping");
    }
    for (int i = 0; i < 20 && !state.sessions.empty(); ++i) {
      timer.expires_after(std::chrono::milliseconds(50));
      co_await timer.async_wait(use_awaitable);
    }
    state.io.stop();
  }

  ServerState state;
  tcp::acceptor acceptor;
};

Server::Server(const ServeOptions& options, PlayWorld play) {
  CheckOptions(options);
  ORRERY_CHECK(play.make != nullptr);
  impl_ = std::make_unique<Impl>(options, std::move(play));
  impl_->Listen();
}

Server::~Server() = default;

uint16_t Server::Port() const { return impl_->acceptor.local_endpoint().port(); }

bool Server::Loopback() const { return impl_->state.loopback; }

std::string Server::Address() const {
  const auto address = impl_->acceptor.local_endpoint().address();
  if (address.is_unspecified()) return fmt::format("http://127.0.0.1:{}/", Port());
  return address.is_v6() ? fmt::format("http://[{}]:{}/", address.to_string(), Port())
                         : fmt::format("http://{}:{}/", address.to_string(), Port());
}

void Server::Run() {
  asio::co_spawn(impl_->state.io, impl_->Accept(), asio::detached);
  asio::co_spawn(impl_->state.io, impl_->WatchForStop(), asio::detached);
  impl_->state.io.run();
}

void Server::Stop() {
  asio::post(impl_->state.io, [this] { impl_->state.stopping = true; });
}

}  // namespace orrery
