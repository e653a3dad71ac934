// A sealed chunk that two keys open, to two texts: what Poly1305 allows and a claim must forbid.
//
// A tag is h + s mod 2^128, where h is the polynomial of the ciphertext's blocks at r, mod
// p = 2^130 - 5, and (r, s) are the key's. So with one block left free, two keys' tags being equal
// is a linear equation. Source: Dodis, Grubbs, Ristenpart, Woodage 2018, "Fast message franking".
#pragma once

#include <sodium.h>

#include <algorithm>
#include <array>
#include <boost/multiprecision/cpp_int.hpp>
#include <string>

#include "common/check.h"
#include "common/hash.h"
#include "train/seal.h"

namespace train {

namespace two_keys {

using Number = boost::multiprecision::number<boost::multiprecision::cpp_int_backend<>,
                                             boost::multiprecision::et_off>;

inline const Number& prime() {
  static const Number p = (Number(1) << 130) - 5;
  return p;
}
inline const Number kBlockEnd = Number(1) << 128;

inline Number number_of(common::ByteView little_endian) {
  Number made = 0;
  for (size_t i = little_endian.size(); i-- > 0;) made = (made << 8) | little_endian[i];
  return made;
}
inline void write(Number number, std::span<uint8_t> out) {
  for (uint8_t& byte : out) {
    byte = static_cast<uint8_t>(number & 0xFF);
    number >>= 8;
  }
}

// Of the only chunk of an object, under one key.
struct OneTime {
  Number r;
  Number s;

  explicit OneTime(const SealKey& key) {
    const std::string label = "muster seal v2 chacha20-poly1305";
    const auto cipher_key = common::blake2b_256_keyed(key, common::view_of(label)).bytes;
    std::array<uint8_t, 12> nonce{};
    nonce[11] = 1;
    std::array<uint8_t, 32> block{};
    crypto_stream_chacha20_ietf(block.data(), block.size(), nonce.data(), cipher_key.data());
    for (const size_t i : {3, 7, 11, 15}) block[i] &= 15;
    for (const size_t i : {4, 8, 12}) block[i] &= 252;
    r = number_of(common::ByteView(block).first(16));
    s = number_of(common::ByteView(block).last(16));
  }
  // h of these blocks.
  Number hash(std::span<const Number> blocks) const {
    Number h = 0;
    for (const Number& block : blocks) h = (h + block + kBlockEnd) * r % prime();
    return h;
  }
};

}  // namespace two_keys

// `blocks` of 16 bytes, two at least, and a tag.
inline common::Bytes sealed_for_two(const SealKey& one, const SealKey& other, size_t blocks) {
  using two_keys::Number;
  const Number& p = two_keys::prime();
  const two_keys::OneTime a(one);
  const two_keys::OneTime b(other);
  // The first is free, the last says how long it is: no other data, and 16 bytes a block.
  std::vector<Number> all(blocks + 1, 7);
  all.back() = Number(16 * blocks) << 64;
  for (uint64_t attempt = 0; attempt < 10'000; ++attempt) {
    all[1] = attempt;
    all[0] = -two_keys::kBlockEnd;  // With its end mark nothing: the sum of the rest.
    const auto power = static_cast<unsigned>(all.size());
    const Number slope = (boost::multiprecision::powm(a.r, power, p) -
                          boost::multiprecision::powm(b.r, power, p) + p) %
                         p;
    const Number rest = ((b.hash(all) + b.s - a.hash(all) - a.s) % p + p) % p;
    const Number inverse = boost::multiprecision::powm(slope, p - 2, p);
    all[0] = rest * inverse % p - two_keys::kBlockEnd;
    if (all[0] < 0 || all[0] >= two_keys::kBlockEnd) continue;  // Is no block.
    const Number tag = (a.hash(all) + a.s) % two_keys::kBlockEnd;
    if (tag != (b.hash(all) + b.s) % two_keys::kBlockEnd) continue;
    common::Bytes sealed(16 * blocks + kSealTag);
    for (size_t i = 0; i < blocks; ++i) {
      two_keys::write(all[i], std::span(sealed).subspan(16 * i, 16));
    }
    two_keys::write(tag, std::span(sealed).last(kSealTag));
    return sealed;
  }
  CHECK_MSG(false, "no block solves it");
  return {};
}

}  // namespace train
