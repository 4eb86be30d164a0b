#include "worlds/raycaster.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace orrery {

namespace {

constexpr double kNear = 0.1;        // nearer billboards are not drawn
constexpr double kClear = 0.4;       // farther billboards are opaque; they fade in between
constexpr double kObjectSide = 0.5;  // of a billboard, cells; it stands on the floor
constexpr int kMaxHeight = 512, kMaxWidth = 512;
constexpr std::array<uint32_t, 4> kFaceLight = {256, 214, 236, 190};

uint32_t Light(double depth) { return static_cast<uint32_t>(256.0 / (1.0 + 0.09 * depth)); }

// The level at which a texture with `density` texels a pixel has about one.
int MipLevel(double density) {
  int level = 0;
  for (double fits = 1.0; density > fits && level < Texture::kLevels - 1; fits *= 2) ++level;
  return level;
}

constexpr int32_t Fixed(double value) { return static_cast<int32_t>(value * 65536.0); }

}  // namespace

// A billboard on the screen, in pixels; opacity 0..128.
struct Raycaster::Sprite {
  double depth, left, top, side;
  int kind, index;
  uint32_t opacity;
};

Raycaster::Raycaster(int height, int width) : height_(height), width_(width), focal_(0.5 * width), rows_(height / 2) {
  ORRERY_CHECK(height % 2 == 0 && height > 0 && height <= kMaxHeight && width > 0 && width <= kMaxWidth);
  for (int y = 0; y < height / 2; ++y) {
    const double distance = 0.5 * focal_ / (0.5 * height - y - 0.5);
    const double across = Texture::kSide * distance / focal_, along = across * distance / 0.5;
    rows_[y] = {Fixed(distance), Light(distance), MipLevel(std::max(across, 0.5 * along))};
  }
}

Raycaster::Hit Raycaster::Cast(const MazeMap& map, const MazeCamera& camera, const Direction& ray) const {
  constexpr double kFar = 1e30;
  int32_t x = static_cast<int32_t>(camera.x), y = static_cast<int32_t>(camera.y);
  const int32_t step_x = ray.x < 0 ? -1 : 1, step_y = ray.y < 0 ? -1 : 1;
  const double delta_x = ray.x == 0 ? kFar : std::abs(1 / ray.x), delta_y = ray.y == 0 ? kFar : std::abs(1 / ray.y);
  double next_x = (ray.x < 0 ? camera.x - x : x + 1 - camera.x) * delta_x;
  double next_y = (ray.y < 0 ? camera.y - y : y + 1 - camera.y) * delta_y;
  int32_t cell = map.Index(x, y);
  const uint8_t* wall = map.wall.data();
  for (;;) {
    const bool along_x = next_x < next_y;
    const int32_t next = along_x ? cell + step_x : cell + step_y * map.size;
    if (wall[next]) {
      Hit hit;
      hit.cell = cell;
      hit.wall = next;
      hit.depth = along_x ? next_x : next_y;
      hit.slant = std::abs(along_x ? ray.x : ray.y);
      const double at = along_x ? camera.y + hit.depth * ray.y : camera.x + hit.depth * ray.x;
      const double fraction = at - static_cast<int32_t>(at);
      hit.face = along_x ? (step_x < 0 ? 0 : 1) : (step_y < 0 ? 2 : 3);
      hit.u = hit.face == 0 || hit.face == 3 ? fraction : 1 - fraction;
      return hit;
    }
    cell = next;
    (along_x ? next_x : next_y) += along_x ? delta_x : delta_y;
  }
}

