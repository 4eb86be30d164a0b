#include "cli/verbs.h"

#include <iostream>

#include "data/dataset.h"
#include "data/import.h"

namespace orrery::cli {

void AddImport(CLI::App& app) {
  auto o = std::make_shared<ImportOptions>();
  auto size = std::make_shared<int64_t>(64), width = std::make_shared<int64_t>(0);
  auto stretch = std::make_shared<bool>(false);
  CLI::App* verb = app.add_subcommand("import", "Turn a folder of videos with an action table into a data set");
  verb->add_option("--videos", o->videos, "Folder of .mp4, .webm or .gif files")->required();
  verb->add_option("--actions", o->actions,
                   "actions.csv: video,frame,a0,a1,... and optionally x,y,angle; without it the set has no actions");
  verb->add_option("--out", o->out, "Folder of the new data set")->required();
  verb->add_option("--size", *size, "Height and width of the stored frames")->capture_default_str();
  verb->add_option("--width", *width, "Their width, where it is another than the height");
  verb->add_option("--fps", o->video.fps, "Take frames at this rate (default: the file's own)");
  verb->add_flag("--stretch", *stretch, "Stretch to the target's shape instead of cropping around the centre");
  verb->add_flag("--overwrite", o->overwrite, "Replace an existing data set");
  Example(*verb, "orrery import --videos clips --actions clips/actions.csv --out data/mine");
  verb->callback([=] {
    o->video.height = *size;
    o->video.width = *width ? *width : *size;
    o->video.crop = !*stretch;
    const DatasetFacts facts = ImportVideos(*o);
    const Dataset set(o->out);
    std::cout << fmt::format("{}: {} episodes, {} frames of {}x{} at {:.4g} frames/s, actions: {}\n", o->out.string(), set.Episodes(),
                             set.TotalFrames(), facts.height, facts.width, facts.fps,
                             facts.actions.Discrete() ? fmt::format("{} choices", facts.actions.count)
                             : facts.actions.dims     ? fmt::format("{} numbers", facts.actions.dims)
                                                      : "none");
  });
}

}  // namespace orrery::cli
