// Speed of a codec: one frame to latents and back (the play loop), and a training step. JSON on standard output; the least of many
// times, which other load on the machine disturbs least.
//   bench_codec [--codec vae --size 64 --batch 64 --threads 0 --seconds 5]
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <iostream>

#include "codec/loss.h"
#include "codec/registry.h"
#include "core/autocast.h"
#include "model/optimizer.h"
#include "model/train_codec.h"

namespace orrery {
namespace {

// Least milliseconds of one call within `seconds`.
template <class Function>
double Least(double seconds, Function function) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  double best = 1e9;
  for (int i = 0; i < 3 || Clock::now() < end; ++i) {
    const auto start = Clock::now();
    function();
    best = std::min(best, std::chrono::duration<double, std::milli>(Clock::now() - start).count());
  }
  return best;
}

Json OneFrame(Codec& codec, const at::Tensor& frame, bool bf16, double seconds) {
  at::NoGradGuard no_grad;
  const Autocast autocast(at::kCPU, bf16);
  const at::Tensor latents = codec.Encode(frame);
  return {{"encode_ms", Least(seconds, [&] { codec.Encode(frame); })}, {"decode_ms", Least(seconds, [&] { codec.Decode(latents); })}};
}

double TrainingStep(Codec& codec, const at::Tensor& frames, bool bf16, double seconds) {
  const TrainOptions defaults = CodecTrainDefaults();
  Optimizer optimizer(codec.named_parameters(), {.name = defaults.optimizer, .muon_lr = defaults.muon_lr}, codec.Edges());
  const CodecLossOptions options;
  Rng rng(1);
  return Least(seconds, [&] {
    at::Tensor loss;
    {
      const Autocast autocast(at::kCPU, bf16);
      const Codec::Posterior posterior = codec.EncodeRaw(frames);
      const at::Tensor decoded = codec.DecodeRaw(TrainingLatents(posterior, codec.LatentStd(), options.noise, rng));
      loss = ReconstructionLoss(decoded, frames, options) + options.kl * Divergence(posterior);
    }
    loss.backward();
    ClipGradients(optimizer.Parameters(), 1.0);
    optimizer.Step(1e-3);
    optimizer.ClearGradients();
  });
}

int Run(int argc, char** argv) {
  std::string spec = "vae";
  int64_t size = 64, batch = 64, threads = 0;
  double seconds = 5;
  CLI::App app("codec speed");
  app.add_option("--codec", spec);
  app.add_option("--size", size);
  app.add_option("--batch", batch);
  app.add_option("--threads", threads);
  app.add_option("--seconds", seconds);
  CLI11_PARSE(app, argc, argv);
  if (threads > 0) at::set_num_threads(static_cast<int>(threads));
  const auto codec = MakeCodec(spec, size, size, 1);
  int64_t parameters = 0;
  for (const at::Tensor& p : codec->parameters()) parameters += p.numel();
  Json out{{"bench", "codec"}, {"codec", codec->Spec()}, {"parameters", parameters}, {"threads", at::get_num_threads()}, {"batch", batch}};
  for (const bool bf16 : {false, true}) {
    Json& part = out[bf16 ? "bf16" : "fp32"] = OneFrame(*codec, at::rand({1, 3, size, size}), bf16, seconds);
    if (parameters == 0) continue;
    const double step = TrainingStep(*codec, at::rand({batch, 3, size, size}), bf16, seconds);
    part["train_step_ms"] = step;
    part["train_frames_per_s"] = static_cast<double>(batch) / step * 1e3;
  }
  std::cout << out.dump(2) << "\n";
  return 0;
}

}  // namespace
}  // namespace orrery

int main(int argc, char** argv) { return orrery::Run(argc, argv); }
