#include "model/metrics_log.h"

#include <cerrno>
#include <cstring>
#include <sstream>

#include "core/file.h"

namespace orrery {

MetricsLog::MetricsLog(std::filesystem::path path, int64_t step) : path_(std::move(path)) {
  std::string kept;
  if (std::filesystem::exists(path_)) {
    std::istringstream lines(ReadFile(path_));
    for (std::string line; std::getline(lines, line);) {
      const Json value = Json::parse(line, nullptr, false);
      if (value.is_object() && value.value("step", step + 1) <= step) kept += line + "\n";
    }
  }
  WriteFileAtomic(path_, kept);
  out_.open(path_, std::ios::app);
  if (!out_) Fail("cannot write {}: {}", path_.string(), std::strerror(errno));
}

void MetricsLog::Write(const Json& line) {
  out_ << line.dump() << '\n' << std::flush;
  if (!out_) Fail("cannot write {}: {}", path_.string(), std::strerror(errno));
}

}  // namespace orrery
