// Writing data sets in Minari's HDF5 layout.
#pragma once
#include <filesystem>
#include <memory>

#include "data/episode.h"

namespace orrery {

struct DatasetWriterOptions {
  bool overwrite = false;  // an existing data set at the same place is replaced by Finish(), not before
};

// Writes episode by episode into a temporary folder beside `folder`; Finish() renames it into place. Destroyed
// unfinished, nothing remains. A recording that is interrupted calls Finish() to keep the episodes so far.
// Error: `folder` exists and is not to be overwritten, tensors that do not fit the facts, actions or pose that are not
// finite or out of range (each names the episode), a full disk (what was there before is unchanged).
class DatasetWriter {
 public:
  DatasetWriter(const std::filesystem::path& folder, DatasetFacts facts, const DatasetWriterOptions& options = {});
  ~DatasetWriter();

  void Add(const Episode& episode);  // at least two frames

  // The same for an episode longer than memory: Begin, Append of consecutive rows (row 0 of the first is the episode's
  // dummy), End.
  void Begin(uint64_t seed = 0, const std::optional<TwinMark>& twin = std::nullopt);
  void Append(const Episode& rows);
  void End();

  int64_t Episodes() const;  // ended ones
  void Finish();             // throws Error without an episode

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace orrery
