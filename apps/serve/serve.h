// The play server as a program uses it.
#pragma once
#include "serve/options.h"
#include "serve/play_world.h"

namespace orrery {

// Binds, prints the address, serves until SIGINT or SIGTERM and returns the exit code: 0, as being told to stop is how
// a server ends. The caller has called CatchStopSignals(). Throws Error as Server does.
int Serve(const ServeOptions& options, PlayWorld play);

}  // namespace orrery
