#include "common/crypto/secret_bytes.h"

#include <sodium.h>

#include <algorithm>
#include <utility>

#include "common/check.h"

namespace common::crypto {

void start_sodium() {
  static const int started = sodium_init();
  CHECK_MSG(started >= 0, "libsodium does not start");
}

SecretBytes::SecretBytes(size_t size) : size_(size) {
  start_sodium();
  bytes_.reset(static_cast<uint8_t*>(sodium_malloc(size)));
  CHECK_MSG(bytes_ != nullptr, "no memory for a secret");
  wipe(bytes());
}

SecretBytes SecretBytes::copy_of(ByteView bytes) {
  SecretBytes copy(bytes.size());
  std::ranges::copy(bytes, copy.bytes().begin());
  return copy;
}

SecretBytes::SecretBytes(SecretBytes&& other) noexcept
    : bytes_(std::move(other.bytes_)), size_(std::exchange(other.size_, 0)) {}

SecretBytes& SecretBytes::operator=(SecretBytes&& other) noexcept {
  bytes_ = std::move(other.bytes_);
  size_ = std::exchange(other.size_, 0);
  return *this;
}

void SecretBytes::shrink(size_t size) {
  CHECK(size <= size_);
  wipe(bytes().subspan(size));
  size_ = size;
}

// sodium_free wipes before it unmaps.
void SecretBytes::Free::operator()(uint8_t* bytes) const { sodium_free(bytes); }

std::optional<SecretBytes> secret_from_hex(std::string_view text, size_t size) {
  if (text.starts_with("0x")) text.remove_prefix(2);
  if (text.size() != 2 * size) return std::nullopt;
  SecretBytes out(size);
  size_t read = 0;
  const int failed =
      sodium_hex2bin(out.bytes().data(), size, text.data(), text.size(), nullptr, &read, nullptr);
  if (failed != 0 || read != size) return std::nullopt;
  return out;
}

void wipe(std::span<uint8_t> bytes) {
  if (!bytes.empty()) sodium_memzero(bytes.data(), bytes.size());
}

void wipe(std::string& text) {
  // Up to the capacity: what an earlier, longer value left behind goes too.
  text.resize(text.capacity());
  if (!text.empty()) sodium_memzero(text.data(), text.size());
  text.clear();
}

}  // namespace common::crypto
