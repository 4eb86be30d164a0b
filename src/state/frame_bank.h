// Small records of all committed frames (latent, pose, key), for memories that look frames up and embed them again.
#pragma once
#include "state/memory.h"

namespace orrery {

// One record a frame: parts "NAME/i" [B, kChunk, ...] for frames i kChunk .. (i + 1) kChunk - 1, added as they are needed, and
// "committed" [] int64. A fork copies the chunks it writes to, no other.
class FrameBank {
 public:
  static constexpr int64_t kChunk = 64;  // frames

  struct Field {
    std::string name;            // "latent"
    std::vector<int64_t> shape;  // of one frame, {8, 8, 8}
    bool floats = true;          // in fp32 always; else in the state's type
  };

  explicit FrameBank(std::vector<Field> fields) : fields_(std::move(fields)) {}

  Parts Reset() const;
  static int64_t Committed(const Parts& state);
  // Values in the order of the fields, [B, ...] each.
  void Append(Parts& state, const std::vector<at::Tensor>& values) const;
  // Frames [0, count) of one field, [B, count, ...]. count > 0.
  at::Tensor First(const Parts& state, const std::string& field, int64_t count) const;
  // frame [B, k] int64, -1 for none (gives zeros) -> [B, k, ...].
  at::Tensor Gather(const Parts& state, const std::string& field, const at::Tensor& frame) const;
  size_t Bytes(int64_t frames, at::ScalarType dtype) const;

 private:
  std::vector<Field> fields_;
};

}  // namespace orrery
