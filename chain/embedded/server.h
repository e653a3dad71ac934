// A server for JSON-RPC over HTTP and WebSocket: one thread, one port, bounded in everything a
// stranger can ask for.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock.h"
#include "common/result.h"

namespace chain::embedded {

using common::Result;

struct ServerOptions {
  std::string host = "127.0.0.1";   // An address, not a name.
  uint16_t port = 9944;             // 0: any that is free.
  size_t body_size_max = 8u << 20;  // Of a request, or of a WebSocket message.
  size_t header_size_max = 16u << 10;
  size_t connections_max = 512;        // One more is closed at once.
  size_t unread_size_max = 16u << 20;  // A client that leaves more of its news unread is dropped.
  // A connection that says nothing for so long is closed; a WebSocket is asked first (ping).
  common::milliseconds idle{30'000};
};

// What one WebSocket client and we have to say to each other.
class Conversation {
 public:
  virtual ~Conversation() = default;
  // Appends to `out` what is to be sent back for one message.
  virtual void hear(std::string_view text, std::vector<std::string>& out) = 0;
  // Appends what has happened since it was last asked.
  virtual void news(std::vector<std::string>& out) = 0;
  // True if it wants to be asked for news again soon, whatever happens.
  virtual bool has_more() const = 0;
};

class Service {
 public:
  virtual ~Service() = default;
  // The answer to one request; empty if nobody waits for one.
  virtual std::string answer(std::string_view body) = 0;
  virtual std::unique_ptr<Conversation> converse() = 0;
  // Another number than before if conversations have news.
  virtual uint64_t news_version() = 0;
};

// A WebSocket upgrade anywhere begins a conversation; a POST is answered with 200 and what the
// service says to the body (204 for an empty answer); other methods 405, too large a body 413, what
// is not HTTP 400, a web page of another origin than this machine or polkadot.js.org 403.
// Connections are kept.
class Server {
 public:
  // Does what is due and says in how long it wants to be called again; nothing ends `run`.
  using Tick = std::function<std::optional<common::milliseconds>()>;

  // kUnavailable, in a sentence, for a port in use; kInvalidArgument for an address that is none.
  // `service` outlives it.
  static Result<Server> listen(const ServerOptions& options, Service& service);
  Server(Server&&) noexcept;
  Server& operator=(Server&&) noexcept;
  ~Server();

  uint16_t port() const;
  // Serves, and calls `tick` at once and then when it wants to be called, all in this thread.
  void run(const Tick& tick);

 private:
  struct Io;
  explicit Server(std::unique_ptr<Io> io);
  std::unique_ptr<Io> io_;
};

}  // namespace chain::embedded
