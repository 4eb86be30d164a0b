// A page without a browser, for tests: speaks to a server of this process over real sockets.
#pragma once
#include <gtest/gtest.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <string>
#include <thread>

#include "serve/protocol.h"
#include "serve/server.h"
#include "toy_world.h"

namespace orrery {

// A server on a free port of loopback, on its own thread.
class RunningServer {
 public:
  explicit RunningServer(ServeOptions options = {}, ToyOptions toy = {}) : server_(Port0(options), Toy(toy)) {
    thread_ = std::thread([this] { server_.Run(); });
  }
  ~RunningServer() {
    server_.Stop();
    thread_.join();
  }
  uint16_t Port() const { return server_.Port(); }

 private:
  static ServeOptions Port0(ServeOptions options) {
    options.port = 0;
    return options;
  }
  static PlayWorld Toy(const ToyOptions& toy) {
    PlayWorld play;
    play.title = "toy";
    play.facts = Json::object();
    play.make = [toy] { return std::make_unique<ToyWorld>(toy); };
    play.starts = {{11, "first", "png bytes"}, {12, "second", ""}};
    return play;
  }

  Server server_;
  std::thread thread_;
};

struct Received {
  FrameHeader header;
  std::string rgb;
};

class Client {
 public:
  using Stream = boost::beast::websocket::stream<boost::beast::tcp_stream>;

  // Throws boost::system::system_error when refused.
  explicit Client(uint16_t port, const std::string& origin = "", const std::string& host = "127.0.0.1") : socket_(io_) {
    auto& tcp = boost::beast::get_lowest_layer(socket_);
    tcp.connect(boost::asio::ip::tcp::endpoint(boost::asio::ip::make_address("127.0.0.1"), port));
    socket_.set_option(boost::beast::websocket::stream_base::decorator([origin](auto& request) {
      if (!origin.empty()) request.set(boost::beast::http::field::origin, origin);
    }));
    socket_.handshake(host + ":" + std::to_string(port), "/play");
  }

  void Say(const std::string& text) {
    socket_.text(true);
    socket_.write(boost::asio::buffer(text));
  }

  // The next text of that type; frames in between are dropped.
  Json Text(const std::string& type) {
    for (;;) {
      const std::string message = Read();
      if (!socket_.got_text()) continue;
      const Json json = ParseJson(message, "a text of the server");
      if (json["type"] == type) return json;
    }
  }

  // The next frame, acknowledged unless `silent`; texts in between are dropped.
  Received Frame(bool silent = false) {
    for (;;) {
      const std::string message = Read();
      if (socket_.got_text()) continue;
      size_t offset = 0;
      Received frame{DecodeFrameHeader(message, offset), ""};
      frame.rgb = message.substr(offset);
      if (!silent) Say(fmt::format(R"({{"type":"seen","sequence":{}}})", frame.header.sequence));
      return frame;
    }
  }

  std::string Read() {
    boost::beast::flat_buffer buffer;
    socket_.read(buffer);
    return boost::beast::buffers_to_string(buffer.data());
  }

  // Reads to the end and returns the close code of the server.
  uint16_t CloseCode() {
    boost::system::error_code error;
    while (!error) {
      boost::beast::flat_buffer buffer;
      socket_.read(buffer, error);
    }
    return socket_.reason().code;
  }

  Stream& Socket() { return socket_; }

 private:
  boost::asio::io_context io_;
  Stream socket_;
};

inline boost::beast::http::response<boost::beast::http::string_body> Get(uint16_t port, const std::string& target,
                                                                         const std::string& host = "127.0.0.1",
                                                                         boost::beast::http::verb method = boost::beast::http::verb::get) {
  namespace http = boost::beast::http;
  boost::asio::io_context io;
  boost::beast::tcp_stream stream(io);
  stream.connect(boost::asio::ip::tcp::endpoint(boost::asio::ip::make_address("127.0.0.1"), port));
  http::request<http::empty_body> request(method, target, 11);
  request.set(http::field::host, host);
  request.keep_alive(false);
  http::write(stream, request);
  boost::beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.skip(method == http::verb::head);
  parser.body_limit(64 << 20);
  http::read(stream, buffer, parser);
  return parser.release();
}

}  // namespace orrery
