#include "serve/options.h"

#include <cmath>

namespace orrery {

namespace {

void CheckRange(const char* name, double value, double low, double high) {
  if (!(value >= low && value <= high)) Fail("serve: {} must lie in [{}, {}], got {}", name, low, high, value);
}

}  // namespace

void CheckOptions(const ServeOptions& o) {
  CheckRange("port", static_cast<double>(o.port), 0, 65535);
  if (o.fps != 0) CheckRange("fps", o.fps, 0.1, 240);
  CheckRange("max_sessions", static_cast<double>(o.max_sessions), 1, 10000);
  CheckRange("max_connections", static_cast<double>(o.max_connections), 1, 100000);
  CheckRange("workers", static_cast<double>(o.workers), 1, 256);
  CheckRange("window", static_cast<double>(o.window), 1, 100);
  CheckRange("idle_minutes", o.idle_minutes, 0.001, 1e6);
  CheckRange("message_bytes", static_cast<double>(o.message_bytes), 256, 1 << 20);
  CheckRange("film_megabytes", static_cast<double>(o.film_megabytes), 1, 1 << 20);
  CheckRange("keep_megabytes", static_cast<double>(o.keep_megabytes), 1, 1 << 20);
}

}  // namespace orrery
