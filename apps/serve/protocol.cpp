#include "serve/protocol.h"

#include <bit>
#include <cmath>
#include <cstring>

namespace orrery {

namespace {

constexpr size_t kMaxActionWidth = 64;
constexpr uint32_t kJumpFlag = 1;

static_assert(std::endian::native == std::endian::little, "frame headers are written as they lie in memory");

// The fields of one message; Done() refuses those that nobody asked for.
class Fields {
 public:
  Fields(const Json& json, std::string type) : json_(json), type_(std::move(type)) {}

  const Json* Find(const std::string& key) {
    const auto found = json_.find(key);
    if (found == json_.end()) return nullptr;
    ++taken_;
    return &*found;
  }

  uint64_t Count(const std::string& key, uint64_t high) {
    const Json* value = Find(key);
    if (!value) Fail("message '{}': '{}' is missing", type_, key);
    return Count(*value, key, high);
  }

  uint64_t Count(const Json& value, const std::string& key, uint64_t high) const {
    if (!value.is_number_unsigned() || value.get<uint64_t>() > high)
      Fail("message '{}': '{}' must be a whole number in 0..{}", type_, key, high);
    return value.get<uint64_t>();
  }

  std::optional<Action> FindAction() {
    const Json* value = Find("action");
    if (!value || value->is_null()) return std::nullopt;
    if (!value->is_array() || value->size() > kMaxActionWidth)
      Fail("message '{}': 'action' must be null or a list of at most {} numbers", type_, kMaxActionWidth);
    Action action;
    for (const Json& number : *value) {
      if (!number.is_number()) Fail("message '{}': 'action' must hold numbers only", type_);
      action.push_back(number.get<float>());
    }
    return action;
  }

  void Done() const {
    if (taken_ + 1 != json_.size()) Fail("message '{}' has fields it does not know: {}", type_, json_.dump().substr(0, 80));
  }

 private:
  const Json& json_;
  std::string type_;
  size_t taken_ = 0;
};

constexpr uint64_t kMaxExact = uint64_t{1} << 53;  // whole numbers that JavaScript holds exactly
constexpr uint64_t kMax32 = 0xffffffffu;

ResetMessage ParseReset(Fields& fields) {
  ResetMessage message;
  if (const Json* start = fields.Find("start")) message.start = static_cast<int64_t>(fields.Count(*start, "start", kMax32));
  if (const Json* seed = fields.Find("seed")) message.seed = fields.Count(*seed, "seed", kMaxExact);
  if (message.start.has_value() == message.seed.has_value()) Fail("message 'reset' needs either 'start' or 'seed'");
  return message;
}

RateMessage ParseRate(Fields& fields) {
  const Json* fps = fields.Find("fps");
  if (!fps || !fps->is_number() || !(fps->get<double>() >= kMinFps && fps->get<double>() <= kMaxFps))
    Fail("message 'rate': 'fps' must be a number in [{}, {}]", kMinFps, kMaxFps);
  return {fps->get<double>()};
}

ClientMessage ParseFields(const std::string& type, Fields& fields) {
  if (type == "input") {
    const auto number = static_cast<uint32_t>(fields.Count("number", kMax32));
    return InputMessage{number, fields.FindAction()};
  }
  if (type == "seen") return SeenMessage{static_cast<uint32_t>(fields.Count("sequence", kMax32))};
  if (type == "pause") return PauseMessage{true};
  if (type == "resume") return PauseMessage{false};
  if (type == "step") return StepMessage{fields.FindAction()};
  if (type == "reset") return ParseReset(fields);
  if (type == "keep") return KeepMessage{};
  if (type == "rewind") return RewindMessage{static_cast<int64_t>(fields.Count("id", kMax32))};
  if (type == "forget") return ForgetMessage{static_cast<int64_t>(fields.Count("id", kMax32))};
  if (type == "rate") return ParseRate(fields);
  static const std::vector<std::string> types = {"input", "seen", "pause", "resume", "step", "reset", "keep", "rewind", "forget", "rate"};
  FailUnknown("message type", type.substr(0, 40), types);
}

template <class T>
void Put(std::string& bytes, size_t offset, T value) {
  std::memcpy(bytes.data() + offset, &value, sizeof(T));
}

template <class T>
T Get(std::string_view bytes, size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

}  // namespace

ClientMessage ParseClientMessage(std::string_view text) {
  const Json json = ParseJson(text, "message");
  if (!json.is_object()) Fail("message: expected a JSON object with a 'type'");
  const auto type = json.find("type");
  if (type == json.end() || !type->is_string()) Fail("message: expected a JSON object with a 'type'");
  Fields fields(json, type->get<std::string>().substr(0, 40));
  const ClientMessage message = ParseFields(type->get<std::string>(), fields);
  fields.Done();
  return message;
}

std::string EncodeFrameHeader(const FrameHeader& header) {
  const size_t size = kFrameHeaderBytes + header.action.size() * sizeof(float);
  std::string bytes(size, '\0');
  Put(bytes, 0, kFrameMagic);
  Put(bytes, 4, static_cast<uint16_t>(size));
  Put(bytes, 6, static_cast<uint16_t>(header.action.size()));
  Put(bytes, 8, header.session);
  Put(bytes, 12, header.sequence);
  Put(bytes, 16, header.tick);
  Put(bytes, 20, header.input);
  Put(bytes, 24, header.width);
  Put(bytes, 26, header.height);
  Put(bytes, 28, header.step_ms);
  Put(bytes, 32, header.wait_ms);
  Put(bytes, 36, header.jump ? kJumpFlag : uint32_t{0});
  Put(bytes, 40, header.time_ms);
  for (size_t i = 0; i < header.action.size(); ++i) Put(bytes, kFrameHeaderBytes + i * sizeof(float), header.action[i]);
  return bytes;
}

FrameHeader DecodeFrameHeader(std::string_view message, size_t& header_bytes) {
  if (message.size() < kFrameHeaderBytes || Get<uint32_t>(message, 0) != kFrameMagic)
    Fail("frame: expected a header of {} bytes, got {} bytes of something else", kFrameHeaderBytes, message.size());
  header_bytes = Get<uint16_t>(message, 4);
  const size_t width = Get<uint16_t>(message, 6);
  if (header_bytes != kFrameHeaderBytes + width * sizeof(float) || message.size() < header_bytes)
    Fail("frame: the header says {} bytes, which does not fit {} action numbers", header_bytes, width);
  FrameHeader header;
  header.session = Get<uint32_t>(message, 8);
  header.sequence = Get<uint32_t>(message, 12);
  header.tick = Get<uint32_t>(message, 16);
  header.input = Get<uint32_t>(message, 20);
  header.width = Get<uint16_t>(message, 24);
  header.height = Get<uint16_t>(message, 26);
  header.step_ms = Get<float>(message, 28);
  header.wait_ms = Get<float>(message, 32);
  header.jump = (Get<uint32_t>(message, 36) & kJumpFlag) != 0;
  header.time_ms = Get<double>(message, 40);
  for (size_t i = 0; i < width; ++i) header.action.push_back(Get<float>(message, kFrameHeaderBytes + i * sizeof(float)));
  return header;
}

}  // namespace orrery
