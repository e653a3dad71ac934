// An HTTP server for JSON-RPC: one thread, one port, bounded in everything a stranger can ask for.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/clock.h"
#include "common/result.h"

namespace chain::embedded {

using common::Result;

struct ServerOptions {
  std::string host = "127.0.0.1";  // An address, not a name.
  uint16_t port = 9944;            // 0: any that is free.
  size_t body_size_max = 8u << 20;
  size_t header_size_max = 16u << 10;
  size_t connections_max = 512;       // One more is closed at once.
  common::milliseconds idle{30'000};  // A connection that says nothing for so long is closed.
};

// POST anywhere is answered with 200 and what `answer` says to the body (204 for an empty answer);
// other methods 405, too large a body 413, what is not HTTP 400. Connections are kept.
class Server {
 public:
  using Answer = std::function<std::string(std::string_view body)>;
  // Does what is due and says in how long it wants to be called again; nothing ends `run`.
  using Tick = std::function<std::optional<common::milliseconds>()>;

  // kUnavailable, in a sentence, for a port in use; kInvalidArgument for an address that is none.
  static Result<Server> listen(const ServerOptions& options, Answer answer);
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
