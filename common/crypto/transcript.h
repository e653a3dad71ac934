// A Merlin transcript: what was said so far, in one sponge, from which challenges are drawn.
//
// Source: merlin.cool (Merlin v1.0 over STROBE-128, strobe.sourceforge.io, version 1.0.2).
#pragma once

#include <span>
#include <string_view>

#include "common/bytes.h"
#include "common/crypto/keccak.h"

namespace common::crypto {

// Labels are part of the protocol; messages are any bytes shorter than 4 GiB. Wiped by the
// destructor, because secret keys are absorbed when a hard junction is derived.
class Transcript {
 public:
  explicit Transcript(std::string_view label);
  ~Transcript();
  Transcript(const Transcript&) = delete;
  Transcript& operator=(const Transcript&) = delete;

  Transcript& append(std::string_view label, ByteView message);
  // Fills `out`; what is drawn becomes part of the transcript.
  void challenge(std::string_view label, std::span<uint8_t> out);

 private:
  enum class More : bool { kNo, kYes };

  void begin(uint8_t flags);
  void meta(ByteView bytes, More more);
  void frame(std::string_view label, size_t size);
  void absorb(ByteView bytes);
  void permute();
  uint8_t* state() { return reinterpret_cast<uint8_t*>(lanes_.data()); }

  KeccakState lanes_{};
  uint8_t at_ = 0;     // Where the next byte goes, below the rate.
  uint8_t begun_ = 0;  // Where the operation under way began, plus one; 0: in an earlier block.
};

}  // namespace common::crypto
