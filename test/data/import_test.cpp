// A folder of videos and actions.csv become a data set; every fault of the table is one line FILE:LINE.
#include "data/import.h"

#include <ATen/ATen.h>

#include <cstdlib>

#include "core/file.h"
#include "core/signals.h"
#include "data/csv.h"
#include "test_data.h"

namespace orrery {
namespace {

namespace fs = std::filesystem;

class ImportTest : public ::testing::Test {
 protected:
  ImportTest() {
    ::setenv("ORRERY_QUIET", "1", 1);
    WriteFilm("a.mp4", 7, 10);
    WriteFilm("b.webm", 5, 10);
    WriteFileAtomic(folder_ / "videos/notes.txt", "no video");
  }

  // Frame t is of brightness 30 + 10 t, so that it can be recognised.
  void WriteFilm(const std::string& name, int64_t frames, double fps) {
    VideoWriter writer(folder_ / ("videos/" + name), 16, 24, {.fps = fps, .quality = 5});
    for (int64_t t = 0; t < frames; ++t) writer.Add(at::full({16, 24, 3}, 30 + 10 * t, at::kByte));
    writer.Finish();
  }

  ImportOptions Options() {
    return {.videos = folder_ / "videos", .actions = {}, .out = folder_ / "set", .video = {.height = 16, .width = 24}};
  }

  DatasetFacts Import(const std::string& table, double fps = 0) {
    WriteFileAtomic(folder_ / "actions.csv", table);
    ImportOptions options = Options();
    options.actions = folder_ / "actions.csv";
    options.video.fps = fps;
    options.overwrite = true;
    return ImportVideos(options);
  }

  // Rows "NAME,t,ACTION(t)" of both videos, but for the last frame of each.
  template <class Action>
  std::string Table(const std::string& header, Action action) {
    std::string text = header + "\n";
    for (const auto& [name, frames] : {std::pair{"a.mp4", 7}, std::pair{"b.webm", 5}})
      for (int64_t t = 0; t + 1 < frames; ++t) text += fmt::format("{},{},{}\n", name, t, action(t));
    return text;
  }
  std::string Discrete() {
    return Table("video,frame,a0", [](int64_t t) { return std::to_string(t % 3); });
  }

  void ExpectFault(const std::string& table, int64_t line, std::initializer_list<std::string> parts) {
    const std::string message = ErrorOf([&] { Import(table); });
    ExpectOneLine(message, {fmt::format("actions.csv:{}: ", line)});
    ExpectOneLine(message, parts);
    EXPECT_FALSE(fs::exists(folder_ / "set"));
    EXPECT_EQ(CountFiles(folder_.Path()), 2);  // videos, actions.csv
  }

