#include "train/sealed.h"

#include <limits>

namespace train {
namespace {

using common::Bytes;
using common::ByteView;

constexpr uint32_t kMagic = 0x314C5353;  // "SSL1"

}  // namespace

Bytes Sealed::serialise() const {
  common::ByteWriter out;
  out.number(kMagic).number(window.index);
  out.sized(contribution).sized(claim).sized(receipt).sized(key);
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
  sealed.contribution = copy();
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

Sealed make_sealed(ByteView contribution, const Receipt& receipt, const Origin& origin,
                   const common::Hash& base_root, const common::Keypair& hotkey) {
  const SealKey key = make_seal_key();
  Sealed sealed;
  sealed.window = origin.window;
  sealed.contribution = seal(contribution, key);
  const Claim claim{.origin = origin,
                    .sealed_hash = common::blake2b_256(sealed.contribution),
                    .sealed_size = sealed.contribution.size(),
                    .plain_hash = common::blake2b_256_keyed(key, contribution),
                    .base_root = base_root};
  sealed.claim = sign(claim, hotkey);
  sealed.receipt = receipt.serialise();
  sealed.key = sign(KeyReveal{origin, key}, hotkey);
  return sealed;
}

}  // namespace train
