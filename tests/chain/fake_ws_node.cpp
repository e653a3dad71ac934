#include "tests/chain/fake_ws_node.h"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "common/check.h"

namespace chain::substrate {
namespace {

constexpr size_t kConnectionsMax = 64;

// What the server says to Sec-WebSocket-Key (RFC 6455, 4.2.2).
std::string accept_of(const std::string& key) {
  const std::string text = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, 20> digest;
  CHECK(EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha1(), nullptr) == 1);
  std::array<unsigned char, 32> encoded;
  const int size = EVP_EncodeBlock(encoded.data(), digest.data(), digest.size());
  return {reinterpret_cast<char*>(encoded.data()), static_cast<size_t>(size)};
}

// A self-signed certificate for `host`.
ssl_ctx_st* make_tls(const std::string& host, std::string& pem) {
  SSL_CTX* tls = SSL_CTX_new(TLS_server_method());
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  CHECK(tls != nullptr && key != nullptr && certificate != nullptr);
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_set_pubkey(certificate, key);
  X509_NAME* name = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(host.c_str()), -1, -1, 0);
  X509_set_issuer_name(certificate, name);
  const std::string names = "DNS:" + host;
  X509_EXTENSION* extension =
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names.c_str());
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
  CHECK(X509_sign(certificate, key, EVP_sha256()) > 0);
  CHECK(SSL_CTX_use_certificate(tls, certificate) == 1);
  CHECK(SSL_CTX_use_PrivateKey(tls, key) == 1);
  BIO* out = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(out, certificate);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out, &data);
  pem.assign(data, static_cast<size_t>(size));
  BIO_free(out);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return tls;
}

}  // namespace

WsPeer::WsPeer(int socket, ssl_ctx_st* tls) : socket_(socket) {
  if (tls == nullptr) return;
  tls_ = SSL_new(tls);
  SSL_set_fd(tls_, socket_);
  alive_ = SSL_accept(tls_) == 1;
}

WsPeer::~WsPeer() {
  if (tls_ != nullptr) SSL_free(tls_);
}

bool WsPeer::take(void* into, size_t size) {
  auto* at = static_cast<char*>(into);
  while (alive_ && size > 0) {
    const ssize_t got =
        tls_ != nullptr ? SSL_read(tls_, at, static_cast<int>(size)) : recv(socket_, at, size, 0);
    alive_ = got > 0;
    if (alive_) {
      at += got;
      size -= static_cast<size_t>(got);
    }
  }
  return alive_;
}

void WsPeer::send_raw(std::string_view bytes) {
  while (alive_ && !bytes.empty()) {
    const ssize_t sent = tls_ != nullptr
                             ? SSL_write(tls_, bytes.data(), static_cast<int>(bytes.size()))
                             : ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    alive_ = sent > 0;
    if (alive_) bytes.remove_prefix(static_cast<size_t>(sent));
  }
}

bool WsPeer::open() {
  std::string request;
  while (!request.ends_with("\r\n\r\n")) {
    char c = 0;
    if (request.size() > 4096 || !take(&c, 1)) return false;
    request += c;
  }
  const std::string sign = "Sec-WebSocket-Key: ";
  const size_t at = request.find(sign);
  if (at == std::string::npos) return false;
  const size_t begin = at + sign.size();
  const std::string key = request.substr(begin, request.find("\r\n", begin) - begin);
  send_raw(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: " +
      accept_of(key) + "\r\n\r\n");
  return alive_;
}

void WsPeer::send_header(uint8_t opcode, uint64_t size) {
  std::string header(1, static_cast<char>(0x80 | opcode));
  const int bytes = size < 126 ? 0 : size < 65'536 ? 2 : 8;
  header += static_cast<char>(bytes == 0 ? size : bytes == 2 ? 126 : 127);
  for (int i = bytes; i-- > 0;) header += static_cast<char>(size >> 8 * i);
  send_raw(header);
}

void WsPeer::send(std::string_view text) {
  send_header(1, text.size());
  send_raw(text);
}

std::optional<std::string> WsPeer::read() {
  for (;;) {
    std::array<uint8_t, 2> head;
    if (!take(head.data(), head.size())) return std::nullopt;
    uint64_t size = head[1] & 0x7F;
    const size_t more = size == 126 ? 2 : size == 127 ? 8 : 0;
    if (more > 0) size = 0;
    for (size_t i = 0; i < more; ++i) {
      uint8_t byte = 0;
      if (!take(&byte, 1)) return std::nullopt;
      size = size << 8 | byte;
    }
    std::array<char, 4> mask;
    if (!take(mask.data(), mask.size())) return std::nullopt;
    std::string text(size, '\0');
    if (!take(text.data(), text.size())) return std::nullopt;
    for (size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(text[i] ^ mask[i % 4]);
    const int opcode = head[0] & 0x0F;
    if (opcode == 8) return std::nullopt;
    if (opcode == 1) return text;
    if (opcode == 9) {
      send_header(10, text.size());
      send_raw(text);
    }
  }
}

FakeWsNode::FakeWsNode(Serve serve, const std::string& host)
    : serve_(std::move(serve)), host_(host), open_(kConnectionsMax) {
  if (!host.empty()) tls_ = make_tls(host, certificate_);
  socket_ = socket(AF_INET, SOCK_STREAM, 0);
  const int yes = 1;
  setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  CHECK(bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  CHECK(listen(socket_, 16) == 0);
  socklen_t size = sizeof address;
  CHECK(getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { accept_all(); });
}

FakeWsNode::~FakeWsNode() {
  shutdown(socket_, SHUT_RDWR);
  close(socket_);
  thread_.join();
  for (int i = 0; i < connections_; ++i) {
    const int peer = open_[static_cast<size_t>(i)];
    if (peer >= 0) shutdown(peer, SHUT_RDWR);
  }
  for (std::thread& peer : peers_) peer.join();
  if (tls_ != nullptr) SSL_CTX_free(tls_);
}

void FakeWsNode::accept_all() {
  for (size_t i = 0; i < kConnectionsMax; ++i) {
    const int peer = accept(socket_, nullptr, nullptr);
    if (peer < 0) return;
    open_[i] = peer;
    ++connections_;
    peers_.emplace_back([this, i, peer] {
      {
        WsPeer it(peer, tls_);
        if (it.open()) serve_(it);
      }
      shutdown(peer, SHUT_RDWR);
      open_[i] = -1;
      close(peer);
    });
  }
}

std::string FakeWsNode::url() const {
  return host_.empty() ? "ws://127.0.0.1:" + std::to_string(port_)
                       : "wss://localhost:" + std::to_string(port_);
}

}  // namespace chain::substrate
