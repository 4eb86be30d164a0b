#include "core/safetensors.h"

#include <ATen/Functions.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "core/config.h"
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

struct Item {
  SafetensorsWriter::Entry entry;
  Range range;  // in the data
};

struct Layout {
  std::vector<Item> items;
  Metadata metadata;
  std::string_view data;
};

// Reads one header entry and checks its claims against `available` bytes of data.
Item ReadEntry(const std::string& name, const Json& entry, std::string_view data, std::string_view what) {
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
  return {{name, type, std::move(shape)}, range};
}

void CheckCover(const std::vector<Item>& items, size_t bytes, std::string_view what) {
  std::vector<Range> ranges;
  for (const Item& item : items) ranges.push_back(item.range);
  std::sort(ranges.begin(), ranges.end());
  uint64_t end = 0;
  for (const Range& range : ranges) {
    if (range.begin != end) Fail("{}: the tensors' data overlap or leave holes at byte {}", what, std::min(range.begin, end));
    end = range.end;
  }
  if (end != bytes) Fail("{}: {} bytes of data are described, {} are there; the file is cut short or has a tail", what, end, bytes);
}

Layout ReadLayout(std::string_view bytes, std::string_view what) {
  uint64_t length = 0;
  if (bytes.size() < sizeof length) Fail("{}: not a safetensors file ({} bytes)", what, bytes.size());
  std::memcpy(&length, bytes.data(), sizeof length);
  if (length > kMaxHeader || length > bytes.size() - sizeof length)
    Fail("{}: the header claims {} bytes, the file has {}; it is cut short or not a safetensors file", what, length, bytes.size());
  const Json header = Json::parse(bytes.substr(8, length), nullptr, false);
  if (!header.is_object()) Fail("{}: the safetensors header is not a JSON object", what);
  Layout layout{{}, {}, bytes.substr(8 + length)};
  for (const auto& [name, entry] : header.items()) {
    if (name != "__metadata__") {
      layout.items.push_back(ReadEntry(name, entry, layout.data, what));
      continue;
    }
    if (!entry.is_object()) Fail("{}: __metadata__ is not an object", what);
    for (const auto& [key, value] : entry.items()) {
      if (!value.is_string()) Fail("{}: __metadata__ '{}' is not text", what, key);
      layout.metadata[key] = value.get<std::string>();
    }
  }
  CheckCover(layout.items, layout.data.size(), what);
  return layout;
}

uint64_t Bytes(const SafetensorsWriter::Entry& entry) {
  return static_cast<uint64_t>(c10::multiply_integers(entry.shape)) * c10::elementSize(entry.type);
}

// Length and header, padded to 8 bytes: what comes before the data.
std::string HeaderText(const std::vector<SafetensorsWriter::Entry>& entries, const Metadata& metadata) {
  Json header = Json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  uint64_t offset = 0;
  for (const SafetensorsWriter::Entry& entry : entries) {
    if (header.contains(entry.name)) Fail("safetensors: two tensors are named '{}'", entry.name);
    header[entry.name] = {{"dtype", NameOf(entry.type)}, {"shape", entry.shape}, {"data_offsets", {offset, offset + Bytes(entry)}}};
    offset += Bytes(entry);
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  const uint64_t length = text.size();
  return std::string(reinterpret_cast<const char*>(&length), sizeof length) + text;
}

std::vector<SafetensorsWriter::Entry> EntriesOf(const NamedTensors& tensors) {
  std::vector<SafetensorsWriter::Entry> entries;
  for (const auto& [name, tensor] : tensors) entries.push_back({name, tensor.scalar_type(), tensor.sizes().vec()});
  return entries;
}

at::Tensor Copied(const SafetensorsWriter::Entry& entry, const char* data) {
  at::Tensor tensor = at::empty(entry.shape, at::TensorOptions().dtype(entry.type));
  if (tensor.nbytes()) std::memcpy(tensor.mutable_data_ptr(), data, tensor.nbytes());
  return tensor;
}

std::string_view View(const at::Tensor& plain) { return {static_cast<const char*>(plain.const_data_ptr()), plain.nbytes()}; }

// A file's bytes in memory, read when touched; writes stay private.
class Mapping {
 public:
  explicit Mapping(const std::filesystem::path& path) {
    if (std::filesystem::is_directory(path)) Fail("cannot read {}: it is a folder", path.string());
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) Fail("cannot read {}: {}", path.string(), std::strerror(errno));
    size_ = std::filesystem::file_size(path);
    if (size_) data_ = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    const int reason = errno;
    ::close(fd);
    if (data_ == MAP_FAILED) Fail("cannot read {}: {}", path.string(), std::strerror(reason));
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() {
    if (data_ && data_ != MAP_FAILED) ::munmap(data_, size_);
  }
  std::string_view Bytes() const { return {static_cast<const char*>(data_), size_}; }

 private:
  void* data_ = nullptr;
  size_t size_ = 0;
};

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
  std::string out = HeaderText(EntriesOf(tensors), metadata);
  for (const auto& [name, tensor] : tensors) out += View(tensor.detach().cpu().contiguous());
  return out;
}

SafetensorsWriter::SafetensorsWriter(const std::filesystem::path& path, std::vector<Entry> entries, const Metadata& metadata)
    : file_(path), entries_(std::move(entries)) {
  file_.Append(HeaderText(entries_, metadata));
}

void SafetensorsWriter::Add(const at::Tensor& tensor) {
  ORRERY_CHECK(next_ < entries_.size() && tensor.scalar_type() == entries_[next_].type && tensor.sizes() == entries_[next_].shape);
  file_.Append(View(tensor.detach().cpu().contiguous()));
  ++next_;
}

void SafetensorsWriter::Finish() {
  ORRERY_CHECK(next_ == entries_.size());
  file_.Commit();
}

void SaveSafetensors(const std::filesystem::path& path, const NamedTensors& tensors, const Metadata& metadata) {
  SafetensorsWriter writer(path, EntriesOf(tensors), metadata);
  for (const auto& [name, tensor] : tensors) writer.Add(tensor);
  writer.Finish();
}

TensorFile LoadSafetensors(const std::filesystem::path& path) { return ParseSafetensors(Mapping(path).Bytes(), path.string()); }

TensorFile ParseSafetensors(std::string_view bytes, std::string_view what) {
  const Layout layout = ReadLayout(bytes, what);
  TensorFile file{{}, layout.metadata};
  for (const auto& [entry, range] : layout.items) file.tensors.emplace_back(entry.name, Copied(entry, layout.data.data() + range.begin));
  return file;
}

TensorFile MapSafetensors(const std::filesystem::path& path) {
  const auto mapping = std::make_shared<Mapping>(path);
  const Layout layout = ReadLayout(mapping->Bytes(), path.string());
  TensorFile file{{}, layout.metadata};
  for (const auto& [entry, range] : layout.items) {
    char* data = const_cast<char*>(layout.data.data()) + range.begin;
    const bool aligned = reinterpret_cast<uintptr_t>(data) % c10::elementSize(entry.type) == 0;
    const at::TensorOptions options = at::TensorOptions().dtype(entry.type);
    file.tensors.emplace_back(entry.name, aligned ? at::from_blob(
                                                        data, entry.shape, [mapping](void*) {}, options)
                                                  : Copied(entry, data));
  }
  return file;
}

}  // namespace orrery
