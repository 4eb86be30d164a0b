// A wake-up call between coroutines of one thread.
#pragma once
#include <utility>  // which awaitable.hpp of Boost 1.74 forgets

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>

namespace orrery {

// One coroutine waits, others notify. A notification with nobody waiting is lost, so the waiter checks its condition
// before it waits; between the two nothing else runs, as all share one thread.
class Signal {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Signal(boost::asio::io_context& io) : timer_(io) {}

  void Notify() { timer_.cancel(); }

  boost::asio::awaitable<void> Wait(Clock::time_point until = Clock::time_point::max()) {
    timer_.expires_at(until);
    boost::system::error_code ignored;
    co_await timer_.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
  }

 private:
  boost::asio::steady_timer timer_;
};

}  // namespace orrery
