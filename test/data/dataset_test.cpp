// Data sets: what is written is read back, and every fault is one line that names file and episode.
#include "data/dataset.h"

#include <ATen/ops/equal.h>
#include <fcntl.h>
#include <hdf5.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <csignal>
#include <fstream>
#include <limits>
#include <thread>

#include "core/config.h"
#include "core/file.h"
#include "data/hdf5.h"
#include "test_data.h"

namespace orrery {
namespace {

namespace fs = std::filesystem;

void ExpectRows(const Episode& rows, const Episode& all, int64_t begin) {
  const int64_t end = begin + rows.Frames();
  EXPECT_TRUE(at::equal(rows.frames, all.frames.slice(0, begin, end)));
  EXPECT_EQ(rows.actions.defined(), all.actions.defined());
  EXPECT_EQ(rows.pose.defined(), all.pose.defined());
  EXPECT_TRUE(!all.actions.defined() || at::equal(rows.actions, all.actions.slice(0, begin, end)));
  EXPECT_TRUE(!all.pose.defined() || at::equal(rows.pose, all.pose.slice(0, begin, end)));
  EXPECT_EQ(rows.seed, all.seed);
}

TEST(Dataset, ReadsBackEveryKindOfAction) {
  const TemporaryFolder folder;
  for (const ActionSpace& actions : {DiscreteSpace(4), BoxSpace(3), ActionSpace{}})
    for (const bool has_pose : {false, true}) {
      const DatasetFacts facts = SmallFacts(actions, has_pose);
      const fs::path path = folder / fmt::format("{}_{}_{}", actions.count, actions.dims, has_pose);
      WriteSet(path, facts, {2, 33, 17});
      const Dataset set(path);
      EXPECT_EQ(Json(set.Facts()), Json(facts));
      ASSERT_EQ(set.Episodes(), 3);
      EXPECT_EQ(set.TotalFrames(), 52);
      const std::vector<int64_t> lengths = {2, 33, 17};
      for (int64_t e = 0; e < 3; ++e) {
        EXPECT_EQ(set.Frames(e), lengths[e]);
        const Episode all = RandomEpisode(facts, lengths[e], e);
        ExpectRows(set.Read(e, 0, lengths[e]), all, 0);
        ExpectRows(set.Read(e, 1, lengths[e] - 1), all, 1);
      }
      ExpectRows(set.Read(1, 7, 11), RandomEpisode(facts, 33, 1), 7);
    }
}

TEST(Dataset, DiskRowHoldsTheActionTakenWhileItsFrameIsOnScreen) {
  const TemporaryFolder folder;
  const DatasetFacts facts = SmallFacts(DiscreteSpace(9), false);
  WriteSet(folder / "set", facts, {9});
  const Episode episode = RandomEpisode(facts, 9, 0);
  const hdf5::Lock lock;
  const hdf5::Handle file = hdf5::OpenFile(folder / "set" / "main_data.hdf5");
  const hdf5::Array actions = hdf5::OpenArray(file.Id(), "episode_0/actions", "test");
  ASSERT_EQ(actions.shape, std::vector<int64_t>{8});
  std::vector<int64_t> disk(8);
  hdf5::ReadRows(actions, H5T_NATIVE_INT64, 0, 8, disk.data(), "test");
  for (int64_t t = 0; t < 8; ++t) EXPECT_EQ(disk[t], episode.actions[t + 1].item<float>());
}

TEST(Dataset, MarksOfTwinsComeBack) {
  const TemporaryFolder folder;
  const DatasetFacts facts = SmallFacts(DiscreteSpace(4), true);
  DatasetWriter writer(folder / "set", facts);
  writer.Add(RandomEpisode(facts, 20, 0));
  Episode twin = RandomEpisode(facts, 9, 1);
  twin.twin = TwinMark{0, 5, 3};
  writer.Add(twin);
  writer.Finish();
  const Dataset set(folder / "set");
  EXPECT_EQ(set.Twin(0), std::nullopt);
  EXPECT_EQ(set.Twin(1), twin.twin);
  EXPECT_EQ(set.Read(1, 2, 3).twin, twin.twin);
  Episode pose;
  pose.pose = at::empty({9, 3}, at::kFloat);
  set.ReadInto(1, 0, pose);
  EXPECT_TRUE(at::equal(pose.pose, twin.pose)) << "undefined tensors are not read";
}

TEST(Dataset, MarksOfTwinsThatCannotBeAreRefused) {
  const TemporaryFolder folder;
  const DatasetFacts facts = SmallFacts(DiscreteSpace(4), false);
  const auto fault = [&](TwinMark mark) {
    return ErrorOf([&] {
      DatasetWriter writer(folder / "set", facts);
      writer.Add(RandomEpisode(facts, 20, 0));
      Episode twin = RandomEpisode(facts, 9, 1);
      twin.twin = TwinMark{0, 11, 7};
      writer.Add(twin);
      twin.twin = mark;
      writer.Add(twin);
    });
  };
  EXPECT_EQ(fault({0, 11, 7}), "") << "one frame of each is left";
  for (const TwinMark& mark : {TwinMark{0, 12, 7}, TwinMark{0, 0, 8}, TwinMark{0, -1, 3}, TwinMark{0, 3, -1}, TwinMark{0, INT64_MAX, 3}})
    ExpectOneLine(fault(mark), {"episode 2", "after the last shared one"});
  for (const TwinMark& mark : {TwinMark{1, 0, 3}, TwinMark{2, 0, 3}, TwinMark{-1, 0, 3}}) ExpectOneLine(fault(mark), {"no twin itself"});
}

TEST(Dataset, FolderDataIsTakenToo) {
  const TemporaryFolder folder;
  WriteSet(folder / "set/data", SmallFacts(DiscreteSpace(2), false), {3});
  EXPECT_EQ(Dataset(folder / "set").TotalFrames(), 3);
}

TEST(Dataset, ReadsFromSeveralThreadsAtOnce) {
  const TemporaryFolder folder;
  const DatasetFacts facts = SmallFacts(BoxSpace(2), true);
  WriteSet(folder / "set", facts, {40, 40});
  const Dataset set(folder / "set");
  std::vector<std::thread> threads;
  std::vector<int64_t> faults(4, 0);
  for (int64_t thread = 0; thread < 4; ++thread)
    threads.emplace_back([&, thread] {
      const Episode all = RandomEpisode(facts, 40, thread % 2);
      for (int64_t begin = 0; begin < 30; ++begin)
        if (!at::equal(set.Read(thread % 2, begin, 10).frames, all.frames.slice(0, begin, begin + 10))) ++faults[thread];
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(faults, std::vector<int64_t>(4, 0));
}

TEST(DatasetWriter, AppendsAnEpisodeInPieces) {
  const TemporaryFolder folder;
  const DatasetFacts facts = SmallFacts(BoxSpace(2), true);
  const Episode episode = RandomEpisode(facts, 41, 5);
  DatasetWriter writer(folder / "set", facts);
  writer.Begin(5);
  for (const auto& [begin, end] : {std::pair{0, 1}, std::pair{1, 20}, std::pair{20, 41}}) {
    Episode rows;
    rows.frames = episode.frames.slice(0, begin, end);
    rows.actions = episode.actions.slice(0, begin, end);
    rows.pose = episode.pose.slice(0, begin, end);
    writer.Append(rows);
  }
  writer.End();
  writer.Finish();
  ExpectRows(Dataset(folder / "set").Read(0, 0, 41), episode, 0);
}

TEST(DatasetWriter, LeavesNothingWhenUnfinishedAndKeepsWhatWasThere) {
  const TemporaryFolder folder;
  const DatasetFacts facts = SmallFacts(DiscreteSpace(3), false);
  {
    DatasetWriter writer(folder / "set", facts);
    writer.Add(RandomEpisode(facts, 5, 0));
    EXPECT_FALSE(fs::exists(folder / "set"));
  }
  EXPECT_EQ(CountFiles(folder.Path()), 0);

  WriteSet(folder / "set", facts, {5});
  ExpectOneLine(ErrorOf([&] { DatasetWriter(folder / "set", facts); }), {"set exists", "overwrite"});
  {
    DatasetWriter writer(folder / "set", facts, {.overwrite = true});
    writer.Add(RandomEpisode(facts, 7, 1));
    EXPECT_EQ(Dataset(folder / "set").TotalFrames(), 5);
  }
  EXPECT_EQ(Dataset(folder / "set").TotalFrames(), 5);
  DatasetWriter writer(folder / "set", facts, {.overwrite = true});
  writer.Add(RandomEpisode(facts, 7, 1));
  writer.Finish();
  EXPECT_EQ(Dataset(folder / "set").TotalFrames(), 7);
  EXPECT_EQ(CountFiles(folder.Path()), 1);
}

TEST(DatasetWriter, NeverReplacesAFolderWithOtherFiles) {
  const TemporaryFolder folder;
  const DatasetFacts facts = SmallFacts(DiscreteSpace(3), false);
  WriteSet(folder / "set", facts, {5});
  WriteFileAtomic(folder / "set/notes.txt", "mine");
  ExpectOneLine(ErrorOf([&] { DatasetWriter(folder / "set", facts, {.overwrite = true}); }), {"notes.txt"});
  EXPECT_EQ(ReadFile(folder / "set/notes.txt"), "mine");
}

TEST(DatasetWriter, RefusesWhatDoesNotFitTheFacts) {
  const TemporaryFolder folder;
  const DatasetFacts facts = SmallFacts(BoxSpace(2), true);
  DatasetWriter writer(folder / "set", facts);
  writer.Add(RandomEpisode(facts, 5, 0));
  const auto refused = [&](auto change, std::initializer_list<std::string> parts) {
    Episode episode = RandomEpisode(facts, 5, 1);
    change(episode);
    const std::string message = ErrorOf([&] { writer.Add(episode); });
    ExpectOneLine(message, parts);
    ExpectOneLine(message, {"set, episode 1"});
  };
  const float nan = std::numeric_limits<float>::quiet_NaN();
  refused([&](Episode& e) { e.frames = e.frames.slice(1, 0, 4); }, {"[any, 6, 5, 3]", "[5, 4, 5, 3]"});
  refused([&](Episode& e) { e.frames = e.frames.to(at::kFloat); }, {"Byte", "Float"});
  refused([&](Episode& e) { e.actions = e.actions.slice(0, 0, 4); }, {"actions", "[5, 2]", "[4, 2]"});
  refused([&](Episode& e) { e.actions[3][1] = nan; }, {"frame 3", "not finite"});
  refused([&](Episode& e) { e.actions[2][0] = 2.75f; }, {"frame 2", "2.75"});
  refused([&](Episode& e) { e.pose[4][0] = nan; }, {"frame 4", "pose"});
  refused([&](Episode& e) { e.pose = at::Tensor(); }, {"pose"});
  refused([&](Episode& e) { e = RandomEpisode(facts, 1, 1); }, {"two frames"});
  writer.Finish();
  EXPECT_EQ(Dataset(folder / "set").Episodes(), 1);
}

TEST(DatasetWriter, NeedsAnEpisode) {
  const TemporaryFolder folder;
  DatasetWriter writer(folder / "set", SmallFacts(DiscreteSpace(3), false));
  ExpectOneLine(ErrorOf([&] { writer.Finish(); }), {"set", "no episode"});
}

// Changes a written set from outside and returns what opening says.
template <class Change>
std::string OpeningAfter(const DatasetFacts& facts, Change change) {
  const TemporaryFolder folder;
  WriteSet(folder / "set", facts, {5, 12});
  {
    const hdf5::Lock lock;
    const hdf5::Handle file(H5Fopen((folder / "set/main_data.hdf5").c_str(), H5F_ACC_RDWR, H5P_DEFAULT), H5Fclose);
    change(file.Id());
  }
  const std::string message = ErrorOf([&] { Dataset set(folder / "set"); });
  ExpectOneLine(message, {"set/main_data.hdf5, episode 1"});
  return message;
}

TEST(Dataset, FaultsNameFileAndEpisode) {
  const DatasetFacts facts = SmallFacts(BoxSpace(2), true);
  std::vector<float> numbers(64, 0.5f);
  const auto replaced = [&](const char* path, const std::vector<hsize_t>& shape) {
    return OpeningAfter(facts, [&](hid_t file) { Replace(file, path, H5T_NATIVE_FLOAT, shape, numbers.data()); });
  };
  const auto deleted = [&](const char* path) { return OpeningAfter(facts, [&](hid_t file) { H5Ldelete(file, path, H5P_DEFAULT); }); };
  ExpectOneLine(replaced("episode_1/actions", {10, 2}), {"expected 11 actions for 12 frames, got 10"});
  ExpectOneLine(replaced("episode_1/actions", {11, 3}), {"expected 2 floats an action, got 3"});
  ExpectOneLine(replaced("episode_1/infos/pose", {11, 3}), {"infos/pose", "[12, 3]", "[11, 3]"});
  ExpectOneLine(replaced("episode_1/observations", {2, 3}), {"observations", "[2, 6, 5, 3]", "[2, 3]"});
  ExpectOneLine(deleted("episode_1/infos/pose"), {"no infos/pose"});
  ExpectOneLine(deleted("episode_1/observations"), {"no observations"});
  ExpectOneLine(deleted("episode_1"), {"missing"});
  numbers[9] = std::numeric_limits<float>::quiet_NaN();
  ExpectOneLine(replaced("episode_1/actions", {11, 2}), {"row 4", "not finite"});
  ExpectOneLine(replaced("episode_1/infos/pose", {12, 3}), {"row 3", "pose is not finite"});
  const std::vector<int64_t> indices(11, 4);
  const auto out_of_range = [&](hid_t file) { Replace(file, "episode_1/actions", H5T_NATIVE_INT64, {11}, indices.data()); };
  ExpectOneLine(OpeningAfter(SmallFacts(DiscreteSpace(4), false), out_of_range), {"row 0", "0..3, got 4"});
}

TEST(Dataset, MissingOrBrokenFilesAreOneLine) {
  const TemporaryFolder folder;
  ExpectOneLine(ErrorOf([&] { Dataset set(folder / "none"); }), {"none", "no data set"});
  WriteSet(folder / "set", SmallFacts(DiscreteSpace(4), true), {30, 30});
  const fs::path file = folder / "set/main_data.hdf5";
  const std::string bytes = ReadFile(file);
  for (const size_t size : {bytes.size() - 1, bytes.size() / 2, size_t{600}, size_t{100}}) {
    WriteFileAtomic(file, std::string_view(bytes).substr(0, size));
    ExpectOneLine(ErrorOf([&] { Dataset set(folder / "set"); }), {"set/main_data.hdf5"});
  }
  WriteFileAtomic(file, std::string_view(bytes).substr(0, bytes.size() / 2));
  ExpectOneLine(ErrorOf([&] { Dataset set(folder / "set"); }), {"cut short"});
  WriteFileAtomic(file, "no HDF5 at all");
  ExpectOneLine(ErrorOf([&] { Dataset set(folder / "set"); }), {"set/main_data.hdf5", "not an HDF5 file"});
  WriteFileAtomic(file, bytes);
  const std::string metadata = ReadFile(folder / "set/metadata.json");
  WriteFileAtomic(folder / "set/metadata.json", metadata.substr(0, metadata.size() / 2));
  ExpectOneLine(ErrorOf([&] { Dataset set(folder / "set"); }), {"metadata.json", "not valid JSON"});
  WriteFileAtomic(folder / "set/metadata.json", "{\"total_episodes\": 2}");
  ExpectOneLine(ErrorOf([&] { Dataset set(folder / "set"); }), {"metadata.json", "observation_space"});
}

TEST(Dataset, RowsOutsideAreRefused) {
  const TemporaryFolder folder;
  WriteSet(folder / "set", SmallFacts(DiscreteSpace(4), false), {5});
  const Dataset set(folder / "set");
  ExpectOneLine(ErrorOf([&] { set.Read(0, 3, 3); }), {"0..4", "3..5"});
  ExpectOneLine(ErrorOf([&] { set.Read(1, 0, 1); }), {"0..0", "got 1"});
}

// Records until the disk is full; returns the message. The set that was there must be whole afterwards.
std::string FillDisk(const fs::path& path, const DatasetFacts& facts) {
  return ErrorOf([&] {
    DatasetWriter writer(path, facts, {.overwrite = true});
    for (uint64_t i = 0; i < 1000; ++i) writer.Add(RandomEpisode(facts, 20, i));
    writer.Finish();
  });
}

void ExpectFullDiskHandled(const std::string& message, const fs::path& path, const std::string& reason) {
  ExpectOneLine(message, {path.string(), reason});
  EXPECT_EQ(Dataset(path).TotalFrames(), 5);
  EXPECT_EQ(CountFiles(path.parent_path()), 1);
}

// A limit on the size of files stands for a full disk on every machine; in a child, for limits cannot be raised again.
TEST(DatasetWriterDeathTest, FileTooLargeIsOneLineAndKeepsTheOldSet) {
  const TemporaryFolder folder;
  DatasetFacts facts = SmallFacts(DiscreteSpace(4), true);
  facts.height = facts.width = 32;
  WriteSet(folder / "set", facts, {5});
  const auto limited = [&] {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit = {400000, 400000};
    setrlimit(RLIMIT_FSIZE, &limit);
    ExpectFullDiskHandled(FillDisk(folder / "set", facts), folder / "set", "File too large");
    // The process goes on with HDF5.
    EXPECT_EQ(Dataset(folder / "set").Read(0, 0, 5).Frames(), 5);
    std::exit(::testing::Test::HasFailure() ? 1 : 0);
  };
  EXPECT_EXIT(limited(), ::testing::ExitedWithCode(0), "^$");
}

TEST(DatasetWriter, FullDiskIsOneLineAndKeepsTheOldSet) {
  const TemporaryFolder folder;
  const fs::path disk = folder / "disk";
  fs::create_directories(disk);
  const bool mounted = ::mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=600k") == 0;
  DatasetFacts facts = SmallFacts(DiscreteSpace(4), true);
  facts.height = facts.width = 32;
  WriteSet(disk / "set", facts, {5});
  if (mounted) {
    for (int again = 0; again < 3; ++again) ExpectFullDiskHandled(FillDisk(disk / "set", facts), disk / "set", "No space left on device");
    EXPECT_EQ(::umount2(disk.c_str(), MNT_DETACH), 0);
  } else {  // not root: a folder that may not be written fails the same way, at once
    fs::permissions(disk, fs::perms::owner_read | fs::perms::owner_exec);
    ExpectOneLine(FillDisk(disk / "set", facts), {"Permission denied"});
    fs::permissions(disk, fs::perms::owner_all);
    EXPECT_EQ(Dataset(disk / "set").TotalFrames(), 5);
  }
}

}  // namespace
}  // namespace orrery
