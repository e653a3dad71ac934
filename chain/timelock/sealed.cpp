#include "chain/timelock/sealed.h"

#include <algorithm>

#include "chain/timelock/timelock.h"

namespace chain::timelock {
namespace {

// The `tle` crate writes this name and does not look at it when it reads; nor does it mind bytes
// behind the last field. We take nothing but what it writes: one ciphertext, one encoding.
constexpr std::string_view kCipher = "AES_GCM_";
constexpr size_t kLengthSize = 8;

// A length that is known before it is read.
void expect(common::ByteReader& reader, size_t length) {
  if (reader.number<uint64_t>() != length) reader.fail();
}

}  // namespace

common::Bytes Sealed::serialise() const {
  const auto length = [](size_t size) { return static_cast<uint64_t>(size); };
  common::ByteWriter out;
  out.raw(u);
  out.number(length(v.size())).raw(v);
  out.number(length(w.size())).raw(w);
  out.number(length(2 * kLengthSize + body.size() + nonce.size()));
  out.number(length(body.size())).raw(body);
  out.number(length(nonce.size())).raw(nonce);
  out.number(length(kCipher.size())).raw(common::view_of(kCipher));
  return std::move(out).bytes();
}

Checked<Sealed> Sealed::parse(common::ByteView bytes) {
  if (bytes.size() < kCiphertextOverhead || bytes.size() > kCiphertextSizeMax) {
    return tl::unexpected(Fault::kLength);
  }
  common::ByteReader reader(bytes);
  Sealed out;
  const size_t body_size = bytes.size() - kCiphertextOverhead + kTagSize;
  out.u = reader.array<bls381::kG2Size>();
  expect(reader, out.v.size());
  out.v = reader.array<32>();
  expect(reader, out.w.size());
  out.w = reader.array<32>();
  expect(reader, 2 * kLengthSize + body_size + out.nonce.size());
  expect(reader, body_size);
  out.body = reader.raw(body_size);
  expect(reader, out.nonce.size());
  out.nonce = reader.array<12>();
  expect(reader, kCipher.size());
  const common::ByteView cipher = reader.raw(kCipher.size());
  if (!reader.at_end() || common::text_of(cipher) != kCipher) {
    return tl::unexpected(Fault::kFraming);
  }
  return out;
}

}  // namespace chain::timelock
