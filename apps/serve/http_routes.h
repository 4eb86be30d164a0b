// What the server answers over plain HTTP, and whom it answers.
#pragma once
#include <utility>  // which awaitable.hpp of Boost 1.74 forgets

#include <boost/asio/awaitable.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include "serve/server_state.h"

namespace orrery {

using HttpRequest = boost::beast::http::request<boost::beast::http::string_body>;
using HttpResponse = boost::beast::http::response<boost::beast::http::string_body>;

// GET and HEAD of
//   /, /NAME                        the page
//   /starts/N.png                   thumbnail of a start
//   /sessions/ID/film.(mp4|webm|gif)  the frames of a session, encoded now
boost::asio::awaitable<HttpResponse> Respond(ServerState& state, const HttpRequest& request);

HttpResponse Refusal(const HttpRequest& request, boost::beast::http::status status, std::string text);

// Bound to loopback, only requests addressed to a loopback name are answered: a foreign name that resolves to this
// machine would otherwise let a web page of that name talk to us.
bool HostAllowed(const ServerState& state, const HttpRequest& request);

// A session is opened only by our own page (same host and port), by the origins of the options, or by a program that
// sends no Origin at all.
bool OriginAllowed(const ServerState& state, const HttpRequest& request);

}  // namespace orrery
