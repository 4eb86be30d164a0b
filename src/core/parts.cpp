#include "core/parts.h"

#include <cstring>

#include "core/error.h"
#include "core/shape.h"

namespace orrery {

const Part& Parts::Find(std::string_view name) const {
  for (const Part& part : parts_)
    if (part.name == name) return part;
  std::vector<std::string> names;
  for (const Part& part : parts_) names.push_back(part.name);
  FailUnknown("state part", name, names);
}

Part& Parts::Find(std::string_view name) { return const_cast<Part&>(std::as_const(*this).Find(name)); }

bool Parts::Has(std::string_view name) const {
  for (const Part& part : parts_)
    if (part.name == name) return true;
  return false;
}

void Parts::Add(std::string name, std::string axes, at::Tensor tensor) {
  ORRERY_CHECK(!Has(name));
  parts_.push_back({std::move(name), std::move(axes), std::move(tensor)});
}

const at::Tensor& Parts::Get(std::string_view name) const { return Find(name).tensor; }

at::Tensor& Parts::Mutable(std::string_view name) {
  at::Tensor& tensor = Find(name).tensor;
  // A fork holds the same TensorImpl, so its use count tells of sharing; views made by readers do too, and then a clone is
  // merely one copy too many.
  if (tensor.use_count() > 1 || tensor.storage().use_count() > 1) tensor = tensor.clone();
  return tensor;
}

void Parts::Set(std::string_view name, at::Tensor tensor) { Find(name).tensor = std::move(tensor); }

size_t Parts::Bytes() const {
  size_t bytes = 0;
  for (const Part& part : parts_) bytes += part.tensor.nbytes();
  return bytes;
}

Parts Parts::Fork() const { return *this; }

Parts Parts::Clone() const {
  Parts copy = *this;
  for (Part& part : copy.parts_) part.tensor = part.tensor.clone();
  return copy;
}

Parts Parts::To(at::Device device) const {
  Parts moved = *this;
  for (Part& part : moved.parts_) part.tensor = part.tensor.to(device);
  return moved;
}

std::string Parts::Difference(const Parts& other) const {
  if (parts_.size() != other.parts_.size()) return fmt::format("{} parts against {}", parts_.size(), other.parts_.size());
  for (size_t i = 0; i < parts_.size(); ++i) {
    const Part &a = parts_[i], &b = other.parts_[i];
    if (a.name != b.name) return fmt::format("part {}: '{}' against '{}'", i, a.name, b.name);
    if (a.tensor.sizes() != b.tensor.sizes() || a.tensor.scalar_type() != b.tensor.scalar_type())
      return fmt::format("'{}': {} {} against {} {}", a.name, ShapeText(a.tensor.sizes()), at::toString(a.tensor.scalar_type()),
                         ShapeText(b.tensor.sizes()), at::toString(b.tensor.scalar_type()));
    const at::Tensor x = a.tensor.cpu().contiguous(), y = b.tensor.cpu().contiguous();
    const auto* p = static_cast<const char*>(x.const_data_ptr());
    const auto* q = static_cast<const char*>(y.const_data_ptr());
    if (std::memcmp(p, q, x.nbytes()) == 0) continue;
    size_t at = 0;
    while (p[at] == q[at]) ++at;
    return fmt::format("'{}' differs first at element {}", a.name, at / x.element_size());
  }
  return "";
}

void Parts::Append(std::string_view prefix, const Parts& other) {
  for (const Part& part : other.parts_) Add(fmt::format("{}/{}", prefix, part.name), part.axes, part.tensor);
}

Parts Parts::Extract(std::string_view prefix) const {
  const std::string start = fmt::format("{}/", prefix);
  Parts out;
  for (const Part& part : parts_)
    if (part.name.starts_with(start)) out.Add(part.name.substr(start.size()), part.axes, part.tensor);
  return out;
}

Parts Parts::Take(std::string_view prefix) {
  Parts out = Extract(prefix);
  const std::string start = fmt::format("{}/", prefix);
  std::erase_if(parts_, [&](const Part& part) { return part.name.starts_with(start); });
  return out;
}

NamedTensors Parts::ToTensors(Metadata* metadata) const {
  NamedTensors tensors;
  for (const Part& part : parts_) {
    tensors.emplace_back(part.name, part.tensor);
    (*metadata)["axes:" + part.name] = part.axes;
  }
  return tensors;
}

Parts Parts::FromTensors(const TensorFile& file) {
  Parts parts;
  for (const auto& [name, tensor] : file.tensors) {
    const auto axes = file.metadata.find("axes:" + name);
    parts.Add(name, axes == file.metadata.end() ? "" : axes->second, tensor);
  }
  return parts;
}

void Parts::Save(const std::filesystem::path& path) const {
  Metadata metadata;
  const NamedTensors tensors = ToTensors(&metadata);
  SaveSafetensors(path, tensors, metadata);
}

Parts Parts::Load(const std::filesystem::path& path) { return FromTensors(LoadSafetensors(path)); }

}  // namespace orrery
