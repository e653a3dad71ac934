// What a block says it did: the events of its extrinsics, in the chain's own layout.
//
// Source: frame_system's EventRecord; event numbers and fields of subtensor spec 424.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "chain/substrate/scale.h"
#include "common/result.h"

namespace chain::substrate {

using common::Result;

// Why a call failed inside. `module` if kind is 3, `detail` for the kinds that carry one more byte.
struct DispatchError {
  static constexpr uint8_t kBadOrigin = 2;
  static constexpr uint8_t kModule = 3;
  static constexpr uint8_t kToken = 7;
  uint8_t kind = 0;
  uint8_t pallet = 0;  // kModule: which pallet,
  uint8_t error = 0;   //   and the number of the error in it.
  uint8_t detail = 0;  // kToken, Arithmetic, Transactional, Trie.
  bool operator==(const DispatchError&) const = default;

  static DispatchError module(uint8_t pallet, uint8_t error) { return {kModule, pallet, error, 0}; }
};

struct DispatchInfo {
  uint64_t ref_time = 0;
  uint64_t proof_size = 0;
  uint8_t dispatch_class = 0;  // 0 normal, 1 operational, 2 mandatory
  bool pays_fee = false;       // On the wire 0 is Pays::Yes.
  bool operator==(const DispatchInfo&) const = default;
};

struct ExtrinsicSuccess {
  DispatchInfo info;
  bool operator==(const ExtrinsicSuccess&) const = default;
};
struct ExtrinsicFailed {
  DispatchError error;
  DispatchInfo info;
  bool operator==(const ExtrinsicFailed&) const = default;
};
struct Transferred {  // Balances.Transfer
  AccountId from, to;
  uint64_t amount_rao = 0;
  bool operator==(const Transferred&) const = default;
};
struct StakeAdded {
  AccountId coldkey, hotkey;
  uint64_t tao_rao = 0;
  uint64_t alpha_rao = 0;
  uint16_t netuid = 0;
  uint64_t fee_rao = 0;
  bool operator==(const StakeAdded&) const = default;
};
struct StakeRemoved {
  AccountId coldkey, hotkey;
  uint64_t tao_rao = 0;
  uint64_t alpha_rao = 0;
  uint16_t netuid = 0;
  uint64_t fee_rao = 0;
  bool operator==(const StakeRemoved&) const = default;
};
struct WeightsSet {
  uint16_t netuid = 0;
  uint16_t uid = 0;
  bool operator==(const WeightsSet&) const = default;
};
struct NeuronRegistered {
  uint16_t netuid = 0;
  uint16_t uid = 0;
  AccountId hotkey;
  bool operator==(const NeuronRegistered&) const = default;
};
struct AxonServed {
  uint16_t netuid = 0;
  AccountId hotkey;
  bool operator==(const AxonServed&) const = default;
};
struct CommitmentSet {  // Commitments.Commitment
  uint16_t netuid = 0;
  AccountId who;
  bool operator==(const CommitmentSet&) const = default;
};
// One whose layout is known, so that it can be stepped over, but whose meaning is not needed.
struct OtherEvent {
  uint8_t pallet = 0;
  uint8_t variant = 0;
  Bytes fields;
  bool operator==(const OtherEvent&) const = default;
};

using Event = std::variant<ExtrinsicSuccess, ExtrinsicFailed, Transferred, StakeAdded, StakeRemoved,
                           WeightsSet, NeuronRegistered, AxonServed, CommitmentSet, OtherEvent>;

struct EventRecord {
  // The index of the extrinsic it belongs to; nothing for the block's own work before the
  // extrinsics.
  std::optional<uint32_t> extrinsic;
  Event event;
  std::vector<Hash> topics = {};
  bool at_finalization = false;  // The block's own work after the extrinsics.
  bool operator==(const EventRecord&) const = default;
};

inline constexpr size_t kEventsMax = 1 << 16;  // In one block.

// The value of System.Events.
Bytes encode_events(const std::vector<EventRecord>& records);
// kInvalidArgument for what is malformed, or names the first event whose layout is not known
// ("event 28.3"). `prefix_ok`: then the records before that event are handed out instead.
Result<std::vector<EventRecord>> decode_events(ByteView bytes, bool prefix_ok = false);

}  // namespace chain::substrate
