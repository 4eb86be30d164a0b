#include "eval/quality/feature_files.h"

// The assembler reads the files; CMake gives their folder and lists them as what this object depends on.
#define ORRERY_FILE(symbol, file)                                                                          \
  asm(".pushsection .rodata\n.balign 64\n" #symbol ":\n.incbin \"" ORRERY_FEATURES "/" file "\"\n" #symbol \
      "_end:\n.byte 0\n.popsection\n");                                                                    \
  extern "C" const char symbol[], symbol##_end[]

ORRERY_FILE(orrery_f_img, "f-img.pt");
ORRERY_FILE(orrery_f_vid, "f-vid.pt");
ORRERY_FILE(orrery_f_rand_img, "f-rand-img.pt");
ORRERY_FILE(orrery_f_rand_vid, "f-rand-vid.pt");
ORRERY_FILE(orrery_feature_gates, "gates.json");

namespace orrery {

namespace {

std::string_view Between(const char* begin, const char* end) { return {begin, static_cast<size_t>(end - begin)}; }

}  // namespace

const std::vector<FeatureFile>& FeatureFiles() {
  static const std::vector<FeatureFile> files{{"F-img", Between(orrery_f_img, orrery_f_img_end)},
                                              {"F-rand", Between(orrery_f_rand_img, orrery_f_rand_img_end)},
                                              {"F-vid", Between(orrery_f_vid, orrery_f_vid_end)},
                                              {"F-rand", Between(orrery_f_rand_vid, orrery_f_rand_vid_end)}};
  return files;
}

std::string_view FeatureGates() { return Between(orrery_feature_gates, orrery_feature_gates_end); }

}  // namespace orrery
