// Storage items that only a ledger needs, beside those of chain/substrate/storage_key.h.
#pragma once

#include "chain/embedded/typed.h"
#include "chain/substrate/storage_key.h"

namespace chain::embedded {

namespace items = substrate::storage;

using substrate::kSubtensor;
using substrate::PlainItem;
using substrate::SubnetAccountMap;
using substrate::SubnetMap;

inline constexpr SubnetMap kSubnetTao{kSubtensor, "SubnetTAO"};            // u64
inline constexpr SubnetMap kSubnetAlphaOut{kSubtensor, "SubnetAlphaOut"};  // u64
// What one block mints; on Bittensor an outcome of prices, here a parameter.
inline constexpr SubnetMap kAlphaOutEmission{kSubtensor, "SubnetAlphaOutEmission"};    // u64
inline constexpr SubnetMap kTaoInEmission{kSubtensor, "SubnetTaoInEmission"};          // u64
inline constexpr SubnetMap kPendingServer{kSubtensor, "PendingServerEmission"};        // u64
inline constexpr SubnetMap kPendingValidator{kSubtensor, "PendingValidatorEmission"};  // u64
inline constexpr SubnetMap kPendingOwnerCut{kSubtensor, "PendingOwnerCut"};            // u64
inline constexpr SubnetMap kOwnerCutEnabled{kSubtensor, "OwnerCutEnabled"};            // bool
inline constexpr PlainItem kSubnetOwnerCut{kSubtensor, "SubnetOwnerCut"};              // u16
inline constexpr SubnetMap kRecycleOrBurn{kSubtensor, "RecycleOrBurn"};  // enum: 0 burn, 1 recycle
inline constexpr SubnetMap kMinerBurned{kSubtensor, "MinerBurned"};      // U96F32
inline constexpr SubnetAccountMap kAlphaDividends{kSubtensor, "AlphaDividendsPerSubnet"};  // u64

inline constexpr SubnetMap kSubtokenEnabled{kSubtensor, "SubtokenEnabled"};  // bool
inline constexpr SubnetMap kFirstEmissionBlock{kSubtensor, "FirstEmissionBlockNumber"};
inline constexpr SubnetMap kNetworkRegisteredAt{kSubtensor, "NetworkRegisteredAt"};  // u64
inline constexpr SubnetMap kBurnHalfLife{kSubtensor, "BurnHalfLife"};                // u16 blocks
inline constexpr SubnetMap kBurnIncreaseMult{kSubtensor, "BurnIncreaseMult"};        // U64F64
inline constexpr SubnetMap kBurnedForRegistration{kSubtensor, "RAORecycledForRegistration"};
inline constexpr SubnetMap kMinNonImmuneUids{kSubtensor, "MinNonImmuneUids"};            // u16
inline constexpr SubnetMap kImmuneOwnerUidsLimit{kSubtensor, "ImmuneOwnerUidsLimit"};    // u16
inline constexpr SubnetMap kAlphaSigmoidSteepness{kSubtensor, "AlphaSigmoidSteepness"};  // i16
inline constexpr PlainItem kStakeThreshold{kSubtensor, "StakeThreshold"};                // u64
inline constexpr PlainItem kBlockEmission{kSubtensor, "BlockEmission"};                  // u64
inline constexpr PlainItem kTaoIssuance{kSubtensor, "TotalIssuance"};                    // u64
inline constexpr PlainItem kTaoWeight{kSubtensor, "TaoWeight"};                          // u64
inline constexpr PlainItem kCommitmentSpace{"Commitments", "MaxSpace"};                  // u32

// A map all of whose keys are hashed alike.
template <substrate::StorageHasher kHasherOf, typename... Keys>
struct KeyedItem {
  static constexpr substrate::StorageHasher kHasher = kHasherOf;
  std::string_view pallet, item;

