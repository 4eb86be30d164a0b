#include "codec/checkpoint.h"

#include "codec/registry.h"
#include "core/safetensors.h"
#include "core/shape.h"

namespace orrery {

namespace fs = std::filesystem;

namespace {

constexpr const char* kFormat = "orrery.codec/1";

NamedTensors TensorsOf(const Codec& codec) {
  NamedTensors tensors;
  for (const auto& item : codec.named_parameters()) tensors.emplace_back(item.key(), item.value().detach());
  for (const auto& item : codec.named_buffers()) tensors.emplace_back(item.key(), item.value());
  return tensors;
}

// 64-bit FNV-1a.
class Hash {
 public:
  void Add(const void* data, size_t bytes) {
    const auto* p = static_cast<const unsigned char*>(data);
    for (size_t i = 0; i < bytes; ++i) value_ = (value_ ^ p[i]) * 0x100000001b3ull;
  }
  void Add(const std::string& text) { Add(text.c_str(), text.size() + 1); }
  std::string Text() const { return fmt::format("{:016x}", value_); }

 private:
  uint64_t value_ = 0xcbf29ce484222325ull;
};

std::string HashOf(const std::string& spec, const NamedTensors& tensors) {
  Hash hash;
  hash.Add(spec);
  for (const auto& [name, tensor] : tensors) {
    const at::Tensor plain = tensor.to(at::kCPU, at::kFloat).contiguous();
    hash.Add(name);
    hash.Add(plain.sizes().data(), plain.sizes().size() * sizeof(int64_t));
    hash.Add(plain.const_data_ptr(), plain.nbytes());
  }
  return hash.Text();
}

const std::string& Text(const TensorFile& file, const std::string& key, const std::string& where) {
  const auto found = file.metadata.find(key);
  if (found == file.metadata.end()) Fail("{}: not a codec (its metadata lacks \"{}\")", where, key);
  return found->second;
}

void Fill(Codec& codec, const TensorFile& file, const std::string& where) {
  at::NoGradGuard no_grad;
  const NamedTensors own = TensorsOf(codec);
  for (const auto& [name, tensor] : own) {
    const at::Tensor& given = file.At(name, where);
    if (given.sizes() != tensor.sizes())
      Fail("{}: tensor '{}': expected {}, got {}", where, name, ShapeText(tensor.sizes()), ShapeText(given.sizes()));
    if (!at::isfinite(given).all().item<bool>()) Fail("{}: tensor '{}' has numbers that are not finite", where, name);
    at::Tensor target = tensor;
    target.copy_(given);
  }
  if (file.tensors.size() != own.size()) Fail("{}: expected {} tensors, got {}", where, own.size(), file.tensors.size());
}

}  // namespace

std::string CodecHash(const Codec& codec) { return HashOf(codec.Spec(), TensorsOf(codec)); }

void SaveCodec(const fs::path& path, const Codec& codec, at::ScalarType weights) {
  NamedTensors tensors = TensorsOf(codec);
  const size_t count = codec.parameters().size();
  for (size_t i = 0; i < count; ++i) tensors[i].second = tensors[i].second.to(weights);
  SaveSafetensors(path, tensors, {{"format", kFormat}, {"spec", codec.Spec()}, {"hash", HashOf(codec.Spec(), tensors)}});
}

std::shared_ptr<Codec> LoadCodec(const fs::path& path) {
  const fs::path file_path = fs::is_directory(path) ? path / "codec.safetensors" : path;
  const std::string where = file_path.string();
  if (!fs::exists(file_path)) Fail("{}: no codec there; make one with 'orrery train codec'", where);
  const TensorFile file = LoadSafetensors(file_path);
  if (const std::string& format = Text(file, "format", where); format != kFormat)
    Fail("{}: expected the format {}, got {}", where, kFormat, format);
  std::shared_ptr<Codec> codec = Codecs().Make(Text(file, "spec", where), 0);
  Fill(*codec, file, where);
  if (const std::string hash = CodecHash(*codec); hash != Text(file, "hash", where))
    Fail("{}: its content has the hash {}, not {} as it says; the file was changed or damaged", where, hash, Text(file, "hash", where));
  codec->eval();
  return codec;
}

}  // namespace orrery
