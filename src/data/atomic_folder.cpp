#include "data/atomic_folder.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "core/error.h"
#include "core/file.h"

namespace orrery {

namespace fs = std::filesystem;

namespace {

void Sync(const fs::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) Fail("cannot open {}: {}", path.string(), std::strerror(errno));
  const bool failed = ::fsync(fd) != 0 && errno != EINVAL;
  const int reason = errno;
  ::close(fd);
  if (failed) Fail("cannot write {} to disk: {}", path.string(), std::strerror(reason));
}

// "a/b/" and "a/./b" become "a/b", so that a name and a parent are there.
fs::path Clean(const fs::path& path) {
  const fs::path normal = fs::absolute(path).lexically_normal();
  return normal.has_filename() ? normal : normal.parent_path();
}

}  // namespace

AtomicFolder::AtomicFolder(const fs::path& target, bool overwrite, std::vector<std::string> replaceable)
    : target_(Clean(target)), overwrite_(overwrite), replaceable_(std::move(replaceable)) {
  static std::atomic<int> counter = 0;
  CheckTarget();
  MakeFolder(target_.parent_path());
  temporary_ = target_.parent_path() / fmt::format(".{}.{}.{}.tmp", target_.filename().string(), ::getpid(), counter++);
  std::error_code failed;
  fs::remove_all(temporary_, failed);
  MakeFolder(temporary_);
}

AtomicFolder::~AtomicFolder() {
  std::error_code ignored;
  fs::remove_all(temporary_, ignored);
}

void AtomicFolder::CheckTarget() const {
  std::error_code failed;
  const fs::file_status status = fs::status(target_, failed);
  if (!fs::exists(status)) return;
  if (!fs::is_directory(status)) Fail("{} exists and is not a folder; choose another name", target_.string());
  for (const fs::directory_entry& entry : fs::directory_iterator(target_)) {
    const std::string name = entry.path().filename().string();
    if (std::find(replaceable_.begin(), replaceable_.end(), name) == replaceable_.end())
      Fail("{} holds other files ({}); choose another folder", target_.string(), name);
    if (!overwrite_) Fail("{} exists; choose another folder, or ask to overwrite it", target_.string());
  }
}

void AtomicFolder::Commit() {
  CheckTarget();
  for (const fs::directory_entry& entry : fs::directory_iterator(temporary_)) Sync(entry.path());
  Sync(temporary_);
  int status = ::rename(temporary_.c_str(), target_.c_str());
  if (status != 0 && overwrite_) status = ::renameat2(AT_FDCWD, temporary_.c_str(), AT_FDCWD, target_.c_str(), RENAME_EXCHANGE);
  if (status != 0) Fail("cannot move {} to {}: {}", temporary_.string(), target_.string(), std::strerror(errno));
  std::error_code ignored;
  fs::remove_all(temporary_, ignored);  // what was there before
  Sync(target_.parent_path());
}

}  // namespace orrery