// Rows 0 .. rows-1 of the ceiling and their mirror images on the floor. `limit`: nothing lies farther than the wall.
void Raycaster::Background(const MazeMap& map, const MazeCamera& camera, const Direction& ray, double limit, int rows, Texel* out) const {
  const MazeTextures& textures = MazeTextures::Get();
  const int64_t ray_x = Fixed(ray.x), ray_y = Fixed(ray.y);
  const int32_t from_x = Fixed(camera.x), from_y = Fixed(camera.y), farthest = Fixed(limit);
  for (int y = 0; y < rows; ++y) {
    const Row& row = rows_[y];
    const int32_t distance = std::min(row.distance, farthest);
    const uint32_t x = static_cast<uint32_t>(from_x + static_cast<int32_t>(ray_x * distance >> 16));
    const uint32_t z = static_cast<uint32_t>(from_y + static_cast<int32_t>(ray_y * distance >> 16));
    const int level = row.level, bits = 6 - level;
    const uint32_t texel = (x & 0xFFFF) >> (16 - bits) << bits | (z & 0xFFFF) >> (16 - bits);
    const int32_t cell = static_cast<int32_t>(z >> 16) * map.size + static_cast<int32_t>(x >> 16);
    out[y] = Shade(textures.ceiling[0].Level(level)[texel], row.light);
    out[height_ - 1 - y] = Shade(textures.floors[map.color[cell]].Level(level)[texel], row.light);
  }
}

double Raycaster::Column(const MazeMap& map, const MazeCamera& camera, double across, Texel* out) const {
  const Direction ray = {camera.forward.x + across * camera.forward.y, camera.forward.y - across * camera.forward.x};
  const Hit hit = Cast(map, camera, ray);
  const double half = 0.5 * focal_ / hit.depth, top = 0.5 * height_ - half;
  const int first = top <= 0 ? 0 : static_cast<int>(std::ceil(top));  // rows that are wall alone
  Background(map, camera, ray, hit.depth, first, out);

  const int decor = map.decor[hit.wall] >> (2 * hit.face) & 3;
  const Texture& texture = MazeTextures::Get().walls[map.color[hit.cell] * 4 + decor];
  const double density = 0.5 * Texture::kSide / half;
  const int level = MipLevel(std::max(density, 0.5 * density / hit.slant)), side = Texture::kSide >> level;
  const Texel* texels = texture.Level(level) + std::min(static_cast<int>(hit.u * side), side - 1) * side;
  const uint32_t light = Light(hit.depth) * kFaceLight[hit.face] >> 8;
  const int32_t step = Fixed(0.5 * side / half);
  int32_t v = Fixed((first + 0.5 - top) * 0.5 * side / half);
  for (int y = first; y < height_ - first; ++y, v += step) out[y] = Shade(texels[std::min(v >> 16, side - 1)], light);
  if (first > 0) {
    const auto covered = static_cast<uint32_t>((first - top) * 256);
    out[first - 1] = Mix(out[first - 1], Shade(texels[0], light), covered);
    out[height_ - first] = Mix(out[height_ - first], Shade(texels[side - 1], light), covered);
  }
  return hit.depth;
}

void Raycaster::Render(const MazeMap& map, std::span<const Billboard> objects, const MazeCamera& camera, std::span<uint8_t> rgb) const {
  Texel left[kMaxHeight], right[kMaxHeight];
  double walls[2 * kMaxWidth];
  for (int x = 0; x < width_; ++x) {
    walls[2 * x] = Column(map, camera, (2 * x + 0.5) / width_ - 1, left);
    walls[2 * x + 1] = Column(map, camera, (2 * x + 1.5) / width_ - 1, right);
    uint8_t* out = rgb.data() + 3 * x;
    for (int y = 0; y < height_; ++y, out += 3 * width_) {
      const Texel mean = (left[y] & right[y]) + (((left[y] ^ right[y]) & 0xFEFEFEu) >> 1);
      out[0] = static_cast<uint8_t>(mean);
      out[1] = static_cast<uint8_t>(mean >> 8);
      out[2] = static_cast<uint8_t>(mean >> 16);
    }
  }
  for (const Sprite& sprite : Sprites(objects, camera)) DrawSprite(sprite, walls, rgb);
}

