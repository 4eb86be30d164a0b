#include "core/signals.h"

#include <csignal>

#include "core/error.h"

namespace orrery {

namespace {

volatile std::sig_atomic_t g_stop = 0;

void OnSignal(int signal) {
  if (g_stop) {
    std::signal(signal, SIG_DFL);
    std::raise(signal);
  }
  g_stop = 1;
}

}  // namespace

void CatchStopSignals() {
  struct sigaction action = {};
  action.sa_handler = OnSignal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool StopRequested() { return g_stop != 0; }

void RequestStop() { g_stop = 1; }

void ClearStopRequest() { g_stop = 0; }

void ThrowIfStopRequested() {
  if (StopRequested()) throw Interrupted("interrupted");
}

}  // namespace orrery
