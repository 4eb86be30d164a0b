#include "model/trainer.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/nn/modules/linear.h>

#include <fstream>
#include <limits>

#include "core/file.h"
#include "core/safetensors.h"
#include "core/signals.h"
#include "core/tensor_rng.h"

namespace orrery {
namespace {

namespace fs = std::filesystem;

struct NetImpl : torch::nn::Module {
  torch::nn::Linear in{nullptr}, body{nullptr}, out{nullptr};
  at::Tensor seen;  // a buffer that training writes
  NetImpl() {
    in = register_module("in", torch::nn::Linear(4, 16));
    body = register_module("body", torch::nn::Linear(16, 16));
    out = register_module("out", torch::nn::Linear(16, 2));
    seen = register_buffer("seen", at::zeros({1}));
    Rng rng(5);
    at::NoGradGuard no_grad;
    for (at::Tensor& p : parameters()) p.copy_(0.3 * NormalTensor(p.sizes(), rng));
  }
  at::Tensor Forward(const at::Tensor& x) { return out(at::tanh(body(at::tanh(in(x))))); }
};
TORCH_MODULE(Net);

// Learns a fixed nonlinear map from noisy samples; batch i of the data follows from i.
class MapTask : public TrainTask {
 public:
  torch::nn::Module& Module() override { return *net_; }
  std::vector<std::string> Edges() const override { return {"in", "out"}; }
  int64_t FramesPerBatch() const override { return 8; }

  at::Tensor Loss(Rng& rng, std::map<std::string, at::Tensor>& terms) override {
    if (position_ == stop_at) RequestStop();
    Rng data(static_cast<uint64_t>(position_++), "data");
    const at::Tensor x = NormalTensor({8, 4}, data);
    const at::Tensor error = net_->Forward(x + 0.1 * NormalTensor({8, 4}, rng)) - Truth(x);
    {
      at::NoGradGuard no_grad;
      net_->seen += 1;
    }
    terms["largest"] = error.detach().abs().max();
    const at::Tensor loss = error.square().mean();
    return position_ == poison_at ? loss * std::numeric_limits<float>::quiet_NaN() : loss;
  }

  Json Validate() override {
    Rng data(77);
    const at::Tensor x = NormalTensor({256, 4}, data);
    validated_weights = net_->body->weight.detach().clone();
    return {{"mse", (net_->Forward(x) - Truth(x)).square().mean().item<double>()}};
  }
  void WriteSamples(const fs::path& folder, int64_t step) override { WriteFileAtomic(folder / fmt::format("{}.txt", step), "sample"); }
  Json DataPosition() const override { return position_; }
  void SetDataPosition(const Json& position) override { position_ = position; }
  void SaveResult(const fs::path& run) override { SaveSafetensors(run / "result.safetensors", {{"body", net_->body->weight.detach()}}); }

  int64_t stop_at = -1, poison_at = -1;
  at::Tensor validated_weights;

