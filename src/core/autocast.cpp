#include "core/autocast.h"

#include <ATen/autocast_mode.h>

namespace orrery {

namespace autocast = at::autocast;

Autocast::Autocast(c10::Device device, bool enabled)
    : device_(device.type()),
      enabled_before_(autocast::is_autocast_enabled(device_)),
      cache_before_(autocast::is_autocast_cache_enabled()),
      type_before_(autocast::get_autocast_dtype(device_)) {
  autocast::increment_nesting();
  autocast::set_autocast_enabled(device_, enabled);
  autocast::set_autocast_dtype(device_, at::kBFloat16);
  autocast::set_autocast_cache_enabled(true);
}

Autocast::~Autocast() {
  if (autocast::decrement_nesting() == 0) autocast::clear_cache();
  autocast::set_autocast_enabled(device_, enabled_before_);
  autocast::set_autocast_dtype(device_, type_before_);
  autocast::set_autocast_cache_enabled(cache_before_);
}

}  // namespace orrery
