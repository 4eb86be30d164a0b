// safetensors files (https://github.com/huggingface/safetensors), readable by its Python package.
#pragma once
#include <ATen/core/Tensor.h>

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/file.h"

namespace orrery {

using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;
using Metadata = std::map<std::string, std::string>;

struct TensorFile {
  NamedTensors tensors;  // in the file's order
  Metadata metadata;

  const at::Tensor* Find(std::string_view name) const;
  // Throws Error that names the file's tensors nearest to `name`.
  const at::Tensor& At(std::string_view name, std::string_view file) const;
};

// Written whole or not at all (temporary name, fsync, rename). Tensors are stored contiguous, on the CPU.
void SaveSafetensors(const std::filesystem::path& path, const NamedTensors& tensors, const Metadata& metadata = {});
std::string SerializeSafetensors(const NamedTensors& tensors, const Metadata& metadata = {});

// The same tensor by tensor, for files that are larger than what should be in memory.
class SafetensorsWriter {
 public:
  struct Entry {
    std::string name;
    at::ScalarType type;
    std::vector<int64_t> shape;
  };
  SafetensorsWriter(const std::filesystem::path& path, std::vector<Entry> entries, const Metadata& metadata = {});
  void Add(const at::Tensor& tensor);  // the next entry, of its type and shape
  void Finish();                       // after the last

 private:
  AtomicFile file_;
  std::vector<Entry> entries_;
  size_t next_ = 0;
};

// Checks everything that the header claims against the file: lengths, ranges, overlaps, dtypes. Throws Error.
TensorFile LoadSafetensors(const std::filesystem::path& path);
// The same without a copy: the tensors are views of the mapped file, which may not be changed in place (by a rename it may) while they
// live. Writing to them does not reach the file.
TensorFile MapSafetensors(const std::filesystem::path& path);
TensorFile ParseSafetensors(std::string_view bytes, std::string_view what);

}  // namespace orrery
