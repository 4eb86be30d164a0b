#include "data/hdf5.h"

#include "core/error.h"

namespace orrery::hdf5 {

namespace {

std::mutex& Mutex() {
  static std::mutex mutex;
  // Handles close themselves; at exit HDF5 would only try again to write files that could not be written.
  [[maybe_unused]] static const herr_t once = H5dont_atexit();
  return mutex;
}

herr_t TakeFirst(unsigned depth, const H5E_error2_t* error, void* text) {
  if (depth == 0) *static_cast<std::string*>(text) = error->desc ? error->desc : "";
  return 0;
}

}  // namespace

Lock::Lock() : guard_(Mutex()) { H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr); }

Handle& Handle::operator=(Handle&& other) noexcept {
  if (this != &other) {
    Reset();
    id_ = other.Release();
    close_ = other.close_;
  }
  return *this;
}

herr_t Handle::Reset() {
  const hid_t id = Release();
  return id >= 0 ? close_(id) : 0;
}

std::string Reason() {
  std::string text;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, TakeFirst, &text);
  const std::string quote = "error message = '";
  const size_t begin = text.find(quote);
  if (begin != std::string::npos) {
    const size_t from = begin + quote.size();
    return text.substr(from, text.find('\'', from) - from);
  }
  return text.empty() ? "unknown HDF5 error" : text;
}

Handle OpenFile(const std::filesystem::path& path) {
  const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  // Without a chunk cache, plain chunks are read directly: exactly the rows asked for.
  H5Pset_cache(access.Id(), 0, 1, 0, 1.0);
  Handle file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.Id()), H5Fclose);
  if (!file) {
    const std::string reason = Reason();
    if (reason.find("truncated file") != std::string::npos) Fail("{} is cut short ({}); copy or record it again", path.string(), reason);
    if (reason.find("signature not found") != std::string::npos) Fail("{} is not an HDF5 file", path.string());
    Fail("cannot read {}: {}", path.string(), reason);
  }
  return file;
}

bool Exists(hid_t parent, const std::string& path) {
  for (size_t end = path.find('/');; end = path.find('/', end + 1)) {
    if (H5Lexists(parent, path.substr(0, end).c_str(), H5P_DEFAULT) <= 0) return false;
    if (end == std::string::npos) return true;
  }
}

Array OpenArray(hid_t parent, const std::string& path, const std::string& where) {
  if (!Exists(parent, path)) Fail("{}: no {}", where, path);
  Array array;
  array.handle = Handle(H5Dopen2(parent, path.c_str(), H5P_DEFAULT), H5Dclose);
  if (!array.handle) Fail("{}: cannot open {}: {}", where, path, Reason());
  const Handle space(H5Dget_space(array.handle.Id()), H5Sclose);
  const Handle type(H5Dget_type(array.handle.Id()), H5Tclose);
  hsize_t dims[H5S_MAX_RANK];
  const int rank = H5Sget_simple_extent_dims(space.Id(), dims, nullptr);
  if (rank < 0 || !type) Fail("{}: cannot read the shape of {}: {}", where, path, Reason());
  array.shape.assign(dims, dims + rank);
  array.kind = H5Tget_class(type.Id());
  array.item_bytes = H5Tget_size(type.Id());
  return array;
}

void ReadRows(const Array& array, hid_t memory, int64_t begin, int64_t count, void* to, const std::string& where) {
  std::vector<hsize_t> start(array.shape.size(), 0), size(array.shape.begin(), array.shape.end());
  ORRERY_CHECK(!size.empty() && begin >= 0 && count >= 0 && begin + count <= array.shape[0]);
  start[0] = static_cast<hsize_t>(begin);
  size[0] = static_cast<hsize_t>(count);
  for (const hsize_t extent : size)
    if (extent == 0) return;
  const Handle file_space(H5Dget_space(array.handle.Id()), H5Sclose);
  const Handle memory_space(H5Screate_simple(static_cast<int>(size.size()), size.data(), nullptr), H5Sclose);
  H5Sselect_hyperslab(file_space.Id(), H5S_SELECT_SET, start.data(), nullptr, size.data(), nullptr);
  if (H5Dread(array.handle.Id(), memory, memory_space.Id(), file_space.Id(), H5P_DEFAULT, to) < 0)
    Fail("{}: cannot read rows {}..{}: {}", where, begin, begin + count - 1, Reason());
}

uint64_t ReadAttribute(hid_t object, const char* name, uint64_t otherwise) {
  if (H5Aexists(object, name) <= 0) return otherwise;
  const Handle attribute(H5Aopen(object, name, H5P_DEFAULT), H5Aclose);
  uint64_t value = otherwise;
  if (!attribute || H5Aread(attribute.Id(), H5T_NATIVE_UINT64, &value) < 0) return otherwise;
  return value;
}

}  // namespace orrery::hdf5
