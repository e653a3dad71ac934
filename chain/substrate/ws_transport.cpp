// The one place that includes Beast's WebSocket client: it compiles slowly.
#include <openssl/ssl.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <deque>
#include <thread>

#include "chain/substrate/rpc_message.h"
#include "chain/substrate/ws_inbox.h"

namespace chain::substrate {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using asio::ip::tcp;
using boost::system::error_code;
using common::Code;
using common::Error;

constexpr size_t kQueuedSizeMax = 64u << 20;   // Of what we have not got rid of.
constexpr common::milliseconds kIdle{60'000};  // Half of it without a word: a ping.

struct Url {
  bool tls = false;
  std::string host, port, path;
  std::string text;
};

// "wss://host:port/path".
std::optional<Url> parse_url(std::string_view text) {
  Url url{text.starts_with("wss://"), {}, {}, {}, std::string(text)};
  if (!url.tls && !text.starts_with("ws://")) return std::nullopt;
  text.remove_prefix(url.tls ? 6 : 5);
  const size_t slash = text.find('/');
  url.path = slash == std::string_view::npos ? "/" : std::string(text.substr(slash));
  std::string_view authority = text.substr(0, slash);
  const size_t bracket = authority.starts_with('[') ? authority.find(']') : 0;
  if (bracket == std::string_view::npos) return std::nullopt;
  const size_t colon = authority.find(':', bracket);
  url.host = authority.substr(0, colon);
  if (bracket > 0) url.host = authority.substr(1, bracket - 1);
  url.port = url.tls ? "443" : "80";
  if (colon != std::string_view::npos) url.port = authority.substr(colon + 1);
  const bool is_number = !url.port.empty() && url.port.size() <= 5 &&
                         url.port.find_first_not_of("0123456789") == std::string::npos;
  if (url.host.empty() || !is_number) return std::nullopt;
  return url;
}

using Plain = websocket::stream<beast::tcp_stream>;
using Tls = websocket::stream<asio::ssl::stream<beast::tcp_stream>>;

// One connection. Everything of Asio happens on its thread; callers see only the inbox. The steps
// before the first message each have the time that `connect_timeout` gives.
template <typename Stream>
class Connection final : public Transport {
 public:
  Connection(Url url, const RpcOptions& options)
      : url_(std::move(url)), options_(options), inbox_(options), stream_(make_stream()) {}

  ~Connection() override {
    // No farewell: a destructor does not wait for a stranger.
    asio::post(context_, [this] {
      error_code ignored;
      beast::get_lowest_layer(stream_).socket().close(ignored);
      resolver_.cancel();
    });
    work_.reset();
    context_.stop();
    thread_.join();
  }

  // Until it is open, or has failed.
  Result<void> open() {
    asio::post(context_, [this] { resolve(); });
    thread_ = std::jthread([this] { context_.run(); });
    std::unique_lock lock(mutex_);
    // Resolving has no time of its own in Asio: this is its bound, too.
    if (!opened_.wait_for(lock, 3 * options_.connect_timeout, [this] { return open_done_; })) {
      return Error{Code::kTimeout, url_.text + " did not open in time"};
    }
    if (const auto failure = inbox_.failure()) return *failure;
    return {};
  }

  Result<std::vector<RpcReply>> exchange(std::span<const RpcRequest> requests) override {
    if (const auto failure = inbox_.failure()) return *failure;
    const uint64_t first_id = inbox_.expect(requests.size(), false);
    for (size_t i = 0; i < requests.size(); ++i) send(request_text(requests[i], first_id + i));
    auto replies = inbox_.collect(first_id, requests.size());
    if (!replies) return named(replies.error());
    return replies;
  }

  bool subscribes() const override { return true; }

  Result<Subscribed> subscribe(const RpcRequest& request, std::string_view end) override {
    if (const auto failure = inbox_.failure()) return *failure;
    const uint64_t id = inbox_.expect(1, true);
    send(request_text(request, id));
    auto made = inbox_.collect_subscription(id);
    if (!made) return named(common::within(request.method, made.error()));
    if (const auto* subscription = std::get_if<SubscriptionId>(&*made)) {
      const std::scoped_lock lock(mutex_);
      ends_[*subscription] = std::string(end);
    }
    return made;
  }

  Result<Json> next(SubscriptionId subscription, common::milliseconds patience) override {
    return inbox_.next(subscription, patience);
  }

  void unsubscribe(SubscriptionId subscription) override {
    const auto name = inbox_.forget(subscription);
    std::string end;
    {
      const std::scoped_lock lock(mutex_);
      if (const auto found = ends_.find(subscription); found != ends_.end()) {
        end = found->second;
        ends_.erase(found);
      }
    }
    if (!name || end.empty() || inbox_.failure()) return;
    send(request_text({end, Json::array({*name})}, inbox_.disregard()));
  }

 private:
  Stream make_stream() {
    if constexpr (std::is_same_v<Stream, Tls>) {
      tls_.set_verify_mode(asio::ssl::verify_peer);
      error_code ignored;  // No authorities: then no certificate will do, and it says so.
      tls_.set_default_verify_paths(ignored);
      return Stream(context_, tls_);
    } else {
      return Stream(context_);
    }
  }

  Error named(Error error) const {
    if (error.message.starts_with(url_.text)) return error;
    return common::within(url_.text, std::move(error));
  }

  void fail(Code code, const std::string& what) {
    inbox_.fail({code, url_.text + ": " + what});
    error_code ignored;
    beast::get_lowest_layer(stream_).socket().close(ignored);
    finish_opening();
  }
  void fail(const char* step, error_code trouble) {
    const bool late = trouble == beast::error::timeout;
    fail(late ? Code::kTimeout : Code::kUnavailable,
         std::string(step) + (late ? " took too long" : ": " + trouble.message()));
  }
  void finish_opening() {
    const std::scoped_lock lock(mutex_);
    open_done_ = true;
    opened_.notify_all();
  }

  // -- opening: name, TCP, TLS, WebSocket ---------------------------------------------------------

  void resolve() {
    resolver_.async_resolve(url_.host, url_.port,
                            [this](error_code trouble, const tcp::resolver::results_type& found) {
                              if (trouble) return fail("finding the host", trouble);
                              connect(found);
                            });
  }
  void connect(const tcp::resolver::results_type& found) {
    auto& socket = beast::get_lowest_layer(stream_);
    socket.expires_after(options_.connect_timeout);
    socket.async_connect(found, [this](error_code trouble, const tcp::endpoint&) {
      if (trouble) return fail("connecting", trouble);
      error_code ignored;
      beast::get_lowest_layer(stream_).socket().set_option(tcp::no_delay(true), ignored);
      secure();
    });
  }
  void secure() {
    if constexpr (std::is_same_v<Stream, Tls>) {
      auto& tls = stream_.next_layer();
      tls.set_verify_callback(asio::ssl::host_name_verification(url_.host));
      if (SSL_set_tlsext_host_name(tls.native_handle(), url_.host.c_str()) != 1) {
        return fail(Code::kUnavailable, "TLS does not take the host's name");
      }
      beast::get_lowest_layer(stream_).expires_after(options_.connect_timeout);
      tls.async_handshake(asio::ssl::stream_base::client, [this](error_code trouble) {
        if (trouble) return fail("the TLS handshake", trouble);
        shake_hands();
      });
    } else {
      shake_hands();
    }
  }
  void shake_hands() {
    beast::get_lowest_layer(stream_).expires_never();  // The WebSocket has clocks of its own.
    stream_.set_option(websocket::stream_base::timeout{options_.connect_timeout, kIdle, true});
    stream_.read_message_max(options_.response_size_max);
    stream_.auto_fragment(false);  // Some servers bound the frames of one message.
    stream_.async_handshake(url_.host + ":" + url_.port, url_.path, [this](error_code trouble) {
      if (trouble) return fail("the WebSocket handshake", trouble);
      finish_opening();
      read();
    });
  }

  // -- open ---------------------------------------------------------------------------------------

  void read() {
    stream_.async_read(buffer_, [this](error_code trouble, size_t) {
      if (trouble == websocket::error::message_too_big) {
        return fail(Code::kExhausted, "an answer is longer than " +
                                          std::to_string(options_.response_size_max) + " bytes");
      }
      if (trouble) return fail("the connection", trouble);
      const auto data = buffer_.cdata();
      const auto delivered = inbox_.deliver({static_cast<const char*>(data.data()), data.size()});
      if (!delivered) return fail(delivered.error().code, delivered.error().message);
      buffer_.consume(buffer_.size());
      if (buffer_.capacity() > kBufferKept) buffer_ = {};
      read();
    });
  }
  void send(std::string text) {
    asio::post(context_, [this, text = std::move(text)]() mutable {
      queued_size_ += text.size();
      if (queued_size_ > kQueuedSizeMax) {
        return fail(Code::kExhausted, "the node takes nothing that we send");
      }
      queued_.push_back(std::move(text));
      if (queued_.size() == 1) write();
    });
  }
  void write() {
    stream_.text(true);
    stream_.async_write(asio::buffer(queued_.front()), [this](error_code trouble, size_t) {
      if (trouble) return fail("sending", trouble);
      queued_size_ -= queued_.front().size();
      queued_.pop_front();
      if (!queued_.empty()) write();
    });
  }

  static constexpr size_t kBufferKept = 1 << 20;

  const Url url_;
  const RpcOptions options_;
  WsInbox inbox_;
  std::mutex mutex_;
  std::condition_variable opened_;
  bool open_done_ = false;
  std::map<SubscriptionId, std::string> ends_;

  // The thread's own, once it runs.
  asio::io_context context_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_{context_.get_executor()};
  asio::ssl::context tls_{asio::ssl::context::tls_client};
  tcp::resolver resolver_{context_};
  Stream stream_;
  beast::flat_buffer buffer_;
  std::deque<std::string> queued_;
  size_t queued_size_ = 0;
  std::jthread thread_;
};

template <typename Stream>
Result<std::unique_ptr<Transport>> opened(Url url, const RpcOptions& options) {
  auto connection = std::make_unique<Connection<Stream>>(std::move(url), options);
  TRY_VOID(connection->open());
  return std::unique_ptr<Transport>(std::move(connection));
}

}  // namespace

Result<std::unique_ptr<Transport>> ws_transport(std::string_view text, const RpcOptions& options) {
  auto url = parse_url(text);
  if (!url) {
    return Error{Code::kInvalidArgument,
                 std::string(text) + " should be ws://host:port or wss://host:port"};
  }
  return url->tls ? opened<Tls>(*std::move(url), options) : opened<Plain>(*std::move(url), options);
}

}  // namespace chain::substrate
