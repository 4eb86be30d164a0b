// Files that are whole or absent: written to a temporary name, fsynced, renamed.
#pragma once
#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>

namespace orrery {

// The whole file. Throws Error with the path and the system's reason.
std::string ReadFile(const std::filesystem::path& path);

// Creates the parent folder when missing. On failure (a full disk, say) the previous file is intact and Error is thrown.
void WriteFileAtomic(const std::filesystem::path& path, std::string_view bytes);

// The same piece by piece (Append), or for writers that need a path (HDF5, FFmpeg): write to Path(), then Commit(). Destroyed
// uncommitted, it removes the temporary file. The temporary keeps the extension, which such writers look at.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path target);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();
  const std::filesystem::path& Path() const { return temporary_; }
  void Append(std::string_view bytes);  // throws Error
  void Commit();                        // fsync and rename; throws Error

 private:
  void Close();

  std::filesystem::path target_, temporary_;
  int fd_ = -1;  // of Append
  bool committed_ = false;
};

// Creates the folder and its parents; throws Error with the reason.
void MakeFolder(const std::filesystem::path& path);

}  // namespace orrery
