// SubtensorModule's events: most have no field names on the wire, only here.
//
// Numbers and orders are those of subtensor spec 424.
#pragma once

#include <string_view>

#include "chain/embedded/events.h"

namespace chain::embedded::events {

struct NetworkAdded {
  using Place = EventPlace<kSubtensorPallet, 0>;
  static constexpr std::string_view kName = "NetworkAdded";
  static constexpr std::string_view kNames = "";
  uint16_t netuid = 0;
  uint16_t modality = 0;
};
struct StakeAdded {
  using Place = EventPlace<kSubtensorPallet, 2>;
  static constexpr std::string_view kName = "StakeAdded";
  static constexpr std::string_view kNames = "";
  AccountId coldkey;
  AccountId hotkey;
  uint64_t tao_rao = 0;
  uint64_t alpha_rao = 0;
  uint16_t netuid = 0;
  uint64_t fee_rao = 0;
};
struct StakeRemoved {
  using Place = EventPlace<kSubtensorPallet, 3>;
  static constexpr std::string_view kName = "StakeRemoved";
  static constexpr std::string_view kNames = "";
  AccountId coldkey;
  AccountId hotkey;
  uint64_t tao_rao = 0;
  uint64_t alpha_rao = 0;
  uint16_t netuid = 0;
  uint64_t fee_rao = 0;
};
struct StakeMoved {
  using Place = EventPlace<kSubtensorPallet, 4>;
  static constexpr std::string_view kName = "StakeMoved";
  static constexpr std::string_view kNames = "";
  AccountId coldkey;
  AccountId origin_hotkey;
  uint16_t origin_netuid = 0;
  AccountId destination_hotkey;
  uint16_t destination_netuid = 0;
  uint64_t tao_rao = 0;
};
struct WeightsSet {
  using Place = EventPlace<kSubtensorPallet, 5>;
  static constexpr std::string_view kName = "WeightsSet";
  static constexpr std::string_view kNames = "";
  uint16_t netuid_index = 0;
  uint16_t uid = 0;
};
struct NeuronRegistered {
  using Place = EventPlace<kSubtensorPallet, 6>;
  static constexpr std::string_view kName = "NeuronRegistered";
  static constexpr std::string_view kNames = "";
  uint16_t netuid = 0;
  uint16_t uid = 0;
  AccountId hotkey;
};
struct AxonServed {
  using Place = EventPlace<kSubtensorPallet, 28>;
  static constexpr std::string_view kName = "AxonServed";
  static constexpr std::string_view kNames = "";
  uint16_t netuid = 0;
  AccountId hotkey;
};
struct PrometheusServed {
  using Place = EventPlace<kSubtensorPallet, 29>;
  static constexpr std::string_view kName = "PrometheusServed";
  static constexpr std::string_view kNames = "";
  uint16_t netuid = 0;
  AccountId hotkey;
};
struct TempoSet {
  using Place = EventPlace<kSubtensorPallet, 52>;
  static constexpr std::string_view kName = "TempoSet";
  static constexpr std::string_view kNames = "";
  uint16_t netuid = 0;
  uint16_t tempo = 0;
};
struct TakeDecreased {
  using Place = EventPlace<kSubtensorPallet, 64>;
  static constexpr std::string_view kName = "TakeDecreased";
  static constexpr std::string_view kNames = "";
  AccountId coldkey;
  AccountId hotkey;
  uint16_t take = 0;
};
struct TakeIncreased {
  using Place = EventPlace<kSubtensorPallet, 65>;
  static constexpr std::string_view kName = "TakeIncreased";
  static constexpr std::string_view kNames = "";
  AccountId coldkey;
  AccountId hotkey;
  uint16_t take = 0;
};
struct WeightsCommitted {
  using Place = EventPlace<kSubtensorPallet, 85>;
  static constexpr std::string_view kName = "WeightsCommitted";
  static constexpr std::string_view kNames = "";
  AccountId who;
  uint16_t netuid_index = 0;
  Hash commit_hash;
};
struct WeightsRevealed {
  using Place = EventPlace<kSubtensorPallet, 86>;
  static constexpr std::string_view kName = "WeightsRevealed";
  static constexpr std::string_view kNames = "";
  AccountId who;
  uint16_t netuid_index = 0;
  Hash commit_hash;
};
struct StakeTransferred {
  using Place = EventPlace<kSubtensorPallet, 91>;
  static constexpr std::string_view kName = "StakeTransferred";
  static constexpr std::string_view kNames = "";
  AccountId origin_coldkey;
  AccountId destination_coldkey;
  AccountId hotkey;
  uint16_t origin_netuid = 0;
  uint16_t destination_netuid = 0;
  uint64_t tao_rao = 0;
};
struct FirstEmissionBlockNumberSet {
  using Place = EventPlace<kSubtensorPallet, 95>;
  static constexpr std::string_view kName = "FirstEmissionBlockNumberSet";
  static constexpr std::string_view kNames = "";
  uint16_t netuid = 0;
  uint64_t block = 0;
};
struct TimelockedWeightsCommitted {
  using Place = EventPlace<kSubtensorPallet, 107>;
  static constexpr std::string_view kName = "TimelockedWeightsCommitted";
  static constexpr std::string_view kNames = "";
  AccountId who;
  uint16_t netuid_index = 0;
  Hash commit_hash;
  uint64_t reveal_round = 0;
};
struct TimelockedWeightsRevealed {
  using Place = EventPlace<kSubtensorPallet, 108>;
  static constexpr std::string_view kName = "TimelockedWeightsRevealed";
  static constexpr std::string_view kNames = "";
  uint16_t netuid_index = 0;
  AccountId who;
};
struct ActivityCutoffFactorMilliSet {
  using Place = EventPlace<kSubtensorPallet, 130>;
  static constexpr std::string_view kName = "ActivityCutoffFactorMilliSet";
  static constexpr std::string_view kNames = "netuid factor_milli";
  uint16_t netuid = 0;
  uint32_t factor_milli = 0;
};
struct EpochTriggered {
  using Place = EventPlace<kSubtensorPallet, 131>;
  static constexpr std::string_view kName = "EpochTriggered";
  static constexpr std::string_view kNames = "netuid by fires_at";
  uint16_t netuid = 0;
  AccountId by;
  uint64_t fires_at = 0;
};

}  // namespace chain::embedded::events
