// A folder that is whole or absent: filled under a temporary name beside its target, then renamed.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

namespace orrery {

class AtomicFolder {
 public:
  // `replaceable`: file names that an existing target may hold and lose. Throws Error when the target is a file, when it
  // is a folder with files and not `overwrite`, or when it holds any other file (whatever `overwrite` says).
  AtomicFolder(const std::filesystem::path& target, bool overwrite, std::vector<std::string> replaceable);
  AtomicFolder(const AtomicFolder&) = delete;
  AtomicFolder& operator=(const AtomicFolder&) = delete;
  ~AtomicFolder();  // removes the temporary folder unless committed

  const std::filesystem::path& Path() const { return temporary_; }  // exists; fill it
  const std::filesystem::path& Target() const { return target_; }

  // fsyncs the files, then exchanges the folders in one step. Throws Error; the target is unchanged then.
  void Commit();

 private:
  void CheckTarget() const;

  std::filesystem::path target_, temporary_;
  bool overwrite_;
  std::vector<std::string> replaceable_;
};

}  // namespace orrery
