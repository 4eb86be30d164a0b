#include "core/file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <utility>

#include "core/error.h"

namespace orrery {

namespace fs = std::filesystem;

namespace {

void SyncPath(const fs::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY);
  if (fd < 0) Fail("cannot open {}: {}", path.string(), std::strerror(errno));
  const int failed = ::fsync(fd);
  const int reason = errno;
  ::close(fd);
  if (failed && reason != EINVAL) Fail("cannot write {} to disk: {}", path.string(), std::strerror(reason));
}

fs::path FolderOf(const fs::path& path) { return path.has_parent_path() ? path.parent_path() : fs::path("."); }

}  // namespace

std::string ReadFile(const fs::path& path) {
  if (fs::is_directory(path)) Fail("cannot read {}: it is a folder", path.string());
  std::ifstream in(path, std::ios::binary);
  if (!in) Fail("cannot read {}: {}", path.string(), std::strerror(errno));
  std::ostringstream out;
  out << in.rdbuf();
  if (in.bad()) Fail("cannot read {}: {}", path.string(), std::strerror(errno));
  return std::move(out).str();
}

void MakeFolder(const fs::path& path) {
  std::error_code failed;
  fs::create_directories(path, failed);
  if (failed) Fail("cannot create the folder {}: {}", path.string(), failed.message());
}

AtomicFile::AtomicFile(fs::path target) : target_(std::move(target)) {
  MakeFolder(FolderOf(target_));
  temporary_ = FolderOf(target_) / fmt::format(".{}.{}.tmp{}", target_.stem().string(), ::getpid(), target_.extension().string());
}

AtomicFile::~AtomicFile() {
  if (fd_ >= 0) ::close(fd_);
  std::error_code ignored;
  if (!committed_) fs::remove(temporary_, ignored);
}

void AtomicFile::Append(std::string_view bytes) {
  if (fd_ < 0) fd_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd_ < 0) Fail("cannot write {}: {}", target_.string(), std::strerror(errno));
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) Fail("cannot write {}: {} (the previous file is unchanged)", target_.string(), std::strerror(errno));
    bytes.remove_prefix(static_cast<size_t>(written));
  }
}

void AtomicFile::Close() {
  if (fd_ < 0) return;
  const int failed = ::close(std::exchange(fd_, -1));
  if (failed) Fail("cannot write {}: {} (the previous file is unchanged)", target_.string(), std::strerror(errno));
}

void AtomicFile::Commit() {
  Close();
  SyncPath(temporary_);
  std::error_code failed;
  fs::rename(temporary_, target_, failed);
  if (failed) Fail("cannot move {} to {}: {}", temporary_.string(), target_.string(), failed.message());
  committed_ = true;
  SyncPath(FolderOf(target_));
}

void WriteFileAtomic(const fs::path& path, std::string_view bytes) {
  AtomicFile file(path);
  file.Append(bytes);
  file.Commit();
}

}  // namespace orrery
