#include "common/crypto/secret_uri.h"

#include <algorithm>
#include <charconv>
#include <system_error>

#include "common/hash.h"

namespace common::crypto {
namespace {

constexpr size_t kUriSizeMax = 4096;

bool is_number(std::string_view text) {
  return text.find_first_not_of("0123456789") == std::string_view::npos;
}

// SCALE: the length as a compact number, then the bytes.  Pre: shorter than 2^14.
Bytes scale_text(std::string_view text) {
  ByteWriter out;
  if (text.size() < 64) {
    out.number(static_cast<uint8_t>(text.size() << 2));
  } else {
    out.number(static_cast<uint16_t>(text.size() << 2 | 1));
  }
  return std::move(out.raw(view_of(text))).bytes();
}

Result<ChainCode> chain_code(std::string_view junction) {
  const bool plus =
      junction.starts_with('+') && junction.size() > 1 && is_number(junction.substr(1));
  Bytes encoded;
  if (is_number(junction)) {
    uint64_t number = 0;
    const auto read = std::from_chars(junction.data(), junction.data() + junction.size(), number);
    if (read.ec != std::errc()) {
      return Error{Code::kInvalidArgument, "a junction that is a number must be below 2^64"};
    }
    encoded = ByteWriter().number(number).bytes();
  } else if (plus) {
    return Error{Code::kInvalidArgument,
                 "a junction that is a number is written without a plus sign"};
  } else {
    encoded = scale_text(junction);
  }
  ChainCode code{};
  if (encoded.size() > code.size()) return blake2b_256(encoded).bytes;
  std::ranges::copy(encoded, code.begin());
  return code;
}

}  // namespace

Result<SecretUri> parse_secret_uri(std::string_view uri) {
  if (uri.size() > kUriSizeMax) {
    return Error{Code::kInvalidArgument, "a secret URI has at most 4096 bytes"};
  }
  SecretUri out;
  out.phrase = uri.substr(0, uri.find('/'));
  uri.remove_prefix(out.phrase.size());
  while (!uri.empty()) {
    if (uri.starts_with("///")) {
      out.password = uri.substr(3);
      break;
    }
    const bool hard = uri.starts_with("//");
    uri.remove_prefix(hard ? 2 : 1);
    const std::string_view junction = uri.substr(0, uri.find('/'));
    if (junction.empty()) {
      return Error{Code::kInvalidArgument,
                   "a secret URI holds an empty junction: a name goes after / or //"};
    }
    TRY(const ChainCode code, chain_code(junction));
    out.junctions.push_back({hard, code});
    uri.remove_prefix(junction.size());
  }
  return out;
}

}  // namespace common::crypto
