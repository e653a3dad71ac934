#include "chain/embedded/server.h"

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <deque>
#include <list>

namespace chain::embedded {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using asio::ip::tcp;
using boost::system::error_code;
using common::Code;
using common::Error;
using Request = http::request<http::string_body>;

// With so much unread a client is not heard any more until it has read.
constexpr size_t kUnreadPause = 1u << 20;
constexpr common::milliseconds kHandshakeTime{10'000};

// Browsers say which page speaks. Anybody's program may talk to the ledger, but not the pages that
// somebody happens to look at.
bool is_welcome(const Request& request) {
  const auto found = request.find(http::field::origin);
  if (found == request.end()) return true;
  const std::string_view origin(found->value().data(), found->value().size());
  for (const std::string_view ours : {"http://localhost", "https://localhost", "http://127.0.0.1",
                                      "https://127.0.0.1", "https://polkadot.js.org"}) {
    if (!origin.starts_with(ours)) continue;
    const std::string_view rest = origin.substr(ours.size());
    if (rest.empty() || rest[0] == ':') return true;
  }
  return false;
}

// What sessions ask of the server that holds them.
class Holder {
 public:
  virtual ~Holder() = default;
  virtual const ServerOptions& options() const = 0;
  virtual Service& service() = 0;
  // Something was heard: others may have to be told.
  virtual void heard() = 0;
  virtual void upgrade(tcp::socket socket, const Request& request) = 0;
  // Not within the session's own function.
  virtual void remove(const void* session) = 0;
};

// One HTTP connection: reads a request, writes its answer, and so on. Exactly one operation is
// under way at any time, and the one that ends it tells the server, so that a plain pointer to the
// session is safe in it.
class HttpSession {
 public:
  HttpSession(tcp::socket socket, Holder& holder) : stream_(std::move(socket)), holder_(holder) {}

  void read() {
    const ServerOptions& options = holder_.options();
    parser_.emplace();
    parser_->body_limit(options.body_size_max);
    parser_->header_limit(static_cast<uint32_t>(options.header_size_max));
    stream_.expires_after(options.idle);
    http::async_read(stream_, buffer_, *parser_,
                     [this](error_code trouble, size_t) { on_read(trouble); });
  }

 private:
  void on_read(error_code trouble) {
    if (!trouble) return on_request(parser_->get());
    if (trouble == http::error::body_limit) {
      return refuse(http::status::payload_too_large, "the body is too large\n");
    }
    if (trouble == http::error::header_limit) {
      return refuse(http::status::request_header_fields_too_large, "the header is too large\n");
    }
    const bool silent = trouble == http::error::end_of_stream || trouble == beast::error::timeout ||
                        trouble.category() != http::make_error_code(http::error{}).category();
    if (silent) return holder_.remove(this);
    refuse(http::status::bad_request, "this is not HTTP\n");
  }

  void on_request(const Request& request) {
    if (!is_welcome(request)) {
      return refuse(http::status::forbidden, "pages of other sites may not ask here\n");
    }
    if (websocket::is_upgrade(request)) {
      stream_.expires_never();
      holder_.upgrade(stream_.release_socket(), request);
      return holder_.remove(this);
    }
    if (request.method() != http::verb::post) {
      return reply(http::status::method_not_allowed, "POST a JSON-RPC request, or upgrade\n");
    }
    std::string body = holder_.service().answer(request.body());
    const auto status = body.empty() ? http::status::no_content : http::status::ok;
    reply(status, std::move(body));
    holder_.heard();
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
    stream_.expires_after(holder_.options().idle);
    http::async_write(stream_, *response_, [this](error_code trouble, size_t) {
      if (trouble || !response_->keep_alive()) return close();
      read();
    });
  }

  void close() {
    error_code ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    holder_.remove(this);
  }

  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  std::optional<http::response<http::string_body>> response_;
  Holder& holder_;
};

// One WebSocket connection. At most one reading and one writing are under way; the session is
// removed when the last of them has ended.
class WsSession {
 public:
  WsSession(tcp::socket socket, Holder& holder)
      : stream_(std::move(socket)), holder_(holder), talk_(holder.service().converse()) {}

  void accept(const Request& request) {
    websocket::stream_base::timeout times;
    times.handshake_timeout = kHandshakeTime;
    times.idle_timeout = holder_.options().idle;
    times.keep_alive_pings = true;
    stream_.set_option(times);
    stream_.read_message_max(holder_.options().body_size_max);
    stream_.auto_fragment(false);
    stream_.text(true);
    reading_ = true;
    stream_.async_accept(request, [this](error_code trouble) { on_heard(trouble, false); });
  }

  bool has_more() const { return !ended_ && talk_->has_more(); }

  void tell() {
    if (ended_) return;
    std::vector<std::string> out;
    talk_->news(out);
    send(std::move(out));
    // Who does not read the news shall not have us keep them for ever.
    if (unread_ > holder_.options().unread_size_max) end();
  }

 private:
  void read() {
    if (reading_ || ended_ || unread_ > kUnreadPause) return;
    reading_ = true;
    stream_.async_read(buffer_, [this](error_code trouble, size_t) { on_heard(trouble, true); });
  }

  void on_heard(error_code trouble, bool message) {
    reading_ = false;
    if (trouble || ended_) return end();
    if (message) {
      const auto data = buffer_.cdata();
      std::vector<std::string> out;
      talk_->hear({static_cast<const char*>(data.data()), data.size()}, out);
      buffer_.consume(buffer_.size());
      send(std::move(out));
      holder_.heard();
    }
    read();
  }

  void send(std::vector<std::string> texts) {
    for (std::string& text : texts) {
      unread_ += text.size();
      outbox_.push_back(std::move(text));
    }
    write();
  }

  void write() {
    if (writing_ || ended_ || outbox_.empty()) return;
    writing_ = true;
    stream_.async_write(asio::buffer(outbox_.front()), [this](error_code trouble, size_t) {
      writing_ = false;
      if (trouble || ended_) return end();
      unread_ -= outbox_.front().size();
      outbox_.pop_front();
      write();
      read();
    });
  }

  void end() {
    if (!ended_) {
      ended_ = true;
      error_code ignored;
      beast::get_lowest_layer(stream_).socket().close(ignored);
    }
    if (!reading_ && !writing_) holder_.remove(this);
  }

  websocket::stream<beast::tcp_stream> stream_;
  beast::flat_buffer buffer_;
  std::deque<std::string> outbox_;  // The first is being written.
  size_t unread_ = 0;               // bytes of it
  bool reading_ = false;
  bool writing_ = false;
  bool ended_ = false;
  Holder& holder_;
  std::unique_ptr<Conversation> talk_;
};

}  // namespace

struct Server::Io final : Holder {
  Io(const ServerOptions& its_options, Service& its_service)
      : options_(its_options), service_(its_service) {}

