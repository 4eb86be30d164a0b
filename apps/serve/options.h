// How the play server listens and what it allows one session.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "core/config.h"

namespace orrery {

struct ServeOptions {
  std::string host = "127.0.0.1";    // address or name to bind to; anything but loopback is reachable by others
  int64_t port = 8420;               // 0: any free port
  std::string page;                  // folder to serve the page from; empty: the copy inside the program
  std::vector<std::string> origins;  // further origins ("https://play.example") that may open a session
  double fps = 0;                    // frames a second of a new session; 0: the world's own
  int64_t max_sessions = 8;
  int64_t max_connections = 128;  // HTTP and WebSocket together
  int64_t workers = 1;            // worlds that step at the same moment
  int64_t window = 3;             // frames on their way to a page that has not yet drawn them
  double idle_minutes = 15;       // a session without input is closed after
  int64_t message_bytes = 4096;   // longest message of a client
  int64_t film_megabytes = 64;    // frames kept for the film, of one session
  int64_t keep_megabytes = 256;   // snapshots kept, of one session; the oldest go first
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(ServeOptions, host, port, page, origins, fps, max_sessions, max_connections, workers,
                                                window, idle_minutes, message_bytes, film_megabytes, keep_megabytes)

// Throws Error that names the option out of range.
void CheckOptions(const ServeOptions& options);

}  // namespace orrery
