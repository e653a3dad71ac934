#include "train/sealed.h"

#include <limits>

namespace train {
namespace {

using common::Bytes;
using common::ByteView;

constexpr uint32_t kMagic = 0x324C5353;  // "SSL2"

}  // namespace

Bytes Sealed::serialise() const {
  common::ByteWriter out;
  out.number(kMagic).number(window.index).number(sealed_size).raw(sealed_root.bytes);
  out.sized(claim).sized(receipt).sized(key);
  const common::Hash digest = common::blake2b_256(out.bytes());
  out.raw(digest.bytes);
  return std::move(out).bytes();
}

common::Result<Sealed> Sealed::parse(ByteView bytes) {
  constexpr size_t kAny = std::numeric_limits<uint32_t>::max();
  common::ByteReader in(bytes);
  const auto copy = [&in] {
    const ByteView part = in.sized(kAny);
    return Bytes(part.begin(), part.end());
  };
  Sealed sealed;
  const bool ours = in.number<uint32_t>() == kMagic;
  sealed.window.index = in.number<uint64_t>();
  sealed.sealed_size = in.number<uint64_t>();
  sealed.sealed_root.bytes = in.array<32>();
  sealed.claim = copy();
  sealed.receipt = copy();
  sealed.key = copy();
  const size_t hashed = bytes.size() - in.remaining();
  const common::Hash digest{in.array<32>()};
  if (!ours || !in.at_end() || digest != common::blake2b_256(bytes.first(hashed))) {
    return common::Error{common::Code::kCorrupt, "not a whole sealed contribution"};
  }
  return sealed;
}

Sealed make_sealed(const SealSummary& summary, const SealKey& key, const Receipt& receipt,
                   const Origin& origin, const common::Hash& base_root,
                   const common::Keypair& hotkey) {
  const Claim claim{.origin = origin,
                    .sealed_root = summary.sealed_root,
                    .sealed_size = summary.sealed_size,
                    .plain_hash = summary.plain_hash,
                    .base_root = base_root};
  return {.window = origin.window,
          .sealed_size = summary.sealed_size,
          .sealed_root = summary.sealed_root,
          .claim = sign(claim, hotkey),
          .receipt = receipt.serialise(),
          .key = sign(KeyReveal{origin, key}, hotkey)};
}

SealedBytes make_sealed(ByteView contribution, const Receipt& receipt, const Origin& origin,
                        const common::Hash& base_root, const common::Keypair& hotkey) {
  const SealKey key = make_seal_key();
  Bytes bytes = seal(contribution, key);
  const SealSummary summary = summarise(contribution, bytes, key);
  return {make_sealed(summary, key, receipt, origin, base_root, hotkey), std::move(bytes)};
}

}  // namespace train
