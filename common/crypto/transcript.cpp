#include "common/crypto/transcript.h"

#include <sodium.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "common/check.h"

namespace common::crypto {
namespace {

constexpr uint8_t kRate = 166;  // 200 - 2 * 128 / 8 bytes of capacity, less 2 of STROBE's padding.

// STROBE's operation flags.
constexpr uint8_t kInbound = 1;
constexpr uint8_t kApplication = 2;
constexpr uint8_t kCipher = 4;
constexpr uint8_t kMeta = 16;

}  // namespace

Transcript::Transcript(std::string_view label) {
  constexpr uint8_t kDomain[] = {1, kRate + 2, 1, 0, 1, 12 * 8};
  std::ranges::copy(kDomain, state());
  std::ranges::copy(view_of("STROBEv1.0.2"), state() + sizeof kDomain);
  keccak_f1600(lanes_);
  meta(view_of("Merlin v1.0"), More::kNo);
  append("dom-sep", view_of(label));
}

Transcript::~Transcript() { sodium_memzero(lanes_.data(), sizeof lanes_); }

Transcript& Transcript::append(std::string_view label, ByteView message) {
  frame(label, message.size());
  begin(kApplication);
  absorb(message);
  return *this;
}

void Transcript::challenge(std::string_view label, std::span<uint8_t> out) {
  frame(label, out.size());
  begin(kInbound | kApplication | kCipher);
  for (uint8_t& byte : out) {
    byte = std::exchange(state()[at_], uint8_t{0});
    if (++at_ == kRate) permute();
  }
}

// Both ends of a message are said before it: its label and its length.
void Transcript::frame(std::string_view label, size_t size) {
  CHECK(size <= std::numeric_limits<uint32_t>::max());
  meta(view_of(label), More::kNo);
  meta(ByteWriter().number(static_cast<uint32_t>(size)).bytes(), More::kYes);
}

void Transcript::meta(ByteView bytes, More more) {
  if (more == More::kNo) begin(kMeta | kApplication);
  absorb(bytes);
}

void Transcript::begin(uint8_t flags) {
  const uint8_t header[] = {begun_, flags};
  begun_ = static_cast<uint8_t>(at_ + 1);
  absorb(header);
  if ((flags & kCipher) != 0 && at_ != 0) permute();
}

void Transcript::absorb(ByteView bytes) {
  for (const uint8_t byte : bytes) {
    state()[at_] ^= byte;
    if (++at_ == kRate) permute();
  }
}

void Transcript::permute() {
  state()[at_] ^= begun_;
  state()[at_ + 1] ^= 0x04;
  state()[kRate + 1] ^= 0x80;
  keccak_f1600(lanes_);
  at_ = 0;
  begun_ = 0;
}

}  // namespace common::crypto