  TemporaryFolder folder_;
};

std::vector<float> Numbers(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.contiguous();
  return {flat.const_data_ptr<float>(), flat.const_data_ptr<float>() + flat.numel()};
}

std::vector<int64_t> Brightness(const at::Tensor& frames) {
  std::vector<int64_t> result;
  for (int64_t t = 0; t < frames.size(0); ++t) result.push_back(std::llround((frames[t].to(at::kDouble).mean().item<double>() - 30) / 10));
  return result;
}

TEST_F(ImportTest, DiscreteActionsLeadToTheNextFrame) {
  const DatasetFacts facts = Import(Discrete());
  EXPECT_EQ(facts.actions, DiscreteSpace(3));
  EXPECT_EQ(facts.name, "set");
  EXPECT_NEAR(facts.fps, 10, 0.01);
  const Dataset set(folder_ / "set");
  ASSERT_EQ(set.Episodes(), 2);
  const Episode a = set.Read(0, 0, set.Frames(0)), b = set.Read(1, 0, set.Frames(1));
  EXPECT_EQ(Brightness(a.frames), (std::vector<int64_t>{0, 1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(Numbers(a.actions), (std::vector<float>{0, 0, 1, 2, 0, 1, 2}));
  EXPECT_EQ(Brightness(b.frames), (std::vector<int64_t>{0, 1, 2, 3, 4}));
  EXPECT_EQ(Numbers(b.actions), (std::vector<float>{0, 0, 1, 2, 0}));
}

TEST_F(ImportTest, WithoutATableThereAreNoActions) {
  const DatasetFacts facts = ImportVideos(Options());
  EXPECT_EQ(facts.actions.Width(), 0);
  const Dataset set(folder_ / "set");
  EXPECT_EQ(set.TotalFrames(), 12);
  EXPECT_FALSE(set.Read(0, 0, 7).actions.defined());
  ExpectOneLine(ErrorOf([&] { ImportVideos(Options()); }), {"set exists"});
}

TEST_F(ImportTest, ContinuousActionsPoseAnyOrderAndQuotes) {
  // Rows backwards, columns mixed, quotes, CRLF, a byte-order mark, blanks, and an empty action in the last frame's row.
  std::string text =
      "\xEF\xBB\xBF"
      "angle,a1,frame,\"video\",a0,y,x\r\n";
  for (const auto& [name, frames] : {std::pair{"b.webm", 5}, std::pair{"\"a.mp4\"", 7}})
    for (int64_t t = frames - 1; t >= 0; --t) {
      const bool last = t == frames - 1;
      text += fmt::format("{}, {},{},{},{},{},{}\r\n", 0.5 * t, last ? "" : std::to_string(-t), t, name,
                          last ? "" : fmt::format("{}e-1", t), 20 + t, 10 + t);
    }
  const DatasetFacts facts = Import(text);
  EXPECT_EQ(facts.actions.dims, 2);
  EXPECT_TRUE(facts.has_pose);
  const Episode b = Dataset(folder_ / "set").Read(1, 0, 5);
  EXPECT_EQ(Numbers(b.actions), (std::vector<float>{0, 0, 0, 0, 0.1f, -1, 0.2f, -2, 0.3f, -3}));
  EXPECT_EQ(Numbers(b.pose), (std::vector<float>{10, 20, 0, 11, 21, 0.5, 12, 22, 1, 13, 23, 1.5, 14, 24, 2}));
}

TEST_F(ImportTest, NumbersWithAPointAreContinuous) {
  EXPECT_EQ(Import(Table("video,frame,a0", [](int64_t t) { return fmt::format("{}.0", t % 2); })).actions.dims, 1);
  EXPECT_EQ(Import(Table("video,frame,a0", [](int64_t t) { return t == 3 ? "-1" : "1"; })).actions.dims, 1);
}

TEST_F(ImportTest, AtALowerRateDiscreteActionsAreThoseOfKeptFrames) {
  const DatasetFacts facts = Import(Discrete(), 5);
  EXPECT_EQ(facts.fps, 5);
  const Episode a = Dataset(folder_ / "set").Read(0, 0, 4);
  EXPECT_EQ(Brightness(a.frames), (std::vector<int64_t>{0, 2, 4, 6}));
  EXPECT_EQ(Numbers(a.actions), (std::vector<float>{0, 0, 2, 1}));
}

TEST_F(ImportTest, AtALowerRateContinuousActionsAddUp) {
  Import(Table("video,frame,a0", [](int64_t t) { return fmt::format("{}.5", t); }), 5);
  const Episode a = Dataset(folder_ / "set").Read(0, 0, 4);
  EXPECT_EQ(Numbers(a.actions), (std::vector<float>{0, 0.5 + 1.5, 2.5 + 3.5, 4.5 + 5.5}));
}

TEST_F(ImportTest, RatesThatDoNotFitAreRefused) {
  ExpectOneLine(ErrorOf([&] { Import(Discrete(), 25); }), {"a.mp4", "25 frames a second", "fewer"});
  WriteFilm("b.webm", 5, 12);
  ExpectOneLine(ErrorOf([&] { Import(Discrete()); }), {"b.webm", "12", "a.mp4", "10", "one rate"});
}

TEST_F(ImportTest, FaultsOfTheTableNameTheLine) {
  const std::string good = Discrete();  // line 1: header; 2..7: a.mp4; 8..11: b.webm
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    const size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  };
  ExpectFault("", 1, {"empty"});
  ExpectFault(with("video,frame,a0", "video,frame"), 1, {"column a0 is missing"});
  ExpectFault(with("video,frame,a0", "video,frame,a1"), 1, {"column a0 is missing"});
  ExpectFault(with("video,frame,a0", "video,a0"), 1, {"column frame is missing"});
  ExpectFault(with("video,frame,a0", "frame,a0"), 1, {"column video is missing"});
  ExpectFault(with("video,frame,a0", "video,frame,a0,x"), 1, {"column y is missing"});
  ExpectFault(with("video,frame,a0", "video,frame,a0,a0"), 1, {"a0 is there twice"});
  ExpectFault(with("video,frame,a0", "video,frame,a0,reward"), 1, {"unknown column 'reward'"});
  ExpectFault(with("a.mp4,2,2\n", ""), 4, {"a.mp4", "frame 2 has no row", "frame 3"});
  ExpectFault(with("a.mp4,2,2\n", "a.mp4,1,2\n"), 4, {"frame 1 was given in line 3"});
  ExpectFault(with("a.mp4,2,2\n", "a.mp4,2\n"), 4, {"expected 3 cells, got 2"});
  ExpectFault(with("a.mp4,2,2\n", "a.mp4,2,2,2\n"), 4, {"expected 3 cells, got 4"});
  ExpectFault(with("a.mp4,2,2\n", "a.mp4,2,nan\n"), 4, {"a0", "finite", "'nan'"});
  ExpectFault(with("a.mp4,2,2\n", "a.mp4,2,1e99\n"), 4, {"a0", "finite", "'1e99'"});
  ExpectFault(with("a.mp4,2,2\n", "a.mp4,2,left\n"), 4, {"a0", "'left'"});
  ExpectFault(with("a.mp4,2,2\n", "a.mp4,2,\n"), 4, {"a0 is empty"});
  ExpectFault(with("a.mp4,2,2\n", "a.mp4,-2,2\n"), 4, {"frame", "'-2'"});
  ExpectFault(with("a.mp4,2,2\n", "a.mp4,2.0,2\n"), 4, {"frame", "'2.0'"});
  ExpectFault(with("a.mp4,2,2\n", "a.mp4,2,70000\n"), 4, {"65536 choices"});
  ExpectFault(with("a.mp4,2,2\n", "a.mpg,2,2\n"), 4, {"no video 'a.mpg'", "did you mean 'a.mp4'"});
  ExpectFault(with("a.mp4,2,2\n", "\"a.mp4,2,2\n"), 4, {"quote is not closed"});
  ExpectFault(with("a.mp4,2,2\n", "\"a.mp4\"x,2,2\n"), 4, {"after a closing quote"});
  ExpectFault(with("a.mp4,2,2\n", "a\".mp4,2,2\n"), 4, {"quote inside"});
  ExpectFault(with("a.mp4,5,2\n", ""), 6, {"a.mp4", "rows end with frame 4", "frame 5 needs one"});
  ExpectFault(with("a.mp4,5,2\n", "a.mp4,5,2\na.mp4,6,0\na.mp4,7,0\n"), 9, {"frame 7", "only 7 frames"});
  ExpectFault(good.substr(0, good.find("b.webm")), 7, {"without a row for the video b.webm"});
  ExpectFault("video,frame,a0,x,y,angle\na.mp4,0,1,1,2,nan\n", 2, {"angle", "'nan'"});
}

TEST_F(ImportTest, PoseNeedsTheLastRow) {
  std::string text = "video,frame,a0,x,y,angle\n";
  for (int64_t t = 0; t < 6; ++t) text += fmt::format("a.mp4,{},1,0,0,0\n", t);
  for (int64_t t = 0; t < 5; ++t) text += fmt::format("b.webm,{},1,0,0,0\n", t);
  ExpectFault(text, 7, {"a.mp4", "rows end with frame 5, but frame 6 needs one"});
}

TEST_F(ImportTest, FaultsOfVideosNameTheFileAndLeaveNothing) {
  const std::string bytes = ReadFile(folder_ / "videos/b.webm");
  WriteFileAtomic(folder_ / "videos/b.webm", std::string_view(bytes).substr(0, bytes.size() * 3 / 4));
  ExpectOneLine(ErrorOf([&] { Import(Discrete()); }), {"videos/b.webm", "cut short"});
  EXPECT_FALSE(fs::exists(folder_ / "set"));
  WriteFilm("b.webm", 1, 10);
  ExpectOneLine(ErrorOf([&] { ImportVideos(Options()); }), {"videos/b.webm", "two frames"});
  EXPECT_FALSE(fs::exists(folder_ / "set"));
  ImportOptions options = Options();
  options.videos = folder_ / "nothing";
  ExpectOneLine(ErrorOf([&] { ImportVideos(options); }), {"nothing", "folder of videos"});
  fs::create_directories(folder_ / "nothing");
  ExpectOneLine(ErrorOf([&] { ImportVideos(options); }), {"nothing", "no video"});
  options = Options();
  options.actions = folder_ / "missing.csv";
  ExpectOneLine(ErrorOf([&] { ImportVideos(options); }), {"missing.csv", "No such file"});
}

using ImportDeathTest = ImportTest;  // runs first, before there are threads

TEST_F(ImportDeathTest, AStopLeavesTheOldSet) {
  Import(Discrete());
  const std::string before = ReadFile(folder_ / "set/main_data.hdf5");
  const auto stopped = [&] {
    RequestStop();
    try {
      Import(Discrete());
    } catch (const Interrupted&) {
      std::exit(ReadFile(folder_ / "set/main_data.hdf5") == before && CountFiles(folder_.Path()) == 3 ? 0 : 1);
    }
    std::exit(2);
  };
  EXPECT_EXIT(stopped(), ::testing::ExitedWithCode(0), "");
}

TEST(Csv, RowsCellsAndLines) {
  const TemporaryFolder folder;
  WriteFileAtomic(folder / "t.csv", "a,\"b \"\"c\"\", d\",\n\n\"two\nlines\",x,\r\n,,");
  CsvReader reader(folder / "t.csv");
  std::vector<std::string> cells;
  ASSERT_TRUE(reader.Next(cells));
  EXPECT_EQ(cells, (std::vector<std::string>{"a", "b \"c\", d", ""}));
  EXPECT_EQ(reader.Line(), 1);
  ASSERT_TRUE(reader.Next(cells));
  EXPECT_EQ(cells, (std::vector<std::string>{"two\nlines", "x", ""}));
  EXPECT_EQ(reader.Line(), 3);
  ASSERT_TRUE(reader.Next(cells));
  EXPECT_EQ(cells, (std::vector<std::string>{"", "", ""}));
  EXPECT_EQ(reader.Line(), 5);
  EXPECT_FALSE(reader.Next(cells));
}

}  // namespace
}  // namespace orrery
