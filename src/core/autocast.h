// Mixed precision within a scope.
#pragma once
#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

namespace orrery {

// Matrix products and convolutions run in bfloat16 until the end of the scope; weights stay fp32 and are cast once a scope.
// Not enabled, the scope runs in fp32 even inside an outer one that is.
class Autocast {
 public:
  Autocast(c10::Device device, bool enabled);
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;
  ~Autocast();

 private:
  c10::DeviceType device_;
  bool enabled_before_, cache_before_;
  c10::ScalarType type_before_;
};

}  // namespace orrery
