#include "core/safetensors.h"

#include <ATen/Functions.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cstring>

#include "core/config.h"
#include "core/file.h"
#include "core/shape.h"

namespace orrery {

namespace {

struct DtypeName {
  const char* name;
  at::ScalarType type;
};
constexpr DtypeName kDtypes[] = {
    {"F64", at::kDouble}, {"F32", at::kFloat}, {"F16", at::kHalf}, {"BF16", at::kBFloat16}, {"I64", at::kLong},
    {"I32", at::kInt},    {"I16", at::kShort}, {"I8", at::kChar},  {"U8", at::kByte},       {"BOOL", at::kBool},
};
constexpr uint64_t kMaxHeader = 100'000'000;  // the format's own limit

const char* NameOf(at::ScalarType type) {
  for (const DtypeName& d : kDtypes)
    if (d.type == type) return d.name;
  Fail("safetensors: cannot store a tensor of type {}", at::toString(type));
}

at::ScalarType TypeOf(const std::string& name, std::string_view what, const std::string& tensor) {
  for (const DtypeName& d : kDtypes)
    if (name == d.name) return d.type;
  Fail("{}: tensor '{}' has the type '{}', which is not supported", what, tensor, name);
}

struct Range {
  uint64_t begin, end;
  bool operator<(const Range& other) const { return begin < other.begin; }
};

// Reads one header entry and checks its claims against `available` bytes of data.
std::pair<at::Tensor, Range> ReadEntry(const std::string& name, const Json& entry, std::string_view data, std::string_view what) {
  const auto fault = [&](std::string_view reason) { Fail("{}: tensor '{}': {}", what, name, reason); };
  if (!entry.is_object() || !entry.contains("dtype") || !entry["dtype"].is_string() || !entry.contains("shape") ||
      !entry["shape"].is_array() || !entry.contains("data_offsets") || !entry["data_offsets"].is_array() ||
      entry["data_offsets"].size() != 2)
    fault("the header lacks dtype, shape or data_offsets");
  const at::ScalarType type = TypeOf(entry["dtype"].get<std::string>(), what, name);
  std::vector<int64_t> shape;
  uint64_t bytes = at::elementSize(type);
  for (const Json& size : entry["shape"]) {
    if (!size.is_number_unsigned() || size.get<uint64_t>() > (1ull << 40)) fault("a size of its shape is not a natural number");
    const uint64_t n = size.get<uint64_t>();
    if (n != 0 && bytes > (1ull << 48) / n) fault("its shape is larger than any file");
    bytes *= n;
    shape.push_back(static_cast<int64_t>(n));
  }
  for (const Json& offset : entry["data_offsets"])
    if (!offset.is_number_unsigned()) fault("its data_offsets are not natural numbers");
  const Range range{entry["data_offsets"][0].get<uint64_t>(), entry["data_offsets"][1].get<uint64_t>()};
  if (range.begin > range.end || range.end > data.size())
    fault(fmt::format("its data_offsets [{}, {}] lie outside the {} bytes of data", range.begin, range.end, data.size()));
  if (range.end - range.begin != bytes)
    fault(
        fmt::format("shape {} of {} needs {} bytes, the header gives {}", ShapeText(shape), NameOf(type), bytes, range.end - range.begin));
  at::Tensor tensor = at::empty(shape, at::TensorOptions().dtype(type));
  if (bytes) std::memcpy(tensor.mutable_data_ptr(), data.data() + range.begin, bytes);
  return {tensor, range};
}

}  // namespace

const at::Tensor* TensorFile::Find(std::string_view name) const {
  for (const auto& [n, t] : tensors)
    if (n == name) return &t;
  return nullptr;
}

const at::Tensor& TensorFile::At(std::string_view name, std::string_view file) const {
  if (const at::Tensor* found = Find(name)) return *found;
  std::vector<std::string> names;
  for (const auto& [n, t] : tensors) names.push_back(n);
  const std::string nearest = Nearest(name, names);
  Fail("{}: no tensor '{}' ({} tensors{})", file, name, names.size(), nearest.empty() ? "" : ", nearest name '" + nearest + "'");
}

std::string SerializeSafetensors(const NamedTensors& tensors, const Metadata& metadata) {
  Json header = Json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  uint64_t offset = 0;
  for (const auto& [name, tensor] : tensors) {
    if (header.contains(name)) Fail("safetensors: two tensors are named '{}'", name);
    const uint64_t bytes = tensor.nbytes();
    header[name] = {{"dtype", NameOf(tensor.scalar_type())},
                    {"shape", std::vector<int64_t>(tensor.sizes().begin(), tensor.sizes().end())},
                    {"data_offsets", {offset, offset + bytes}}};
    offset += bytes;
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  const uint64_t length = text.size();
  std::string out(sizeof length, '\0');
  std::memcpy(out.data(), &length, sizeof length);
  out.reserve(8 + length + offset);
  out += text;
  for (const auto& [name, tensor] : tensors) {
    const at::Tensor plain = tensor.detach().cpu().contiguous();
    out.append(static_cast<const char*>(plain.const_data_ptr()), plain.nbytes());
  }
  return out;
}

void SaveSafetensors(const std::filesystem::path& path, const NamedTensors& tensors, const Metadata& metadata) {
  WriteFileAtomic(path, SerializeSafetensors(tensors, metadata));
}

TensorFile LoadSafetensors(const std::filesystem::path& path) { return ParseSafetensors(ReadFile(path), path.string()); }

TensorFile ParseSafetensors(std::string_view bytes, std::string_view what) {
  uint64_t length = 0;
  if (bytes.size() < sizeof length) Fail("{}: not a safetensors file ({} bytes)", what, bytes.size());
  std::memcpy(&length, bytes.data(), sizeof length);
  if (length > kMaxHeader || length > bytes.size() - sizeof length)
    Fail("{}: the header claims {} bytes, the file has {}; it is cut short or not a safetensors file", what, length, bytes.size());
  const Json header = Json::parse(bytes.substr(8, length), nullptr, false);
  if (!header.is_object()) Fail("{}: the safetensors header is not a JSON object", what);
  const std::string_view data = bytes.substr(8 + length);

  TensorFile file;
  std::vector<Range> ranges;
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__") {
      if (!entry.is_object()) Fail("{}: __metadata__ is not an object", what);
      for (const auto& [key, value] : entry.items()) {
        if (!value.is_string()) Fail("{}: __metadata__ '{}' is not text", what, key);
        file.metadata[key] = value.get<std::string>();
      }
      continue;
    }
    auto [tensor, range] = ReadEntry(name, entry, data, what);
    file.tensors.emplace_back(name, std::move(tensor));
    ranges.push_back(range);
  }
  std::sort(ranges.begin(), ranges.end());
  uint64_t end = 0;
  for (const Range& range : ranges) {
    if (range.begin != end) Fail("{}: the tensors' data overlap or leave holes at byte {}", what, std::min(range.begin, end));
    end = range.end;
  }
  if (end != data.size())
    Fail("{}: {} bytes of data are described, {} are there; the file is cut short or has a tail", what, end, data.size());
  return file;
}

}  // namespace orrery
