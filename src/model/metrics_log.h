// metrics.jsonl: one JSON object a line, each with the training step it belongs to.
#pragma once
#include <filesystem>
#include <fstream>

#include "core/config.h"

namespace orrery {

class MetricsLog {
 public:
  // Goes on after `step`: lines of later steps, and a line that was cut short, are dropped.
  MetricsLog(std::filesystem::path path, int64_t step);
  void Write(const Json& line);  // flushed; throws Error when the disk is full

 private:
  std::filesystem::path path_;
  std::ofstream out_;
};

}  // namespace orrery
