// Data sets on disk in Minari's HDF5 layout: read by random access, never as a whole.
#pragma once
#include <filesystem>
#include <memory>
#include <vector>

#include "data/episode.h"

namespace orrery {

// A folder DIR with main_data.hdf5 and metadata.json, as Minari writes and reads it (episode_i/{observations,actions,
// rewards,terminations,truncations,infos}); pose in infos/pose. Opening checks the layout of every episode (shapes, dtypes,
// finite numbers in actions and pose, action count = frame count - 1) and throws Error naming file and episode.
class Dataset {
 public:
  explicit Dataset(const std::filesystem::path& folder);
  ~Dataset();
  Dataset(Dataset&&) noexcept;

  const DatasetFacts& Facts() const;
  int64_t Episodes() const;
  int64_t Frames(int64_t episode) const;  // T+1
  int64_t TotalFrames() const;

  // Rows [begin, begin + count) of one episode. Thread-safe (HDF5 calls are serialised inside).
  Episode Read(int64_t episode, int64_t begin, int64_t count) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Writes episode by episode into a temporary folder beside `folder`; Finish() renames it into place. Destroyed
// unfinished, nothing remains. An existing `folder` is an Error unless `overwrite`.
class DatasetWriter {
 public:
  DatasetWriter(const std::filesystem::path& folder, DatasetFacts facts, bool overwrite = false);
  ~DatasetWriter();

  void Add(const Episode& episode);  // checks the tensors against the facts
  int64_t Episodes() const;
  void Finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace orrery
