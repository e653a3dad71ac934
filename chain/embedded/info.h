// Structures that the ledger keeps in its state and tells by its runtime APIs.
//
// Names, order and types are those of subtensor spec 424.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "chain/embedded/wire.h"

namespace chain::embedded {

struct AccountData {
  static constexpr std::string_view kPath = "pallet_balances::types::AccountData";
  static constexpr std::string_view kNames = "free reserved frozen flags";
  struct Flags {
    static constexpr std::string_view kPath = "pallet_balances::types::ExtraFlags";
    static constexpr std::string_view kNames = "";
    Uint128 bits = 0;
  };
  uint64_t free = 0;
  uint64_t reserved = 0;
  uint64_t frozen = 0;
  Flags flags;
};
struct AccountRecord {
  static constexpr std::string_view kPath = "frame_system::AccountInfo";
  static constexpr std::string_view kNames = "nonce consumers providers sufficients data";
  uint32_t nonce = 0;
  uint32_t consumers = 0;
  uint32_t providers = 0;
  uint32_t sufficients = 0;
  AccountData data;
};

struct SafeFloat {
  static constexpr std::string_view kPath = "share_pool::SafeFloat";
  static constexpr std::string_view kNames = "mantissa exponent";
  Uint128 mantissa = 0;
  int64_t exponent = 0;
};
struct AxonInfo {
  static constexpr std::string_view kPath = "pallet_subtensor::pallet::AxonInfo";
  static constexpr std::string_view kNames =
      "block version ip port ip_type protocol placeholder1 placeholder2";
  uint64_t block = 0;
  uint32_t version = 0;
  Uint128 ip = 0;
  uint16_t port = 0;
  uint8_t ip_type = 0;
  uint8_t protocol = 0;
  uint8_t placeholder1 = 0;
  uint8_t placeholder2 = 0;
};
struct PrometheusInfo {
  static constexpr std::string_view kPath = "pallet_subtensor::pallet::PrometheusInfo";
  static constexpr std::string_view kNames = "block version ip port ip_type";
  uint64_t block = 0;
  uint32_t version = 0;
  Uint128 ip = 0;
  uint16_t port = 0;
  uint8_t ip_type = 0;
};
enum class RecycleOrBurn : uint8_t { kBurn = 0, kRecycle };
template <>
struct EnumNames<RecycleOrBurn> {
  static constexpr std::string_view kPath = "pallet_subtensor::pallet::RecycleOrBurnEnum";
  static constexpr std::string_view kNames = "Burn Recycle";
};
// One commitment of weights by their hash: its epoch, its block, and a field that is no longer
// used.
using WeightCommit = std::tuple<Hash, uint64_t, uint64_t, uint64_t>;
// One by timelock: who, in which block, the bytes, and the round that opens them.
using TimelockedCommit = std::tuple<AccountId, uint64_t, Bounded<uint8_t>, uint64_t>;
using Row16 = std::vector<std::tuple<uint16_t, uint16_t>>;

struct CommitmentInfo {
  static constexpr std::string_view kPath = "pallet_commitments::types::CommitmentInfo";
  static constexpr std::string_view kNames = "fields";
  Bounded<Data> fields;
};
struct CommitmentRegistration {
  static constexpr std::string_view kPath = "pallet_commitments::types::Registration";
  static constexpr std::string_view kNames = "deposit block info";
  uint64_t deposit = 0;
  uint32_t block = 0;
  CommitmentInfo info;
};
struct UsageTracker {
  static constexpr std::string_view kPath = "pallet_commitments::types::UsageTracker";
  static constexpr std::string_view kNames = "last_epoch used_space";
  uint64_t last_epoch = 0;
  uint64_t used_space = 0;
};

struct BeaconConfig {
  static constexpr std::string_view kPath = "pallet_drand::types::BeaconConfiguration";
  static constexpr std::string_view kNames =
      "public_key period genesis_time hash group_hash scheme_id metadata";
  struct Metadata {
    static constexpr std::string_view kPath = "pallet_drand::types::Metadata";
    static constexpr std::string_view kNames = "beacon_id";
    Bounded<uint8_t> beacon_id;
  };
  Bounded<uint8_t> public_key;  // 96 bytes: a point of G2
  uint32_t period = 3;          // seconds
  uint32_t genesis_time = 0;    // unix seconds of round 1
  Bounded<uint8_t> hash;
  Bounded<uint8_t> group_hash;
  Bounded<uint8_t> scheme_id;
  Metadata metadata;
};
struct Pulse {
  static constexpr std::string_view kPath = "pallet_drand::types::Pulse";
  static constexpr std::string_view kNames = "round randomness signature";
  uint64_t round = 0;
  Bounded<uint8_t> randomness;  // SHA-256 of the signature
  Bounded<uint8_t> signature;   // 48 bytes: a point of G1
};
struct PulsesPayload {
  static constexpr std::string_view kPath = "pallet_drand::types::PulsesPayload";
  static constexpr std::string_view kNames = "block_number pulses public";
  uint32_t block_number = 0;
  std::vector<Pulse> pulses;
  MultiSigner signer;
};
struct BeaconConfigPayload {
  static constexpr std::string_view kPath = "pallet_drand::types::BeaconConfigurationPayload";
  static constexpr std::string_view kNames = "block_number config public";
  uint32_t block_number = 0;
  BeaconConfig config;
  MultiSigner signer;
};

struct RuntimeVersion {
  static constexpr std::string_view kPath = "sp_version::RuntimeVersion";
  static constexpr std::string_view kNames =
      "spec_name impl_name authoring_version spec_version impl_version apis transaction_version "
      "system_version";
  CowText spec_name;
  CowText impl_name;
  uint32_t authoring_version = 1;
  uint32_t spec_version = 0;
  uint32_t impl_version = 1;
  std::vector<std::tuple<std::array<uint8_t, 8>, uint32_t>> apis;
  uint32_t transaction_version = 0;
  uint8_t system_version = 1;
};

}  // namespace chain::embedded
