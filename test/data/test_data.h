// Small data sets and folders for the tests of this room.
#pragma once
#include <ATen/Functions.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "core/error.h"
#include "core/rng.h"
#include "data/dataset.h"
#include "data/dataset_writer.h"
#include "data/hdf5.h"

namespace orrery {

// A folder that goes away with its owner.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    static int counter = 0;
    path_ = std::filesystem::temp_directory_path() / fmt::format("orrery_data_{}_{}", ::getpid(), counter++);
    std::filesystem::create_directories(path_);
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  const std::filesystem::path& Path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// The message of the Error that `function` throws; "" when it throws none.
template <class Function>
std::string ErrorOf(Function function) {
  try {
    function();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

inline void ExpectOneLine(const std::string& message, std::initializer_list<std::string> parts) {
  EXPECT_FALSE(message.empty());
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  for (const std::string& part : parts) EXPECT_NE(message.find(part), std::string::npos) << part << " in: " << message;
}

inline int64_t CountFiles(const std::filesystem::path& folder) {
  return std::distance(std::filesystem::directory_iterator(folder), std::filesystem::directory_iterator());
}

inline ActionSpace DiscreteSpace(int64_t count) {
  ActionSpace space;
  space.count = count;
  return space;
}

inline ActionSpace BoxSpace(int64_t dims) {
  ActionSpace space;
  space.dims = dims;
  space.low.assign(dims, -1.0f);
  space.high.assign(dims, 2.5f);
  return space;
}

inline DatasetFacts SmallFacts(ActionSpace actions, bool has_pose) {
  DatasetFacts facts;
  facts.name = "small set";
  facts.source = "made(up)";
  facts.height = 6;
  facts.width = 5;
  facts.fps = 12.5;
  facts.actions = std::move(actions);
  facts.has_pose = has_pose;
  return facts;
}

// Random content that fits the facts.
inline Episode RandomEpisode(const DatasetFacts& facts, int64_t frames, uint64_t seed) {
  Rng rng(seed, "episode");
  Episode episode;
  episode.seed = seed;
  episode.frames = at::empty({frames, facts.height, facts.width, 3}, at::kByte);
  uint8_t* bytes = episode.frames.mutable_data_ptr<uint8_t>();
  for (int64_t i = 0; i < episode.frames.numel(); ++i) bytes[i] = static_cast<uint8_t>(rng.U32());
  if (facts.actions.Width() > 0) {
    episode.actions = at::zeros({frames, facts.actions.Width()}, at::kFloat);
    float* action = episode.actions.mutable_data_ptr<float>();
    for (int64_t i = facts.actions.Width(); i < episode.actions.numel(); ++i)
      action[i] = facts.actions.Discrete() ? static_cast<float>(rng.Below(facts.actions.count)) : static_cast<float>(rng.Uniform(-1, 2.5));
  }
  if (facts.has_pose) {
    episode.pose = at::empty({frames, 3}, at::kFloat);
    for (int64_t i = 0; i < frames * 3; ++i) episode.pose.mutable_data_ptr<float>()[i] = static_cast<float>(rng.Normal());
  }
  return episode;
}

inline void WriteSet(const std::filesystem::path& folder, const DatasetFacts& facts, const std::vector<int64_t>& lengths) {
  DatasetWriter writer(folder, facts);
  for (size_t i = 0; i < lengths.size(); ++i) writer.Add(RandomEpisode(facts, lengths[i], i));
  writer.Finish();
}

// Puts another array in the place of one.
inline void Replace(hid_t file, const char* path, hid_t type, const std::vector<hsize_t>& shape, const void* data) {
  H5Ldelete(file, path, H5P_DEFAULT);
  const hdf5::Handle space(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr), H5Sclose);
  const hdf5::Handle array(H5Dcreate2(file, path, type, space.Id(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Dclose);
  EXPECT_GE(H5Dwrite(array.Id(), type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data), 0);
}

}  // namespace orrery
