#include "chain/embedded/snapshot.h"

#include <algorithm>

namespace chain::embedded {
namespace {

using common::Code;
using common::Error;

constexpr std::string_view kMagic = "muster-snapshot 1\n";
constexpr size_t kEntriesMax = 1u << 28;
constexpr size_t kValueSizeMax = 1u << 26;
constexpr size_t kBlockSizeMax = 1u << 28;

Error corrupt(const char* what) {
  return {Code::kCorrupt, std::string("not a snapshot of this ledger: ") + what};
}

Bytes copy(ByteView bytes) { return {bytes.begin(), bytes.end()}; }

std::optional<SealedBlock> take_block(Decoder& in) {
  auto block = decode_block(in.bytes(kBlockSizeMax));
  auto changes = decode_changes(in.bytes(kBlockSizeMax));
  if (!block || !changes) return std::nullopt;
  block->changes = *std::move(changes);
  return block;
}

}  // namespace

Bytes encode_snapshot(const State& state, ByteView beacon_seed) {
  Encoder out;
  out.raw(common::view_of(kMagic)).bytes(beacon_seed);
  const auto& entries = state.storage().entries();
  out.compact(entries.size());
  for (const auto& [key, value] : entries) out.bytes(key).bytes(value);
  const uint32_t head = state.head().header.number;
  out.compact(head - state.oldest_number() + 1);
  for (uint64_t number = state.oldest_number(); number <= head; ++number) {
    const SealedBlock& block = *state.recent(number);
    out.bytes(encode_block(block)).bytes(encode_changes(block.changes));
  }
  const Hash sum = common::blake2b_256(out.done());
  out.hash(sum);
  return std::move(out).done();
}

Result<Snapshot> decode_snapshot(ByteView bytes) {
  if (bytes.size() < kMagic.size() + sizeof(Hash) ||
      !std::equal(kMagic.begin(), kMagic.end(), bytes.begin())) {
    return corrupt("it does not begin like one");
  }
  const ByteView body = bytes.first(bytes.size() - sizeof(Hash));
  if (Hash::from_bytes(bytes.last(sizeof(Hash))) != common::blake2b_256(body)) {
    return corrupt("its checksum is wrong: it was cut short or altered");
  }
  Decoder in(body.subspan(kMagic.size()));
  Bytes seed = copy(in.bytes(sizeof(Hash)));
  Storage::Entries entries;
  for (size_t left = in.count(kEntriesMax, 2); left > 0 && in.ok(); --left) {
    Bytes key = copy(in.bytes(kValueSizeMax));
    entries.emplace_hint(entries.end(), std::move(key), copy(in.bytes(kValueSizeMax)));
  }
  std::deque<SealedBlock> blocks;
  for (size_t left = in.count(kHistoryBlocks, 2); left > 0 && in.ok(); --left) {
    auto block = take_block(in);
    if (!block) return corrupt("a block cannot be read");
    blocks.push_back(*std::move(block));
  }
  if (!in.at_end()) return corrupt("it is malformed");
  TRY(State state, State::resume(Storage(std::move(entries)), std::move(blocks)));
  return Snapshot{std::move(seed), std::move(state)};
}

}  // namespace chain::embedded
