// Where the chain keeps what: raw storage keys of the items that a subnet's people touch.
//
// A key is twox128(pallet) | twox128(item) | one part for each map key, each part hashed as the
// item's declaration says. Source: Substrate, "Storage keys"; hashers of runtime spec 424.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "chain/substrate/scale.h"

namespace chain::substrate {

enum class StorageHasher : uint8_t {  // The numbers that metadata has.
  kBlake2_128 = 0,
  kBlake2_256,
  kBlake2_128Concat,
  kTwox128,
  kTwox256,
  kTwox64Concat,
  kIdentity,
};

// xxHash64 with seed 0; and with seeds 0 and 1, one after the other.
std::array<uint8_t, 8> twox64(ByteView bytes);
std::array<uint8_t, 16> twox128(ByteView bytes);
// Seeds 0 to 3.
std::array<uint8_t, 32> twox256(ByteView bytes);

// twox128(pallet) | twox128(item): the whole key of a plain value, the prefix of a map.  32 bytes.
Bytes storage_prefix(std::string_view pallet, std::string_view item);
// What `hasher` makes of one encoded map key: a digest, and for the Concat kinds the key after it.
Bytes hashed_key(StorageHasher hasher, ByteView encoded);
// The digest's bytes before the key itself, if the key stands there at all.
size_t digest_size(StorageHasher hasher);
bool keeps_key(StorageHasher hasher);

inline constexpr std::string_view kSubtensor = "SubtensorModule";

// The shapes of items. `pallet` and `item` are string literals.
struct PlainItem {
  std::string_view pallet, item;
  Bytes key() const { return storage_prefix(pallet, item); }
};
struct BlockMap {  // block u32 [Twox64Concat]
  std::string_view pallet, item;
  Bytes key(uint32_t block) const;
};
struct AccountMap {  // account [hasher]
  std::string_view pallet, item;
  StorageHasher hasher = StorageHasher::kBlake2_128Concat;
  Bytes prefix() const { return storage_prefix(pallet, item); }
  Bytes key(const AccountId& account) const;
};
struct SubnetMap {  // netuid [hasher]
  std::string_view pallet, item;
  StorageHasher hasher = StorageHasher::kIdentity;
  Bytes prefix() const { return storage_prefix(pallet, item); }
  Bytes key(uint16_t netuid) const;
};
struct NeuronMap {  // netuid [Identity], uid [Identity]
  std::string_view pallet, item;
  Bytes prefix(uint16_t netuid) const;
  Bytes key(uint16_t netuid, uint16_t uid) const;
};
struct SubnetAccountMap {  // netuid [Identity], account [hasher]
  std::string_view pallet, item;
  StorageHasher hasher = StorageHasher::kBlake2_128Concat;
  Bytes prefix(uint16_t netuid) const;
  Bytes key(uint16_t netuid, const AccountId& account) const;
  // The account of a key that `key` made; nothing for any other bytes.
  std::optional<AccountId> account_of(ByteView key_bytes) const;
};
struct AccountSubnetMap {  // account [Blake2_128Concat], netuid [Identity]
  std::string_view pallet, item;
  Bytes key(const AccountId& account, uint16_t netuid) const;
};
struct StakeMap {  // hotkey, coldkey [both Blake2_128Concat], netuid [Identity]
  std::string_view pallet, item;
  Bytes prefix(const AccountId& hotkey) const;
  Bytes key(const AccountId& hotkey, const AccountId& coldkey, uint16_t netuid) const;
};

// The items, by their names on the chain. Beside each: the SCALE type of its value.
namespace storage {

inline constexpr AccountMap kAccount{"System", "Account"};  // AccountInfo, 56 bytes
inline constexpr PlainItem kNumber{"System", "Number"};     // u32
inline constexpr PlainItem kParentHash{"System", "ParentHash"};
inline constexpr PlainItem kEvents{"System", "Events"};                  // Vec<EventRecord>
inline constexpr PlainItem kEventCount{"System", "EventCount"};          // u32
inline constexpr BlockMap kBlockHash{"System", "BlockHash"};             // H256
inline constexpr PlainItem kNow{"Timestamp", "Now"};                     // u64 ms
inline constexpr PlainItem kTotalIssuance{"Balances", "TotalIssuance"};  // u64

inline constexpr NeuronMap kKeys{kSubtensor, "Keys"};                               // AccountId
inline constexpr SubnetAccountMap kUids{kSubtensor, "Uids"};                        // u16
inline constexpr AccountSubnetMap kIsNetworkMember{kSubtensor, "IsNetworkMember"};  // bool
inline constexpr AccountMap kOwner{kSubtensor, "Owner"};                            // AccountId
inline constexpr AccountMap kOwnedHotkeys{kSubtensor, "OwnedHotkeys"};      // Vec<AccountId>
inline constexpr AccountMap kStakingHotkeys{kSubtensor, "StakingHotkeys"};  // Vec<AccountId>
inline constexpr NeuronMap kBlockAtRegistration{kSubtensor, "BlockAtRegistration"};   // u64
inline constexpr SubnetAccountMap kAxons{kSubtensor, "Axons"};                        // AxonInfo
inline constexpr AccountSubnetMap kTotalHotkeyAlpha{kSubtensor, "TotalHotkeyAlpha"};  // u64
// SafeFloat{mantissa u128, exponent i64}.
inline constexpr AccountSubnetMap kTotalHotkeySharesV2{kSubtensor, "TotalHotkeySharesV2"};
inline constexpr StakeMap kAlphaV2{kSubtensor, "AlphaV2"};
inline constexpr PlainItem kTotalStake{kSubtensor, "TotalStake"};        // u64
inline constexpr PlainItem kTotalNetworks{kSubtensor, "TotalNetworks"};  // u16

// One value a subnet.
inline constexpr SubnetMap kSubnetworkN{kSubtensor, "SubnetworkN"};      // u16
inline constexpr SubnetMap kNetworksAdded{kSubtensor, "NetworksAdded"};  // bool
inline constexpr SubnetMap kSubnetOwner{kSubtensor, "SubnetOwner"};      // AccountId
inline constexpr SubnetMap kSubnetOwnerHotkey{kSubtensor, "SubnetOwnerHotkey"};
inline constexpr SubnetMap kTempo{kSubtensor, "Tempo"};                        // u16
inline constexpr SubnetMap kLastEpochBlock{kSubtensor, "LastEpochBlock"};      // u64
inline constexpr SubnetMap kPendingEpochAt{kSubtensor, "PendingEpochAt"};      // u64
inline constexpr SubnetMap kSubnetEpochIndex{kSubtensor, "SubnetEpochIndex"};  // u64
inline constexpr SubnetMap kBlocksSinceLastStep{kSubtensor, "BlocksSinceLastStep"};
inline constexpr SubnetMap kLastStepBlock{kSubtensor,
                                          "LastMechansimStepBlock"};       // The chain's typo.
inline constexpr SubnetMap kBurn{kSubtensor, "Burn"};                      // u64
inline constexpr SubnetMap kMinBurn{kSubtensor, "MinBurn"};                // u64
inline constexpr SubnetMap kMaxBurn{kSubtensor, "MaxBurn"};                // u64
inline constexpr SubnetMap kRho{kSubtensor, "Rho"};                        // u16
inline constexpr SubnetMap kKappa{kSubtensor, "Kappa"};                    // u16
inline constexpr SubnetMap kImmunityPeriod{kSubtensor, "ImmunityPeriod"};  // u16
inline constexpr SubnetMap kMinAllowedWeights{kSubtensor, "MinAllowedWeights"};        // u16
inline constexpr SubnetMap kMaxAllowedUids{kSubtensor, "MaxAllowedUids"};              // u16
inline constexpr SubnetMap kMaxAllowedValidators{kSubtensor, "MaxAllowedValidators"};  // u16
inline constexpr SubnetMap kWeightsVersionKey{kSubtensor, "WeightsVersionKey"};        // u64
inline constexpr SubnetMap kWeightsSetRateLimit{kSubtensor, "WeightsSetRateLimit"};    // u64
inline constexpr SubnetMap kServingRateLimit{kSubtensor, "ServingRateLimit"};          // u64
inline constexpr SubnetMap kActivityCutoff{kSubtensor, "ActivityCutoff"};  // u16, legacy
// u32: the cutoff is factor * tempo / 1000 blocks.
inline constexpr SubnetMap kActivityCutoffFactorMilli{kSubtensor, "ActivityCutoffFactorMilli"};
inline constexpr SubnetMap kBondsMovingAverage{kSubtensor, "BondsMovingAverage"};  // u64, of 1e6
inline constexpr SubnetMap kBondsPenalty{kSubtensor, "BondsPenalty"};              // u16
inline constexpr SubnetMap kRegistrationAllowed{kSubtensor, "NetworkRegistrationAllowed"};  // bool
inline constexpr SubnetMap kCommitRevealEnabled{kSubtensor, "CommitRevealWeightsEnabled"};  // bool
inline constexpr SubnetMap kAlphaValues{kSubtensor, "AlphaValues"};  // (u16, u16)
inline constexpr SubnetMap kLiquidAlphaOn{kSubtensor, "LiquidAlphaOn",
                                          StorageHasher::kBlake2_128Concat};  // bool
inline constexpr SubnetMap kYuma3On{kSubtensor, "Yuma3On",
                                    StorageHasher::kBlake2_128Concat};  // bool

// One vector a subnet, indexed by uid.
inline constexpr SubnetMap kActive{kSubtensor, "Active"};                    // Vec<bool>
inline constexpr SubnetMap kConsensus{kSubtensor, "Consensus"};              // Vec<u16>
inline constexpr SubnetMap kIncentive{kSubtensor, "Incentive"};              // Vec<u16>
inline constexpr SubnetMap kDividends{kSubtensor, "Dividends"};              // Vec<u16>
inline constexpr SubnetMap kValidatorTrust{kSubtensor, "ValidatorTrust"};    // Vec<u16>
inline constexpr SubnetMap kStakeWeight{kSubtensor, "StakeWeight"};          // Vec<u16>
inline constexpr SubnetMap kEmission{kSubtensor, "Emission"};                // Vec<u64>
inline constexpr SubnetMap kLastUpdate{kSubtensor, "LastUpdate"};            // Vec<u64>
inline constexpr SubnetMap kValidatorPermit{kSubtensor, "ValidatorPermit"};  // Vec<bool>
// One sparse row a neuron: Vec<(uid u16, value u16)>.
inline constexpr NeuronMap kWeights{kSubtensor, "Weights"};
inline constexpr NeuronMap kBonds{kSubtensor, "Bonds"};

// Registration{deposit u64, block u32, fields Vec<Data>}; u32; UsageTracker{last_epoch, used_space
// u64}.
inline constexpr SubnetAccountMap kCommitmentOf{"Commitments", "CommitmentOf",
                                                StorageHasher::kTwox64Concat};
inline constexpr SubnetAccountMap kLastCommitment{"Commitments", "LastCommitment",
                                                  StorageHasher::kTwox64Concat};
inline constexpr SubnetAccountMap kUsedSpaceOf{"Commitments", "UsedSpaceOf",
                                               StorageHasher::kTwox64Concat};

}  // namespace storage
}  // namespace chain::substrate
