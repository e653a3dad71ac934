// Bytes of strangers, read within bounds; bytes of ours, written one way only. Little-endian.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace common {

using Bytes = std::vector<uint8_t>;
using ByteView = std::span<const uint8_t>;

static_assert(std::endian::native == std::endian::little,
              "the wire is little-endian, and so are we");

inline ByteView view_of(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}
inline std::string_view text_of(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Appends to one buffer.
class ByteWriter {
 public:
  template <typename T>
  requires std::is_arithmetic_v<T> ByteWriter& number(T value) {
    // Not insert: g++ 12 warns of an overflow in it that cannot be (stringop-overflow).
    const size_t at = bytes_.size();
    bytes_.resize(at + sizeof(T));
    std::memcpy(bytes_.data() + at, &value, sizeof(T));
    return *this;
  }
  ByteWriter& raw(ByteView bytes) {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    return *this;
  }
  // A length (u32), then the bytes.  Pre: shorter than 4 GiB.
  ByteWriter& sized(ByteView bytes);

  const Bytes& bytes() const& { return bytes_; }
  Bytes bytes() && { return std::move(bytes_); }

 private:
  Bytes bytes_;
};

// Reads forward. A read past the end fails and stays failed, and yields zeros or empty views, so
// that a decoder can read all fields and ask once:
//
//   const auto window = reader.number<uint64_t>();
//   const ByteView body = reader.sized(kBodySizeMax);
//   if (!reader.at_end()) return Verdict::kMalformed;
class ByteReader {
 public:
  explicit ByteReader(ByteView bytes) : rest_(bytes) {}

  template <typename T>
  requires std::is_arithmetic_v<T> T number() {
    T value{};
    const ByteView bytes = raw(sizeof(T));
    if (bytes.size() == sizeof(T)) std::memcpy(&value, bytes.data(), sizeof(T));
    return value;
  }
  // The next `size` bytes, not copied.
  ByteView raw(size_t size);
  // Reads what `ByteWriter::sized` wrote; a length over `size_max` fails.
  ByteView sized(size_t size_max);
  // Copies into a fixed array such as a hash.
  template <size_t N>
  std::array<uint8_t, N> array() {
    std::array<uint8_t, N> out{};
    const ByteView bytes = raw(N);
    if (bytes.size() == N) std::memcpy(out.data(), bytes.data(), N);
    return out;
  }

  size_t remaining() const { return rest_.size(); }
  bool ok() const { return ok_; }
  // Everything was read, and nothing was read past the end.
  bool at_end() const { return ok_ && rest_.empty(); }
  // For a decoder that found a field wrong: the whole reading has failed.
  void fail() { ok_ = false; }

 private:
  ByteView rest_;
  bool ok_ = true;
};

// "0a1b", lower case, no prefix.
std::string to_hex(ByteView bytes);
// Accepts an optional 0x and either case; nothing for an odd length or another character.
std::optional<Bytes> from_hex(std::string_view text);

}  // namespace common
