#include "chain/substrate/scale.h"
#include "chain/timelock/timelock.h"

namespace chain::timelock {
namespace {

constexpr size_t kUidsMax = 65535;

void read_weights(substrate::Decoder& in, WeightsPayload& out) {
  out.uids = in.numbers<uint16_t>(kUidsMax);
  out.values = in.numbers<uint16_t>(kUidsMax);
  out.version_key = in.number<uint64_t>();
}

uint64_t saturating_product(uint64_t a, uint64_t b) {
  uint64_t out = 0;
  return __builtin_mul_overflow(a, b, &out) ? UINT64_MAX : out;
}

uint64_t saturating_sum(uint64_t a, uint64_t b) {
  uint64_t out = 0;
  return __builtin_add_overflow(a, b, &out) ? UINT64_MAX : out;
}

}  // namespace

Bytes WeightsPayload::encode() const {
  substrate::Encoder out;
  if (hotkey) out.bytes(hotkey->bytes);
  out.numbers(uids).numbers(values).number(version_key);
  return std::move(out).done();
}

Checked<WeightsPayload> WeightsPayload::decode(ByteView bytes, const common::AccountId& signer) {
  WeightsPayload payload;
  substrate::Decoder in(bytes);
  // The runtime takes the first 32 bytes of however many; with fewer it tries the older form.
  substrate::Decoder hotkey(in.bytes(bytes.size()));
  const common::AccountId named = hotkey.account();
  read_weights(in, payload);
  if (in.ok() && hotkey.ok()) {
    if (named != signer) return tl::unexpected(Fault::kOtherHotkey);
    payload.hotkey = named;
    return payload;
  }
  substrate::Decoder older(bytes);
  read_weights(older, payload);
  if (!older.ok()) return tl::unexpected(Fault::kNoPayload);
  return payload;
}

uint64_t first_reveal_block(uint64_t next_epoch_block, uint16_t tempo, uint64_t reveal_period) {
  const uint64_t more = reveal_period == 0 ? 0 : reveal_period - 1;
  return saturating_sum(next_epoch_block, saturating_product(more, tempo));
}

uint64_t first_reveal_block_293(uint64_t block, uint16_t netuid, uint16_t tempo,
                                uint64_t reveal_period) {
  const uint64_t length = uint64_t{tempo} + 1;
  const uint64_t shift = uint64_t{netuid} + 1;
  const uint64_t epoch = saturating_sum(block, shift) / length;
  return saturating_product(saturating_sum(epoch, reveal_period), length) - shift;
}

uint64_t reveal_round(const Beacon& beacon, uint64_t now_ms, uint64_t block, uint64_t first_reveal,
                      uint64_t block_ms) {
  const uint64_t aim = saturating_sum(first_reveal, kSafetyBlocks);
  const uint64_t blocks = aim > block ? aim - block : 0;
  return beacon.round_at(saturating_sum(now_ms, saturating_product(blocks, block_ms)) / 1000);
}

}  // namespace chain::timelock
