#include "serve/server.h"

#include <filesystem>

#include "client.h"
#include "core/file.h"

namespace orrery {
namespace {

namespace http = boost::beast::http;

TEST(Server, SendsHelloStatusAndTheFirstFrame) {
  RunningServer server;
  Client client(server.Port());
  const Json hello = client.Text("hello");
  EXPECT_EQ(hello["title"], "toy");
  EXPECT_EQ(hello["actions"]["count"], 7);
  EXPECT_EQ(hello["starts"][0]["picture"], "/starts/0.png");
  EXPECT_TRUE(hello["starts"][1]["picture"].is_null());
  const Received frame = client.Frame();
  EXPECT_EQ(frame.header.sequence, 1u);
  EXPECT_TRUE(frame.header.jump);
  EXPECT_EQ(frame.rgb.size(), 64u * 64 * 3);
}

TEST(Server, HeldActionsMoveTheWorldAndComeBack) {
  RunningServer server;
  Client client(server.Port());
  const Received first = client.Frame();
  client.Say(R"({"type":"input","number":5,"action":[1]})");
  const Received second = client.Frame();
  EXPECT_EQ(second.header.tick, 1u);
  EXPECT_EQ(second.header.input, 5u);
  EXPECT_EQ(second.header.action, Action{1});
  EXPECT_NE(second.rgb, first.rgb);
  EXPECT_EQ(client.Frame().header.tick, 2u);
}

TEST(Server, FramesAreThoseOfTheWorld) {
  RunningServer server;
  Client client(server.Port());
  client.Frame();
  ToyWorld world(ToyOptions{});
  world.Reset(12);
  client.Say(R"({"type":"pause"})");
  client.Say(R"({"type":"reset","start":1})");
  std::string expected(64 * 64 * 3, '\0');
  const auto render = [&] { world.Render({reinterpret_cast<uint8_t*>(expected.data()), expected.size()}); };
  render();
  EXPECT_EQ(client.Frame().rgb, expected);
  for (int i = 0; i < 3; ++i) {
    client.Say(R"({"type":"step","action":[4]})");
    world.Step(Action{4});
    render();
    EXPECT_EQ(client.Frame().rgb, expected);
  }
}

TEST(Server, WaitsForAPageThatDoesNotDraw) {
  ServeOptions options;
  options.window = 2;
  RunningServer server(options);
  Client client(server.Port());
  client.Say(R"({"type":"rate","fps":100})");
  client.Say(R"({"type":"input","number":1,"action":[1]})");
  client.Frame(true);
  EXPECT_EQ(client.Frame(true).header.sequence, 2u);
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  client.Say(R"({"type":"keep"})");
  Json status;
  do status = client.Text("status");
  while (status["kept"].empty());
  EXPECT_EQ(status["kept"][0]["tick"], 1);
  client.Say(R"({"type":"seen","sequence":2})");
  EXPECT_EQ(client.Frame(true).header.sequence, 3u);
}

TEST(Server, KeepsAndRewinds) {
  RunningServer server;
  Client client(server.Port());
  client.Frame();
  client.Say(R"({"type":"step","action":[1]})");
  const Received kept = client.Frame();
  client.Say(R"({"type":"keep"})");
  client.Say(R"({"type":"step","action":[3]})");
  EXPECT_NE(client.Frame().rgb, kept.rgb);
  client.Say(R"({"type":"rewind","id":1})");
  const Received back = client.Frame();
  EXPECT_EQ(back.rgb, kept.rgb);
  EXPECT_EQ(back.header.tick, 1u);
  client.Say(R"({"type":"rewind","id":9})");
  EXPECT_NE(client.Text("error")["message"].get<std::string>().find("snapshot 9"), std::string::npos);
}

TEST(Server, SessionsAreTheirOwn) {
  RunningServer server;
  Client one(server.Port()), two(server.Port());
  EXPECT_NE(one.Text("hello")["session"], two.Text("hello")["session"]);
  const Received before = two.Frame();
  one.Frame();
  one.Say(R"({"type":"step","action":[1]})");
  EXPECT_NE(one.Frame().rgb, before.rgb);
  two.Say(R"({"type":"step","action":[0]})");
  const Received after = two.Frame();
  EXPECT_EQ(after.rgb, before.rgb);
  EXPECT_EQ(after.header.tick, 1u);
}

TEST(Server, MalformedMessagesAreAnsweredAndThenShownTheDoor) {
  RunningServer server;
  Client client(server.Port());
  client.Frame();
  client.Say("{not json");
  client.Text("error");
  client.Say(R"({"type":"input","number":1,"action":[77]})");
  EXPECT_NE(client.Text("error")["message"].get<std::string>().find("0..6"), std::string::npos);
  client.Socket().binary(true);
  client.Socket().write(boost::asio::buffer("bytes", 5));
  client.Text("error");
  client.Say(R"({"type":"step","action":[1]})");
  EXPECT_EQ(client.Frame().header.tick, 1u);
  for (int i = 0; i < 13; ++i) client.Say("[]");
  EXPECT_EQ(client.CloseCode(), boost::beast::websocket::close_code::policy_error);
  Client next(server.Port());
  EXPECT_EQ(next.Frame().header.sequence, 1u);
}

TEST(Server, OversizedMessagesEndTheirSessionOnly) {
  RunningServer server;
  Client bystander(server.Port()), client(server.Port());
  bystander.Frame();
  client.Frame();
  client.Say(R"({"type":"input","number":1,"action":[1]})");
  client.Say(std::string(500000, ' '));
  EXPECT_EQ(client.CloseCode(), boost::beast::websocket::close_code::too_big);
  bystander.Say(R"({"type":"step","action":[1]})");
  EXPECT_EQ(bystander.Frame().header.tick, 1u);
}

TEST(Server, AClientThatStopsReadingStallsNobody) {
  ToyOptions toy;
  toy.side = 256;
  RunningServer server({}, toy);
  Client silent(server.Port()), talker(server.Port()), player(server.Port());
  silent.Say(R"({"type":"rate","fps":120})");
  silent.Say(R"({"type":"input","number":1,"action":[1]})");
  talker.Frame();
  boost::beast::get_lowest_layer(talker.Socket()).socket().non_blocking(true);
  talker.Socket().text(true);
  boost::system::error_code error;
  for (int i = 0; i < 20000 && !error; ++i)
    talker.Socket().write(boost::asio::buffer(std::string(R"({"type":"step","action":[1]})")), error);
  player.Say(R"({"type":"rate","fps":120})");
  player.Say(R"({"type":"input","number":1,"action":[1]})");
  for (uint32_t i = 1; i <= 40; ++i) EXPECT_EQ(player.Frame().header.sequence, i);
}

TEST(Server, RefusesForeignPagesAndNames) {
  RunningServer server;
  EXPECT_THROW(Client(server.Port(), "http://evil.example"), boost::system::system_error);
  EXPECT_THROW(Client(server.Port(), "", "evil.example"), boost::system::system_error);
  EXPECT_EQ(Get(server.Port(), "/", "evil.example").result(), http::status::forbidden);
  Client own(server.Port(), fmt::format("http://127.0.0.1:{}", server.Port()));
  EXPECT_EQ(own.Frame().header.sequence, 1u);
  Client local(server.Port(), fmt::format("http://localhost:{}", server.Port()), "localhost");
  EXPECT_EQ(local.Frame().header.sequence, 1u);
}

TEST(Server, OriginsOfTheOptionsMayPlay) {
  ServeOptions options;
  options.origins = {"https://play.example"};
  RunningServer server(options);
  Client client(server.Port(), "https://play.example");
  EXPECT_EQ(client.Frame().header.sequence, 1u);
}

TEST(Server, HasSoManyPlacesAndGivesThemBack) {
  ServeOptions options;
  options.max_sessions = 1;
  RunningServer server(options);
  {
    Client first(server.Port());
    first.Frame();
    Client second(server.Port());
    EXPECT_EQ(second.CloseCode(), boost::beast::websocket::close_code::try_again_later);
  }
  for (int i = 0;; ++i) {
    ASSERT_LT(i, 100) << "the place was never given back";
    Client next(server.Port());
    const std::string first = [&] {
      try {
        return next.Read();
      } catch (const boost::system::system_error&) {
        return std::string();
      }
    }();
    if (first.find("hello") != first.npos) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

TEST(Server, IdleSessionsEnd) {
  ServeOptions options;
  options.idle_minutes = 0.002;
  RunningServer server(options);
  Client client(server.Port());
  EXPECT_EQ(client.CloseCode(), 4001);
}

TEST(Server, TellsPagesWhenItStops) {
  auto server = std::make_unique<RunningServer>();
  Client client(server->Port());
  client.Frame();
  std::thread stopper([&] { server.reset(); });
  EXPECT_EQ(client.CloseCode(), boost::beast::websocket::close_code::going_away);
  stopper.join();
}

TEST(Server, ServesThePageAndNothingElse) {
  RunningServer server;
  const auto page = Get(server.Port(), "/");
  EXPECT_EQ(page.result(), http::status::ok);
  EXPECT_EQ(page[http::field::content_type], "text/html; charset=utf-8");
  EXPECT_EQ(page.body(), ReadFile("apps/serve/page/index.html"));
  EXPECT_EQ(Get(server.Port(), "/main.js?x=1").body(), ReadFile("apps/serve/page/main.js"));
  EXPECT_EQ(Get(server.Port(), "/starts/0.png").body(), "png bytes");
  for (const char* path : {"/starts/1.png", "/starts/2.png", "/starts/x.png", "/../options.h", "/%2e%2e/options.h", "//main.js",
                           "/sessions/none/film.mp4", "/main", "/page"})
    EXPECT_EQ(Get(server.Port(), path).result(), http::status::not_found) << path;
  const auto head = Get(server.Port(), "/style.css", "127.0.0.1", http::verb::head);
  EXPECT_EQ(head.result(), http::status::ok);
  EXPECT_TRUE(head.body().empty());
  EXPECT_EQ(Get(server.Port(), "/", "127.0.0.1", http::verb::post).result(), http::status::method_not_allowed);
}

TEST(Server, ServesAPageFromAFolder) {
  ServeOptions options;
  options.page = (std::filesystem::temp_directory_path() / "orrery-page-test").string();
  WriteFileAtomic(std::filesystem::path(options.page) / "index.html", "hello");
  {
    RunningServer server(options);
    EXPECT_EQ(Get(server.Port(), "/").body(), "hello");
    EXPECT_EQ(Get(server.Port(), "/main.js").result(), http::status::not_found);
  }
  std::filesystem::remove_all(options.page);
  EXPECT_THROW(RunningServer{options}, Error);
}

TEST(Server, FilmOfASession) {
  RunningServer server;
  Client client(server.Port());
  const std::string film = client.Text("hello")["film"];
  for (int i = 0; i < 12; ++i) client.Say(R"({"type":"step","action":[1]})");
  while (client.Frame().header.tick < 12) continue;
  const auto answer = Get(server.Port(), film + ".mp4");
  EXPECT_EQ(answer.result(), http::status::ok) << answer.body();
  EXPECT_EQ(answer[http::field::content_type], "video/mp4");
  EXPECT_EQ(answer.body().substr(4, 4), "ftyp");
  EXPECT_EQ(Get(server.Port(), film + ".exe").result(), http::status::bad_request);
}

TEST(Server, SaysWhatIsWrongWithItsOptions) {
  RunningServer server;
  ServeOptions options;
  options.port = server.Port();
  PlayWorld play;
  play.make = [] { return std::make_unique<ToyWorld>(ToyOptions{}); };
  EXPECT_THROW(Server(options, play), Error);
  options.port = 70000;
  EXPECT_THROW(Server(options, play), Error);
  options.port = 0;
  options.host = "256.1.1.1";
  EXPECT_THROW(Server(options, play), Error);
}

}  // namespace
}  // namespace orrery
