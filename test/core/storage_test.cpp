// Parts, safetensors and files: whole or absent.
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <cstring>
#include <fstream>

#include "core/error.h"
#include "core/file.h"
#include "core/parts.h"
#include "core/shape.h"
#include "error_of.h"

namespace orrery {
namespace {

namespace fs = std::filesystem;

Parts Example() {
  Parts parts;
  parts.Add("key", "layer token", at::arange(12, at::kFloat).view({3, 4}));
  parts.Add("count", "", at::full({}, 7, at::kLong));
  return parts;
}

TEST(Parts, ForksShareUntilOneWrites) {
  Parts a = Example();
  const Parts b = a.Fork();
  EXPECT_EQ(a.Get("key").const_data_ptr(), b.Get("key").const_data_ptr());
  a.Mutable("key")[0][0] = 99;
  EXPECT_EQ(b.Get("key")[0][0].item<float>(), 0);
  EXPECT_EQ(a.Get("key")[0][0].item<float>(), 99);
  const void* own = a.Get("key").const_data_ptr();
  a.Mutable("key")[0][1] = 98;
  EXPECT_EQ(a.Get("key").const_data_ptr(), own) << "an unshared tensor was copied";
}

TEST(Parts, BytesDifferenceAndFile) {
  const Parts a = Example();
  EXPECT_EQ(a.Bytes(), 12 * 4 + 8u);
  Parts b = a.Clone();
  EXPECT_EQ(a.Difference(b), "");
  b.Mutable("key")[1][2] = -6;
  EXPECT_EQ(a.Difference(b), "'key' differs first at element 6");
  const std::string path = testing::TempDir() + "parts.safetensors";
  a.Save(path);
  const Parts c = Parts::Load(path);
  EXPECT_EQ(a.Difference(c), "");
  EXPECT_EQ(c.All()[0].axes, "layer token");
  Parts nested;
  nested.Append("memory", a);
  EXPECT_EQ(nested.Extract("memory").Difference(a), "");
}

TEST(Safetensors, EveryTypeRoundTrips) {
  NamedTensors tensors;
  for (const at::ScalarType type :
       {at::kDouble, at::kFloat, at::kHalf, at::kBFloat16, at::kLong, at::kInt, at::kShort, at::kChar, at::kByte, at::kBool})
    tensors.emplace_back(at::toString(type), at::arange(6).to(type).view({2, 3}));
  tensors.emplace_back("empty", at::empty({0, 4}));
  const TensorFile file = ParseSafetensors(SerializeSafetensors(tensors, {{"a", "b"}}), "test");
  ASSERT_EQ(file.tensors.size(), tensors.size());
  for (size_t i = 0; i < tensors.size(); ++i) {
    EXPECT_EQ(file.tensors[i].second.scalar_type(), tensors[i].second.scalar_type());
    EXPECT_TRUE(at::equal(file.tensors[i].second, tensors[i].second)) << tensors[i].first;
  }
  EXPECT_EQ(file.metadata.at("a"), "b");
}

std::string WithHeader(const std::string& header, const std::string& data) {
  const uint64_t length = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + header + data;
}

TEST(Safetensors, LyingHeadersAreNamed) {
  const auto error = [](const std::string& bytes) { return ErrorOf([&] { ParseSafetensors(bytes, "x"); }); };
  EXPECT_EQ(error("abc"), "x: not a safetensors file (3 bytes)");
  std::string huge(8, '\xff');
  EXPECT_NE(error(huge).find("cut short or not a safetensors file"), std::string::npos);
  EXPECT_NE(error(WithHeader("[]", "")).find("not a JSON object"), std::string::npos);
  EXPECT_NE(
      error(WithHeader(R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", "abcd")).find("needs 8 bytes, the header gives 4"),
      std::string::npos);
  EXPECT_NE(error(WithHeader(R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", "abcd")).find("outside the 4 bytes"),
            std::string::npos);
  EXPECT_NE(error(WithHeader(R"({"w":{"dtype":"F32","shape":[1099511627776,1099511627776],"data_offsets":[0,4]}})", "abcd"))
                .find("larger than any file"),
            std::string::npos);
  EXPECT_NE(error(WithHeader(R"({"w":{"dtype":"X","shape":[1],"data_offsets":[0,4]}})", "abcd")).find("not supported"), std::string::npos);
  EXPECT_NE(error(WithHeader(R"({"w":{"dtype":"U8","shape":[-1],"data_offsets":[0,4]}})", "abcd")).find("natural number"),
            std::string::npos);
  EXPECT_NE(error(WithHeader(R"({"w":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})", "abcd")).find("cut short or has a tail"),
            std::string::npos);
  EXPECT_NE(error(WithHeader(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[3],"data_offsets":[1,4]}})",
                             "abcd"))
                .find("overlap"),
            std::string::npos);
  const std::string whole = SerializeSafetensors({{"w", at::ones({64})}});
  EXPECT_NE(error(whole.substr(0, whole.size() - 5)), "no error");
}

TEST(Safetensors, WrittenTensorByTensorOrMappedItIsTheSame) {
  const std::string path = testing::TempDir() + "mapped.safetensors";
  const NamedTensors tensors{{"odd", at::ones({3}, at::kByte)}, {"w", at::arange(5, at::kFloat)}, {"none", at::empty({0, 2})}};
  SafetensorsWriter writer(path, {{"odd", at::kByte, {3}}, {"w", at::kFloat, {5}}, {"none", at::kFloat, {0, 2}}}, {{"a", "b"}});
  for (const auto& [name, tensor] : tensors) {
    EXPECT_FALSE(fs::exists(path)) << "half a file has its name";
    writer.Add(tensor);
  }
  writer.Finish();
  EXPECT_EQ(ReadFile(path), SerializeSafetensors(tensors, {{"a", "b"}}));
  {
    const TensorFile mapped = MapSafetensors(path);
    ASSERT_EQ(mapped.tensors.size(), 3u);
    for (size_t i = 0; i < 3; ++i) EXPECT_TRUE(at::equal(mapped.tensors[i].second, tensors[i].second)) << tensors[i].first;
    EXPECT_EQ(mapped.metadata.at("a"), "b");
    mapped.tensors[0].second.fill_(9);
  }
  EXPECT_TRUE(at::equal(LoadSafetensors(path).At("odd", path), tensors[0].second)) << "a write to a mapped tensor reached the file";
  fs::resize_file(path, 30);
  EXPECT_NE(ErrorOf([&] { MapSafetensors(path); }), "no error");
  fs::remove(path);
  EXPECT_EQ(ErrorOf([&] { MapSafetensors(path); }), "cannot read " + path + ": No such file or directory");
}

TEST(Shape, PrintsExpectedAndReceived) {
  EXPECT_EQ(ErrorOf([] { CheckShape(at::zeros({2, 5, 4}), {2, kAny, 3}, "latents"); }), "latents: expected [2, any, 3], got [2, 5, 4]");
  EXPECT_EQ(ErrorOf([] { CheckShape({}, {1}, "pose"); }), "pose: expected [1], got no tensor");
}

// RLIMIT_FSIZE stands for a full disk: writes past it fail with EFBIG.
class SmallDisk {
 public:
  explicit SmallDisk(rlim_t bytes) {
    getrlimit(RLIMIT_FSIZE, &before_);
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~SmallDisk() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_;
  void (*handler_)(int);
};

TEST(AtomicFile, AFailedWriteLeavesThePreviousFileAndNoOther) {
  const fs::path folder = fs::path(testing::TempDir()) / "atomic";
  fs::remove_all(folder);
  WriteFileAtomic(folder / "a.txt", "before");
  {
    const SmallDisk full(1000);
    EXPECT_NE(ErrorOf([&] { WriteFileAtomic(folder / "a.txt", std::string(5000, 'x')); }).find("the previous file is unchanged"),
              std::string::npos);
  }
  EXPECT_EQ(ReadFile(folder / "a.txt"), "before");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), {}), 1) << "a temporary file was left";
}

TEST(AtomicFile, UncommittedLeavesNothing) {
  const fs::path folder = fs::path(testing::TempDir()) / "uncommitted";
  fs::remove_all(folder);
  {
    AtomicFile file(folder / "film.mp4");
    std::ofstream(file.Path()) << "half";
    EXPECT_EQ(file.Path().extension(), ".mp4");
  }
  EXPECT_TRUE(fs::is_empty(folder));
}

}  // namespace
}  // namespace orrery
