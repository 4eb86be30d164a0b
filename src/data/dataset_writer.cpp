#include "data/dataset_writer.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/shape.h"
#include "data/atomic_folder.h"
#include "data/gym_space.h"
#include "data/hdf5.h"

namespace orrery {

namespace fs = std::filesystem;

namespace {

constexpr const char* kMinariVersion = "0.5.4";  // the layout written here
constexpr int64_t kChunkBytes = 256 * 1024;
constexpr int64_t kChunkFrames = 8;

// Minari's pattern of ids: letters, digits, _ and -.
std::string DatasetId(const std::string& name) {
  std::string id = name.empty() ? "set" : name;
  for (char& c : id)
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '-' && c != '_') c = '_';
  return "orrery/" + id + "-v0";
}

}  // namespace

struct DatasetWriter::Impl {
  AtomicFolder folder;
  DatasetFacts facts;
  hdf5::Handle file;
  int64_t episodes = 0, steps = 0;

  hdf5::Handle group, frames;  // of the episode that is being written
  int64_t rows = 0;
  std::vector<float> actions, pose;  // of the same episode
  std::optional<TwinMark> twin;      // of the same episode
  std::vector<int64_t> lengths;      // frames of the ended episodes, 0 of twins

  Impl(const fs::path& path, DatasetFacts f, const DatasetWriterOptions& options);
  ~Impl();

  [[noreturn]] void Broken();
  template <class Id>
  Id Ok(Id id) {
    if (id < 0) Broken();
    return id;
  }
  hdf5::Handle Own(hid_t id, hdf5::Handle::Close close) { return {Ok(id), close}; }

  void Check(const Episode& episode) const;
  void CreateFrames();
  void WriteFrames(const at::Tensor& frames);
  void WriteArray(hid_t parent, const char* name, hid_t disk, hid_t memory, std::vector<hsize_t> shape, const void* data);
  void WriteAttribute(const char* name, uint64_t value);
  void WriteActions();
  void WriteOutcome();
};

