#include "chain/embedded/server.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <list>

namespace chain::embedded {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using common::Code;
using common::Error;

// One connection: reads a request, writes its answer, and so on. Exactly one operation is under way
// at any time, and the one that ends it tells the server, so that a plain pointer to the session is
// safe in it.
class Session {
 public:
  Session(tcp::socket socket, const ServerOptions& options, const Server::Answer& answer,
          std::function<void(Session*)> on_end)
      : stream_(std::move(socket)),
        options_(options),
        answer_(answer),
        on_end_(std::move(on_end)) {}

  void read() {
    parser_.emplace();
    parser_->body_limit(options_.body_size_max);
    parser_->header_limit(static_cast<uint32_t>(options_.header_size_max));
    stream_.expires_after(options_.idle);
    http::async_read(stream_, buffer_, *parser_,
                     [this](error_code trouble, size_t) { on_read(trouble); });
  }

 private:
  void on_read(error_code trouble) {
    if (!trouble) {
      const auto& request = parser_->get();
      if (request.method() != http::verb::post) {
        return reply(http::status::method_not_allowed, "POST a JSON-RPC request\n");
      }
      std::string body = answer_(request.body());
      const auto status = body.empty() ? http::status::no_content : http::status::ok;
      return reply(status, std::move(body));
    }
    if (trouble == http::error::body_limit) {
      return refuse(http::status::payload_too_large, "the body is too large\n");
    }
    if (trouble == http::error::header_limit) {
      return refuse(http::status::request_header_fields_too_large, "the header is too large\n");
    }
    const bool silent = trouble == http::error::end_of_stream || trouble == beast::error::timeout ||
                        trouble.category() != http::make_error_code(http::error{}).category();
    if (silent) return on_end_(this);
    refuse(http::status::bad_request, "this is not HTTP\n");
  }

  void reply(http::status status, std::string body) {
    write(status, std::move(body), parser_->get().version(), parser_->get().keep_alive());
  }
  // After what cannot be understood nothing that follows can be.
  void refuse(http::status status, std::string body) { write(status, std::move(body), 11, false); }

  void write(http::status status, std::string body, unsigned version, bool keep_alive) {
    response_.emplace(status, version);
    response_->set(http::field::content_type,
                   status == http::status::ok ? "application/json" : "text/plain");
    response_->keep_alive(keep_alive);
    response_->body() = std::move(body);
    response_->prepare_payload();
    stream_.expires_after(options_.idle);
    http::async_write(stream_, *response_, [this](error_code trouble, size_t) {
      if (trouble || !response_->keep_alive()) return close();
      read();
    });
  }

  void close() {
    error_code ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    on_end_(this);
  }

  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  std::optional<http::response<http::string_body>> response_;
  const ServerOptions& options_;
  const Server::Answer& answer_;
  std::function<void(Session*)> on_end_;
};

}  // namespace

struct Server::Io {
  ServerOptions options;
  Answer answer;
  asio::io_context context{1};
  tcp::acceptor acceptor{context};
  asio::steady_timer timer{context};
  asio::steady_timer accept_timer{context};
  std::list<Session> sessions;  // Before the context in destruction: they hold its sockets.

  void accept() {
    acceptor.async_accept([this](error_code trouble, tcp::socket socket) {
      if (trouble) return accept_later();
      if (sessions.size() < options.connections_max) {
        sessions.emplace_back(std::move(socket), options, answer,
                              [this](Session* ended) { remove(ended); });
        sessions.back().read();
      }
      accept();
    });
  }
  // Out of descriptors, say: trouble that lasts must not become a busy loop.
  void accept_later() {
    accept_timer.expires_after(common::milliseconds(50));
    accept_timer.async_wait([this](error_code trouble) {
      if (!trouble) accept();
    });
  }
  void remove(Session* ended) {
    // Not within the session's own function.
    asio::post(context, [this, ended] {
      sessions.remove_if([ended](const Session& one) { return &one == ended; });
    });
  }
  void tick(const Tick& work) {
    const auto pause = work();
    if (!pause) return context.stop();
    timer.expires_after(*pause);
    timer.async_wait([this, &work](error_code trouble) {
      if (!trouble) tick(work);
    });
  }
};

Server::Server(std::unique_ptr<Io> io) : io_(std::move(io)) {}
Server::Server(Server&&) noexcept = default;
Server& Server::operator=(Server&&) noexcept = default;
Server::~Server() = default;

Result<Server> Server::listen(const ServerOptions& options, Answer answer) {
  error_code trouble;
  const auto address = asio::ip::make_address(options.host, trouble);
  if (trouble) {
    return Error{Code::kInvalidArgument,
                 "'" + options.host + "' is not an address to listen at: give one like 127.0.0.1"};
  }
  auto io = std::make_unique<Io>();
  io->options = options;
  io->answer = std::move(answer);
  const tcp::endpoint endpoint(address, options.port);
  io->acceptor.open(endpoint.protocol(), trouble);
  // A port that its last user has just left is free.
  if (!trouble) io->acceptor.set_option(asio::socket_base::reuse_address(true), trouble);
  if (!trouble) io->acceptor.bind(endpoint, trouble);
  if (!trouble) io->acceptor.listen(asio::socket_base::max_listen_connections, trouble);
  if (trouble) {
    const std::string where = options.host + ":" + std::to_string(options.port);
    if (trouble == asio::error::address_in_use) {
      return Error{Code::kUnavailable,
                   where + " is in use by another program: stop it, or choose another --port"};
    }
    return Error{Code::kUnavailable, "cannot listen at " + where + ": " + trouble.message()};
  }
  return Server(std::move(io));
}

uint16_t Server::port() const {
  error_code trouble;
  return io_->acceptor.local_endpoint(trouble).port();
}

void Server::run(const Tick& tick) {
  io_->accept();
  asio::post(io_->context, [this, &tick] { io_->tick(tick); });
  io_->context.run();
}

}  // namespace chain::embedded
