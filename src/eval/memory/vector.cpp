#include "eval/memory/vector.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "core/hash.h"
#include "model/session.h"

namespace orrery {

namespace {

const StateVariable* Find(const std::vector<StateVariable>& state, std::string_view name) {
  const auto found = std::find_if(state.begin(), state.end(), [&](const StateVariable& v) { return v.name == name; });
  return found == state.end() ? nullptr : &*found;
}

// 64 well mixed bits of a place (splitmix64, Steele et al., OOPSLA 2014).
uint64_t Mixed(uint64_t x) {
  x += 0x9e3779b97f4a7c15ull;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}

// Adds a tensor's numbers to `into`, hashed by `name` and place; as they are when they fit.
void Sketch(const at::Tensor& tensor, std::string_view name, bool fits, std::span<double> into) {
  const at::Tensor flat = tensor.detach().to(at::kCPU, at::kFloat).contiguous().view({-1});
  const std::span<const float> values(flat.const_data_ptr<float>(), static_cast<size_t>(flat.numel()));
  const uint64_t base = HashBytes(name);
  for (size_t i = 0; i < values.size(); ++i) {
    if (fits) {
      into[i] += values[i];
      continue;
    }
    const uint64_t bits = Mixed(base + i);
    into[static_cast<size_t>((bits >> 1) % into.size())] += bits & 1 ? values[i] : -values[i];
  }
}

}  // namespace

Surroundings SurroundingsOf(const std::vector<StateVariable>& maze) {
  const StateVariable *agent = Find(maze, "agent"), *walls = Find(maze, "walls"), *objects = Find(maze, "objects");
  ORRERY_CHECK(agent && walls && objects);
  const double x = agent->values[0], y = agent->values[1], c = std::cos(agent->values[2]), s = std::sin(agent->values[2]);
  const int64_t size = walls->shape[0];
  Surroundings around;
  for (int ahead = -kAround / 2; ahead <= kAround / 2; ++ahead)
    for (int left = -kAround / 2; left <= kAround / 2; ++left) {
      const auto column = static_cast<int64_t>(std::floor(x + ahead * c - left * s)),
                 row = static_cast<int64_t>(std::floor(y + ahead * s + left * c));
      const bool inside = column >= 0 && row >= 0 && column < size && row < size;
      around.cells.push_back(inside ? row * size + column : -1);
      around.walls.push_back(!inside || walls->values[static_cast<size_t>(row * size + column)] != 0);
    }
  for (int64_t i = 0; i < objects->shape[0]; ++i) {
    const double dx = objects->values[static_cast<size_t>(4 * i)] - x, dy = objects->values[static_cast<size_t>(4 * i + 1)] - y;
    around.objects.insert(around.objects.end(), {dx * c + dy * s, dy * c - dx * s});
  }
  return around;
}

at::Tensor StateVector(const World& world) {
  const std::vector<StateVariable> state = world.TrueState();
  std::vector<double> values;
  for (const StateVariable& v : state) values.insert(values.end(), v.values.begin(), v.values.end());
  if (const auto pose = world.TruePose()) values.insert(values.end(), {std::cos(pose->angle), std::sin(pose->angle)});
  if (Find(state, "agent") && Find(state, "walls") && Find(state, "objects")) {
    const Surroundings around = SurroundingsOf(state);
    values.insert(values.end(), around.walls.begin(), around.walls.end());
    values.insert(values.end(), around.objects.begin(), around.objects.end());
  }
  return at::tensor(values, at::kDouble);
}

at::Tensor SessionVector(const SessionState& state) {
  at::Tensor vector = at::zeros({kMemorySize}, at::kDouble);
  const std::span<double> all(vector.mutable_data_ptr<double>(), kMemorySize);
  Sketch(state.latent, "latent", state.latent.numel() <= kLatentSize, all.first(kLatentSize));
  for (const Part& part : state.memory.All())
    if (at::isFloatingType(part.tensor.scalar_type())) Sketch(part.tensor, part.name, false, all.subspan(kLatentSize));
  return vector;
}

}  // namespace orrery
