// A session's frames as a video file.
#pragma once
#include <string>
#include <vector>

#include "serve/play_session.h"

namespace orrery {

struct FilmOptions {
  std::string format = "mp4";  // mp4, webm or gif
  double fps = 15;
  int64_t height = 64, width = 64;
  int64_t least_side = 512;  // small frames are enlarged by a whole factor to at least this, at most 16 times
};

// The bytes of the file. Throws Error on another format or no frames, Interrupted when a stop was asked for.
std::string EncodeFilm(const std::vector<PicturePtr>& pictures, const FilmOptions& options);

// What a browser calls it: "video/mp4". Throws Error on another format.
std::string FilmContentType(const std::string& format);

}  // namespace orrery