std::vector<Raycaster::Sprite> Raycaster::Sprites(std::span<const Billboard> objects, const MazeCamera& camera) const {
  std::vector<Sprite> sprites;
  for (int index = 0; index < static_cast<int>(objects.size()); ++index) {
    const Billboard& object = objects[index];
    const double dx = object.x - camera.x, dy = object.y - camera.y;
    const double depth = dx * camera.forward.x + dy * camera.forward.y;
    const double across = dx * camera.forward.y - dy * camera.forward.x;
    if (depth < kNear || std::abs(across) > depth + kObjectSide) continue;
    const double scale = focal_ / depth, side = kObjectSide * scale;
    const auto opacity = static_cast<uint32_t>(128 * std::min(1.0, (depth - kNear) / (kClear - kNear)));
    sprites.push_back(
        {depth, 0.5 * width_ + across * scale - 0.5 * side, 0.5 * height_ + 0.5 * scale - side, side, object.kind, index, opacity});
  }
  std::stable_sort(sprites.begin(), sprites.end(), [](const Sprite& a, const Sprite& b) { return a.depth > b.depth; });
  return sprites;
}

void Raycaster::DrawSprite(const Sprite& s, const double* walls, std::span<uint8_t> rgb) const {
  const double density = Texture::kSide / s.side;
  const int level = MipLevel(density), side = Texture::kSide >> level;
  const Texel* texels = MazeTextures::Get().objects[s.kind].Level(level);
  const uint32_t light = Light(s.depth);
  const int first_x = std::max(0, static_cast<int>(s.left)), last_x = std::min(width_ - 1, static_cast<int>(s.left + s.side));
  const int first_y = std::max(0, static_cast<int>(s.top)), last_y = std::min(height_ - 1, static_cast<int>(s.top + s.side));
  for (int x = first_x; x <= last_x; ++x) {
    const uint32_t visible = s.opacity * ((s.depth < walls[2 * x]) + (s.depth < walls[2 * x + 1]));
    const double u = (x + 0.5 - s.left) / s.side;
    if (visible == 0 || u < 0 || u >= 1) continue;
    const Texel* column = texels + static_cast<int>(u * side) * side;
    for (int y = first_y; y <= last_y; ++y) {
      const double v = (y + 0.5 - s.top) / s.side;
      if (v < 0 || v >= 1) continue;
      const Texel texel = column[static_cast<int>(v * side)];
      uint8_t* out = rgb.data() + 3 * (static_cast<int64_t>(y) * width_ + x);
      const Texel mixed = Mix(Rgb(out[0], out[1], out[2]), Shade(texel, light), (texel >> 24) * visible / 255);
      for (int c = 0; c < 3; ++c) out[c] = static_cast<uint8_t>(mixed >> (8 * c));
    }
  }
}

void Raycaster::Depth(const MazeMap& map, std::span<const Billboard> objects, const MazeCamera& camera, std::span<float> depth,
                      std::span<int32_t> ids) const {
  std::fill(ids.begin(), ids.end(), 0);
  for (int x = 0; x < width_; ++x) {
    const double across = (2 * x + 1.0) / width_ - 1;
    const Direction ray = {camera.forward.x + across * camera.forward.y, camera.forward.y - across * camera.forward.x};
    const double wall = Cast(map, camera, ray).depth;
    for (int y = 0; y < height_; ++y) {
      const double below = std::abs(y + 0.5 - 0.5 * height_);
      depth[static_cast<int64_t>(y) * width_ + x] = static_cast<float>(std::min(wall, 0.5 * focal_ / below));
    }
  }
  for (const Sprite& s : Sprites(objects, camera)) {
    if (s.opacity < 64) continue;
    const Texel* texels = MazeTextures::Get().objects[s.kind].Level(0);
    for (int y = 0; y < height_; ++y)
      for (int x = 0; x < width_; ++x) {
        const double u = (x + 0.5 - s.left) / s.side, v = (y + 0.5 - s.top) / s.side;
        if (u < 0 || u >= 1 || v < 0 || v >= 1) continue;
        const Texel texel = texels[static_cast<int>(u * Texture::kSide) * Texture::kSide + static_cast<int>(v * Texture::kSide)];
        const int64_t at = static_cast<int64_t>(y) * width_ + x;
        if (texel >> 24 < 128 || depth[at] < static_cast<float>(s.depth)) continue;
        depth[at] = static_cast<float>(s.depth);
        if (!ids.empty()) ids[at] = 1 + s.index;
      }
  }
}

}  // namespace orrery
