// A WebSocket server for tests, byte by byte, so that it can also do everything wrong.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

struct ssl_st;
struct ssl_ctx_st;

namespace chain::substrate {

// One client, seen from the server.
class WsPeer {
 public:
  WsPeer(int socket, ssl_ctx_st* tls);
  ~WsPeer();
  WsPeer(const WsPeer&) = delete;
  WsPeer& operator=(const WsPeer&) = delete;

  // Answers the opening handshake; false if it is none.
  bool open();
  // The next text; nothing when the client is gone. Pings are answered, pongs passed over.
  std::optional<std::string> read();
  void send(std::string_view text);
  // A frame's header as it should not be: so long, it says.
  void send_header(uint8_t opcode, uint64_t size);
  void send_raw(std::string_view bytes);

 private:
  bool take(void* into, size_t size);

  int socket_;
  ssl_st* tls_ = nullptr;
  bool alive_ = true;
};

class FakeWsNode {
 public:
  using Serve = std::function<void(WsPeer&)>;
  // Serves one client after another, each in a thread, until it is destroyed. `host`: speak TLS,
  // under a certificate for that name, made now.
  explicit FakeWsNode(Serve serve, const std::string& host = "");
  ~FakeWsNode();

  std::string url() const;
  uint16_t port() const { return port_; }
  int connections() const { return connections_; }
  // The certificate, as PEM.
  const std::string& certificate() const { return certificate_; }

 private:
  void accept_all();

  Serve serve_;
  std::string host_, certificate_;
  ssl_ctx_st* tls_ = nullptr;
  int socket_ = -1;
  uint16_t port_ = 0;
  std::atomic<int> connections_{0};
  std::vector<std::atomic<int>> open_;
  std::vector<std::thread> peers_;
  std::thread thread_;
};

}  // namespace chain::substrate
