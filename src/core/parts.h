// State values. A state is an ordered list of parts: name, tensor, meaning of its axes. Size, copy, copy-on-write fork,
// save and load, move to a device and bitwise comparison are written here once, for every mechanism.
#pragma once
#include "core/safetensors.h"

namespace orrery {

struct Part {
  std::string name;  // unique, path-like: "window/key"
  std::string axes;  // one letter or word an axis: "layer batch head token dim"
  at::Tensor tensor;
};

class Parts {
 public:
  void Add(std::string name, std::string axes, at::Tensor tensor);  // throws on a name that is there already
  const at::Tensor& Get(std::string_view name) const;               // read only; never write through it
  bool Has(std::string_view name) const;
  const std::vector<Part>& All() const { return parts_; }

  // The tensor for writing in place. Clones it first while a fork or snapshot shares it.
  at::Tensor& Mutable(std::string_view name);
  void Set(std::string_view name, at::Tensor tensor);  // replaces the tensor; shape may change

  size_t Bytes() const;  // sum over parts of elements x element size, whether shared or not
  Parts Fork() const;    // shares every tensor until one side writes (copy on write); O(parts)
  Parts Clone() const;   // deep copy
  Parts To(at::Device device) const;

  // Empty when equal to the bit (NaNs by their bits); otherwise names the first difference.
  std::string Difference(const Parts& other) const;

  void Append(std::string_view prefix, const Parts& other);  // as "prefix/name"; shares tensors
  Parts Extract(std::string_view prefix) const;              // the inverse
  Parts Take(std::string_view prefix);                       // Extract that takes them out: whoever writes them need not copy

  NamedTensors ToTensors(Metadata* metadata) const;  // axes go into metadata "axes:NAME"
  static Parts FromTensors(const TensorFile& file);
  void Save(const std::filesystem::path& path) const;
  static Parts Load(const std::filesystem::path& path);

 private:
  Part& Find(std::string_view name);
  const Part& Find(std::string_view name) const;
  std::vector<Part> parts_;
};

}  // namespace orrery
