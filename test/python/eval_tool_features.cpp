// Feature nets and distances between sets of films.
#include <ATen/ATen.h>

#include "eval/quality/feature_net.h"
#include "eval/quality/film_mmd.h"
#include "eval_tool.h"

namespace orrery {
namespace {

FeatureSet Set(const TensorFile& in, const std::string& name) {
  const at::Tensor film = in.At(name + "_film", "IN").to(at::kLong).contiguous();
  return {in.At(name, "IN"), {film.const_data_ptr<int64_t>(), film.const_data_ptr<int64_t>() + film.numel()}};
}

// {add: NAME=FILE, or empty}, film -> rows of every net, named by its number
const EvalCommand kFeatures("features", [](const Json& options, const TensorFile& in) {
  if (const std::string spec = options.value("add", ""); !spec.empty()) AddFeatureNet(spec);
  ToolResult out;
  for (const FeatureNet& net : FeatureNets()) {
    const std::string number = fmt::format("{}", out.tensors.size());
    out.values[number] = {{"name", net.Name()}, {"sha256", net.Hash()}, {"clips", net.OfClips()}};
    out.tensors.emplace_back(number, net.Embed(in.At("film", "IN")));
  }
  return out;
});

// a, b films -> LPIPS-shaped distance [T]
const EvalCommand kPair("pair_distance", [](const Json&, const TensorFile& in) {
  return ToolResult{{}, {{"distance", FeatureNets().front().PairDistance(in.At("a", "IN"), in.At("b", "IN"))}}};
});

// a, b rows and the numbers of their films
const EvalCommand kFilmMmd("film_mmd", [](const Json&, const TensorFile& in) {
  const FilmKernels kid = KernelsOfFilms(Set(in, "a"), Set(in, "b"), kKidKernel);
  return ToolResult{{{"kid", FilmMmd(kid)}, {"biased", BiasedFilmMmd(kid)}}, {}};
});

}  // namespace
}  // namespace orrery