  const ServerOptions& options() const override { return options_; }
  Service& service() override { return service_; }

  // Told once for all that was heard until then, and not from within a session.
  void heard() override {
    if (telling || service_.news_version() == told) return;
    telling = true;
    asio::post(context, [this] {
      telling = false;
      told = service_.news_version();
      for (WsSession& session : conversations) session.tell();
    });
  }
  void upgrade(tcp::socket socket, const Request& request) override {
    conversations.emplace_back(std::move(socket), *this);
    conversations.back().accept(request);
  }
  void remove(const void* ended) override {
    asio::post(context, [this, ended] {
      sessions.remove_if([ended](const HttpSession& one) { return &one == ended; });
      conversations.remove_if([ended](const WsSession& one) { return &one == ended; });
    });
  }

  void accept() {
    acceptor.async_accept([this](error_code trouble, tcp::socket socket) {
      if (trouble) return accept_later();
      if (sessions.size() + conversations.size() < options_.connections_max) {
        error_code ignored;
        socket.set_option(tcp::no_delay(true), ignored);
        sessions.emplace_back(std::move(socket), *this);
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
  void tick(const Tick& work) {
    const auto pause = work();
    if (!pause) return context.stop();
    heard();
    for (WsSession& session : conversations) {
      if (session.has_more()) session.tell();
    }
    timer.expires_after(*pause);
    timer.async_wait([this, &work](error_code trouble) {
      if (!trouble) tick(work);
    });
  }

  ServerOptions options_;
  Service& service_;
  asio::io_context context{1};
  tcp::acceptor acceptor{context};
  asio::steady_timer timer{context};
  asio::steady_timer accept_timer{context};
  uint64_t told = 0;
  bool telling = false;
  // Before the context in destruction: they hold its sockets.
  std::list<HttpSession> sessions;
  std::list<WsSession> conversations;
};

Server::Server(std::unique_ptr<Io> io) : io_(std::move(io)) {}
Server::Server(Server&&) noexcept = default;
Server& Server::operator=(Server&&) noexcept = default;
Server::~Server() = default;

Result<Server> Server::listen(const ServerOptions& options, Service& service) {
  error_code trouble;
  const auto address = asio::ip::make_address(options.host, trouble);
  if (trouble) {
    return Error{Code::kInvalidArgument,
                 "'" + options.host + "' is not an address to listen at: give one like 127.0.0.1"};
  }
  auto io = std::make_unique<Io>(options, service);
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
