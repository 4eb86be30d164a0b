// SHA-256 (FIPS 180-4): which file a number was made with, so that anybody can check it with sha256sum.
#pragma once
#include <filesystem>
#include <string>
#include <string_view>

namespace orrery {

std::string Sha256(std::string_view bytes);  // 64 hexadecimal digits, small letters
// Of a whole file. Throws Error with the path and the system's reason.
std::string FileSha256(const std::filesystem::path& path);

}  // namespace orrery
