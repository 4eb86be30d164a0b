#include "serve/protocol.h"

#include <gtest/gtest.h>

#include <cstring>

namespace orrery {
namespace {

template <class T>
T Parse(std::string_view text) {
  const ClientMessage message = ParseClientMessage(text);
  EXPECT_TRUE(std::holds_alternative<T>(message)) << text;
  return std::holds_alternative<T>(message) ? std::get<T>(message) : T{};
}

TEST(Protocol, ReadsEveryMessage) {
  const auto input = Parse<InputMessage>(R"({"type":"input","number":7,"action":[2]})");
  EXPECT_EQ(input.number, 7u);
  EXPECT_EQ(input.action, Action{2});
  EXPECT_FALSE(Parse<InputMessage>(R"({"type":"input","number":8,"action":null})").action);
  EXPECT_EQ(Parse<InputMessage>(R"({"type":"input","number":8,"action":[]})").action, Action{});
  EXPECT_EQ(Parse<SeenMessage>(R"({"type":"seen","sequence":4294967295})").sequence, 4294967295u);
  EXPECT_TRUE(Parse<PauseMessage>(R"({"type":"pause"})").paused);
  EXPECT_FALSE(Parse<PauseMessage>(R"({"type":"resume"})").paused);
  EXPECT_EQ(Parse<StepMessage>(R"({"type":"step","action":[0.5,-1]})").action, (Action{0.5f, -1}));
  EXPECT_EQ(Parse<ResetMessage>(R"({"type":"reset","start":3})").start, 3);
  EXPECT_EQ(Parse<ResetMessage>(R"({"type":"reset","seed":9007199254740992})").seed, 9007199254740992u);
  Parse<KeepMessage>(R"({"type":"keep"})");
  EXPECT_EQ(Parse<RewindMessage>(R"({"type":"rewind","id":2})").id, 2);
  EXPECT_EQ(Parse<ForgetMessage>(R"({"type":"forget","id":2})").id, 2);
  EXPECT_DOUBLE_EQ(Parse<RateMessage>(R"({"type":"rate","fps":12.5})").fps, 12.5);
}

TEST(Protocol, RefusesEverythingElse) {
  const std::string deep = std::string(1500, '[') + std::string(1500, ']');
  for (const std::string text : {"",
                                 "x",
                                 "[]",
                                 "3",
                                 "{}",
                                 R"({"type":3})",
                                 R"({"type":"jump"})",
                                 R"({"type":"input"})",
                                 R"({"type":"input","number":-1})",
                                 R"({"type":"input","number":1.5})",
                                 R"({"type":"input","number":4294967296})",
                                 R"({"type":"input","number":1,"action":2})",
                                 R"({"type":"input","number":1,"action":["a"]})",
                                 R"({"type":"input","number":1,"more":2})",
                                 R"({"type":"reset"})",
                                 R"({"type":"reset","start":1,"seed":2})",
                                 R"({"type":"reset","seed":-4})",
                                 R"({"type":"rate","fps":0})",
                                 R"({"type":"rate","fps":1e9})",
                                 R"({"type":"rewind"})",
                                 R"({"type":"rewind","id":"1"})",
                                 "{\"type\":\"pause\xff\"}"})
    EXPECT_THROW(ParseClientMessage(text), Error) << text;
  EXPECT_THROW(ParseClientMessage(deep), Error);
  std::string wide = R"({"type":"input","number":1,"action":[0)";
  for (int i = 0; i < 64; ++i) wide += ",0";
  EXPECT_THROW(ParseClientMessage(wide + "]}"), Error);
}

TEST(Protocol, UnknownTypeSuggests) {
  try {
    ParseClientMessage(R"({"type":"pauze"})");
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("did you mean 'pause'"), std::string::npos) << e.what();
  }
}

TEST(Protocol, FrameHeaderHasTheDocumentedLayout) {
  FrameHeader header;
  header.session = 3;
  header.sequence = 0x01020304;
  header.tick = 9;
  header.input = 11;
  header.width = 64;
  header.height = 48;
  header.step_ms = 1.5f;
  header.wait_ms = 0.25f;
  header.jump = true;
  header.time_ms = 1234.5;
  header.action = {0.5f, -1};
  const std::string bytes = EncodeFrameHeader(header);
  ASSERT_EQ(bytes.size(), 56u);
  EXPECT_EQ(bytes.substr(0, 4), "OFR1");
  EXPECT_EQ(bytes.substr(4, 4), std::string("\x38\0\2\0", 4));
  EXPECT_EQ(bytes.substr(12, 4), std::string("\4\3\2\1", 4));
  EXPECT_EQ(bytes.substr(24, 4), std::string("\x40\0\x30\0", 4));
  float action = 0;
  std::memcpy(&action, bytes.data() + 52, 4);
  EXPECT_EQ(action, -1);

  size_t offset = 0;
  const FrameHeader back = DecodeFrameHeader(bytes + "pixels", offset);
  EXPECT_EQ(offset, 56u);
  EXPECT_EQ(back.session, header.session);
  EXPECT_EQ(back.tick, header.tick);
  EXPECT_EQ(back.input, header.input);
  EXPECT_EQ(back.step_ms, header.step_ms);
  EXPECT_EQ(back.wait_ms, header.wait_ms);
  EXPECT_TRUE(back.jump);
  EXPECT_EQ(back.time_ms, header.time_ms);
  EXPECT_EQ(back.action, header.action);
}

TEST(Protocol, BrokenHeadersAreRefused) {
  size_t offset = 0;
  std::string bytes = EncodeFrameHeader({});
  EXPECT_THROW(DecodeFrameHeader(bytes.substr(0, 47), offset), Error);
  bytes[6] = 9;
  EXPECT_THROW(DecodeFrameHeader(bytes, offset), Error);
  bytes = EncodeFrameHeader({});
  bytes[0] = 'X';
  EXPECT_THROW(DecodeFrameHeader(bytes, offset), Error);
}

}  // namespace
}  // namespace orrery
