#include "chain/embedded/block.h"

#include "chain/substrate/extrinsic.h"
#include "common/hash.h"

namespace chain::embedded {
namespace {

using substrate::Decoder;
using substrate::Encoder;

constexpr std::array<uint8_t, 4> kAura = {'a', 'u', 'r', 'a'};
constexpr uint8_t kSealItem = 5;
constexpr uint8_t kPreRuntimeItem = 6;

// A block is ours; these bound only what a damaged file could ask for.
constexpr size_t kItemsMax = 1 << 20;
constexpr size_t kItemSizeMax = 1 << 26;

void encode_value(Encoder& out, const std::optional<Bytes>& value) {
  out.option(value, [](Encoder& one, const Bytes& bytes) { one.bytes(bytes); });
}

std::optional<Bytes> decode_value(Decoder& in) {
  return in.option([](Decoder& one) {
    const ByteView bytes = one.bytes(kItemSizeMax);
    return Bytes(bytes.begin(), bytes.end());
  });
}

Bytes decode_bytes(Decoder& in) {
  const ByteView bytes = in.bytes(kItemSizeMax);
  return Bytes(bytes.begin(), bytes.end());
}

}  // namespace

Bytes encode_header(const Header& header) {
  Encoder out;
  out.hash(header.parent).compact(header.number);
  out.hash(header.state_root).hash(header.extrinsics_root);
  out.sequence(header.digest, [](Encoder& one, const Bytes& item) { one.raw(item); });
  return std::move(out).done();
}

Hash header_hash(const Header& header) { return common::blake2b_256(encode_header(header)); }

std::vector<Bytes> make_digest(Instant time, const Hash& entropy) {
  const Bytes slot = Encoder().number(time.unix_ms).done();
  return {Encoder().number(kPreRuntimeItem).raw(kAura).bytes(slot).done(),
          Encoder().number(kSealItem).raw(kAura).bytes(entropy.bytes).done()};
}

Hash next_state_root(const Hash& parent, const ChangeSet& changes) {
  Encoder out;
  out.hash(parent).sequence(changes, [](Encoder& one, const Change& change) {
    one.bytes(change.key);
    encode_value(one, change.after);
  });
  return common::blake2b_256(out.done());
}

Bytes encode_block(const SealedBlock& block) {
  Encoder out;
  const Header& header = block.header;
  out.hash(header.parent).number(header.number);
  out.hash(header.state_root).hash(header.extrinsics_root);
  const auto put_bytes = [](Encoder& one, const Bytes& bytes) { one.bytes(bytes); };
  out.sequence(header.digest, put_bytes);
  out.number(block.time.unix_ms);
  out.sequence(block.extrinsics, put_bytes);
  return std::move(out).done();
}

std::optional<SealedBlock> decode_block(ByteView bytes) {
  Decoder in(bytes);
  SealedBlock block;
  block.header.parent = in.hash();
  block.header.number = in.number<uint32_t>();
  block.header.state_root = in.hash();
  block.header.extrinsics_root = in.hash();
  block.header.digest = in.sequence(kItemsMax, 1, decode_bytes);
  block.time.unix_ms = in.number<int64_t>();
  block.extrinsics = in.sequence(kItemsMax, 1, decode_bytes);
  if (!in.at_end()) return std::nullopt;
  block.hash = header_hash(block.header);
  for (const Bytes& extrinsic : block.extrinsics) {
    block.extrinsic_hashes.push_back(substrate::extrinsic_hash(extrinsic));
  }
  return block;
}

Bytes encode_changes(const ChangeSet& changes) {
  Encoder out;
  out.sequence(changes, [](Encoder& one, const Change& change) {
    one.bytes(change.key);
    encode_value(one, change.before);
    encode_value(one, change.after);
  });
  return std::move(out).done();
}

std::optional<ChangeSet> decode_changes(ByteView bytes) {
  Decoder in(bytes);
  ChangeSet changes = in.sequence(kItemsMax, 3, [](Decoder& one) {
    Change change;
    change.key = decode_bytes(one);
    change.before = decode_value(one);
    change.after = decode_value(one);
    return change;
  });
  if (!in.at_end()) return std::nullopt;
  return changes;
}

}  // namespace chain::embedded
