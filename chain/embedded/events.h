// The ledger's events, under the numbers and names of subtensor spec 424.
#pragma once

#include <string_view>
#include <vector>

#include "chain/embedded/wire.h"

namespace chain::embedded {

// Pallet numbers of mainnet.
inline constexpr uint8_t kSystemPallet = 0;
inline constexpr uint8_t kTimestampPallet = 2;
inline constexpr uint8_t kBalancesPallet = 5;
inline constexpr uint8_t kPaymentPallet = 6;
inline constexpr uint8_t kSubtensorPallet = 7;
inline constexpr uint8_t kUtilityPallet = 11;
inline constexpr uint8_t kSudoPallet = 12;
inline constexpr uint8_t kCommitmentsPallet = 18;
inline constexpr uint8_t kAdminUtilsPallet = 19;
inline constexpr uint8_t kDrandPallet = 26;

// What an event's struct derives its place from: a pallet, a number there, a name.
template <uint8_t Pallet, uint8_t Index>
struct EventPlace {
  static constexpr uint8_t kPallet = Pallet;
  static constexpr uint8_t kIndex = Index;
};

}  // namespace chain::embedded

namespace chain::embedded::events {

// System
struct ExtrinsicSuccess {
  using Place = EventPlace<kSystemPallet, 0>;
  static constexpr std::string_view kName = "ExtrinsicSuccess";
  static constexpr std::string_view kNames = "dispatch_info";
  DispatchEventInfo dispatch_info;
};
struct ExtrinsicFailed {
  using Place = EventPlace<kSystemPallet, 1>;
  static constexpr std::string_view kName = "ExtrinsicFailed";
  static constexpr std::string_view kNames = "dispatch_error dispatch_info";
  DispatchError dispatch_error;
  DispatchEventInfo dispatch_info;
};
struct NewAccount {
  using Place = EventPlace<kSystemPallet, 3>;
  static constexpr std::string_view kName = "NewAccount";
  static constexpr std::string_view kNames = "account";
  AccountId account;
};
struct KilledAccount {
  using Place = EventPlace<kSystemPallet, 4>;
  static constexpr std::string_view kName = "KilledAccount";
  static constexpr std::string_view kNames = "account";
  AccountId account;
};
struct Remarked {
  using Place = EventPlace<kSystemPallet, 5>;
  static constexpr std::string_view kName = "Remarked";
  static constexpr std::string_view kNames = "sender hash";
  AccountId sender;
  Hash hash;
};

// Balances
struct Endowed {
  using Place = EventPlace<kBalancesPallet, 0>;
  static constexpr std::string_view kName = "Endowed";
  static constexpr std::string_view kNames = "account free_balance";
  AccountId account;
  uint64_t free_balance = 0;
};
struct DustLost {
  using Place = EventPlace<kBalancesPallet, 1>;
  static constexpr std::string_view kName = "DustLost";
  static constexpr std::string_view kNames = "account amount";
  AccountId account;
  uint64_t amount = 0;
};
struct Transfer {
  using Place = EventPlace<kBalancesPallet, 2>;
  static constexpr std::string_view kName = "Transfer";
  static constexpr std::string_view kNames = "from to amount";
  AccountId from;
  AccountId to;
  uint64_t amount = 0;
};
struct BalanceSet {
  using Place = EventPlace<kBalancesPallet, 3>;
  static constexpr std::string_view kName = "BalanceSet";
  static constexpr std::string_view kNames = "who free";
  AccountId who;
  uint64_t free = 0;
};

// TransactionPayment
struct TransactionFeePaid {
  using Place = EventPlace<kPaymentPallet, 0>;
  static constexpr std::string_view kName = "TransactionFeePaid";
  static constexpr std::string_view kNames = "who actual_fee tip";
  AccountId who;
  uint64_t actual_fee = 0;
  uint64_t tip = 0;
};

// Utility
struct BatchInterrupted {
  using Place = EventPlace<kUtilityPallet, 0>;
  static constexpr std::string_view kName = "BatchInterrupted";
  static constexpr std::string_view kNames = "index error";
  uint32_t index = 0;
  DispatchError error;
};
struct BatchCompleted {
  using Place = EventPlace<kUtilityPallet, 1>;
  static constexpr std::string_view kName = "BatchCompleted";
  static constexpr std::string_view kNames = "";
};
struct BatchCompletedWithErrors {
  using Place = EventPlace<kUtilityPallet, 2>;
  static constexpr std::string_view kName = "BatchCompletedWithErrors";
  static constexpr std::string_view kNames = "";
};
struct ItemCompleted {
  using Place = EventPlace<kUtilityPallet, 3>;
  static constexpr std::string_view kName = "ItemCompleted";
  static constexpr std::string_view kNames = "";
};
struct ItemFailed {
  using Place = EventPlace<kUtilityPallet, 4>;
  static constexpr std::string_view kName = "ItemFailed";
  static constexpr std::string_view kNames = "error";
  DispatchError error;
};

// Sudo
struct Sudid {
  using Place = EventPlace<kSudoPallet, 0>;
  static constexpr std::string_view kName = "Sudid";
  static constexpr std::string_view kNames = "sudo_result";
  DispatchResult sudo_result;
};
struct KeyChanged {
  using Place = EventPlace<kSudoPallet, 1>;
  static constexpr std::string_view kName = "KeyChanged";
  static constexpr std::string_view kNames = "old new";
  std::optional<AccountId> old;
  AccountId key;
};

// Commitments
struct Commitment {
  using Place = EventPlace<kCommitmentsPallet, 0>;
  static constexpr std::string_view kName = "Commitment";
  static constexpr std::string_view kNames = "netuid who";
  uint16_t netuid = 0;
  AccountId who;
};
struct TimelockCommitment {
  using Place = EventPlace<kCommitmentsPallet, 1>;
  static constexpr std::string_view kName = "TimelockCommitment";
  static constexpr std::string_view kNames = "netuid who reveal_round";
  uint16_t netuid = 0;
  AccountId who;
  uint64_t reveal_round = 0;
};
struct CommitmentRevealed {
  using Place = EventPlace<kCommitmentsPallet, 2>;
  static constexpr std::string_view kName = "CommitmentRevealed";
  static constexpr std::string_view kNames = "netuid who";
  uint16_t netuid = 0;
  AccountId who;
};

// Drand
struct BeaconConfigChanged {
  using Place = EventPlace<kDrandPallet, 0>;
  static constexpr std::string_view kName = "BeaconConfigChanged";
  static constexpr std::string_view kNames = "";
};
struct NewPulse {
  using Place = EventPlace<kDrandPallet, 1>;
  static constexpr std::string_view kName = "NewPulse";
  static constexpr std::string_view kNames = "rounds";
  std::vector<uint64_t> rounds;
};

}  // namespace chain::embedded::events
