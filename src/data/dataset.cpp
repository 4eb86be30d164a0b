#include "data/dataset.h"

#include <ATen/Functions.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "core/shape.h"
#include "data/gym_space.h"
#include "data/hdf5.h"
#include "data/jpeg.h"

namespace orrery {

namespace fs = std::filesystem;

namespace {

constexpr const char* kPose = "infos/pose";
constexpr int64_t kCheckRows = 65536;  // rows of actions or pose in memory at once while checking
constexpr size_t kMostOpened = 512;    // episodes

fs::path DataFolder(const fs::path& folder) {
  for (const fs::path& candidate : {folder, folder / "data"})
    if (fs::exists(candidate / "metadata.json") && fs::exists(candidate / "main_data.hdf5")) return candidate;
  Fail("{}: no data set (expected main_data.hdf5 and metadata.json there or in its folder data); record or import one", folder.string());
}

std::string Text(const Json& metadata, const char* key, const std::string& where) {
  if (!metadata.contains(key) || !metadata[key].is_string()) Fail("{}: expected the text \"{}\"", where, key);
  return metadata[key].get<std::string>();
}

// What can be known of a set that another program wrote.
DatasetFacts ForeignFacts(const Json& metadata, const ImageSpace& image, const ActionSpace& actions) {
  DatasetFacts facts;
  facts.name = metadata.value("dataset_id", "unnamed");
  facts.source = "minari:" + facts.name;
  const Json environment = Json::parse(metadata.value("env_spec", ""), nullptr, false);
  if (environment.is_object() && environment.contains("id") && environment["id"].is_string())
    facts.source = "gymnasium:" + environment["id"].get<std::string>();
  facts.height = image.height;
  facts.width = image.width;
  facts.actions = actions;
  return facts;
}

enum class Storage { kRaw, kJpegRows, kJpegVariable };

// An episode's arrays, open.
struct Opened {
  hdf5::Array frames, actions, pose;
  Storage storage = Storage::kRaw;
  uint64_t seed = 0;
  std::optional<TwinMark> twin;
};

std::optional<TwinMark> ReadTwin(hid_t group) {
  constexpr uint64_t kNone = UINT64_MAX;
  const uint64_t of = hdf5::ReadAttribute(group, "twin_of", kNone);
  if (of == kNone) return std::nullopt;
  const auto number = [&](const char* name) { return static_cast<int64_t>(hdf5::ReadAttribute(group, name, 0)); };
  return TwinMark{static_cast<int64_t>(of), number("twin_begin"), number("twin_at")};
}

}  // namespace

struct Dataset::Impl {
  fs::path folder, file;
  DatasetFacts facts;
  ImageSpace image;
  int64_t action_start = 0;
  std::vector<int64_t> frames, own_frames;  // the latter 0 for twins
  std::vector<std::optional<TwinMark>> twins;
  int64_t total_frames = 0;
  hdf5::Handle handle;
  mutable std::map<int64_t, Opened> opened;  // under Lock

  explicit Impl(const fs::path& path);
  ~Impl() {
    hdf5::Lock lock;
    opened.clear();
    handle.Reset();
  }

  void CheckIndex(int64_t episode) const {
    if (episode < 0 || episode >= std::ssize(frames))
      Fail("{}: expected an episode in 0..{}, got {}", folder.string(), std::ssize(frames) - 1, episode);
  }
  std::string Where(int64_t episode) const { return fmt::format("{}, episode {}", file.string(), episode); }
  Opened Open(int64_t episode) const;
  const Opened& Reopen(int64_t episode) const;
  Storage StorageOf(const hdf5::Array& array, const std::string& where) const;
  void CheckEpisode(int64_t episode);
  void CheckActions(const hdf5::Array& array, int64_t count, const std::string& where) const;
  void CheckPose(const hdf5::Array& array, int64_t count, const std::string& where) const;

