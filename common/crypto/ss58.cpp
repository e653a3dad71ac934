#include "common/crypto/ss58.h"

#include <algorithm>

#include "common/hash.h"

namespace common::crypto {
namespace {

constexpr std::string_view kAlphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
constexpr size_t kBase58SizeMax = 128;

constexpr uint8_t kPrefix = 42;  // "Any Substrate network", and Bittensor's.
constexpr size_t kBodySize = 33;
constexpr size_t kChecksumSize = 2;

// digits = digits * from + carry in base `to`, the least digit first.
void push_digit(Bytes& digits, uint32_t carry, uint32_t from, uint32_t to) {
  for (uint8_t& digit : digits) {
    carry += digit * from;
    digit = static_cast<uint8_t>(carry % to);
    carry /= to;
  }
  for (; carry != 0; carry /= to) digits.push_back(static_cast<uint8_t>(carry % to));
}

std::array<uint8_t, kChecksumSize> checksum(ByteView body) {
  const auto digest = blake2b<64>(ByteWriter().raw(view_of("SS58PRE")).raw(body).bytes());
  return {digest[0], digest[1]};
}

}  // namespace

std::string to_base58(ByteView bytes) {
  Bytes digits;
  for (const uint8_t byte : bytes) push_digit(digits, byte, 256, 58);
  // A leading zero byte is a leading "1".
  const auto first = std::ranges::find_if(bytes, [](uint8_t byte) { return byte != 0; });
  std::string text(static_cast<size_t>(first - bytes.begin()), kAlphabet[0]);
  for (size_t i = digits.size(); i-- > 0;) text += kAlphabet[digits[i]];
  return text;
}

std::optional<Bytes> from_base58(std::string_view text) {
  if (text.size() > kBase58SizeMax) return std::nullopt;
  Bytes bytes;
  for (const char c : text) {
    const size_t digit = kAlphabet.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    push_digit(bytes, static_cast<uint32_t>(digit), 58, 256);
  }
  const size_t zeros = std::min(text.find_first_not_of(kAlphabet[0]), text.size());
  bytes.insert(bytes.end(), zeros, 0);
  std::ranges::reverse(bytes);
  return bytes;
}

std::string to_ss58(const std::array<uint8_t, 32>& account) {
  Bytes bytes = ByteWriter().number(kPrefix).raw(account).bytes();
  const auto sum = checksum(bytes);
  bytes.insert(bytes.end(), sum.begin(), sum.end());
  return to_base58(bytes);
}

std::optional<std::array<uint8_t, 32>> from_ss58(std::string_view text) {
  const auto bytes = from_base58(text);
  if (!bytes || bytes->size() != kBodySize + kChecksumSize) return std::nullopt;
  const ByteView body = ByteView(*bytes).first(kBodySize);
  if (body[0] != kPrefix) return std::nullopt;
  if (!std::ranges::equal(checksum(body), ByteView(*bytes).subspan(kBodySize))) return std::nullopt;
  std::array<uint8_t, 32> account;
  std::ranges::copy(body.subspan(1), account.begin());
  return account;
}

}  // namespace common::crypto
