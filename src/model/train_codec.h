// Training of a codec on single frames of a data set.
#pragma once
#include "codec/loss.h"
#include "data/dataset.h"
#include "data/loader.h"
#include "model/trainer.h"

namespace orrery {

struct CodecTrainOptions {
  int64_t batch = 64;                 // frames
  double validation_share = 0.1;      // of the episodes
  int64_t validation_frames = 512;    // held out, evenly spread
  int64_t statistics_frames = 16384;  // training frames that the latents' mean and deviation are measured on, at the end
  CodecLossOptions loss;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(CodecTrainOptions, batch, validation_share, validation_frames, statistics_frames, loss)

// The optimiser settings that codecs train best with; the budget is left open.
TrainOptions CodecTrainDefaults();

class CodecTask : public TrainTask {
 public:
  CodecTask(std::shared_ptr<Codec> codec, std::shared_ptr<const Dataset> dataset, const CodecTrainOptions& options, uint64_t seed);

  torch::nn::Module& Module() override { return *codec_; }
  std::vector<std::string> Edges() const override { return codec_->Edges(); }
  int64_t FramesPerBatch() const override { return options_.batch; }
  at::Tensor Loss(Rng& rng, std::map<std::string, at::Tensor>& terms) override;
  // On held-out episodes (on training frames when the set has one episode; "held_out" tells): "psnr", dB of the mean squared error of
  // all frames; "psnr_frames", the mean of every frame's own; "psnr_noisy", as psnr after noise of a tenth of a deviation on the
  // normalised latents; "l1".
  Json Validate() override;
  void WriteSamples(const std::filesystem::path& folder, int64_t step) override;  // truth above reconstruction
  Json DataPosition() const override { return loader_.Position(); }
  void SetDataPosition(const Json& position) override { loader_.SetPosition(position.get<int64_t>()); }
  void SaveResult(const std::filesystem::path& run) override;  // codec.safetensors

 private:
  at::Tensor Frames(const Batch& batch) const;  // [B, 3, H, W]
  void MeasureStatistics();

  std::shared_ptr<Codec> codec_;
  std::shared_ptr<const Dataset> dataset_;
  CodecTrainOptions options_;
  uint64_t seed_;
  Loader loader_;
  bool held_out_;
  at::Tensor validation_;  // [n, H, W, 3] uint8
};

// Trains the codec of `spec` for the frames of `dataset` in the folder `run`, or goes on with the one that is there. Writes config.json
// and, when the budget is used up, codec.safetensors. A codec without weights only has its statistics measured.
TrainReport TrainCodec(std::string_view spec, std::shared_ptr<const Dataset> dataset, const CodecTrainOptions& options,
                       const TrainOptions& training, const std::filesystem::path& run);

}  // namespace orrery
