#include "codec/checkpoint.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "codec/registry.h"
#include "core/file.h"
#include "core/safetensors.h"
#include "core/tensor_rng.h"

namespace orrery {
namespace {

namespace fs = std::filesystem;

class CodecFile : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / fmt::format("orrery_codec_file_{}", ::getpid());
    fs::remove_all(folder_);
    codec_ = MakeCodec(GetParam(), 16, 16, 3);
    const int64_t channels = codec_->Latent().channels;
    Rng rng(1);
    codec_->SetLatentStatistics(NormalTensor({channels}, rng), UniformTensor({channels}, rng) + 0.1);
  }
  void TearDown() override { fs::remove_all(folder_); }
  fs::path Path() const { return folder_ / "codec.safetensors"; }

  fs::path folder_;
  std::shared_ptr<Codec> codec_;
};

TEST_P(CodecFile, ComesBackToTheBit) {
  SaveCodec(Path(), *codec_);
  for (const fs::path& path : {folder_, Path()}) {
    const auto loaded = LoadCodec(path);
    EXPECT_EQ(loaded->Spec(), codec_->Spec());
    EXPECT_EQ(CodecHash(*loaded), CodecHash(*codec_));
    Rng rng(2);
    const at::Tensor frames = UniformTensor({2, 3, 16, 16}, rng);
    EXPECT_TRUE(at::equal(loaded->Encode(frames), codec_->Encode(frames)));
    EXPECT_TRUE(at::equal(loaded->Decode(loaded->Encode(frames)), codec_->Decode(codec_->Encode(frames))));
  }
}

TEST_P(CodecFile, HalfWeightsHaveTheHashOfWhatIsLoaded) {
  SaveCodec(Path(), *codec_, at::kHalf);
  const auto loaded = LoadCodec(folder_);
  EXPECT_EQ(LoadSafetensors(Path()).metadata.at("hash"), CodecHash(*loaded));
  EXPECT_TRUE(at::equal(loaded->LatentStd(), codec_->LatentStd()));
  const auto before = codec_->parameters(), after = loaded->parameters();
  for (size_t i = 0; i < before.size(); ++i) EXPECT_TRUE(at::equal(before[i].to(at::kHalf).to(at::kFloat), after[i]));
}

TEST_P(CodecFile, TheHashFollowsStatistics) {
  const std::string hash = CodecHash(*codec_);
  codec_->SetLatentStatistics(codec_->LatentMean() + 1e-6, codec_->LatentStd());
  EXPECT_NE(CodecHash(*codec_), hash);
}

TEST_P(CodecFile, RefusesDamage) {
  EXPECT_THROW(LoadCodec(folder_), Error);
  SaveCodec(Path(), *codec_);
  const TensorFile good = LoadSafetensors(Path());
  const auto refused = [&](const NamedTensors& tensors, const Metadata& metadata) {
    SaveSafetensors(Path(), tensors, metadata);
    EXPECT_THROW(LoadCodec(Path()), Error);
  };
  NamedTensors tensors = good.tensors;
  tensors.back().second = tensors.back().second + 1;  // the hash no longer fits
  refused(tensors, good.metadata);
  tensors.back().second = at::full_like(tensors.back().second, NAN);
  refused(tensors, good.metadata);
  tensors.back().second = at::zeros({3, 1});
  refused(tensors, good.metadata);
  tensors.pop_back();
  refused(tensors, good.metadata);
  tensors = good.tensors;
  tensors.emplace_back("more", at::zeros({1}));
  refused(tensors, good.metadata);
  for (const char* key : {"format", "spec", "hash"}) {
    Metadata metadata = good.metadata;
    metadata.erase(key);
    refused(good.tensors, metadata);
  }
  SaveSafetensors(Path(), good.tensors, good.metadata);
  WriteFileAtomic(Path(), ReadFile(Path()).substr(0, 100));
  EXPECT_THROW(LoadCodec(Path()), Error);
}

INSTANTIATE_TEST_SUITE_P(Registered, CodecFile, testing::Values("vae(features=8, blocks=1)", "identity(patch=4)"));

}  // namespace
}  // namespace orrery
