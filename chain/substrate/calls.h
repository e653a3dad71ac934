// The calls a subnet's people make, typed; and where a runtime has numbered them.
#pragma once

#include <array>
#include <cstdint>
#include <variant>
#include <vector>

#include "chain/substrate/scale.h"
#include "common/result.h"

namespace chain::substrate {

using common::Result;

struct Remark {
  Bytes text;
  bool operator==(const Remark&) const = default;
};
struct SetTimestamp {
  uint64_t now_ms = 0;
  bool operator==(const SetTimestamp&) const = default;
};
struct TransferAllowDeath {
  AccountId to;
  uint64_t amount_rao = 0;
  bool operator==(const TransferAllowDeath&) const = default;
};
struct TransferKeepAlive {
  AccountId to;
  uint64_t amount_rao = 0;
  bool operator==(const TransferKeepAlive&) const = default;
};
struct SetWeights {
  uint16_t netuid = 0;
  std::vector<uint16_t> uids;
  std::vector<uint16_t> values;  // The chain says what it thinks of another length than `uids` has.
  uint64_t version_key = 0;
  bool operator==(const SetWeights&) const = default;
};
struct AddStake {
  AccountId hotkey;
  uint16_t netuid = 0;
  uint64_t amount_rao = 0;  // TAO in
  bool operator==(const AddStake&) const = default;
};
struct RemoveStake {
  AccountId hotkey;
  uint16_t netuid = 0;
  uint64_t amount_rao = 0;  // alpha out
  bool operator==(const RemoveStake&) const = default;
};
struct ServeAxon {
  uint16_t netuid = 0;
  uint32_t version = 0;
  Uint128 ip = 0;
  uint16_t port = 0;
  uint8_t ip_type = 4;
  uint8_t protocol = 4;
  uint8_t placeholder1 = 0;
  uint8_t placeholder2 = 0;
  bool operator==(const ServeAxon&) const = default;
};
struct BurnedRegister {
  uint16_t netuid = 0;
  AccountId hotkey;
  bool operator==(const BurnedRegister&) const = default;
};

// One field of a commitment. The chain numbers Raw by its length (1 + size), so the kinds are ours
// up to 129.
enum class DataKind : uint8_t {
  kNone = 0,
  kRaw = 1,  // 0 to 128 bytes
  kBlakeTwo256 = 130,
  kSha256 = 131,
  kKeccak256 = 132,
  kShaThree256 = 133,
  kTimelock = 134,    // at most 1,024 bytes, and the drand round that opens them
  kResetBonds = 135,  // a flag
  kBigRaw = 136,      // at most 512 bytes
};
struct Data {
  DataKind kind = DataKind::kNone;
  Bytes bytes;
  uint64_t reveal_round = 0;
  bool operator==(const Data&) const = default;

  // Raw up to 128 bytes, BigRaw up to 512.  Pre: at most 512.
  static Data of(ByteView bytes);
};
inline constexpr size_t kCommitmentFieldsMax = 3;
inline constexpr size_t kDataSizeMax = 512;

void encode_data(Encoder& out, const Data& data);
Data decode_data(Decoder& in);

struct SetCommitment {
  uint16_t netuid = 0;
  std::vector<Data> fields;  // at most kCommitmentFieldsMax
  bool operator==(const SetCommitment&) const = default;
};

using Call = std::variant<Remark, SetTimestamp, TransferAllowDeath, TransferKeepAlive, SetWeights,
                          AddStake, RemoveStake, ServeAxon, BurnedRegister, SetCommitment>;

struct CallIndex {
  uint8_t pallet = 0;
  uint8_t call = 0;
  auto operator<=>(const CallIndex&) const = default;
};

// A runtime's numbers for the alternatives of `Call`, in their order. Numbers move between
// runtimes: one that is read from a node's metadata can stand here in mainnet's place.
struct CallIndices {
  std::array<CallIndex, std::variant_size_v<Call>> of;
};
inline constexpr CallIndices kMainnetCalls{{{
    {0, 0},   // System.remark
    {2, 0},   // Timestamp.set
    {5, 0},   // Balances.transfer_allow_death
    {5, 3},   // Balances.transfer_keep_alive
    {7, 0},   // SubtensorModule.set_weights
    {7, 2},   // SubtensorModule.add_stake
    {7, 3},   // SubtensorModule.remove_stake
    {7, 4},   // SubtensorModule.serve_axon
    {7, 7},   // SubtensorModule.burned_register
    {18, 0},  // Commitments.set_commitment
}}};

inline constexpr size_t kRemarkSizeMax = 1 << 16;
inline constexpr size_t kWeightsMax = 4096;

Bytes encode_call(const Call& call, const CallIndices& indices = kMainnetCalls);
// The one encoding only. kNotFound for a call that is none of these; kInvalidArgument, by name, for
// one whose arguments are malformed or too long.
Result<Call> decode_call(ByteView bytes, const CallIndices& indices = kMainnetCalls);
// "SubtensorModule.set_weights", for messages.
std::string_view name(const Call& call);

}  // namespace chain::substrate
