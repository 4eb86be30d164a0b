#include "core/sha256.h"

#include <fmt/ranges.h>
#include <openssl/evp.h>

#include <array>

#include "core/error.h"
#include "core/file.h"

namespace orrery {

std::string Sha256(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned int size = 0;
  ORRERY_CHECK(EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr) == 1);
  return fmt::format("{:02x}", fmt::join(digest.begin(), digest.begin() + size, ""));
}

std::string FileSha256(const std::filesystem::path& path) { return Sha256(ReadFile(path)); }

}  // namespace orrery
