// Share of the machine's fp32 matrix rate that a training step of a network reaches (forward + backward + optimiser).
// Both are measured in turn in one run: JSON on standard output.
//   bench_train_step [--dim 256 --depth 6 --heads 4 --patch 2 --batch 8 --frames 17 --layout frame_causal --seconds 10]
// --state SPEC: with that memory (dense() unless given); the share is of the products that dense() makes.
// --trace FILE writes four steps as a Chrome trace instead, to see where the time goes.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/profiler_kineto.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <iostream>

#include "core/autocast.h"
#include "dynamics/objectives/diffusion_forcing.h"
#include "model/optimizer.h"
#include "state/registry.h"

namespace orrery {
namespace {

double Now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// GFLOP/s of a 2048^3 fp32 product, best of a few.
double MatrixRate() {
  const int64_t n = 2048;
  const at::Tensor a = at::randn({n, n}), b = at::randn({n, n});
  double best = 0;
  for (int i = 0; i < 4; ++i) {
    const double start = Now();
    at::mm(a, b);
    best = std::max(best, 2.0 * n * n * n / (Now() - start) / 1e9);
  }
  return best;
}

// Operators of `run` into a Chrome trace.
void Trace(const std::string& file, const std::function<void()>& run) {
  namespace profiler = torch::autograd::profiler;
  const profiler::ProfilerConfig config(profiler::ProfilerState::KINETO, true);
  const std::set<profiler::ActivityType> kinds{profiler::ActivityType::CPU};
  profiler::prepareProfiler(config, kinds);
  profiler::enableProfiler(config, kinds);
  run();
  profiler::disableProfiler()->save(file);
}

struct Sizes {
  int64_t batch = 8, frames = 17;
};

// Multiply-adds x 2 of one forward pass over a clip: matrix products of the blocks and attention, nothing else.
double ForwardFlops(const Transition& network, const Sizes& sizes) {
  const TransitionOptions& o = network.Options();
  const double D = static_cast<double>(o.dim), N = static_cast<double>(network.Tokens()), T = static_cast<double>(sizes.frames);
  const double attention = o.layout == "axial" ? 2 : 1;
  const double token = 2 * static_cast<double>(o.depth) * D * D * (4 * attention + 2 * static_cast<double>(o.mlp));
  const double seen = o.layout == "axial" ? N + (T + 1) / 2 : N * (T + 1) / 2;  // keys a query sees, mean
  const double modulation = 2 * 3 * (attention + 1) * D * D;                    // once a frame
  return static_cast<double>(sizes.batch) * T * (N * (token + 4 * static_cast<double>(o.depth) * D * seen) + modulation);
}

int Run(int argc, char** argv) {
  TransitionOptions options;
  Sizes sizes;
  double seconds = 10;
  bool fp32 = false;
  std::string optimizer = "adamw", trace, state = "dense()";
  CLI::App app("training throughput");
  app.add_option("--dim", options.dim);
  app.add_option("--depth", options.depth);
  app.add_option("--heads", options.heads);
  app.add_option("--patch", options.patch);
  app.add_option("--layout", options.layout);
  app.add_option("--batch", sizes.batch);
  app.add_option("--frames", sizes.frames);
  app.add_option("--seconds", seconds);
  app.add_option("--optimizer", optimizer);
  app.add_option("--trace", trace);
  app.add_option("--state", state);
  app.add_flag("--fp32", fp32);
  CLI11_PARSE(app, argc, argv);

  const LatentShape latent;
  ActionSpace actions{4, 0, {}, {}, {}};
  Transition network(options, latent, actions);
  const DiffusionForcing objective({}, NoisePaths().Make("flow"));
  Optimizer optimiser(network.named_parameters(), {.name = optimizer}, {"patch", "action", "output"});
  Rng rng(1);
  const auto memory = MakeMemory(state, network.Geometry());
  const Clip clip{
      at::randn({sizes.batch, sizes.frames, latent.channels, latent.height, latent.width}),
      {at::randint(4, {sizes.batch, sizes.frames, 1}).to(at::kFloat), {}, (at::randn({sizes.batch, sizes.frames, 3}) * 0.3).cumsum(1)}};
  const auto step = [&] {
    at::Tensor loss;
    {
      const Autocast scope(at::kCPU, !fp32);
      loss = objective.Loss(network, *memory, clip, rng);
    }
    loss.backward();
    ClipGradients(optimiser.Parameters(), 1.0);
    optimiser.Step(1e-3);
    optimiser.ClearGradients();
  };
  for (int i = 0; i < 3; ++i) step();
  if (!trace.empty()) {
    Trace(trace, [&] {
      for (int i = 0; i < 4; ++i) step();
    });
    return 0;
  }
  std::vector<double> rates, times;
  const double end = Now() + seconds;
  while (Now() < end) {
    rates.push_back(MatrixRate());
    const double start = Now();
    for (int i = 0; i < 4; ++i) step();
    times.push_back((Now() - start) / 4);
  }
  const auto median = [](std::vector<double> v) {
    std::nth_element(v.begin(), v.begin() + v.size() / 2, v.end());
    return v[v.size() / 2];
  };
  const double rate = median(rates), time = median(times), flops = 3 * ForwardFlops(network, sizes);
  int64_t parameters = 0;
  for (const at::Tensor& p : network.parameters()) parameters += p.numel();
  const Json out{{"bench", "train-step"},
                 {"network", options},
                 {"state", memory->Spec()},
                 {"parameters", parameters},
                 {"batch", sizes.batch},
                 {"frames", sizes.frames},
                 {"threads", at::get_num_threads()},
                 {"step_ms", time * 1e3},
                 {"frames_per_s", static_cast<double>(sizes.batch * sizes.frames) / time},
                 {"gflops", flops / time / 1e9},
                 {"fp32_matrix_gflops", rate},
                 {"share_of_fp32_matrix_rate", flops / time / 1e9 / rate}};
  std::cout << out.dump(2) << "\n";
  return 0;
}

}  // namespace
}  // namespace orrery

int main(int argc, char** argv) { return orrery::Run(argc, argv); }
