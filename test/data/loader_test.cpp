// The loader: right windows, an order that the seed alone decides, shards, position, split, and passing on of errors.
#include "data/loader.h"

#include <ATen/ops/equal.h>

#include <algorithm>
#include <map>
#include <set>

#include "test_data.h"

namespace orrery {
namespace {

using Origin = std::vector<std::pair<int64_t, int64_t>>;

class LoaderTest : public ::testing::Test {
 protected:
  LoaderTest() : facts_(SmallFacts(BoxSpace(2), true)) {
    WriteSet(folder_ / "set", facts_, lengths_);
    set_ = std::make_shared<Dataset>(folder_ / "set");
  }
  LoaderOptions All(int64_t batch, int64_t length) const {
    return {.batch = batch, .length = length, .seed = 3, .split = LoaderOptions::Split::kAll};
  }
  Origin Origins(const LoaderOptions& options, int64_t batches, int64_t position = 0) const {
    Loader loader(set_, options);
    if (position > 0) loader.SetPosition(position);
    Origin all;
    for (int64_t i = 0; i < batches; ++i)
      for (const auto& origin : loader.Next().origin) all.push_back(origin);
    return all;
  }

  TemporaryFolder folder_;
  std::vector<int64_t> lengths_ = {5, 21, 8, 12};
  DatasetFacts facts_;
  std::shared_ptr<Dataset> set_;
};

TEST_F(LoaderTest, WindowsHoldTheRowsTheyName) {
  Loader loader(set_, All(7, 6));
  bool at_start = false;
  for (int batch = 0; batch < 20; ++batch) {
    const Batch got = loader.Next();
    EXPECT_EQ(got.frames.sizes(), (at::IntArrayRef{7, 6, 6, 5, 3}));
    ASSERT_EQ(got.origin.size(), 7u);
    for (int64_t i = 0; i < 7; ++i) {
      const auto [episode, begin] = got.origin[i];
      const Episode all = RandomEpisode(facts_, lengths_[episode], episode);
      EXPECT_TRUE(at::equal(got.frames[i], all.frames.slice(0, begin, begin + 6)));
      EXPECT_TRUE(at::equal(got.actions[i], all.actions.slice(0, begin, begin + 6)));
      EXPECT_TRUE(at::equal(got.pose[i], all.pose.slice(0, begin, begin + 6)));
      at_start |= begin == 0;
    }
  }
  EXPECT_TRUE(at_start);
}

TEST_F(LoaderTest, EveryWindowThatFitsIsAsLikely) {
  // Episode 0 is too short; the others have 16, 3 and 7 windows of 6.
  std::map<std::pair<int64_t, int64_t>, int64_t> counts;
  for (const auto& origin : Origins(All(26, 6), 200)) ++counts[origin];
  EXPECT_EQ(counts.size(), 26u);
  EXPECT_EQ(Loader(set_, All(1, 6)).Windows(), 26);
  EXPECT_EQ(counts.count({0, 0}), 0u);
  double chi_squared = 0;
  for (const auto& [origin, count] : counts) chi_squared += (count - 200.0) * (count - 200.0) / 200;
  EXPECT_LT(chi_squared, 60);  // 25 degrees of freedom: p < 1e-4 beyond
}

TEST_F(LoaderTest, SeedAloneDecidesTheOrder) {
  const Origin order = Origins(All(4, 6), 12);
  LoaderOptions options = All(4, 6);
  options.prefetch = 1;
  EXPECT_EQ(Origins(options, 12), order);
  options = All(12, 6);
  EXPECT_EQ(Origins(options, 4), order);
  options.seed = 4;
  EXPECT_NE(Origins(options, 4), order);
}

TEST_F(LoaderTest, PositionResumes) {
  const Origin order = Origins(All(3, 6), 20);
  const Origin tail(order.begin() + 3 * 8, order.end());
  EXPECT_EQ(Origins(All(3, 6), 12, 8), tail);

  Loader loader(set_, All(3, 6));
  for (int i = 0; i < 13; ++i) loader.Next();
  EXPECT_EQ(loader.Position(), 13);
  loader.SetPosition(8);
  for (int64_t i = 8; i < 20; ++i) {
    EXPECT_EQ(loader.Position(), i);
    EXPECT_EQ(loader.Next().origin, Origin(order.begin() + 3 * i, order.begin() + 3 * (i + 1)));
  }
}

TEST_F(LoaderTest, ShardsPartTheCommonOrder) {
  const Origin order = Origins(All(6, 6), 5);
  LoaderOptions options = All(2, 6);
  options.ranks = 3;
  Origin joined(order.size());
  for (int64_t rank = 0; rank < 3; ++rank) {
    options.rank = rank;
    const Origin shard = Origins(options, 5);
    for (size_t i = 0; i < shard.size(); ++i) joined[i * 3 + rank] = shard[i];
  }
  EXPECT_EQ(joined, order);
}

TEST_F(LoaderTest, SplitsAreWholeEpisodes) {
  LoaderOptions options = All(8, 5);
  options.validation_share = 0.4;
  const auto seen = [&](LoaderOptions::Split split) {
    options.split = split;
    std::set<int64_t> episodes;
    for (const auto& [episode, begin] : Origins(options, 10)) episodes.insert(episode);
    return std::vector<int64_t>(episodes.begin(), episodes.end());
  };
  const std::vector<int64_t> train = seen(LoaderOptions::Split::kTrain);
  const std::vector<int64_t> validation = seen(LoaderOptions::Split::kValidation);
  EXPECT_EQ(train, SplitEpisodes(4, LoaderOptions::Split::kTrain, 0.4));
  EXPECT_EQ(validation, SplitEpisodes(4, LoaderOptions::Split::kValidation, 0.4));
  EXPECT_EQ(train.size() + validation.size(), 4u);
  for (const int64_t episode : train) EXPECT_EQ(std::count(validation.begin(), validation.end(), episode), 0);
}

TEST(SplitEpisodes, SharesAreKeptAndEpisodesStay) {
  using Split = LoaderOptions::Split;
  const std::vector<int64_t> small = SplitEpisodes(500, Split::kValidation, 0.1);
  EXPECT_NEAR(static_cast<double>(small.size()), 50, 25);
  std::vector<int64_t> large = SplitEpisodes(1000, Split::kValidation, 0.1);
  large.erase(std::lower_bound(large.begin(), large.end(), 500), large.end());
  EXPECT_EQ(large, small);
  for (const int64_t n : {2, 3, 10}) {
    EXPECT_GE(SplitEpisodes(n, Split::kValidation, 0.001).size(), 1u);
    EXPECT_GE(SplitEpisodes(n, Split::kTrain, 0.999).size(), 1u);
    EXPECT_EQ(SplitEpisodes(n, Split::kTrain, 0.3).size() + SplitEpisodes(n, Split::kValidation, 0.3).size(), static_cast<size_t>(n));
  }
  EXPECT_EQ(SplitEpisodes(5, Split::kTrain, 0).size(), 5u);
  EXPECT_EQ(SplitEpisodes(1, Split::kTrain, 0.5).size(), 1u);
  EXPECT_TRUE(SplitEpisodes(1, Split::kValidation, 0.5).empty());
}

TEST_F(LoaderTest, RefusesWhatCannotBeLoaded) {
  ExpectOneLine(ErrorOf([&] { Loader(set_, All(2, 22)); }), {"22 frames", "longest has 21"});
  LoaderOptions options = All(2, 6);
  options.rank = 1;
  ExpectOneLine(ErrorOf([&] { Loader(set_, options); }), {"rank"});
  ExpectOneLine(ErrorOf([&] { Loader(set_, All(0, 6)); }), {"batch"});
}

TEST_F(LoaderTest, PassesOnTheReadersError) {
  set_.reset();
  {  // the frames of one episode become what only looks like JPEG
    const hdf5::Lock lock;
    const hdf5::Handle file(H5Fopen((folder_ / "set/main_data.hdf5").c_str(), H5F_ACC_RDWR, H5P_DEFAULT), H5Fclose);
    const std::vector<uint8_t> junk(21 * 40, 0xD8);
    Replace(file.Id(), "episode_1/observations", H5T_NATIVE_UINT8, {21, 40}, junk.data());
  }
  Loader loader(std::make_shared<Dataset>(folder_ / "set"), All(4, 6));
  const std::string message = ErrorOf([&] {
    for (int i = 0; i < 1000; ++i) loader.Next();
  });
  ExpectOneLine(message, {"set/main_data.hdf5, episode 1, frame", "JPEG"});
  EXPECT_EQ(ErrorOf([&] { loader.Next(); }), message);
}

TEST_F(LoaderTest, NoActionsNoPose) {
  const DatasetFacts facts = SmallFacts(ActionSpace{}, false);
  WriteSet(folder_ / "plain", facts, {9});
  Loader loader(std::make_shared<Dataset>(folder_ / "plain"), All(2, 4));
  const Batch batch = loader.Next();
  EXPECT_FALSE(batch.actions.defined());
  EXPECT_FALSE(batch.pose.defined());
}

}  // namespace
}  // namespace orrery
