// Progress of long work: a bar with rate and time left on a terminal, a plain line now and then elsewhere.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>

namespace orrery {

class Progress {
 public:
  // `total` <= 0: unknown. `unit` names what is counted ("frames"). Silent when ORRERY_QUIET is set.
  Progress(std::string title, int64_t total, std::string unit);
  ~Progress();

  // `done` counted so far; `note` is appended ("loss 0.123"). Redraws at most 10 times a second on a terminal and
  // writes a line every 10 s elsewhere.
  void Update(int64_t done, const std::string& note = "");
  // For work measured in time: the fraction done in [0, 1] decides bar and time left.
  void UpdateFraction(double fraction, int64_t done, const std::string& note = "");
  // The last line; with a note that says why, it may come before everything is done.
  void Finish(const std::string& note = "");

 private:
  using Clock = std::chrono::steady_clock;
  void Draw(double fraction, int64_t done, const std::string& note, bool last);

  std::string title_, unit_;
  int64_t total_, done_ = 0;
  double fraction_ = -1;
  Clock::time_point start_, drawn_;
  bool terminal_, quiet_, finished_ = false;
  size_t width_ = 0;
};

}  // namespace orrery
