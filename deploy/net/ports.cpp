#include "deploy/net/ports.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

namespace deploy {
namespace {

// The port that the kernel gives for `wanted` (0: any); 0 if it gives none.
uint16_t bound_port(uint16_t wanted) {
  const int socket_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket_fd < 0) return 0;
  const int yes = 1;  // Connections of a program that has just ended do not matter.
  setsockopt(socket_fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(wanted);
  socklen_t size = sizeof address;
  const bool bound = bind(socket_fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                     listen(socket_fd, 1) == 0 &&
                     getsockname(socket_fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  close(socket_fd);
  return bound ? ntohs(address.sin_port) : uint16_t{0};
}

}  // namespace

common::Result<uint16_t> free_port() {
  const uint16_t port = bound_port(0);
  if (port != 0) return port;
  return common::Error{common::Code::kIo, "no free port on 127.0.0.1; name one with --port"};
}

common::Result<void> check_port(uint16_t port) {
  if (bound_port(port) != 0) return {};
  return common::Error{common::Code::kUnavailable,
                       "port " + std::to_string(port) +
                           " on 127.0.0.1 is in use or not allowed; name another with --port, or "
                           "leave it out for a free one"};
}

}  // namespace deploy
