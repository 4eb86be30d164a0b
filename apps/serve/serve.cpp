#include "serve/serve.h"

#include <cstdio>

#include "core/error.h"
#include "serve/server.h"

namespace orrery {

int Serve(const ServeOptions& options, PlayWorld play) {
  const std::string title = play.title;
  Server server(options, std::move(play));
  fmt::print("{}: {} (Ctrl-C stops)\n", title, server.Address());
  if (!server.Loopback()) fmt::print("Everyone who reaches port {} of this machine can play.\n", server.Port());
  std::fflush(stdout);
  server.Run();
  fmt::print("stopped\n");
  return 0;
}

}  // namespace orrery
