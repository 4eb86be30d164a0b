// The part of HDF5's C interface that data sets need, with handles that close themselves and errors that say where.
#pragma once
#include <hdf5.h>

#include <filesystem>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace orrery::hdf5 {

// HDF5 runs one call at a time. Held around every use of this header; silences HDF5's own error printing.
class Lock {
 public:
  Lock();

 private:
  std::lock_guard<std::mutex> guard_;
};

// An identifier that closes itself, under the Lock of its user.
class Handle {
 public:
  using Close = herr_t (*)(hid_t);
  Handle() = default;
  Handle(hid_t id, Close close) : id_(id), close_(close) {}
  Handle(Handle&& other) noexcept : id_(other.Release()), close_(other.close_) {}
  Handle& operator=(Handle&& other) noexcept;
  ~Handle() { Reset(); }

  hid_t Id() const { return id_; }
  explicit operator bool() const { return id_ >= 0; }
  herr_t Reset();                                            // closes now; negative when HDF5 failed
  hid_t Release() { return std::exchange(id_, hid_t{-1}); }  // gives up without closing

 private:
  hid_t id_ = -1;
  Close close_ = nullptr;
};

// The innermost reason of the last failure, in the system's words where HDF5 quotes them.
std::string Reason();

// Opens a file to read; throws Error that names it and says when it is cut short or no HDF5 file.
Handle OpenFile(const std::filesystem::path& path);

// A dataset as it lies on disk.
struct Array {
  Handle handle;
  std::vector<int64_t> shape;
  H5T_class_t kind = H5T_NO_CLASS;
  size_t item_bytes = 0;
};

bool Exists(hid_t parent, const std::string& path);                                // each step of "a/b/c"
Array OpenArray(hid_t parent, const std::string& path, const std::string& where);  // Error "WHERE: no PATH"

// Rows [begin, begin + count) of the first axis, converted to `memory` and packed into `to`. Throws Error with `where`.
void ReadRows(const Array& array, hid_t memory, int64_t begin, int64_t count, void* to, const std::string& where);

// An unsigned attribute; `otherwise` when it is missing or of another kind.
uint64_t ReadAttribute(hid_t object, const char* name, uint64_t otherwise);

}  // namespace orrery::hdf5
