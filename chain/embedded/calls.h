// The arguments of the ledger's calls, pallet by pallet, under the names that clients know.
//
// Names, order and types are those of subtensor spec 424; chain/embedded/typed.h says what a struct
// like these is to the wire.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "chain/embedded/info.h"
#include "chain/embedded/wire.h"

namespace chain::embedded::calls {

struct Nothing {
  static constexpr std::string_view kNames = "";
};

// System
struct Remark {
  static constexpr std::string_view kNames = "remark";
  Bytes remark;
};
struct SetStorage {
  static constexpr std::string_view kNames = "items";
  std::vector<std::tuple<Bytes, Bytes>> items;
};
struct KillStorage {
  static constexpr std::string_view kNames = "keys";
  std::vector<Bytes> keys;
};

// Timestamp
struct SetTime {
  static constexpr std::string_view kNames = "now";
  Compact<uint64_t> now;
};

// Balances
struct Transfer {
  static constexpr std::string_view kNames = "dest value";
  MultiAddress dest;
  Compact<uint64_t> value;
};
struct TransferAll {
  static constexpr std::string_view kNames = "dest keep_alive";
  MultiAddress dest;
  bool keep_alive = false;
};
struct ForceSetBalance {
  static constexpr std::string_view kNames = "who new_free";
  MultiAddress who;
  Compact<uint64_t> new_free;
};

// Utility
struct Batch {
  static constexpr std::string_view kNames = "calls";
  std::vector<RawCall> calls;
};

// Sudo
struct Sudo {
  static constexpr std::string_view kNames = "call";
  RawCall call;
};
struct SetSudoKey {
  static constexpr std::string_view kNames = "new";
  MultiAddress key;
};

// Commitments
struct SetCommitment {
  static constexpr std::string_view kNames = "netuid info";
  uint16_t netuid = 0;
  CommitmentInfo info;
};
struct SetMaxSpace {
  static constexpr std::string_view kNames = "new_limit";
  uint32_t new_limit = 0;
};

// Drand
struct WritePulse {
  static constexpr std::string_view kNames = "pulses_payload signature";
  PulsesPayload pulses_payload;
  std::optional<MultiSignature> signature;
};
struct SetBeaconConfig {
  static constexpr std::string_view kNames = "config_payload signature";
  BeaconConfigPayload config_payload;
  std::optional<MultiSignature> signature;
};

}  // namespace chain::embedded::calls