  Bytes prefix() const { return substrate::storage_prefix(pallet, item); }
  // With fewer keys than there are: the prefix of those that begin with them.
  template <typename... First>
  Bytes key(const First&... keys) const {
    Bytes out = prefix();
    const auto add = [&](const auto& one) {
      const Bytes part = substrate::hashed_key(kHasherOf, encoded(one));
      out.insert(out.end(), part.begin(), part.end());
    };
    (add(static_cast<const First&>(keys)), ...);
    return out;
  }
};
template <typename... Keys>
using TwoxItem = KeyedItem<substrate::StorageHasher::kTwox64Concat, Keys...>;

// Weights that were committed but not yet shown. By the storage index of the mechanism (that of
// mechanism 0 is the netuid) and the hotkey, or the epoch of the commitment.
inline constexpr TwoxItem<uint16_t, AccountId> kWeightCommits{kSubtensor, "WeightCommits"};
inline constexpr TwoxItem<uint16_t, uint64_t> kTimelockedCommits{kSubtensor,
                                                                 "TimelockedWeightCommits"};
inline constexpr SubnetMap kRevealPeriodEpochs{kSubtensor, "RevealPeriodEpochs",
                                               substrate::StorageHasher::kTwox64Concat};    // u64
inline constexpr PlainItem kCommitRevealVersion{kSubtensor, "CommitRevealWeightsVersion"};  // u16
inline constexpr substrate::AccountMap kDelegates{kSubtensor, "Delegates"};                 // u16
inline constexpr PlainItem kMaxDelegateTake{kSubtensor, "MaxDelegateTake"};                 // u16
inline constexpr PlainItem kMinDelegateTake{kSubtensor, "MinDelegateTake"};                 // u16
inline constexpr SubnetAccountMap kPrometheus{kSubtensor, "Prometheus"};
inline constexpr SubnetMap kTransferToggle{kSubtensor, "TransferToggle"};            // bool
inline constexpr SubnetMap kSubnetMechanism{kSubtensor, "SubnetMechanism"};          // u16
inline constexpr PlainItem kNetworkMinLockCost{kSubtensor, "NetworkMinLockCost"};    // u64
inline constexpr PlainItem kNetworkLastLockCost{kSubtensor, "NetworkLastLockCost"};  // u64
inline constexpr PlainItem kLockReductionInterval{kSubtensor, "NetworkLockReductionInterval"};
inline constexpr PlainItem kNetworkRateLimit{kSubtensor, "NetworkRateLimit"};  // u64
inline constexpr PlainItem kSubnetLimit{kSubtensor, "SubnetLimit"};            // u16
inline constexpr PlainItem kStartCallDelay{kSubtensor, "StartCallDelay"};      // u64
inline constexpr SubnetMap kSubnetLocked{kSubtensor, "SubnetLocked"};          // u64
// When something whose rate is limited was last done; here only the registering of networks.
struct RateLimitKey {};
inline constexpr KeyedItem<substrate::StorageHasher::kIdentity, RateLimitKey> kLastRateLimited{
    kSubtensor, "LastRateLimitedBlock"};  // u64

inline constexpr PlainItem kSudoKey{"Sudo", "Key"};  // AccountId

inline constexpr PlainItem kBeaconConfig{"Drand", "BeaconConfig"};
inline constexpr KeyedItem<substrate::StorageHasher::kBlake2_128Concat, uint64_t> kPulses{"Drand",
                                                                                          "Pulses"};
inline constexpr PlainItem kLastStoredRound{"Drand", "LastStoredRound"};      // u64
inline constexpr PlainItem kOldestStoredRound{"Drand", "OldestStoredRound"};  // u64

template <>
struct Scale<RateLimitKey> {
  static constexpr uint8_t kNetworkLastRegistered = 2;
  static void put(Encoder& out, RateLimitKey) { out.number(kNetworkLastRegistered); }
  static RateLimitKey take(Decoder& in) {
    if (in.number<uint8_t>() != kNetworkLastRegistered) in.fail();
    return {};
  }
  static substrate::Type type(TypeRegistry&) {
    return {path_of("pallet_subtensor::RateLimitKey"),
            {},
            substrate::VariantType{{{"NetworkLastRegistered", {}, kNetworkLastRegistered, {}}}}};
  }
};

}  // namespace chain::embedded