DatasetWriter::Impl::Impl(const fs::path& path, DatasetFacts f, const DatasetWriterOptions& options)
    : folder(path, options.overwrite, {"main_data.hdf5", "metadata.json"}), facts(std::move(f)) {
  if (facts.height < 1 || facts.width < 1) Fail("data set {}: expected a frame size, got {}x{}", path.string(), facts.height, facts.width);
  hdf5::Lock lock;
  const hdf5::Handle access = Own(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  Ok(H5Pset_cache(access.Id(), 0, 1, 0, 1.0));  // rows go straight to disk, where a full one shows at once
  file = Own(H5Fcreate((folder.Path() / "main_data.hdf5").c_str(), H5F_ACC_EXCL, H5P_DEFAULT, access.Id()), H5Fclose);
}

DatasetWriter::Impl::~Impl() {
  hdf5::Lock lock;
  for (hdf5::Handle* handle : {&frames, &group, &file}) handle->Reset();
}

// HDF5 cannot close a file that it failed to write. Its handles are given up and the file is emptied, which returns its
// space; the descriptor stays open, so that HDF5 never takes another file for this one.
void DatasetWriter::Impl::Broken() {
  const std::string reason = hdf5::Reason();
  void* descriptor = nullptr;
  if (file && H5Fget_vfd_handle(file.Id(), H5P_DEFAULT, &descriptor) >= 0) {
    [[maybe_unused]] const int emptied = ::ftruncate(*static_cast<int*>(descriptor), 0);
  }
  for (hdf5::Handle* handle : {&frames, &group, &file}) handle->Release();
  Fail("cannot write the data set {}: {} (nothing was kept; what was there before is unchanged)", folder.Target().string(), reason);
}

void DatasetWriter::Impl::Check(const Episode& episode) const {
  const std::string where = fmt::format("data set {}, episode {}", folder.Target().string(), episodes);
  CheckShape(episode.frames, {kAny, facts.height, facts.width, 3}, where + ", frames");
  CheckDtype(episode.frames, at::kByte, where + ", frames");
  const int64_t count = episode.Frames(), width = facts.actions.Width();
  if (width > 0) {
    CheckShape(episode.actions, {count, width}, where + ", actions");
    CheckDtype(episode.actions, at::kFloat, where + ", actions");
    const at::Tensor values = episode.actions.contiguous();
    for (int64_t row = rows == 0 ? 1 : 0; row < count; ++row) try {
        facts.actions.Check({values.const_data_ptr<float>() + row * width, static_cast<size_t>(width)});
      } catch (const Error& error) {
        Fail("{}, frame {}: {}", where, rows + row, error.what());
      }
  } else if (episode.actions.defined()) {
    Fail("{}: the data set has no actions, the episode has {}", where, ShapeText(episode.actions.sizes()));
  }
  if (facts.has_pose) {
    CheckShape(episode.pose, {count, 3}, where + ", pose");
    CheckDtype(episode.pose, at::kFloat, where + ", pose");
    const at::Tensor values = episode.pose.contiguous();
    for (int64_t i = 0; i < count * 3; ++i)
      if (!std::isfinite(values.const_data_ptr<float>()[i])) Fail("{}, frame {}: the pose is not finite", where, rows + i / 3);
  }
}

// Plain chunks: a window is read straight from its bytes (zlib makes that ten times slower, see bench/data.cpp).
void DatasetWriter::Impl::CreateFrames() {
  const auto h = static_cast<hsize_t>(facts.height), w = static_cast<hsize_t>(facts.width);
  const auto chunk = static_cast<hsize_t>(std::clamp<int64_t>(kChunkBytes / (facts.height * facts.width * 3), 1, kChunkFrames));
  const hsize_t none[] = {0, h, w, 3}, any[] = {H5S_UNLIMITED, h, w, 3}, chunks[] = {chunk, h, w, 3};
  const hdf5::Handle space = Own(H5Screate_simple(4, none, any), H5Sclose);
  const hdf5::Handle layout = Own(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  Ok(H5Pset_chunk(layout.Id(), 4, chunks));
  Ok(H5Pset_fill_time(layout.Id(), H5D_FILL_TIME_NEVER));
  frames = Own(H5Dcreate2(group.Id(), "observations", H5T_STD_U8LE, space.Id(), H5P_DEFAULT, layout.Id(), H5P_DEFAULT), H5Dclose);
}

void DatasetWriter::Impl::WriteFrames(const at::Tensor& values) {
  const auto count = static_cast<hsize_t>(values.size(0));
  const hsize_t start[] = {static_cast<hsize_t>(rows), 0, 0, 0};
  const hsize_t size[] = {count, static_cast<hsize_t>(facts.height), static_cast<hsize_t>(facts.width), 3};
  const hsize_t extent[] = {start[0] + count, size[1], size[2], 3};
  Ok(H5Dset_extent(frames.Id(), extent));
  const hdf5::Handle disk = Own(H5Dget_space(frames.Id()), H5Sclose);
  const hdf5::Handle memory = Own(H5Screate_simple(4, size, nullptr), H5Sclose);
  Ok(H5Sselect_hyperslab(disk.Id(), H5S_SELECT_SET, start, nullptr, size, nullptr));
  Ok(H5Dwrite(frames.Id(), H5T_NATIVE_UINT8, memory.Id(), disk.Id(), H5P_DEFAULT, values.contiguous().const_data_ptr<uint8_t>()));
}

void DatasetWriter::Impl::WriteArray(hid_t parent, const char* name, hid_t disk, hid_t memory, std::vector<hsize_t> shape,
                                     const void* data) {
  const hdf5::Handle space = Own(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr), H5Sclose);
  hdf5::Handle array = Own(H5Dcreate2(parent, name, disk, space.Id(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Dclose);
  if (std::count(shape.begin(), shape.end(), hsize_t{0}) == 0) Ok(H5Dwrite(array.Id(), memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, data));
  Ok(array.Reset());
}

void DatasetWriter::Impl::WriteAttribute(const char* name, uint64_t value) {
  const hdf5::Handle space = Own(H5Screate(H5S_SCALAR), H5Sclose);
  hdf5::Handle attribute = Own(H5Acreate2(group.Id(), name, H5T_STD_U64LE, space.Id(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
  Ok(H5Awrite(attribute.Id(), H5T_NATIVE_UINT64, &value));
  Ok(attribute.Reset());
}

void DatasetWriter::Impl::WriteActions() {
  const auto count = static_cast<hsize_t>(rows - 1);
  if (!facts.actions.Discrete())
    return WriteArray(group.Id(), "actions", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, {count, static_cast<hsize_t>(facts.actions.Width())},
                      actions.data());
  const std::vector<int64_t> indices(actions.begin(), actions.end());
  WriteArray(group.Id(), "actions", H5T_STD_I64LE, H5T_NATIVE_INT64, {count}, indices.data());
}

// Rewards (zeros), terminations (none) and truncations (the last step), which Minari expects of every episode.
void DatasetWriter::Impl::WriteOutcome() {
  const auto count = static_cast<hsize_t>(rows - 1);
  const std::vector<double> rewards(count, 0.0);
  WriteArray(group.Id(), "rewards", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, {count}, rewards.data());
  const hdf5::Handle boolean = Own(H5Tenum_create(H5T_STD_I8LE), H5Tclose);  // as NumPy's bool is stored
  for (const auto& [name, value] : {std::pair{"FALSE", int8_t{0}}, std::pair{"TRUE", int8_t{1}}})
    Ok(H5Tenum_insert(boolean.Id(), name, &value));
  std::vector<int8_t> flags(count, 0);
  WriteArray(group.Id(), "terminations", boolean.Id(), boolean.Id(), {count}, flags.data());
  flags.back() = 1;
  WriteArray(group.Id(), "truncations", boolean.Id(), boolean.Id(), {count}, flags.data());
}

DatasetWriter::DatasetWriter(const fs::path& folder, DatasetFacts facts, const DatasetWriterOptions& options)
    : impl_(std::make_unique<Impl>(folder, std::move(facts), options)) {}
DatasetWriter::~DatasetWriter() = default;

int64_t DatasetWriter::Episodes() const { return impl_->episodes; }

void DatasetWriter::Add(const Episode& episode) {
  ORRERY_CHECK(!impl_->group);
  impl_->Check(episode);
  if (episode.Frames() < 2)
    Fail("data set {}, episode {}: expected two frames or more, got {}", impl_->folder.Target().string(), Episodes(), episode.Frames());
  Begin(episode.seed, episode.twin);
  Append(episode);
  End();
}

void DatasetWriter::Begin(uint64_t seed, const std::optional<TwinMark>& twin) {
  ORRERY_CHECK(!impl_->group && impl_->file);
  hdf5::Lock lock;
  const std::string name = fmt::format("episode_{}", impl_->episodes);
  impl_->group = impl_->Own(H5Gcreate2(impl_->file.Id(), name.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Gclose);
  impl_->WriteAttribute("id", static_cast<uint64_t>(impl_->episodes));
  impl_->WriteAttribute("seed", seed);
  impl_->twin = twin;
  if (twin) {
    impl_->WriteAttribute("twin_of", static_cast<uint64_t>(twin->of));
    impl_->WriteAttribute("twin_begin", static_cast<uint64_t>(twin->begin));
    impl_->WriteAttribute("twin_at", static_cast<uint64_t>(twin->at));
  }
  impl_->CreateFrames();
}

void DatasetWriter::Append(const Episode& episode) {
  ORRERY_CHECK(impl_->group);
  impl_->Check(episode);
  hdf5::Lock lock;
  impl_->WriteFrames(episode.frames);
  const int64_t width = impl_->facts.actions.Width();
  if (width > 0) {
    const at::Tensor values = episode.actions.contiguous();
    const float* data = values.const_data_ptr<float>();
    impl_->actions.insert(impl_->actions.end(), data + (impl_->rows == 0 ? width : 0), data + values.numel());
  }
  if (impl_->facts.has_pose) {
    const at::Tensor values = episode.pose.contiguous();
    const float* data = values.const_data_ptr<float>();
    impl_->pose.insert(impl_->pose.end(), data, data + values.numel());
  }
  impl_->rows += episode.Frames();
}

void DatasetWriter::End() {
  ORRERY_CHECK(impl_->group && impl_->rows >= 2);
  if (impl_->twin)
    if (const std::string fault = impl_->twin->Fault(impl_->rows, impl_->lengths); !fault.empty())
      Fail("data set {}, episode {}: {}", impl_->folder.Target().string(), impl_->episodes, fault);
  impl_->lengths.push_back(impl_->twin ? 0 : impl_->rows);
  hdf5::Lock lock;
  impl_->WriteActions();
  impl_->WriteOutcome();
  hdf5::Handle infos = impl_->Own(H5Gcreate2(impl_->group.Id(), "infos", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Gclose);
  if (impl_->facts.has_pose)
    impl_->WriteArray(infos.Id(), "pose", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, {static_cast<hsize_t>(impl_->rows), 3}, impl_->pose.data());
  impl_->WriteAttribute("total_steps", static_cast<uint64_t>(impl_->rows - 1));
  impl_->Ok(infos.Reset());
  impl_->Ok(impl_->frames.Reset());
  impl_->Ok(impl_->group.Reset());
  impl_->actions.clear();
  impl_->pose.clear();
  impl_->steps += impl_->rows - 1;
  impl_->rows = 0;
  ++impl_->episodes;
}

void DatasetWriter::Finish() {
  ORRERY_CHECK(!impl_->group && impl_->file);
  if (impl_->episodes == 0) Fail("data set {}: no episode to keep", impl_->folder.Target().string());
  const fs::path path = impl_->folder.Path() / "main_data.hdf5";
  {
    hdf5::Lock lock;
    impl_->Ok(H5Fflush(impl_->file.Id(), H5F_SCOPE_GLOBAL));
    impl_->Ok(impl_->file.Reset());
  }
  const DatasetFacts& facts = impl_->facts;
  WriteJson(impl_->folder.Path() / "metadata.json", Json{{"total_episodes", impl_->episodes},
                                                         {"total_steps", impl_->steps},
                                                         {"data_format", "hdf5"},
                                                         {"jpeg_encoding", false},
                                                         {"observation_space", ImageSpaceText(facts.height, facts.width)},
                                                         {"action_space", ActionSpaceText(facts.actions)},
                                                         {"dataset_id", DatasetId(facts.name)},
                                                         {"minari_version", kMinariVersion},
                                                         {"dataset_size", std::round(static_cast<double>(fs::file_size(path)) / 1e5) / 10},
                                                         {"orrery", Json(facts)}});
  impl_->folder.Commit();
}

}  // namespace orrery
