#include "codec/registry.h"

#include "codec/identity.h"
#include "codec/vae.h"
#include "codec/vit.h"

namespace orrery {

const Registry<std::shared_ptr<Codec>, uint64_t>& Codecs() {
  static const Registry<std::shared_ptr<Codec>, uint64_t> codecs(
      "codec", {
                   {Vae::Describe(), [](const Json& params,
                                        uint64_t seed) { return std::make_shared<Vae>(FromJson<VaeOptions>(params, "codec vae"), seed); }},
                   {Vit::Describe(), [](const Json& params,
                                        uint64_t seed) { return std::make_shared<Vit>(FromJson<VitOptions>(params, "codec vit"), seed); }},
                   {IdentityCodec::Describe(),
                    [](const Json& params, uint64_t) {
                      return std::make_shared<IdentityCodec>(FromJson<IdentityOptions>(params, "codec identity"));
                    }},
               });
  return codecs;
}

std::shared_ptr<Codec> MakeCodec(std::string_view spec, int64_t height, int64_t width, uint64_t seed) {
  const std::vector<SpecPart> parts = ParseSpec(spec);
  if (parts.size() != 1) Fail("codec \"{}\": expected one part, got {}", spec, parts.size());
  const auto& entry = Codecs().Find(parts.front().name);
  Json bound = Bind(parts.front(), entry.facts);
  for (const Param& param : entry.facts.params) {
    if (param.name != "height" && param.name != "width") continue;
    const int64_t size = param.name == "height" ? height : width;
    if (bound[param.name] != param.value && bound[param.name] != size)
      Fail("codec \"{}\": {} is {}, but the frames of the data are {}x{}", spec, param.name, bound[param.name].get<int64_t>(), height,
           width);
    bound[param.name] = size;
  }
  return entry.make(bound, seed);
}

}  // namespace orrery
