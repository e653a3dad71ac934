// SubtensorModule in the runtime's table: its calls, events and errors; and all that it stores.
#include "chain/embedded/commit_reveal.h"
#include "chain/embedded/info.h"
#include "chain/embedded/items.h"
#include "chain/embedded/networks.h"
#include "chain/embedded/registration.h"
#include "chain/embedded/rows.h"
#include "chain/embedded/serving.h"
#include "chain/embedded/staking.h"
#include "chain/embedded/subtensor_events.h"
#include "chain/embedded/weights.h"

namespace chain::embedded {
namespace {

std::vector<CallRow> calls_of() {
  return {
      call<set_weights, check_weights>(0, "set_weights", {15'540'000'000, kFree},
                                       "Says what a validator thinks of the neurons of a subnet."),
      call<add_stake, check_add_stake>(2, "add_stake", {340'800'000},
                                       "Turns TAO into a subnet's alpha on a hotkey."),
      call<remove_stake, check_remove_stake>(3, "remove_stake", {196'800'000},
                                             "Turns alpha back into TAO."),
      call<serve_axon, check_axon>(4, "serve_axon", {33'600'000, kFree},
                                   "Says where a neuron can be reached."),
      call<serve_prometheus, check_prometheus>(5, "serve_prometheus", {29'600'000, kFree},
                                               "Says where a neuron's metrics are."),
      call<burned_register, check_register>(7, "burned_register", {354'200'000},
                                            "Burns the price of a slot and takes it."),
      call<register_network>(59, "register_network", {235'400'000},
                             "Burns the price of a subnet and makes the caller its owner."),
      call<decrease_take>(65, "decrease_take", {29'000'000}, "Keeps less of the dividends."),
      call<increase_take>(66, "increase_take", {35'000'000}, "Keeps more of the dividends."),
      call<unstake_all>(83, "unstake_all", {28'800'000},
                        "Takes all that the caller has on a hotkey, of all subnets."),
      call<move_stake>(85, "move_stake", {164'000'000}, "Moves stake to another hotkey or subnet."),
      call<transfer_stake>(86, "transfer_stake", {161'000'000}, "Gives stake to another coldkey."),
      call<add_stake_limit>(88, "add_stake_limit", {412'000'000},
                            "As add_stake, if alpha costs no more than the limit."),
      call<remove_stake_limit>(89, "remove_stake_limit", {377'000'000},
                               "As remove_stake, if alpha brings no less than the limit."),
      call<try_associate_hotkey>(91, "try_associate_hotkey", {32'000'000},
                                 "Makes a hotkey that nobody has the caller's."),
      call<start_call>(92, "start_call", {92'000'000, kFree}, "Starts the caller's subnet."),
      call<commit_weights, check_commit>(96, "commit_weights", {55'130'000, kFree},
                                         "Commits to weights by their hash."),
      call<reveal_weights, check_reveal>(97, "reveal_weights", {122'000'000, kFree},
                                         "Shows the weights of a commitment."),
      call<remove_stake_full>(103, "remove_stake_full_limit", {395'300'000},
                              "Takes all that the caller has on a hotkey, of one subnet."),
      call<commit_timelocked, check_timelocked>(113, "commit_timelocked_weights",
                                                {84'020'000, kFree},
                                                "Commits to weights that a beacon's round opens."),
      call<commit_mechanism_weights>(115, "commit_mechanism_weights", {55'130'000, kFree},
                                     "commit_weights of a mechanism; there is number 0 only."),
      call<reveal_mechanism_weights>(116, "reveal_mechanism_weights", {122'000'000, kFree},
                                     "reveal_weights of a mechanism; there is number 0 only."),
      call<commit_timelocked_mechanism>(
          118, "commit_timelocked_mechanism_weights", {84'020'000, kFree},
          "commit_timelocked_weights of a mechanism; there is number 0 only."),
      call<set_mechanism_weights>(119, "set_mechanism_weights", {15'540'000'000, kFree},
                                  "set_weights of a mechanism; there is number 0 only."),
      call<register_limit>(134, "register_limit", {354'200'000},
                           "As burned_register, if the price is no more than the limit."),
      call<set_tempo>(139, "set_tempo", {30'000'000, kFree}, "Sets the blocks of an epoch."),
      call<set_activity_cutoff_factor>(
          140, "set_activity_cutoff_factor", {30'000'000, kFree},
          "Sets after how many thousandths of an epoch a silent validator counts no more."),
      call<trigger_epoch>(141, "trigger_epoch", {30'000'000, kFree}, "Ends the epoch soon."),
  };
}

}  // namespace

PalletTable subtensor_pallet() {
  using namespace events;  // NOLINT: their names.
  PalletTable table{"SubtensorModule", kSubtensorPallet};
  table.storage = subtensor_storage();
  table.calls = calls_of();
  table.events =
      event_rows<NetworkAdded, StakeAdded, StakeRemoved, StakeMoved, WeightsSet, NeuronRegistered,
                 AxonServed, PrometheusServed, TempoSet, TakeDecreased, TakeIncreased,
                 WeightsCommitted, WeightsRevealed, StakeTransferred, FirstEmissionBlockNumberSet,
                 TimelockedWeightsCommitted, TimelockedWeightsRevealed,
                 ActivityCutoffFactorMilliSet, EpochTriggered>();
  table.errors = {MUSTER_SUBTENSOR_ERRORS(MUSTER_ERROR_ROW)};
  table.constants = {
      constant("InitialMinStake", kMinStakeRao),
      constant("MinTempo", kOwnerTempoMin),
      constant("MaxTempo", kOwnerTempoMax),
      constant("InitialDefaultDelegateTake", kDefaultTake),
  };
  return table;
}

namespace {

std::vector<StorageRow> storage_of_all() {
  using namespace substrate::storage;  // NOLINT: their names.
  return {
      row<uint64_t>(kTaoWeight),
      row<uint16_t>(kMaxDelegateTake, kDefaultTake),
      row<uint16_t>(kMinDelegateTake),
      row<uint64_t>(kBlockEmission),
      row<uint64_t>(kTaoIssuance),
      row<uint64_t>(kTotalStake),
      row<uint16_t>(kTotalNetworks),
      row<uint16_t>(kSubnetLimit),
      row<uint64_t>(kStartCallDelay),
      row<uint64_t>(kNetworkMinLockCost),
      row<uint64_t>(kNetworkLastLockCost),
      row<uint64_t>(kLockReductionInterval),
      row<uint64_t>(kNetworkRateLimit),
      row<uint64_t>(kLastRateLimited),
      row<uint16_t>(kSubnetOwnerCut),
      row<uint64_t>(kStakeThreshold),
      row<uint16_t>(kCommitRevealVersion, kTimelockedVersion),
  };
}

std::vector<StorageRow> storage_of_accounts() {
  using namespace substrate::storage;  // NOLINT: their names.
  using Accounts = std::vector<AccountId>;
  return {
      row<AccountId>(kOwner),           row<Accounts>(kOwnedHotkeys),
      row<Accounts>(kStakingHotkeys),   row<uint16_t>(kDelegates, kDefaultTake),
      row<uint64_t>(kTotalHotkeyAlpha), row<SafeFloat>(kTotalHotkeySharesV2),
      row<SafeFloat>(kAlphaV2),         row<bool>(kIsNetworkMember),
      row<uint64_t>(kAlphaDividends),
  };
}

std::vector<StorageRow> storage_of_subnets() {
  using namespace substrate::storage;  // NOLINT: their names.
  constexpr auto kNone = std::nullopt;
  return {
      row<bool>(kNetworksAdded),
      row<uint16_t>(kSubnetworkN),
      row<AccountId>(kSubnetOwner),
      row<AccountId>(kSubnetOwnerHotkey),
      row<bool>(kOwnerCutEnabled, true),
      row<uint64_t>(kSubnetLocked),
      row<bool>(kSubtokenEnabled),
      row<bool>(kTransferToggle, true),
      row<uint16_t>(kSubnetMechanism),
      row<uint64_t>(kFirstEmissionBlock, kNone),
      row<uint64_t>(kNetworkRegisteredAt),
      row<uint64_t>(kSubnetTao),
      row<uint64_t>(kSubnetAlphaOut),
      row<uint64_t>(kAlphaOutEmission),
      row<uint64_t>(kTaoInEmission),
      row<uint64_t>(kPendingServer),
      row<uint64_t>(kPendingValidator),
      row<uint64_t>(kPendingOwnerCut),
      row<FixedU128>(kMinerBurned),
      row<RecycleOrBurn>(kRecycleOrBurn),
      row<uint16_t>(kTempo),
      row<uint64_t>(kLastEpochBlock),
      row<uint64_t>(kPendingEpochAt),
      row<uint64_t>(kSubnetEpochIndex),
      row<uint64_t>(kBlocksSinceLastStep),
      row<uint64_t>(kLastStepBlock),
      row<uint64_t>(kBurn),
      row<uint64_t>(kMinBurn),
      row<uint64_t>(kMaxBurn),
      row<uint16_t>(kBurnHalfLife),
      row<FixedU128>(kBurnIncreaseMult),
      row<uint64_t>(kBurnedForRegistration),
      row<bool>(kRegistrationAllowed),
      row<uint16_t>(kMinNonImmuneUids),
      row<uint16_t>(kImmuneOwnerUidsLimit),
      row<uint16_t>(kImmunityPeriod),
      row<uint16_t>(kRho),
      row<uint16_t>(kKappa),
      row<uint16_t>(kMinAllowedWeights),
      row<uint16_t>(kMaxAllowedUids),
      row<uint16_t>(kMaxAllowedValidators),
      row<uint64_t>(kWeightsVersionKey),
      row<uint64_t>(kWeightsSetRateLimit),
      row<uint64_t>(kServingRateLimit),
      row<uint16_t>(kActivityCutoff),
      row<uint32_t>(kActivityCutoffFactorMilli),
      row<uint64_t>(kBondsMovingAverage),
      row<uint16_t>(kBondsPenalty),
      row<std::tuple<uint16_t, uint16_t>>(kAlphaValues),
      row<int16_t>(kAlphaSigmoidSteepness),
      row<bool>(kCommitRevealEnabled),
      row<uint64_t>(kRevealPeriodEpochs, uint64_t{1}),
      row<bool>(kLiquidAlphaOn),
      row<bool>(kYuma3On),
  };
}

std::vector<StorageRow> storage_of_neurons() {
  using namespace substrate::storage;  // NOLINT: their names.
  using Shares16 = std::vector<uint16_t>;
  using Blocks = std::vector<uint64_t>;
  using Flags = std::vector<bool>;
  constexpr auto kNone = std::nullopt;
  return {
      row<AccountId>(kKeys),
      row<uint16_t>(kUids, kNone),
      row<uint64_t>(kBlockAtRegistration),
      row<AxonInfo>(kAxons, kNone),
      row<PrometheusInfo>(kPrometheus, kNone),
      row<Flags>(kActive),
      row<Shares16>(kConsensus),
      row<Shares16>(kIncentive),
      row<Shares16>(kDividends),
      row<Shares16>(kValidatorTrust),
      row<Shares16>(kStakeWeight),
      row<Blocks>(kEmission),
      row<Blocks>(kLastUpdate),
      row<Flags>(kValidatorPermit),
      row<Row16>(kWeights),
      row<Row16>(kBonds),
      row<std::vector<WeightCommit>>(kWeightCommits, kNone),
      row<std::vector<TimelockedCommit>>(kTimelockedCommits),
  };
}

}  // namespace

std::vector<StorageRow> subtensor_storage() {
  std::vector<StorageRow> all;
  for (const auto& rows :
       {storage_of_all(), storage_of_accounts(), storage_of_subnets(), storage_of_neurons()}) {
    all.insert(all.end(), rows.begin(), rows.end());
  }
  return all;
}

}  // namespace chain::embedded
