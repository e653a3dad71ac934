// Storage items that only a ledger needs, beside those of chain/substrate/storage_key.h.
#pragma once

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

}  // namespace chain::embedded