  void ReadFrames(const Opened& from, int64_t begin, at::Tensor& frames, const std::string& where) const;
  void ReadJpeg(const Opened& from, int64_t begin, at::Tensor& frames, const std::string& where) const;
  void ReadActions(const hdf5::Array& from, int64_t begin, int64_t count, float* to, const std::string& where) const;
};

Dataset::Impl::Impl(const fs::path& path) : folder(DataFolder(path)), file(folder / "main_data.hdf5") {
  const std::string where = (folder / "metadata.json").string();
  const Json metadata = ReadJson(where);
  if (!metadata.is_object()) Fail("{}: expected an object", where);
  if (metadata.value("data_format", "hdf5") != "hdf5")
    Fail("{}: expected the data format hdf5, got {}", where, metadata["data_format"].dump());
  image = ParseImageSpace(Text(metadata, "observation_space", where), where);
  const StoredActions stored = ParseActionSpace(Text(metadata, "action_space", where), where);
  action_start = stored.start;
  const bool ours = metadata.contains("orrery");
  facts = ours ? FromJson<DatasetFacts>(metadata["orrery"], where) : ForeignFacts(metadata, image, stored.space);
  if (facts.height != image.height || facts.width != image.width || facts.actions.count != stored.space.count ||
      facts.actions.dims != stored.space.dims)
    Fail("{}: \"orrery\" contradicts observation_space or action_space", where);
  const int64_t episodes = metadata.value("total_episodes", int64_t{0});
  if (episodes < 1) Fail("{}: the data set has no episode", where);

  hdf5::Lock lock;
  handle = hdf5::OpenFile(file);
  if (!ours) facts.has_pose = hdf5::Exists(handle.Id(), std::string("episode_0/") + kPose);
  for (int64_t episode = 0; episode < episodes; ++episode) CheckEpisode(episode);
}

Opened Dataset::Impl::Open(int64_t episode) const {
  const std::string name = fmt::format("episode_{}", episode), where = Where(episode);
  if (!hdf5::Exists(handle.Id(), name)) Fail("{}: missing; metadata.json counts more episodes", where);
  const hdf5::Handle group(H5Gopen2(handle.Id(), name.c_str(), H5P_DEFAULT), H5Gclose);
  if (!group) Fail("{}: cannot open: {}", where, hdf5::Reason());
  Opened arrays;
  arrays.frames = hdf5::OpenArray(group.Id(), image.path, where);
  arrays.storage = StorageOf(arrays.frames, where);
  arrays.actions = hdf5::OpenArray(group.Id(), "actions", where);
  if (facts.has_pose) arrays.pose = hdf5::OpenArray(group.Id(), kPose, where);
  arrays.seed = hdf5::ReadAttribute(group.Id(), "seed", 0);
  arrays.twin = ReadTwin(group.Id());
  return arrays;
}

const Opened& Dataset::Impl::Reopen(int64_t episode) const {
  const auto found = opened.find(episode);
  if (found != opened.end()) return found->second;
  if (opened.size() >= kMostOpened) opened.clear();
  return opened.emplace(episode, Open(episode)).first->second;
}

Storage Dataset::Impl::StorageOf(const hdf5::Array& array, const std::string& where) const {
  const auto rank = static_cast<int64_t>(array.shape.size());
  const bool bytes = array.kind == H5T_INTEGER && array.item_bytes == 1;
  if (rank == 1 && array.kind == H5T_VLEN) return Storage::kJpegVariable;
  if (rank == 2 && bytes) return Storage::kJpegRows;
  std::vector<int64_t> expected = {array.shape.empty() ? 0 : array.shape[0], image.height, image.width};
  if (image.channels > 0) expected.push_back(image.channels);
  if (!bytes || array.shape != expected)
    Fail("{}: {}: expected uint8 {}, got {} {}", where, image.path, ShapeText(expected), bytes ? "uint8" : "another kind of",
         ShapeText(array.shape));
  return Storage::kRaw;
}

void Dataset::Impl::CheckEpisode(int64_t episode) {
  const std::string where = Where(episode);
  const Opened arrays = Open(episode);
  const int64_t count = arrays.frames.shape[0];
  if (count < 1) Fail("{}: no frame", where);
  CheckActions(arrays.actions, count - 1, where);
  if (facts.has_pose) CheckPose(arrays.pose, count, where);
  if (arrays.twin)
    if (const std::string fault = arrays.twin->Fault(count, own_frames); !fault.empty()) Fail("{}: {}", where, fault);
  frames.push_back(count);
  own_frames.push_back(arrays.twin ? 0 : count);
  twins.push_back(arrays.twin);
  total_frames += count;
}

void Dataset::Impl::CheckActions(const hdf5::Array& array, int64_t count, const std::string& where) const {
  const int64_t width = facts.actions.Width();
  int64_t numbers = array.shape.empty() ? 0 : 1;
  for (size_t axis = 1; axis < array.shape.size(); ++axis) numbers *= array.shape[axis];
  const bool right_kind = array.kind == (facts.actions.Discrete() ? H5T_INTEGER : H5T_FLOAT);
  if (numbers != width || !right_kind)
    Fail("{}: expected {} {} an action, got {} {}", where, width, facts.actions.Discrete() ? "index" : "floats", numbers,
         array.kind == H5T_INTEGER ? "integers"
         : array.kind == H5T_FLOAT ? "floats"
                                   : "of another kind");
  if (array.shape[0] != count) Fail("{}: expected {} actions for {} frames, got {}", where, count, count + 1, array.shape[0]);
  std::vector<float> rows(static_cast<size_t>(std::min(count, kCheckRows) * width));
  for (int64_t begin = 0; begin < count && width > 0; begin += kCheckRows) {
    const int64_t n = std::min(kCheckRows, count - begin);
    ReadActions(array, begin, n, rows.data(), where);
    for (int64_t row = 0; row < n; ++row) try {
        facts.actions.Check({rows.data() + row * width, static_cast<size_t>(width)});
      } catch (const Error& error) {
        Fail("{}, row {}: {}", where, begin + row, error.what());
      }
  }
}

void Dataset::Impl::CheckPose(const hdf5::Array& array, int64_t count, const std::string& where) const {
  if (array.kind != H5T_FLOAT || array.shape != std::vector<int64_t>{count, 3})
    Fail("{}: {}: expected floats {}, got {} {}", where, kPose, ShapeText({count, 3}),
         array.kind == H5T_FLOAT ? "floats" : "another kind of", ShapeText(array.shape));
  std::vector<float> rows(static_cast<size_t>(std::min(count, kCheckRows) * 3));
  for (int64_t begin = 0; begin < count; begin += kCheckRows) {
    const int64_t n = std::min(kCheckRows, count - begin);
    hdf5::ReadRows(array, H5T_NATIVE_FLOAT, begin, n, rows.data(), where);
    for (int64_t i = 0; i < n * 3; ++i)
      if (!std::isfinite(rows[static_cast<size_t>(i)])) Fail("{}, row {}: the pose is not finite", where, begin + i / 3);
  }
}

void Dataset::Impl::ReadFrames(const Opened& from, int64_t begin, at::Tensor& frames, const std::string& where) const {
  if (from.storage != Storage::kRaw) return ReadJpeg(from, begin, frames, where);
  const int64_t count = frames.size(0);
  if (image.channels == 3) return hdf5::ReadRows(from.frames, H5T_NATIVE_UINT8, begin, count, frames.mutable_data_ptr<uint8_t>(), where);
  const at::Tensor grey = at::empty({count, image.height, image.width, 1}, at::kByte);
  hdf5::ReadRows(from.frames, H5T_NATIVE_UINT8, begin, count, grey.mutable_data_ptr<uint8_t>(), where);
  frames.copy_(grey.expand_as(frames));
}

// Minari stores pictures as rows of bytes: of one length if they happen to have it, else of any.
void Dataset::Impl::ReadJpeg(const Opened& from, int64_t begin, at::Tensor& frames, const std::string& where) const {
  const int64_t count = frames.size(0), frame_bytes = image.height * image.width * 3;
  const auto decode = [&](int64_t i, const void* bytes, size_t size) {
    DecodeJpeg({static_cast<const uint8_t*>(bytes), size}, image.height, image.width, frames.mutable_data_ptr<uint8_t>() + i * frame_bytes,
               fmt::format("{}, frame {}", where, begin + i));
  };
  if (from.storage == Storage::kJpegRows) {
    const auto size = static_cast<size_t>(from.frames.shape[1]);
    std::vector<uint8_t> rows(static_cast<size_t>(count) * size);
    hdf5::ReadRows(from.frames, H5T_NATIVE_UINT8, begin, count, rows.data(), where);
    for (int64_t i = 0; i < count; ++i) decode(i, rows.data() + static_cast<size_t>(i) * size, size);
    return;
  }
  const hdf5::Handle type(H5Tvlen_create(H5T_NATIVE_UINT8), H5Tclose);
  const auto n = static_cast<hsize_t>(count);
  const hdf5::Handle space(H5Screate_simple(1, &n, nullptr), H5Sclose);
  std::vector<hvl_t> rows(n);
  const auto reclaim = [&](hvl_t* p) { H5Dvlen_reclaim(type.Id(), space.Id(), H5P_DEFAULT, p); };
  const std::unique_ptr<hvl_t, decltype(reclaim)> reclaimer(rows.data(), reclaim);
  hdf5::ReadRows(from.frames, type.Id(), begin, count, rows.data(), where);
  for (int64_t i = 0; i < count; ++i) decode(i, rows[static_cast<size_t>(i)].p, rows[static_cast<size_t>(i)].len);
}

void Dataset::Impl::ReadActions(const hdf5::Array& from, int64_t begin, int64_t count, float* to, const std::string& where) const {
  if (!facts.actions.Discrete()) return hdf5::ReadRows(from, H5T_NATIVE_FLOAT, begin, count, to, where);
  std::vector<int64_t> indices(static_cast<size_t>(count));
  hdf5::ReadRows(from, H5T_NATIVE_INT64, begin, count, indices.data(), where);
  for (const int64_t index : indices) *to++ = static_cast<float>(index - action_start);
}

Dataset::Dataset(const fs::path& folder) : impl_(std::make_unique<Impl>(folder)) {}
Dataset::~Dataset() = default;
Dataset::Dataset(Dataset&&) noexcept = default;

const DatasetFacts& Dataset::Facts() const { return impl_->facts; }
const fs::path& Dataset::Folder() const { return impl_->folder; }
int64_t Dataset::Episodes() const { return std::ssize(impl_->frames); }
int64_t Dataset::TotalFrames() const { return impl_->total_frames; }

int64_t Dataset::Frames(int64_t episode) const {
  impl_->CheckIndex(episode);
  return impl_->frames[static_cast<size_t>(episode)];
}

const std::optional<TwinMark>& Dataset::Twin(int64_t episode) const {
  impl_->CheckIndex(episode);
  return impl_->twins[static_cast<size_t>(episode)];
}

Episode Dataset::Read(int64_t episode, int64_t begin, int64_t count) const {
  const DatasetFacts& facts = Facts();
  Episode rows;
  rows.frames = at::empty({std::max<int64_t>(count, 0), facts.height, facts.width, 3}, at::kByte);
  if (facts.actions.Width() > 0) rows.actions = at::empty({rows.Frames(), facts.actions.Width()}, at::kFloat);
  if (facts.has_pose) rows.pose = at::empty({rows.Frames(), 3}, at::kFloat);
  ReadInto(episode, begin, rows);
  return rows;
}

void Dataset::ReadInto(int64_t episode, int64_t begin, Episode& rows) const {
  const at::Tensor& any = rows.frames.defined() ? rows.frames : rows.actions.defined() ? rows.actions : rows.pose;
  const int64_t count = any.defined() ? any.size(0) : 0;
  if (begin < 0 || count < 1 || begin + count > Frames(episode))
    Fail("{}: expected rows in 0..{}, got {}..{}", impl_->Where(episode), Frames(episode) - 1, begin, begin + count - 1);
  const std::string where = impl_->Where(episode);
  hdf5::Lock lock;
  const Opened& from = impl_->Reopen(episode);
  rows.seed = from.seed;
  rows.twin = from.twin;
  if (rows.frames.defined()) impl_->ReadFrames(from, begin, rows.frames, where);
  if (rows.actions.defined()) {
    float* to = rows.actions.mutable_data_ptr<float>();
    const int64_t dummy = begin == 0 ? 1 : 0, width = rows.actions.size(1);
    std::fill(to, to + dummy * width, 0.0f);
    impl_->ReadActions(from.actions, begin + dummy - 1, count - dummy, to + dummy * width, where);
  }
  if (rows.pose.defined()) hdf5::ReadRows(from.pose, H5T_NATIVE_FLOAT, begin, count, rows.pose.mutable_data_ptr<float>(), where);
}

}  // namespace orrery