 private:
  static at::Tensor Truth(const at::Tensor& x) { return at::sin(2 * x).slice(1, 0, 2) * x.slice(1, 2, 4); }
  Net net_;
  int64_t position_ = 0;
};

class TrainerTest : public testing::Test {
 protected:
  void SetUp() override {
    at::set_num_threads(1);  // networks this small only wait for each other on two
    const testing::TestInfo* info = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::temp_directory_path() / fmt::format("orrery_{}_{}_{}", info->test_suite_name(), info->name(), ::getpid());
    fs::remove_all(folder_);
    ClearStopRequest();
  }
  void TearDown() override {
    fs::remove_all(folder_);
    ClearStopRequest();
  }
  std::vector<Json> Metrics(const fs::path& run) const {
    std::vector<Json> lines;
    std::ifstream in(run / "metrics.jsonl");
    for (std::string line; std::getline(in, line);) lines.push_back(Json::parse(line));
    return lines;
  }
  fs::path folder_;
};

TrainOptions Short(int64_t steps, const std::string& optimizer = "adamw") {
  TrainOptions options;
  options.steps = steps;
  options.optimizer = optimizer;
  options.warmup = 5;
  options.log_every = 4;
  options.lr = 0.01;
  return options;
}

// Without what depends on the clock.
Json Timeless(Json line) {
  line.erase("seconds");
  line.erase("cpu_seconds");
  line.erase("frames_per_s");
  return line;
}

TEST_F(TrainerTest, TwentyStepsAreTenAndAStopAndTen) {
  for (const char* optimizer : {"adamw", "muon"}) {
    TrainOptions options = Short(20, optimizer);
    options.accumulate = 2;
    const fs::path whole = folder_ / optimizer / "whole", parts = folder_ / optimizer / "parts";
    MapTask task;
    const TrainReport straight = Train(task, options, whole);
    EXPECT_FALSE(straight.interrupted);
    EXPECT_EQ(straight.steps, 20);
    EXPECT_EQ(straight.frames, 20 * 2 * 8);

    MapTask first;
    first.stop_at = 19;  // the second micro-batch of step 10
    const TrainReport stopped = Train(first, options, parts);
    EXPECT_TRUE(stopped.interrupted);
    EXPECT_EQ(stopped.steps, 10);
    EXPECT_FALSE(fs::exists(parts / "result.safetensors"));
    ClearStopRequest();
    MapTask second;
    EXPECT_FALSE(Train(second, options, parts).interrupted);

    const TensorFile a = LoadSafetensors(whole / "checkpoint.safetensors"), b = LoadSafetensors(parts / "checkpoint.safetensors");
    ASSERT_EQ(a.tensors.size(), b.tensors.size());
    int averages = 0, moments = 0;
    for (const auto& [name, tensor] : a.tensors) {
      EXPECT_TRUE(at::equal(tensor, b.At(name, "b"))) << optimizer << ": " << name;
      averages += name.starts_with("average/");
      moments += name.starts_with("optimizer/");
    }
    EXPECT_EQ(averages, 6);
    EXPECT_EQ(moments, optimizer == std::string("adamw") ? 18 : 16);
    const std::vector<Json> left = Metrics(whole), right = Metrics(parts);
    ASSERT_EQ(left.size(), right.size());
    ASSERT_EQ(left.size(), 6u);  // steps 4, 8, .. 20 and the validation
    for (size_t i = 0; i < left.size(); ++i) EXPECT_EQ(Timeless(left[i]), Timeless(right[i]));
  }
}

TEST_F(TrainerTest, LearnsAndValidatesTheAverage) {
  for (const char* optimizer : {"adamw", "muon"}) {
    const fs::path run = folder_ / optimizer;
    MapTask task;
    const double before = task.Validate()["mse"];
    TrainOptions options = Short(400, optimizer);
    options.ema = 0.98;
    const TrainReport report = Train(task, options, run);
    EXPECT_LT(report.validation["mse"].get<double>(), 0.6 * before) << optimizer;
    const TensorFile file = LoadSafetensors(run / "checkpoint.safetensors");
    EXPECT_FALSE(at::equal(task.validated_weights, file.At("weights/body.weight", "file")));
    EXPECT_TRUE(at::equal(task.validated_weights, LoadSafetensors(run / "result.safetensors").At("body", "file")));
    EXPECT_TRUE(at::equal(task.Module().named_parameters()["body.weight"], file.At("weights/body.weight", "file")));
    EXPECT_TRUE(fs::exists(run / "samples" / "400.txt"));
  }
}

TEST_F(TrainerTest, RateWarmsUpHoldsAndFalls) {
  TrainOptions options = Short(1000);
  options.log_every = 1;
  options.warmup = 10;
  MapTask task;
  Train(task, options, folder_);
  const std::vector<Json> lines = Metrics(folder_);
  const auto rate = [&](size_t step) { return lines[step - 1]["lr"].get<double>() / options.lr; };
  EXPECT_NEAR(rate(1), 0.1, 1e-9);
  EXPECT_NEAR(rate(10), 1, 1e-9);
  EXPECT_NEAR(rate(601), 1, 1e-9);
  EXPECT_NEAR(rate(801), 0.01 + 0.99 * 0.5, 1e-6);
  EXPECT_NEAR(rate(1000), 0.01, 1e-3);
}

TEST_F(TrainerTest, AFrameBudgetEndsTraining) {
  TrainOptions options = Short(0);
  options.frames = 100;
  MapTask task;
  EXPECT_EQ(Train(task, options, folder_).steps, 13);
  EXPECT_EQ(LoadSafetensors(folder_ / "checkpoint.safetensors").At("buffers/seen", "file").item<float>(), 13);
}

TEST_F(TrainerTest, ProcessorTimeIsABudgetOverResumedRuns) {
  TrainOptions options = Short(0);
  options.log_every = 1;
  const auto run = [&](double seconds) {
    MapTask task;
    options.cpu_minutes = seconds / 60;
    return Train(task, options, folder_).steps;
  };
  const int64_t first = run(0.05);
  EXPECT_GT(first, 0);
  EXPECT_EQ(run(0.05), first) << "the budget is spent already";
  EXPECT_GT(run(0.1), first);
  const double spent = Metrics(folder_)[static_cast<size_t>(first - 1)]["cpu_seconds"];
  EXPECT_GE(spent, 0.05);
}

TEST_F(TrainerTest, LinesPastTheCheckpointAreDropped) {
  TrainOptions options = Short(8);
  {
    MapTask task;
    Train(task, options, folder_);
  }
  {
    std::ofstream out(folder_ / "metrics.jsonl", std::ios::app);
    out << R"({"step":12,"loss":1.0})"
        << "\n"
        << R"({"step":16,"lo)";
  }
  MapTask task;
  options.steps = 12;
  Train(task, options, folder_);
  int at_twelve = 0;
  for (const Json& line : Metrics(folder_)) at_twelve += line["step"] == 12 && line.contains("loss") && line.contains("lr");
  EXPECT_EQ(at_twelve, 1);
}

TEST_F(TrainerTest, NamesTheStepOfALossThatIsNotFinite) {
  const TrainOptions options = Short(20);
  MapTask task;
  task.poison_at = 7;
  try {
    Train(task, options, folder_);
    FAIL() << "expected Error";
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("step 7"), std::string::npos) << e.what();
  }
  EXPECT_FALSE(fs::exists(folder_ / "checkpoint.safetensors"));
}

TEST_F(TrainerTest, RefusesWhatDoesNotFit) {
  MapTask task;
  EXPECT_THROW(Train(task, TrainOptions{}, folder_), Error);
  Train(task, Short(3), folder_);
  MapTask other;
  EXPECT_THROW(Train(other, Short(6, "muon"), folder_), Error);
  WriteFileAtomic(folder_ / "checkpoint.safetensors", ReadFile(folder_ / "checkpoint.safetensors").substr(0, 500));
  MapTask third;
  EXPECT_THROW(Train(third, Short(6), folder_), Error);
}

}  // namespace
}  // namespace orrery
