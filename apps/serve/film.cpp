#include "serve/film.h"

#include <ATen/Functions.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "core/file.h"
#include "core/signals.h"
#include "data/video.h"

namespace orrery {

namespace {

// A private folder that goes with its owner.
class TemporaryFolder {
 public:
  TemporaryFolder() : path_((std::filesystem::temp_directory_path() / "orrery-film-XXXXXX").string()) {
    if (!mkdtemp(path_.data())) Fail("cannot make a folder like {} for the film: {}", path_, std::generic_category().message(errno));
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::filesystem::path Path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace

std::string FilmContentType(const std::string& format) {
  if (format == "mp4") return "video/mp4";
  if (format == "webm") return "video/webm";
  if (format == "gif") return "image/gif";
  const std::vector<std::string> formats = {"mp4", "webm", "gif"};
  FailUnknown("film format", format, formats);
}

std::string EncodeFilm(const std::vector<PicturePtr>& pictures, const FilmOptions& options) {
  FilmContentType(options.format);
  if (pictures.empty()) Fail("the film has no frames yet");
  const int64_t side = std::min(options.height, options.width);
  VideoWriteOptions writing;
  writing.fps = options.fps;
  writing.scale = std::clamp<int64_t>((options.least_side + side - 1) / side, 1, 16);
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.Path() / ("film." + options.format);
  VideoWriter writer(path, options.height, options.width, writing);
  for (const PicturePtr& picture : pictures) {
    ThrowIfStopRequested();
    auto* pixels = const_cast<uint8_t*>(picture->rgb.data());
    writer.Add(at::from_blob(pixels, {options.height, options.width, 3}, at::kByte));
  }
  writer.Finish();
  return ReadFile(path);
}

}  // namespace orrery
