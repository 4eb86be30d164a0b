// Listens on one port for HTTP and WebSocket.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "serve/options.h"
#include "serve/play_world.h"

namespace orrery {

class Server {
 public:
  // Binds. Throws Error when an option is out of range, the page is missing or the port cannot be had.
  Server(const ServeOptions& options, PlayWorld play);
  ~Server();

  uint16_t Port() const;
  std::string Address() const;  // "http://127.0.0.1:8420/", as a browser on this machine reaches it
  bool Loopback() const;        // not reachable from elsewhere

  // Serves until Stop() or a stop signal; pages are told, and given a second to hear it.
  void Run();
  void Stop();  // from any thread

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace orrery
