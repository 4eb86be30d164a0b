// A data set as a world: it plays back what was recorded, and knows nothing else.
#pragma once
#include "data/dataset.h"
#include "worlds/trajectory.h"

namespace orrery {

struct RecordingOptions {
  std::string path;                  // folder of the data set
  std::string split = "validation";  // or train, all: as SplitEpisodes has them
  double share = 0.1;                // of the episodes that training held out
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(RecordingOptions, path, split, share)

// What a recording cannot tell: the frame after an action that nobody took, or after the last frame.
class UnknownTruth : public Error {
 public:
  using Error::Error;
};

// Two episodes of a set that are one up to a frame and then differ by their actions alone.
struct RecordedTwins {
  int64_t episode = 0, twin = 0;
  int64_t at = 0;     // last frame that both share, in the frames of `episode`
  int64_t begin = 0;  // the first one
  int64_t after = 0;  // frames after it that both have
};

// A data set that is open, shared by its worlds. Thread-safe.
class RecordedSet {
 public:
  // One a folder and file; it stays open while the program runs. Throws Error as Dataset does.
  static std::shared_ptr<const RecordedSet> Open(const std::filesystem::path& folder);
  explicit RecordedSet(const std::filesystem::path& folder);

  const Dataset& Data() const { return data_; }
  // A whole episode; the last few read are kept.
  std::shared_ptr<const Episode> Read(int64_t episode) const;
  at::Tensor Poses(int64_t episode) const;  // [T, 3], without reading frames; the set must have poses

 private:
  struct Kept;
  Dataset data_;
  std::shared_ptr<Kept> kept_;
};

// The world "recording(path=..., split=..., share=...)". The frames of the split's episodes in a row, twins left out, are numbered; Reset
// goes to frame number `seed` modulo their count. Step takes the action that was recorded and shows the next frame. Where a twin parts from
// the episode, its action is taken too, and its frames follow. Any other action throws UnknownTruth and changes nothing. There is no true
// state but the pose; interventions and other takes are not to be had.
class RecordingWorld : public World {
 public:
  static orrery::Facts Describe();
  // Throws Error on a folder without a data set, an unknown split, and a split without episodes.
  explicit RecordingWorld(const RecordingOptions& options);

  const WorldFacts& Facts() const override { return facts_; }
  void Reset(uint64_t seed) override;
  void Step(std::span<const float> action) override;
  void Render(std::span<uint8_t> rgb) const override;
  std::vector<StateVariable> TrueState() const override { return {}; }
  std::optional<Pose> TruePose() const override;
  std::string Snapshot() const override;
  void Restore(std::string_view snapshot) override;

  const RecordedSet& Set() const { return *set_; }
  std::pair<int64_t, int64_t> Place() const { return {episode_, frame_}; }  // of the set: episode, and frame in it
  const std::vector<int64_t>& Episodes() const { return episodes_; }        // of the split, ascending, without twins
  const std::vector<RecordedTwins>& Twins() const { return twins_; }        // of those episodes
  uint64_t Seed(int64_t episode, int64_t frame) const;                      // whose Reset goes there; an episode of Episodes()
  // Actions that lead to frames first + 1 .. first + count of any episode of the set. Throws NoRoom when it has fewer.
  ActionList Actions(int64_t episode, int64_t first, int64_t count) const;
  // Hash of the split: lengths, seeds and first frames of its episodes. Another recording in the same folder has another.
  uint64_t Fingerprint() const;

 private:
  bool Follow(int64_t episode, int64_t frame, std::span<const float> action);  // there, if the action leads there
  void Go(int64_t episode, int64_t frame);

  std::shared_ptr<const RecordedSet> set_;
  WorldFacts facts_;
  std::vector<int64_t> episodes_, begin_;  // number of the first frame of each, and their count
  std::vector<RecordedTwins> twins_;
  int64_t episode_ = 0, frame_ = 0;
  std::shared_ptr<const Episode> now_;
};

bool IsRecording(std::string_view spec);
// A recording, or a built-in world.
std::unique_ptr<World> MakeEvalWorld(std::string_view spec);
// The same for a recording only; throws Error for any other spec.
std::unique_ptr<RecordingWorld> MakeRecording(std::string_view spec);

}  // namespace orrery
