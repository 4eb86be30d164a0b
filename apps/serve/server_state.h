// What all connections of one server share. Touched on the IO thread only, but for the two pools.
#pragma once
#include <utility>  // which awaitable.hpp of Boost 1.74 forgets

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <type_traits>

#include "serve/options.h"
#include "serve/page.h"
#include "serve/play_world.h"

namespace orrery {

class PlayConnection;

struct ServerState {
  ServerState(const ServeOptions& given_options, PlayWorld given_play)
      : options(given_options), play(std::move(given_play)), page(options.page), workers(options.workers) {}
  // Waits for the work that runs; what has not begun is dropped.
  ~ServerState() {
    workers.stop();
    films.stop();
    workers.join();
    films.join();
  }

  ServeOptions options;
  PlayWorld play;
  Page page;
  bool loopback = true;  // bound to a loopback address
  bool stopping = false;
  int64_t connections = 0;
  int64_t films_waiting = 0;
  uint32_t session_count = 0;
  std::map<std::string, std::weak_ptr<PlayConnection>> sessions;  // by their secret id
  const std::chrono::steady_clock::time_point started = std::chrono::steady_clock::now();

  boost::asio::thread_pool workers;   // worlds step here
  boost::asio::thread_pool films{1};  // films are encoded here, beside the play
  boost::asio::io_context io{1};      // last: connections go with it, while the pools still stand
};

// Runs `work` on `executor` and comes back to the caller's; what it throws arrives here.
template <class Executor, class Work>
boost::asio::awaitable<std::invoke_result_t<Work&>> RunOn(Executor executor, Work work) {
  using Result = std::invoke_result_t<Work&>;
  auto body = [work = std::move(work)]() mutable -> boost::asio::awaitable<Result> { co_return work(); };
  co_return co_await boost::asio::co_spawn(executor, std::move(body), boost::asio::use_awaitable);
}

}  // namespace orrery
