// Memory for secrets: fenced off, kept out of swap where the system lets us, wiped when it goes.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "common/bytes.h"

namespace common::crypto {

// Starts libsodium, once a process. Whatever calls for randomness or guarded memory calls this
// first.
void start_sodium();

// Bytes between guard pages (sodium_malloc), zero at first. Move only; the destructor wipes them.
// Cost: four pages and some system calls each, so not for many small things.
class SecretBytes {
 public:
  explicit SecretBytes(size_t size);
  static SecretBytes copy_of(ByteView bytes);
  static SecretBytes copy_of(std::string_view text) { return copy_of(view_of(text)); }

  SecretBytes(SecretBytes&& other) noexcept;
  SecretBytes& operator=(SecretBytes&& other) noexcept;
  ~SecretBytes() = default;

  size_t size() const { return size_; }
  std::span<uint8_t> bytes() { return {bytes_.get(), size_}; }
  ByteView view() const { return {bytes_.get(), size_}; }
  std::string_view text() const { return text_of(view()); }
  // Forgets all but the first `size` bytes.  Pre: size <= this->size().
  void shrink(size_t size);

 private:
  struct Free {
    void operator()(uint8_t* bytes) const;
  };
  std::unique_ptr<uint8_t, Free> bytes_;
  size_t size_ = 0;
};

// Exactly `size` bytes as hex digits of either case, with or without 0x; in constant time.
std::optional<SecretBytes> secret_from_hex(std::string_view text, size_t size);

// Zeros that the compiler may not leave out.
void wipe(std::span<uint8_t> bytes);
void wipe(std::string& text);

}  // namespace common::crypto
