// Data sets on disk in Minari's HDF5 layout: read by random access, never as a whole.
#pragma once
#include <filesystem>
#include <memory>
#include <vector>

#include "data/episode.h"

namespace orrery {

// A folder DIR with main_data.hdf5 and metadata.json, as Minari writes and reads it (episode_i/{observations,actions,
// rewards,terminations,truncations,infos}); DIR/data is taken too. Frames are raw or JPEG, RGB or grey (spread to RGB);
// pose lies in infos/pose. Opening checks the layout of every episode (shapes, kinds, finite numbers in actions and pose,
// actions in range, action count = frame count - 1) and throws Error naming file and episode.
class Dataset {
 public:
  explicit Dataset(const std::filesystem::path& folder);
  ~Dataset();
  Dataset(Dataset&&) noexcept;

  const DatasetFacts& Facts() const;
  const std::filesystem::path& Folder() const;
  int64_t Episodes() const;
  int64_t Frames(int64_t episode) const;  // T+1
  int64_t TotalFrames() const;
  const std::optional<TwinMark>& Twin(int64_t episode) const;  // checked: the earlier episode has those frames, and one after them

  // Rows [begin, begin + count) of one episode. Thread-safe (HDF5 calls are serialised inside).
  Episode Read(int64_t episode, int64_t begin, int64_t count) const;
  // The same into contiguous tensors [count, ...] of the caller; undefined ones are not read. `rows.seed` and `rows.twin` are set.
  void ReadInto(int64_t episode, int64_t begin, Episode& rows) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace orrery
