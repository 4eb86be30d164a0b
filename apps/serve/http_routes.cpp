#include "serve/http_routes.h"

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <boost/beast/http/field.hpp>
#include <charconv>

#include "core/error.h"
#include "serve/film.h"
#include "serve/play_connection.h"

namespace orrery {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

namespace {

constexpr int64_t kMaxFilmsWaiting = 4;

std::string Field(const HttpRequest& request, http::field name) {
  const auto value = request[name];
  return {value.data(), value.size()};
}

std::string Path(const HttpRequest& request) {
  const auto target = request.target();
  const std::string path(target.data(), target.size());
  return path.substr(0, path.find('?'));
}

// "127.0.0.1:80" -> "127.0.0.1", "[::1]:80" -> "::1".
std::string HostName(const std::string& host) {
  if (host.starts_with('[')) return host.substr(1, host.find(']') - 1);
  return host.substr(0, host.find(':'));
}

HttpResponse Answer(const HttpRequest& request, http::status status, std::string_view type, std::string body) {
  HttpResponse response(status, request.version());
  response.set(http::field::content_type, beast::string_view(type.data(), type.size()));
  response.set(http::field::cache_control, "no-cache");
  response.set("X-Content-Type-Options", "nosniff");
  response.set("Referrer-Policy", "no-referrer");
  response.set("Content-Security-Policy", "default-src 'self'; img-src 'self' blob: data:; frame-ancestors 'self'");
  response.keep_alive(request.keep_alive());
  response.body() = std::move(body);
  response.prepare_payload();
  if (request.method() == http::verb::head) response.body().clear();
  return response;
}

// "/starts/3.png" -> the bytes of that thumbnail.
std::optional<std::string> Thumbnail(const ServerState& state, std::string_view path) {
  constexpr std::string_view kBefore = "/starts/", kAfter = ".png";
  if (!path.starts_with(kBefore) || !path.ends_with(kAfter)) return std::nullopt;
  path.remove_prefix(kBefore.size());
  path.remove_suffix(kAfter.size());
  size_t index = 0;
  const auto [end, failed] = std::from_chars(path.data(), path.data() + path.size(), index);
  if (failed != std::errc() || end != path.data() + path.size() || index >= state.play.starts.size()) return std::nullopt;
  if (state.play.starts[index].png.empty()) return std::nullopt;
  return state.play.starts[index].png;
}

// "/sessions/ID/film.FORMAT"
struct FilmPath {
  std::string id, format;
};
std::optional<FilmPath> ParseFilmPath(const std::string& path) {
  constexpr std::string_view kBefore = "/sessions/", kMiddle = "/film.";
  const size_t middle = path.find(kMiddle);
  if (!path.starts_with(kBefore) || middle == path.npos || middle < kBefore.size()) return std::nullopt;
  return FilmPath{path.substr(kBefore.size(), middle - kBefore.size()), path.substr(middle + kMiddle.size())};
}

asio::awaitable<std::string> MakeFilm(ServerState& state, std::shared_ptr<PlayConnection> session, std::string format) {
  const std::vector<PicturePtr> pictures = co_await session->Film();
  FilmOptions options;
  options.format = format;
  options.fps = session->Fps();
  options.height = session->Facts().height;
  options.width = session->Facts().width;
  co_return co_await RunOn(state.films.get_executor(), [&] { return EncodeFilm(pictures, options); });
}

asio::awaitable<HttpResponse> RespondFilm(ServerState& state, const HttpRequest& request, const FilmPath& path) {
  const auto found = state.sessions.find(path.id);
  const auto session = found == state.sessions.end() ? nullptr : found->second.lock();
  if (!session) co_return Refusal(request, http::status::not_found, "this session is over");
  if (state.films_waiting >= kMaxFilmsWaiting)
    co_return Refusal(request, http::status::service_unavailable, "other films are being made; try again soon");
  std::string trouble;
  ++state.films_waiting;
  try {
    FilmContentType(path.format);
    std::string film;
    if (request.method() == http::verb::get) film = co_await MakeFilm(state, session, path.format);
    --state.films_waiting;
    HttpResponse response = Answer(request, http::status::ok, FilmContentType(path.format), std::move(film));
    response.set(http::field::content_disposition, fmt::format("attachment; filename=\"orrery.{}\"", path.format));
    co_return response;
  } catch (const std::exception& e) {
    trouble = e.what();
  }
  --state.films_waiting;
  co_return Refusal(request, http::status::bad_request, trouble);
}

}  // namespace

HttpResponse Refusal(const HttpRequest& request, http::status status, std::string text) {
  return Answer(request, status, "text/plain; charset=utf-8", text + "\n");
}

asio::awaitable<HttpResponse> Respond(ServerState& state, const HttpRequest& request) {
  if (request.method() != http::verb::get && request.method() != http::verb::head)
    co_return Refusal(request, http::status::method_not_allowed, "only GET and HEAD are answered");
  const std::string path = Path(request);
  if (const auto film = ParseFilmPath(path)) co_return co_await RespondFilm(state, request, *film);
  if (auto png = Thumbnail(state, path)) co_return Answer(request, http::status::ok, "image/png", std::move(*png));
  auto file = state.page.Find(path);
  if (!file) co_return Refusal(request, http::status::not_found, "nothing is served here");
  co_return Answer(request, http::status::ok, Page::ContentType(path == "/" ? "/index.html" : path), std::move(*file));
}

bool HostAllowed(const ServerState& state, const HttpRequest& request) {
  if (!state.loopback) return true;
  const std::string name = HostName(Field(request, http::field::host));
  boost::system::error_code none;
  const auto address = asio::ip::make_address(name, none);
  return name == "localhost" || name == state.options.host || (!none && address.is_loopback());
}

bool OriginAllowed(const ServerState& state, const HttpRequest& request) {
  const std::string origin = Field(request, http::field::origin);
  if (origin.empty()) return true;
  const std::string host = Field(request, http::field::host);
  const auto& others = state.options.origins;
  return origin == "http://" + host || origin == "https://" + host || std::find(others.begin(), others.end(), origin) != others.end();
}

}  // namespace orrery
