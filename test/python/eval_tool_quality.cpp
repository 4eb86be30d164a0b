// Quality metrics.
#include <ATen/ATen.h>

#include "../eval/films.h"
#include "eval/quality/diagnostics.h"
#include "eval/quality/distances.h"
#include "eval/quality/feature_sets.h"
#include "eval/quality/similarity.h"
#include "eval_tool.h"

namespace orrery {
namespace {

const at::Tensor& In(const TensorFile& in, std::string_view name) { return in.At(name, "IN"); }

Border BorderOf(const Json& options) { return options.value("border", "reflect") == "valid" ? Border::kValid : Border::kReflect; }

Json Describe(const SubsetScore& score) { return {{"mean", score.mean}, {"deviation", score.deviation ? Json(*score.deviation) : Json()}}; }

Json Describe(const Measured& measured) { return {{"value", measured.value ? Json(*measured.value) : Json()}, {"cause", measured.cause}}; }

// {world, seed, frames} -> film, noisy, blurred
const EvalCommand kFilms("films", [](const Json& options, const TensorFile&) {
  const at::Tensor film = RecordFilm(options.at("world").get<std::string>(), options.at("seed").get<uint64_t>(), options.at("frames"));
  return ToolResult{{}, {{"film", film}, {"noisy", WithNoise(film, 0.05)}, {"blurred", Blurred(film)}}};
});

// values -> bytes
const EvalCommand kQuantize("quantize", [](const Json&, const TensorFile& in) {
  return ToolResult{{}, {{"bytes", Quantize(In(in, "values"))}}};
});

// {height, width, antialias}, images -> resized
const EvalCommand kResize("resize", [](const Json& options, const TensorFile& in) {
  const ResizeOptions resize{options.at("antialias").get<bool>()};
  return ToolResult{{}, {{"resized", Resize(In(in, "images"), options.at("height"), options.at("width"), resize)}}};
});

// {count}, film -> resampled
const EvalCommand kResample("resample", [](const Json& options, const TensorFile& in) {
  return ToolResult{{}, {{"resampled", ResampleFrames(In(in, "film"), options.at("count"))}}};
});

const EvalCommand kGrey("grey", [](const Json&, const TensorFile& in) { return ToolResult{{}, {{"grey", Grey(In(in, "film"))}}}; });

// a, b -> psnr [T]
const EvalCommand kPsnr("psnr", [](const Json&, const TensorFile& in) {
  const FilmPsnr film = SummarizePsnr(In(in, "a"), In(in, "b"));
  return ToolResult{{{"mean_of_frames", film.mean_of_frames}, {"of_mean_mse", film.of_mean_mse}},
                    {{"psnr", FramePsnr(In(in, "a"), In(in, "b"))}}};
});

// {border}, a, b -> ssim [T]
const EvalCommand kSsim("ssim", [](const Json& options, const TensorFile& in) {
  return ToolResult{{}, {{"ssim", FrameSsim(In(in, "a"), In(in, "b"), {BorderOf(options)})}}};
});

// {border, scales, pool_channels}, a, b -> ms_ssim [T]
const EvalCommand kMsSsim("ms_ssim", [](const Json& options, const TensorFile& in) {
  const MsSsimOptions ms{options.value("scales", int64_t{0}), BorderOf(options), options.value("pool_channels", false)};
  const at::Tensor &a = In(in, "a"), &b = In(in, "b");
  return ToolResult{{{"name", MsSsimName(MsSsimScales(a.size(1), a.size(2), ms))}}, {{"ms_ssim", FrameMsSsim(a, b, ms)}}};
});

// a, b [N, d]: all distances that need no options
const EvalCommand kDistances("distances", [](const Json&, const TensorFile& in) {
  const at::Tensor &a = In(in, "a"), &b = In(in, "b");
  const JediScore jedi = Jedi(a, b);
  const PrecisionRecall manifold = ManifoldPrecisionRecall(a, b);
  return ToolResult{{{"frechet", Frechet(a, b)},
                     {"kid", Kid(a, b)},
                     {"jedi", jedi.biased},
                     {"jedi_unbiased", jedi.unbiased},
                     {"precision", manifold.precision},
                     {"recall", manifold.recall}},
                    {}};
});

// {splits}, probabilities [N, K], not shuffled
const EvalCommand kInception("inception", [](const Json& options, const TensorFile& in) {
  return ToolResult{Describe(InceptionScore(In(in, "probabilities"), {.splits = options.at("splits"), .shuffle = false})), {}};
});

// generated, real: diagnostics of films
const EvalCommand kDiagnostics("diagnostics", [](const Json&, const TensorFile& in) {
  const at::Tensor &generated = In(in, "generated"), &real = In(in, "real");
  const ColorDrift drift = FrameColorDrift(generated, real);
  return ToolResult{{{"sharpness_ratio", Describe(SharpnessRatio(generated, real))},
                     {"motion_ratio", Describe(MotionRatio(generated, real))},
                     {"flickering", TemporalFlickering(generated)},
                     {"smoothness", BlendSmoothness(generated)}},
                    {{"sharpness", FrameSharpness(generated)},
                     {"spectrum", FrameSpectrumSlope(generated)},
                     {"drift_mean", drift.mean},
                     {"drift_deviation", drift.deviation}}};
});

}  // namespace
}  // namespace orrery
