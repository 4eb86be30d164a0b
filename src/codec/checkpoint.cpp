#include "codec/checkpoint.h"

#include "codec/registry.h"
#include "core/hash.h"
#include "core/safetensors.h"
#include "nn/module_tensors.h"

namespace orrery {

namespace fs = std::filesystem;

namespace {

constexpr const char* kFormat = "orrery.codec/1";

std::string HashOf(const std::string& spec, const NamedTensors& tensors) {
  const auto bytes = [](const void* data, size_t size) { return std::string_view(static_cast<const char*>(data), size); };
  uint64_t hash = HashBytes(bytes(spec.c_str(), spec.size() + 1));
  for (const auto& [name, tensor] : tensors) {
    const at::Tensor plain = tensor.to(at::kCPU, at::kFloat).contiguous();
    hash = HashBytes(bytes(name.c_str(), name.size() + 1), hash);
    hash = HashBytes(bytes(plain.sizes().data(), plain.sizes().size() * sizeof(int64_t)), hash);
    hash = HashBytes(bytes(plain.const_data_ptr(), plain.nbytes()), hash);
  }
  return fmt::format("{:016x}", hash);
}

const std::string& Text(const TensorFile& file, const std::string& key, const std::string& where) {
  const auto found = file.metadata.find(key);
  if (found == file.metadata.end()) Fail("{}: not a codec (its metadata lacks \"{}\")", where, key);
  return found->second;
}

}  // namespace

std::string CodecHash(const Codec& codec) { return HashOf(codec.Spec(), ModuleTensors(codec)); }

void SaveCodec(const fs::path& path, const Codec& codec, at::ScalarType weights) {
  NamedTensors tensors = ModuleTensors(codec);
  const size_t count = codec.parameters().size();
  for (size_t i = 0; i < count; ++i) tensors[i].second = tensors[i].second.to(weights);
  SaveSafetensors(path, tensors, {{"format", kFormat}, {"spec", codec.Spec()}, {"hash", HashOf(codec.Spec(), tensors)}});
}

std::shared_ptr<Codec> LoadCodec(const fs::path& path) {
  const fs::path file_path = fs::is_directory(path) ? path / "codec.safetensors" : path;
  const std::string where = file_path.string();
  if (!fs::exists(file_path)) Fail("{}: no codec there; make one with 'orrery train codec'", where);
  const TensorFile file = MapSafetensors(file_path);
  if (const std::string& format = Text(file, "format", where); format != kFormat)
    Fail("{}: expected the format {}, got {}", where, kFormat, format);
  std::shared_ptr<Codec> codec = Codecs().Make(Text(file, "spec", where), 0);
  LoadModule(*codec, file.tensors, where);
  if (const std::string hash = CodecHash(*codec); hash != Text(file, "hash", where))
    Fail("{}: its content has the hash {}, not {} as it says; the file was changed or damaged", where, hash, Text(file, "hash", where));
  codec->eval();
  return codec;
}

}  // namespace orrery
