// SCALE, the chain's byte format: written one way only, and read so that no second way is accepted.
//
// Source: the Substrate documentation, "SCALE codec". Integers are little-endian.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "common/bytes.h"
#include "common/hash.h"
#include "common/keys.h"

namespace chain::substrate {

using common::AccountId;
using common::Bytes;
using common::ByteView;
using common::Hash;

__extension__ typedef unsigned __int128 Uint128;  // __extension__: ISO C++ has no such type.

// Appends to one buffer.
class Encoder {
 public:
  template <typename T>
  requires std::integral<T> Encoder& number(T value) {
    if constexpr (std::same_as<T, bool>) return number(static_cast<uint8_t>(value));
    return raw({reinterpret_cast<const uint8_t*>(&value), sizeof(T)});
  }
  Encoder& number128(Uint128 value);
  // Compact<uN>: 1, 2, 4 or 5 to 17 bytes, the shortest that holds the value.
  Encoder& compact(Uint128 value);
  // The bytes as they are: a hash, an account, something encoded before.
  Encoder& raw(ByteView bytes);
  Encoder& account(const AccountId& account) { return raw(account.bytes); }
  Encoder& hash(const Hash& hash) { return raw(hash.bytes); }
  // Vec<u8>, String: a compact length, then the bytes.
  Encoder& bytes(ByteView bytes);
  Encoder& text(std::string_view text) { return bytes(common::view_of(text)); }
  // Vec<T>: a compact count, then `item(*this, element)` for each.
  template <typename Range, typename Item>
  Encoder& sequence(const Range& range, Item item) {
    compact(range.size());
    for (const auto& element : range) item(*this, element);
    return *this;
  }
  // Vec<uN>, Vec<bool>.
  template <typename T>
  requires std::integral<T> Encoder& numbers(const std::vector<T>& values) {
    return sequence(values, [](Encoder& out, T value) { out.number(value); });
  }
  template <typename T, typename Item>
  Encoder& option(const std::optional<T>& value, Item item) {
    number(value.has_value());
    if (value) item(*this, *value);
    return *this;
  }

  const Bytes& done() const& { return bytes_; }
  Bytes done() && { return std::move(bytes_); }

 private:
  Bytes bytes_;
};

// Reads forward. What is not the one encoding of a value (past the end, a compact that could be
// shorter, a bool that is neither 0 nor 1, a count over its bound) fails, and stays failed, and
// yields zeros, so that all fields can be read and one question asked: `at_end()`. Nothing is
// allocated before its length is known to be there.
class Decoder {
 public:
  explicit Decoder(ByteView bytes) : rest_(bytes) {}

  template <typename T>
  requires std::integral<T> T number() {
    if constexpr (std::same_as<T, bool>) {
      const auto byte = number<uint8_t>();
      if (byte > 1) fail();
      return byte == 1;
    } else {
      T value{};
      const ByteView bytes = raw(sizeof(T));
      if (bytes.size() == sizeof(T)) std::memcpy(&value, bytes.data(), sizeof(T));
      return value;
    }
  }
  Uint128 number128();
  Uint128 compact128();
  // A compact that must fit a T; the default is what balances use.
  template <typename T = uint64_t>
  requires std::unsigned_integral<T> T compact() {
    const Uint128 value = compact128();
    if (value > static_cast<Uint128>(static_cast<T>(~T{0}))) fail();
    return ok_ ? static_cast<T>(value) : T{};
  }
  // The next `size` bytes, not copied; empty if there are not as many.
  ByteView raw(size_t size);
  AccountId account();
  Hash hash();
  template <size_t N>
  std::array<uint8_t, N> array() {
    std::array<uint8_t, N> out{};
    const ByteView bytes = raw(N);
    if (bytes.size() == N) std::memcpy(out.data(), bytes.data(), N);
    return out;
  }
  // Vec<u8> of at most `size_max`, not copied.
  ByteView bytes(size_t size_max);
  std::string text(size_t size_max) { return std::string(common::text_of(bytes(size_max))); }
  // The count of a Vec whose items take at least `item_size_min` bytes: 0 (and failed) if it is
  // over `count_max` or the rest cannot hold as many.
  size_t count(size_t count_max, size_t item_size_min);
  // Vec<T> of at most `count_max` items, each read by `item(*this)`.
  template <typename Item>
  auto sequence(size_t count_max, size_t item_size_min, Item item) {
    std::vector<std::invoke_result_t<Item, Decoder&>> out;
    const size_t size = count(count_max, item_size_min);
    out.reserve(size);
    for (size_t i = 0; i < size && ok_; ++i) out.push_back(item(*this));
    if (!ok_) out.clear();
    return out;
  }
  // Vec<uN>, Vec<bool>.
  template <typename T>
  requires std::integral<T> std::vector<T> numbers(size_t count_max) {
    return sequence(count_max, sizeof(T), [](Decoder& in) { return in.number<T>(); });
  }
  template <typename Item>
  auto option(Item item) -> std::optional<std::invoke_result_t<Item, Decoder&>> {
    if (!number<bool>()) return std::nullopt;
    return item(*this);
  }

  size_t remaining() const { return rest_.size(); }
  bool ok() const { return ok_; }
  // Everything was read, and everything was right.
  bool at_end() const { return ok_ && rest_.empty(); }
  // For a decoder that found a field wrong: the whole reading has failed.
  void fail() { ok_ = false; }

 private:
  ByteView rest_;
  bool ok_ = true;
};

}  // namespace chain::substrate
