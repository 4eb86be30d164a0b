#include "model/replay.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "core/shape.h"
#include "core/signals.h"
#include "dynamics/rollouts/executor.h"

namespace orrery {

namespace {

constexpr double kIndices = 1000;
constexpr double kSingleLevel = 500;

class Replayer {
 public:
  Replayer(const WorldModel& model, const TensorFile& io, const std::string& where) : model_(model), io_(io), where_(where) {}

  at::Tensor Encoded() {
    const at::Tensor image = Input("image", {kAny, 3, model_.Config().data.height, model_.Config().data.width}, "prompt_latent");
    return model_.GetCodec().Encode(image).unsqueeze(0);
  }

  at::Tensor Single() {
    const at::Tensor* given = io_.Find("single_level");
    const double index = given ? given->item<double>() : kSingleLevel;
    const at::Tensor noise = Noise("single_out")[0], level = at::full({1, 1}, (index + 1) / kIndices);
    return Answer(noise, level, Actions("single_out", 1));
  }

  at::Tensor Clip() {
    const auto& [C, h, w] = model_.Config().latent;
    const at::Tensor x = Input("clip_in", {1, kAny, C, h, w}, "clip_out");
    const at::Tensor index = Input("clip_levels", {1, x.size(1)}, "clip_out");
    return Answer(x, (index + 1) / kIndices, Actions("clip_out", x.size(1)));
  }

  at::Tensor Rollout() {
    const auto& [C, h, w] = model_.Config().latent;
    const at::Tensor prompt = Input("prompt_latent", {1, kAny, C, h, w}, "latents"), noise = Noise("latents");
    const int64_t frames = noise.size(0), given = prompt.size(1);
    if (given < 1 || given > frames) Fail("{}: prompt_latent has {} frames, noise {}", where_, given, frames);
    const at::Tensor actions = Actions("latents", frames);
    const auto condition = [&](int64_t t) { return StepCondition{actions.select(1, t), {}, {}}; };
    Executor executor = model_.Rollout(model_.Config().rollout);
    Parts state = model_.GetMemory()->Reset(1, model_.Device(), at::kFloat, 0);
    Flight flight;
    std::vector<at::Tensor> latents;
    for (int64_t t = 0; t < frames; ++t) {
      ThrowIfStopRequested();
      const NoiseSource source{
          [&] { return noise[t].select(1, 0); },
          [&](int64_t, int64_t) -> at::Tensor { Fail("{}: its noise does not tell that of this model's rollout", where_); }};
      if (t < given) {
        executor.Force(state, flight, condition(t), prompt.select(1, t).contiguous(), source);
        latents.push_back(prompt.select(1, t));
      } else {
        latents.push_back(executor
                              .Next(
                                  state, flight, [&](int64_t) { return condition(t); }, source)
                              .latent);
      }
    }
    return at::stack(latents, 1);
  }

  // Not clamped: random weights leave [0, 1].
  at::Tensor Decoded() {
    const auto& [C, h, w] = model_.Config().latent;
    Codec& codec = model_.GetCodec();
    const at::Tensor mean = codec.LatentMean().view({1, -1, 1, 1}), std = codec.LatentStd().view({1, -1, 1, 1});
    std::vector<at::Tensor> frames;
    for (const at::Tensor& latent : Input("latents", {1, kAny, C, h, w}, "frames")[0].split(1))
      frames.push_back(codec.DecodeRaw(latent * std + mean));
    return at::cat(frames);
  }

 private:
  at::Tensor Input(const std::string& name, std::initializer_list<int64_t> shape, const std::string& output) {
    const at::Tensor* found = io_.Find(name);
    if (!found) Fail("{}: tensor '{}' is missing, of which '{}' is made", where_, name, output);
    CheckShape(*found, shape, where_ + ": " + name);
    return found->to(model_.Device(), at::kFloat);
  }
  at::Tensor Noise(const std::string& output) {
    const auto& [C, h, w] = model_.Config().latent;
    return Input("noise", {kAny, 1, 1, C, h, w}, output);
  }
  // The first `frames` of them.
  at::Tensor Actions(const std::string& output, int64_t frames) {
    const at::Tensor actions = Input("actions", {1, kAny, model_.Actions().Width()}, output);
    if (actions.size(1) < frames) Fail("{}: actions of {} frames expected, got {}", where_, frames, actions.size(1));
    return actions.narrow(1, 0, frames);
  }
  at::Tensor Answer(const at::Tensor& x, const at::Tensor& level, const at::Tensor& actions) {
    WindowReader whole(-1);
    return model_.Network().Forward(x, level, {actions, {}, {}, {}}, whole);
  }

  const WorldModel& model_;
  const TensorFile& io_;
  std::string where_;
};

}  // namespace

std::vector<ReplayRow> Replay(const WorldModel& model, const TensorFile& io, const std::string& where) {
  const at::NoGradGuard guard;
  if (model.NeedsPose()) Fail("{}: this model takes poses, which such a file does not hold", where);
  using Make = at::Tensor (Replayer::*)();
  const std::map<std::string, Make> outputs{{"prompt_latent", &Replayer::Encoded},
                                            {"single_out", &Replayer::Single},
                                            {"clip_out", &Replayer::Clip},
                                            {"latents", &Replayer::Rollout},
                                            {"frames", &Replayer::Decoded}};
  std::vector<std::string> known{"image", "noise", "actions", "single_level", "clip_in", "clip_levels"};
  for (const auto& [name, make] : outputs) known.push_back(name);
  Replayer replayer(model, io, where);
  std::vector<ReplayRow> rows;
  bool any = false;
  for (const auto& [name, tensor] : io.tensors) {
    if (std::find(known.begin(), known.end(), name) == known.end()) FailUnknown("tensor of " + where, name, known);
    ReplayRow row{name, tensor.sizes().vec()};
    const auto make = outputs.find(name);
    // What nothing is given for is an input: a prompt without its picture, latents without the noise that they came from.
    row.output = make != outputs.end() && !(name == "prompt_latent" && !io.Find("image")) && !(name == "latents" && !io.Find("noise"));
    if (row.output) {
      const at::Tensor made = (replayer.*make->second)().cpu();
      if (made.sizes() != tensor.sizes())
        Fail("{}: {}: expected {}, got {}", where, name, ShapeText(made.sizes()), ShapeText(tensor.sizes()));
      row.difference = (made - tensor).abs().max().item<double>();
      row.relative = row.difference / std::max(tensor.abs().max().item<double>(), 1e-30);
      any = true;
    }
    rows.push_back(row);
  }
  if (!any) Fail("{}: it holds no output to compare with (prompt_latent, single_out, clip_out, latents, frames)", where);
  return rows;
}

}  // namespace orrery
