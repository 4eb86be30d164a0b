#include "core/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace orrery {

namespace {

std::string Duration(double seconds) {
  const auto s = static_cast<int64_t>(seconds + 0.5);
  if (s >= 3600) return fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
  return fmt::format("{}:{:02}", s / 60, s % 60);
}

}  // namespace

Progress::Progress(std::string title, int64_t total, std::string unit)
    : title_(std::move(title)),
      unit_(std::move(unit)),
      total_(total),
      start_(Clock::now()),
      drawn_(start_),
      terminal_(::isatty(STDERR_FILENO)),
      quiet_(std::getenv("ORRERY_QUIET") != nullptr) {}

Progress::~Progress() {
  if (!finished_ && terminal_ && !quiet_ && width_ > 0) std::fputc('\n', stderr);
}

void Progress::Update(int64_t done, const std::string& note) {
  UpdateFraction(total_ > 0 ? static_cast<double>(done) / static_cast<double>(total_) : -1, done, note);
}

void Progress::UpdateFraction(double fraction, int64_t done, const std::string& note) {
  done_ = done;
  fraction_ = fraction;
  if (quiet_) return;
  const auto now = Clock::now();
  const auto interval = terminal_ ? std::chrono::milliseconds(100) : std::chrono::milliseconds(10000);
  if (now - drawn_ < interval) return;
  drawn_ = now;
  Draw(fraction, done, note, false);
}

void Progress::Finish(const std::string& note) {
  if (finished_) return;
  finished_ = true;
  if (!quiet_) Draw(note.empty() || fraction_ < 0 ? 1 : fraction_, done_, note, true);
}

void Progress::Draw(double fraction, int64_t done, const std::string& note, bool last) {
  const double elapsed = std::chrono::duration<double>(Clock::now() - start_).count();
  std::string line = title_;
  if (fraction >= 0) {
    const double f = std::clamp(fraction, 0.0, 1.0);
    if (terminal_) {
      const int filled = static_cast<int>(f * 24);
      line += fmt::format(" [{}{}]", std::string(filled, '#'), std::string(24 - filled, '.'));
    }
    line += fmt::format(" {:3.0f} %", 100 * f);
  }
  line += fmt::format("  {} {}", done, unit_);
  if (elapsed > 0) line += fmt::format("  {:.4g} {}/s", static_cast<double>(done) / elapsed, unit_);
  if (last)
    line += "  in " + Duration(elapsed);
  else if (fraction > 0.001)
    line += "  " + Duration(elapsed * (1 - fraction) / fraction) + " left";
  if (!note.empty()) line += "  " + note;
  if (terminal_) {
    const std::string padding(width_ > line.size() ? width_ - line.size() : 0, ' ');
    width_ = line.size();
    fmt::print(stderr, "\r{}{}{}", line, padding, last ? "\n" : "");
  } else {
    fmt::print(stderr, "{}\n", line);
  }
  std::fflush(stderr);
}

}  // namespace orrery
