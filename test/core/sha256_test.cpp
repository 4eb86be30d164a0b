// Digests published with the standard (FIPS 180-4 examples).
#include "core/sha256.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "core/file.h"

namespace orrery {
namespace {

TEST(Sha256, IsThatOfTheStandard) {
  EXPECT_EQ(Sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_THROW(FileSha256("no/such/file"), Error);
  EXPECT_THROW(FileSha256(testing::TempDir()), Error);
  // A file is read in pieces of 1 MiB: the standard's million letters, and what does not fill the last piece.
  const std::filesystem::path path = std::filesystem::path(testing::TempDir()) / "letters";
  WriteFileAtomic(path, std::string(1'000'000, 'a'));
  EXPECT_EQ(FileSha256(path), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  const std::string longer(3'000'001, 'b');
  WriteFileAtomic(path, longer);
  EXPECT_EQ(FileSha256(path), Sha256(longer));
  WriteFileAtomic(path, "");
  EXPECT_EQ(FileSha256(path), Sha256(""));
}

}  // namespace
}  // namespace orrery
