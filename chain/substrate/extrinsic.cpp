#include "chain/substrate/extrinsic.h"

#include <algorithm>
#include <bit>
#include <limits>

namespace chain::substrate {
namespace {

using common::Code;
using common::Error;

constexpr uint8_t kVersionBare = 0x04;
constexpr uint8_t kVersionSigned = 0x84;
constexpr uint8_t kAddressId = 0x00;             // MultiAddress::Id
constexpr uint8_t kMetadataHashDisabled = 0x00;  // CheckMetadataHash's mode
constexpr uint8_t kNone = 0x00;                  // Option: no metadata hash in the payload.
constexpr size_t kPayloadRawMax = 256;  // Longer payloads are hashed before they are signed.

constexpr uint32_t kPeriodMin = 4;
constexpr uint32_t kPeriodMax = 1 << 16;

// Phases are kept in 12 bits, so long periods step by more than one block.
uint32_t quantum_of(uint32_t period) { return std::max<uint32_t>(period >> 12, 1); }

Bytes encode_extra(const Extra& extra) {
  Encoder out;
  out.raw(encode_era(extra.era)).compact(extra.nonce).compact(extra.tip);
  out.number(kMetadataHashDisabled);
  return std::move(out).done();
}

Error wrong(std::string_view part) {
  return {Code::kInvalidArgument, "extrinsic: " + std::string(part)};
}

Result<Extrinsic::Signed> decode_signed(Decoder& in) {
  Extrinsic::Signed out;
  if (in.number<uint8_t>() != kAddressId) return wrong("the signer's address is not an account id");
  out.account = in.account();
  if (!in.ok()) return wrong("it ends in the signer's account");
  const auto kind = in.number<uint8_t>();
  if (!in.ok()) return wrong("it ends before the signature");
  if (kind > static_cast<uint8_t>(SignatureKind::kSr25519)) {
    return wrong("signature kind " + std::to_string(kind) +
                 " is neither ed25519 (0) nor sr25519 (1)");
  }
  out.kind = static_cast<SignatureKind>(kind);
  out.signature = in.array<64>();
  if (!in.ok()) return wrong("it ends in the signature");
  out.extra.era = decode_era(in);
  if (!in.ok()) return wrong("the era is not one (CheckMortality)");
  out.extra.nonce = in.compact<uint32_t>();
  if (!in.ok()) return wrong("the nonce is not a compact u32 (CheckNonce)");
  out.extra.tip = in.compact<uint64_t>();
  if (!in.ok()) return wrong("the tip is not a compact u64 (ChargeTransactionPayment)");
  const auto mode = in.number<uint8_t>();
  if (!in.ok()) return wrong("it ends before the metadata mode (CheckMetadataHash)");
  if (mode != kMetadataHashDisabled) {
    return wrong("metadata mode " + std::to_string(mode) + " is not supported (CheckMetadataHash)");
  }
  return out;
}

}  // namespace

Era Era::mortal(uint32_t period, uint64_t block) {
  CHECK(std::has_single_bit(period) && period >= kPeriodMin && period <= kPeriodMax);
  const auto phase = static_cast<uint32_t>(block % period);
  return {period, phase / quantum_of(period) * quantum_of(period)};
}

uint64_t Era::birth(uint64_t current) const {
  if (period == 0) return 0;
  return (std::max<uint64_t>(current, phase) - phase) / period * period + phase;
}

uint64_t Era::death(uint64_t current) const {
  return period == 0 ? std::numeric_limits<uint64_t>::max() : birth(current) + period;
}

// Two bytes: the period's exponent less one in the low four bits, the phase in quanta above.
Bytes encode_era(const Era& era) {
  if (era.period == 0) return {0};
  const int exponent = std::clamp(std::countr_zero(era.period) - 1, 1, 15);
  const uint32_t quanta = era.phase / quantum_of(era.period);
  Encoder out;
  out.number(static_cast<uint16_t>(static_cast<uint32_t>(exponent) | quanta << 4));
  return std::move(out).done();
}

Era decode_era(Decoder& in) {
  const auto first = in.number<uint8_t>();
  if (first == 0) return {};
  const auto second = in.number<uint8_t>();
  const auto encoded = static_cast<uint32_t>(first) | static_cast<uint32_t>(second) << 8;
  const uint32_t period = 2u << (encoded & 15);
  const uint32_t phase = (encoded >> 4) * quantum_of(period);
  if (period < kPeriodMin || phase >= period) in.fail();
  return in.ok() ? Era{period, phase} : Era{};
}

Bytes signing_bytes(ByteView call, const Extra& extra, const SigningContext& context) {
  Encoder payload;
  payload.raw(call).raw(encode_extra(extra));
  payload.number(context.spec_version).number(context.transaction_version);
  payload.hash(context.genesis).hash(context.birth).number(kNone);
  if (payload.done().size() <= kPayloadRawMax) return std::move(payload).done();
  const Hash digest = common::blake2b_256(payload.done());
  return {digest.bytes.begin(), digest.bytes.end()};
}

Bytes encode_extrinsic(const Extrinsic& extrinsic) {
  Encoder body;
  if (const auto& signer = extrinsic.signer) {
    body.number(kVersionSigned).number(kAddressId).account(signer->account);
    body.number(static_cast<uint8_t>(signer->kind)).raw(signer->signature);
    body.raw(encode_extra(signer->extra));
  } else {
    body.number(kVersionBare);
  }
  body.raw(extrinsic.call);
  Encoder out;
  out.bytes(body.done());
  return std::move(out).done();
}

Result<Extrinsic> decode_extrinsic(ByteView bytes) {
  if (bytes.size() > kExtrinsicSizeMax) return wrong("it is longer than a block takes");
  Decoder in(bytes);
  const auto size = in.compact<uint32_t>();
  if (!in.ok()) return wrong("the length is not a compact u32");
  if (size != in.remaining()) {
    return wrong("it says " + std::to_string(size) + " bytes and has " +
                 std::to_string(in.remaining()));
  }
  const auto version = in.number<uint8_t>();
  if (!in.ok()) return wrong("it is empty");
  if (version != kVersionBare && version != kVersionSigned) {
    return wrong("version byte " + std::to_string(version) +
                 " is neither 4 (bare) nor 132 (signed)");
  }
  Extrinsic out;
  if (version == kVersionSigned) {
    TRY(out.signer, decode_signed(in));
  }
  if (in.remaining() < 2) return wrong("it ends before the call's two numbers");
  const ByteView call = in.raw(in.remaining());
  out.call.assign(call.begin(), call.end());
  return out;
}

Bytes sign_extrinsic(const Keypair& key, ByteView call, const Extra& extra,
                     const SigningContext& context) {
  const Signature signature = key.sign(signing_bytes(call, extra, context));
  return encode_extrinsic(
      {Extrinsic::Signed{key.account(), SignatureKind::kSr25519, signature, extra},
       Bytes(call.begin(), call.end())});
}

bool signature_holds(const Extrinsic& extrinsic, const SigningContext& context) {
  CHECK(extrinsic.signer.has_value());
  const auto& signer = *extrinsic.signer;
  const Bytes message = signing_bytes(extrinsic.call, signer.extra, context);
  return signer.kind == SignatureKind::kSr25519
             ? common::verify(signer.account, message, signer.signature)
             : common::verify_ed25519(signer.account, message, signer.signature);
}

Hash extrinsic_hash(ByteView bytes) { return common::blake2b_256(bytes); }

}  // namespace chain::substrate
