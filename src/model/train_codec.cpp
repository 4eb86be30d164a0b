#include "model/train_codec.h"

#include "codec/checkpoint.h"
#include "codec/registry.h"
#include "core/autocast.h"
#include "core/progress.h"
#include "core/signals.h"
#include "core/tensor_rng.h"
#include "data/video.h"

namespace orrery {

namespace fs = std::filesystem;

namespace {

constexpr double kTestNoise = 0.1;        // deviations of a latent channel
constexpr double kStatisticsRate = 0.01;  // of the running estimate while training
constexpr int64_t kSampleFrames = 12, kSampleScale = 3, kSampleGap = 2;

LoaderOptions SingleFrames(const CodecTrainOptions& o, uint64_t seed) {
  return {.batch = o.batch, .length = 1, .seed = seed, .validation_share = o.validation_share};
}

// `count` frames spread evenly over the given episodes, [n, H, W, 3].
at::Tensor SpreadFrames(const Dataset& dataset, const std::vector<int64_t>& episodes, int64_t count) {
  int64_t total = 0;
  for (const int64_t e : episodes) total += dataset.Frames(e);
  const int64_t stride = std::max<int64_t>(1, total / std::max<int64_t>(count, 1));
  std::vector<at::Tensor> rows;
  int64_t next = 0, begin = 0;  // in frames of all the episodes
  for (const int64_t e : episodes) {
    for (; next < begin + dataset.Frames(e); next += stride) rows.push_back(dataset.Read(e, next - begin, 1).frames);
    begin += dataset.Frames(e);
  }
  return at::cat(rows);
}

}  // namespace

TrainOptions CodecTrainDefaults() {
  TrainOptions options;
  options.optimizer = "muon";
  options.muon_lr = 0.02;
  options.decay_from = 0.4;
  return options;
}

CodecTask::CodecTask(std::shared_ptr<Codec> codec, std::shared_ptr<const Dataset> dataset, const CodecTrainOptions& options, uint64_t seed)
    : codec_(std::move(codec)),
      dataset_(std::move(dataset)),
      options_(options),
      seed_(seed),
      loader_(dataset_, SingleFrames(options, DeriveSeed(seed, "codec"))) {
  std::vector<int64_t> episodes = SplitEpisodes(dataset_->Episodes(), LoaderOptions::Split::kValidation, options_.validation_share);
  held_out_ = !episodes.empty();
  if (!held_out_) episodes = SplitEpisodes(dataset_->Episodes(), LoaderOptions::Split::kAll, 0);
  validation_ = SpreadFrames(*dataset_, episodes, options_.validation_frames);
}

at::Tensor CodecTask::Frames(const Batch& batch) const {
  return BytesToFrames(batch.frames.flatten(0, 1)).to(codec_->LatentMean().device());
}

at::Tensor CodecTask::Loss(Rng& rng, std::map<std::string, at::Tensor>& terms) {
  const at::Tensor frames = Frames(loader_.Next());
  const Codec::Posterior posterior = codec_->EncodeRaw(frames);
  {
    at::NoGradGuard no_grad;
    const auto [variance, mean] = at::var_mean(posterior.mean, {0, 2, 3});
    codec_->SetLatentStatistics(at::lerp(codec_->LatentMean(), mean, kStatisticsRate),
                                at::lerp(codec_->LatentStd(), variance.sqrt(), kStatisticsRate));
  }
  const at::Tensor decoded = codec_->DecodeRaw(TrainingLatents(posterior, codec_->LatentStd(), options_.loss.noise, rng));
  const at::Tensor reconstruction = ReconstructionLoss(decoded, frames, options_.loss), divergence = Divergence(posterior);
  terms["mse"] = (decoded.detach() - frames).square().mean();
  terms["kl"] = divergence.detach();
  return reconstruction + options_.loss.kl * divergence;
}

Json CodecTask::Validate() {
  at::NoGradGuard no_grad;
  Rng rng(seed_, "validation");
  std::vector<at::Tensor> plain, noisy, absolute;
  for (const at::Tensor& bytes : validation_.split(options_.batch)) {
    ThrowIfStopRequested();
    const at::Tensor frames = BytesToFrames(bytes).to(codec_->LatentMean().device()), latents = codec_->Encode(frames);
    const at::Tensor error = codec_->Decode(latents) - frames;
    const at::Tensor noise = kTestNoise * NormalTensor(latents.sizes(), rng).to(latents.device());
    plain.push_back(error.square().mean({1, 2, 3}));
    absolute.push_back(error.abs().mean({1, 2, 3}));
    noisy.push_back((codec_->Decode(latents + noise) - frames).square().mean({1, 2, 3}));
  }
  const auto decibels = [](const at::Tensor& error) { return (-10 * error.clamp_min(1e-10).log10()).item<double>(); };
  const at::Tensor errors = at::cat(plain);
  return {{"psnr", decibels(errors.mean())},
          {"psnr_frames", (-10 * errors.clamp_min(1e-10).log10()).mean().item<double>()},
          {"psnr_noisy", decibels(at::cat(noisy).mean())},
          {"l1", at::cat(absolute).mean().item<double>()},
          {"frames", errors.size(0)},
          {"held_out", held_out_}};
}

void CodecTask::WriteSamples(const fs::path& folder, int64_t step) {
  at::NoGradGuard no_grad;
  const int64_t stride = std::max<int64_t>(1, validation_.size(0) / kSampleFrames);
  const at::Tensor truth = validation_.slice(0, 0, std::min(validation_.size(0), stride * kSampleFrames), stride);
  const at::Tensor frames = BytesToFrames(truth).to(codec_->LatentMean().device());
  const at::Tensor decoded = FramesToBytes(codec_->Decode(codec_->Encode(frames))).cpu();
  WritePng(folder / fmt::format("{:06}.png", step), FilmStrip({truth, decoded}, kSampleScale, kSampleGap));
}

void CodecTask::MeasureStatistics() {
  at::NoGradGuard no_grad;
  const Autocast scope(codec_->LatentMean().device(), true);
  Loader loader(dataset_, SingleFrames(options_, DeriveSeed(seed_, "statistics")));
  at::Tensor sum, squares;
  double cells = 0;
  Progress progress("latent statistics", options_.statistics_frames, "frames");
  for (int64_t done = 0; done < options_.statistics_frames; done += options_.batch) {
    ThrowIfStopRequested();
    const at::Tensor mean = codec_->EncodeRaw(Frames(loader.Next())).mean.to(at::kDouble);
    const at::Tensor s = mean.sum({0, 2, 3}), q = mean.square().sum({0, 2, 3});
    sum = sum.defined() ? sum + s : s;
    squares = squares.defined() ? squares + q : q;
    cells += static_cast<double>(mean.size(0) * mean.size(2) * mean.size(3));
    progress.Update(done + options_.batch);
  }
  const at::Tensor mean = sum / cells;
  codec_->SetLatentStatistics(mean.to(at::kFloat), (squares / cells - mean.square()).clamp_min(0).sqrt().to(at::kFloat));
}

void CodecTask::SaveResult(const fs::path& run) {
  MeasureStatistics();
  SaveCodec(run / "codec.safetensors", *codec_, at::kHalf);
}

TrainReport TrainCodec(std::string_view spec, std::shared_ptr<const Dataset> dataset, const CodecTrainOptions& options,
                       const TrainOptions& training, const fs::path& run) {
  const DatasetFacts& facts = dataset->Facts();
  const std::shared_ptr<Codec> codec = MakeCodec(spec, facts.height, facts.width, training.seed);
  const fs::path config = run / "config.json";
  if (fs::exists(config))
    if (const Json before = ReadJson(config); before.value("codec", "") != codec->Spec())
      Fail("{}: this run trains the codec {}, not {}; take another run folder", config.string(), before.value("codec", "(none)"),
           codec->Spec());
  WriteJson(config, {{"codec", codec->Spec()}, {"data", facts}, {"options", options}, {"training", training}});
  CodecTask task(codec, dataset, options, training.seed);
  if (!codec->parameters().empty()) return Train(task, training, run);
  task.SaveResult(run);
  TrainReport report;
  report.validation = task.Validate();
  return report;
}

}  // namespace orrery
