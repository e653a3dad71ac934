// Yuma consensus: what an epoch of a subnet makes of stakes, weights and bonds. Pure; integers
// only; the same bits as the chain's own runtime.
//
// Source: subtensor, pallets/subtensor/src/epoch (behaviour, not code), runtime specs 293 and 425.
// Numbers are I32F32 (chain/embedded/fixed_point.h) as there; every division truncates, every
// product floors.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "chain/ledger.h"
#include "common/window.h"

namespace chain {

// Which runtime's rules. k425 differs from k293 in five places:
//   - the owner's neuron keeps its permit and is exempt from the stake threshold;
//   - a validator with an unrevealed commit has no weight on a uid registered after that commit;
//   - bonds count from the subnet's own last epoch rather than from `tempo` blocks ago;
//   - the bonds of a neuron that had no permit and gets none are emptied (293 left them standing);
//   - rank, trust and pruning score are no longer stored (we still compute them).
enum class RuntimeSpec : uint8_t { k293, k425 };

// One uid as the chain holds it before the epoch. Its place in EpochInput::neurons is its uid.
struct EpochNeuron {
  uint64_t alpha_rao = 0;  // Stake in the subnet's alpha: own, less to children, plus from parents.
  uint64_t tao_rao = 0;    // The same over root stake; counts with `tao_weight`.
  bool validator_permit = false;  // From the last epoch; decides whose weights count in this one.
  BlockNumber last_update;
  BlockNumber registered_at;
  std::vector<Weight> weights;  // As stored, in stored order.  Each uid < n and at most once.
  std::vector<Weight> bonds;    // As the last epoch left them.
  std::optional<BlockNumber>
      oldest_commit;  // Of its unexpired, unrevealed weight commits. 425 only.
};

// Shares are of 65,535 unless another scale is named.
struct EpochParams {
  uint16_t tempo = 360;                     // blocks
  uint16_t kappa = 32'767;                  // Majority of stake that consensus needs.
  uint64_t bonds_moving_average = 900'000;  // of 1,000,000
  uint16_t bonds_penalty = 65'535;  // Of weight above consensus: 65,535 earns no bond for it.
  bool yuma3 = false;
  bool liquid_alpha = false;  // Yuma3 only.
  uint16_t alpha_low = 45'875;
  uint16_t alpha_high = 58'982;
  int16_t alpha_sigmoid_steepness = 1'000;  // hundredths
  uint16_t max_allowed_validators = 64;
  uint64_t activity_cutoff = 5'000;  // blocks
  uint64_t stake_threshold_rao = 0;
  uint64_t tao_weight = 0;  // of 2^64 - 1
};

struct EpochInput {
  RuntimeSpec spec = RuntimeSpec::k425;
  BlockNumber block;       // Being made while the epoch runs.
  BlockNumber last_epoch;  // LastMechansimStepBlock; 0 if there was none. 425 only.
  std::optional<Uid>
      owner;  // The subnet owner's neuron: the only one whose weight on itself counts.
  uint64_t emission_rao = 0;  // What the epoch divides: pending server, validator and root parts.
  EpochParams params;
  std::vector<EpochNeuron> neurons;  // at most kEpochNeuronsMax
};
inline constexpr size_t kEpochNeuronsMax = 4096;

// One uid after the epoch. 16-bit values are shares of 65,535, rounded down.
struct EpochResult {
  bool active = false;
  bool validator_permit = false;
  uint16_t rank = 0;       // Equals incentive. (293 stores it.)
  uint16_t trust = 0;      // Rank after clipping over rank before it. (293 stores it.)
  uint16_t consensus = 0;  // The weight that a kappa-majority of stake supports.
  uint16_t incentive = 0;
  uint16_t dividends = 0;
  uint16_t validator_trust = 0;  // How much of its weight lies within consensus.
  uint16_t stake_weight = 0;
  uint16_t pruning_score = 0;  // Emission, scaled so that the best has 65,535. (293 stores it.)
  uint64_t emission_rao = 0;   // Of emission_rao, by incentive + dividends: what the chain shows.
  uint64_t server_rao = 0;     // Its part for incentive, and
  uint64_t validator_rao = 0;  //   for dividends: what is paid out (to be scaled by the halves).
  std::vector<Weight> bonds;   // To be stored; ascending by uid in Yuma2.
  auto operator<=>(const EpochResult&) const = default;
};

struct EpochOutput {
  std::vector<EpochResult> neurons;  // neurons[i] is uid i's
};

// One epoch of one mechanism. Sums of emissions never exceed `emission_rao`; what truncation leaves
// over is nobody's. A weight or bond on a uid that does not exist, or more neurons than
// kEpochNeuronsMax, is a bug of the caller (CHECK). Ties: equal stakes at the edge of the permits
// go to the higher uid. Cost: O(n * entries), under 50 ms for 256 neurons of which 64 are
// validators.
EpochOutput run_epoch(const EpochInput& input);

// Weights as set_weights stores them: scaled so that the largest becomes 65,535, halves rounded up;
// all zero stays all zero.
std::vector<uint16_t> max_upscale(std::vector<uint16_t> values);

}  // namespace chain
