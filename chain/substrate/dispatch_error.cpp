#include "chain/substrate/dispatch_error.h"

#include <span>

namespace chain::substrate {
namespace {

// By their numbers, as the metadata of spec 424 lists them.
constexpr std::string_view kSystem[] = {"InvalidSpecName",
                                        "SpecVersionNeedsToIncrease",
                                        "FailedToExtractRuntimeVersion",
                                        "NonDefaultComposite",
                                        "NonZeroRefCount",
                                        "CallFiltered",
                                        "MultiBlockMigrationsOngoing",
                                        "NothingAuthorized",
                                        "Unauthorized"};
constexpr std::string_view kBalances[] = {
    "VestingBalance", "LiquidityRestrictions",   "InsufficientBalance", "ExistentialDeposit",
    "Expendability",  "ExistingVestingSchedule", "DeadAccount",         "TooManyReserves",
    "TooManyHolds",   "TooManyFreezes",          "IssuanceDeactivated", "DeltaZero"};
constexpr std::string_view kSubtensorModule[] = {"RootNetworkDoesNotExist",
                                                 "InvalidIpType",
                                                 "InvalidIpAddress",
                                                 "InvalidPort",
                                                 "HotKeyNotRegisteredInSubNet",
                                                 "HotKeyAccountNotExists",
                                                 "HotKeyNotRegisteredInNetwork",
                                                 "NonAssociatedColdKey",
                                                 "NotEnoughStake",
                                                 "NotEnoughStakeToWithdraw",
                                                 "NotEnoughStakeToSetWeights",
                                                 "NotEnoughStakeToSetChildkeys",
                                                 "NotEnoughBalanceToStake",
                                                 "BalanceWithdrawalError",
                                                 "ZeroBalanceAfterWithdrawn",
                                                 "NeuronNoValidatorPermit",
                                                 "WeightVecNotEqualSize",
                                                 "DuplicateUids",
                                                 "UidVecContainInvalidOne",
                                                 "WeightVecLengthIsLow",
                                                 "TooManyRegistrationsThisBlock",
                                                 "HotKeyAlreadyRegisteredInSubNet",
                                                 "NewHotKeyIsSameWithOld",
                                                 "NewHotKeyNotCleanForRootSwap",
                                                 "InvalidWorkBlock",
                                                 "InvalidDifficulty",
                                                 "InvalidSeal",
                                                 "MaxWeightExceeded",
                                                 "HotKeyAlreadyDelegate",
                                                 "SettingWeightsTooFast",
                                                 "IncorrectWeightVersionKey",
                                                 "ServingRateLimitExceeded",
                                                 "UidsLengthExceedUidsInSubNet",
                                                 "NetworkTxRateLimitExceeded",
                                                 "DelegateTxRateLimitExceeded",
                                                 "HotKeySetTxRateLimitExceeded",
                                                 "StakingRateLimitExceeded",
                                                 "SubNetRegistrationDisabled",
                                                 "TooManyRegistrationsThisInterval",
                                                 "TransactorAccountShouldBeHotKey",
                                                 "FaucetDisabled",
                                                 "NotSubnetOwner",
                                                 "RegistrationNotPermittedOnRootSubnet",
                                                 "StakeTooLowForRoot",
                                                 "AllNetworksInImmunity",
                                                 "NotEnoughBalanceToPaySwapHotKey",
                                                 "NotRootSubnet",
                                                 "CanNotSetRootNetworkWeights",
                                                 "NoNeuronIdAvailable",
                                                 "DelegateTakeTooLow",
                                                 "DelegateTakeTooHigh",
                                                 "NoWeightsCommitFound",
                                                 "InvalidRevealCommitHashNotMatch",
                                                 "CommitRevealEnabled",
                                                 "CommitRevealDisabled",
                                                 "LiquidAlphaDisabled",
                                                 "AlphaHighTooLow",
                                                 "AlphaLowOutOfRange",
                                                 "ColdKeyAlreadyAssociated",
                                                 "NotEnoughBalanceToPaySwapColdKey",
                                                 "InvalidChild",
                                                 "DuplicateChild",
                                                 "ProportionOverflow",
                                                 "TooManyChildren",
                                                 "TxRateLimitExceeded",
                                                 "ColdkeySwapAnnouncementNotFound",
                                                 "ColdkeySwapTooEarly",
                                                 "ColdkeySwapReannouncedTooEarly",
                                                 "AnnouncedColdkeyHashDoesNotMatch",
                                                 "ColdkeySwapAlreadyDisputed",
                                                 "NewColdKeyIsHotkey",
                                                 "InvalidChildkeyTake",
                                                 "TxChildkeyTakeRateLimitExceeded",
                                                 "InvalidIdentity",
                                                 "MechanismDoesNotExist",
                                                 "StakeUnavailable",
                                                 "SubnetNotExists",
                                                 "TooManyUnrevealedCommits",
                                                 "ExpiredWeightCommit",
                                                 "RevealTooEarly",
                                                 "InputLengthsUnequal",
                                                 "CommittingWeightsTooFast",
                                                 "AmountTooLow",
                                                 "InsufficientLiquidity",
                                                 "SlippageTooHigh",
                                                 "TransferDisallowed",
                                                 "ActivityCutoffTooLow",
                                                 "CallDisabled",
                                                 "FirstEmissionBlockNumberAlreadySet",
                                                 "NeedWaitingMoreBlocksToStarCall",
                                                 "NotEnoughAlphaOutToRecycle",
                                                 "CannotBurnOrRecycleOnRootSubnet",
                                                 "UnableToRecoverPublicKey",
                                                 "InvalidRecoveredPublicKey",
                                                 "SubtokenDisabled",
                                                 "HotKeySwapOnSubnetIntervalNotPassed",
                                                 "SameNetuid",
                                                 "InsufficientBalance",
                                                 "InvalidLeaseBeneficiary",
                                                 "LeaseCannotEndInThePast",
                                                 "LeaseNetuidNotFound",
                                                 "LeaseDoesNotExist",
                                                 "LeaseHasNoEndBlock",
                                                 "LeaseHasNotEnded",
                                                 "Overflow",
                                                 "BeneficiaryDoesNotOwnHotkey",
                                                 "ExpectedBeneficiaryOrigin",
                                                 "AdminActionProhibitedDuringWeightsWindow",
                                                 "SymbolDoesNotExist",
                                                 "SymbolAlreadyInUse",
                                                 "IncorrectCommitRevealVersion",
                                                 "InvalidRevealRound",
                                                 "RevealPeriodTooLarge",
                                                 "RevealPeriodTooSmall",
                                                 "InvalidValue",
                                                 "SubnetLimitReached",
                                                 "CannotAffordLockCost",
                                                 "EvmKeyAssociateRateLimitExceeded",
                                                 "SameAutoStakeHotkeyAlreadySet",
                                                 "UidMapCouldNotBeCleared",
                                                 "TrimmingWouldExceedMaxImmunePercentage",
                                                 "ChildParentInconsistency",
                                                 "InvalidNumRootClaim",
                                                 "InvalidRootClaimThreshold",
                                                 "InvalidSubnetNumber",
                                                 "TooManyUIDsPerMechanism",
                                                 "VotingPowerTrackingNotEnabled",
                                                 "InvalidVotingPowerEmaAlpha",
                                                 "Deprecated",
                                                 "AddStakeBurnRateLimitExceeded",
                                                 "ColdkeySwapAnnounced",
                                                 "ColdkeySwapDisputed",
                                                 "ColdkeySwapClearTooEarly",
                                                 "DisabledTemporarily",
                                                 "RegistrationPriceLimitExceeded",
                                                 "LockHotkeyMismatch",
                                                 "InsufficientStakeForLock",
                                                 "NoExistingLock",
                                                 "ActiveLockExists",
                                                 "CannotUseSystemAccount",
                                                 "UnlockAmountTooHigh",
                                                 "TempoOutOfBounds",
                                                 "ActivityCutoffFactorMilliOutOfBounds",
                                                 "EpochTriggerAlreadyPending",
                                                 "AutoEpochAlreadyImminent",
                                                 "DynamicTempoBlockedByCommitReveal",
                                                 "AccountRejectsLockedAlpha"};
constexpr std::string_view kCommitments[] = {"TooManyFieldsInCommitmentInfo",
                                             "AccountNotAllowedCommit", "SpaceLimitExceeded",
                                             "UnexpectedUnreserveLeftover"};

struct Pallet {
  uint8_t index;
  std::string_view name;
  std::span<const std::string_view> errors;
};
constexpr Pallet kPallets[] = {
    {0, "System", kSystem},
    {5, "Balances", kBalances},
    {7, "SubtensorModule", kSubtensorModule},
    {18, "Commitments", kCommitments},
};

// What the user can do about an error. Names of different pallets do not collide here.
struct Advice {
  std::string_view error;
  std::string_view text;
};
constexpr Advice kAdvice[] = {
    {"HotKeyNotRegisteredInSubNet", "register the hotkey in this subnet first"},
    {"HotKeyNotRegisteredInNetwork", "register the hotkey in this subnet first"},
    {"HotKeyAccountNotExists", "nobody has registered this hotkey yet: register it first"},
    {"HotKeyAlreadyRegisteredInSubNet", "nothing to do: the hotkey holds a uid already"},
    {"NonAssociatedColdKey", "the hotkey belongs to another coldkey: sign with that one"},
    {"NotEnoughStakeToSetWeights", "add stake to the hotkey until it passes the stake threshold"},
    {"NotEnoughBalanceToStake", "the coldkey has less free TAO than that plus the fee"},
    {"NotEnoughStakeToWithdraw", "less is staked than that"},
    {"NeuronNoValidatorPermit",
     "weights are for validators: add stake and wait for the next epoch to hand out permits"},
    {"WeightVecNotEqualSize", "there must be one weight for each uid"},
    {"DuplicateUids", "a uid stands twice in the weights"},
    {"UidVecContainInvalidOne", "a uid in the weights does not exist: read the metagraph again"},
    {"WeightVecLengthIsLow", "name at least min_allowed_weights uids"},
    {"MaxWeightExceeded", "one weight is above max_weights_limit"},
    {"SettingWeightsTooFast",
     "wait until weights_rate_limit blocks have passed since the last time"},
    {"IncorrectWeightVersionKey", "update Muster: the subnet demands a newer weights version"},
    {"ServingRateLimitExceeded", "wait fifty blocks between two addresses"},
    {"UidsLengthExceedUidsInSubNet", "more weights than the subnet has neurons"},
    {"SubNetRegistrationDisabled", "the subnet's owner has closed registration"},
    {"RegistrationNotPermittedOnRootSubnet", "netuid 0 is the root: choose another subnet"},
    {"NoNeuronIdAvailable", "every slot is taken and immune: try again later"},
    {"CommitRevealEnabled", "this subnet takes weights by commit and reveal only"},
    {"CommitRevealDisabled", "this subnet takes weights directly: use set_weights"},
    {"NoWeightsCommitFound", "nothing was committed for this reveal"},
    {"InvalidRevealCommitHashNotMatch", "the reveal is not what was committed"},
    {"TooManyUnrevealedCommits", "reveal earlier commits before committing again"},
    {"ExpiredWeightCommit", "the reveal came too late: commit again"},
    {"RevealTooEarly", "wait for the reveal epoch"},
    {"CommittingWeightsTooFast", "wait until weights_rate_limit blocks have passed"},
    {"SubnetNotExists", "there is no subnet of this netuid on this chain"},
    {"MechanismDoesNotExist", "there is no subnet of this netuid on this chain"},
    {"AmountTooLow", "the least that can be staked is 0.002 TAO plus the fee"},
    {"SubtokenDisabled", "the subnet has not been started by its owner"},
    {"IncorrectCommitRevealVersion", "update Muster: the subnet demands another commit version"},
    {"InvalidRevealRound", "the reveal round is over already: check this machine's clock"},
    {"InvalidIpAddress", "announce an address that others can reach"},
    {"InvalidPort", "port 0 cannot be announced"},
    {"AccountNotAllowedCommit", "only registered hotkeys may commit: register the hotkey first"},
    {"TooManyFieldsInCommitmentInfo", "a commitment has at most three fields"},
    {"SpaceLimitExceeded", "too much was committed in this epoch: wait for the next one"},
    {"InsufficientBalance", "the account has less free TAO than that plus the fee"},
    {"ExistentialDeposit", "an account must be left with or given at least 500 rao"},
    {"Expendability", "the sender must be left with at least 500 rao"},
};

constexpr std::string_view kKinds[] = {
    "Other",       "CannotLookup",     "BadOrigin",   "Module",         "ConsumerRemaining",
    "NoProviders", "TooManyConsumers", "Token",       "Arithmetic",     "Transactional",
    "Exhausted",   "Corruption",       "Unavailable", "RootNotAllowed", "Trie",
};
constexpr std::string_view kTokenErrors[] = {
    "the account has not enough free TAO",
    "the account must be left with at least 500 rao",
    "the amount is below the existential deposit of 500 rao",
};

constexpr std::string_view kCustomErrors[] = {
    "the coldkey is being swapped: wait until that is done",
    "the stake is too low: stake at least 0.002 TAO, or for weights as much as the threshold",
    "the balance is too low for that amount and its fee",
    "there is no subnet of this netuid on this chain",
    "nobody has registered this hotkey yet: register it first",
    "less is staked than that",
    "too fast: wait until the rate limit has passed",
    "the subnet's pool is too small for that amount",
    "the price moved further than allowed",
    "the subnet does not allow transfers of stake",
    "the hotkey is not registered in this subnet: register it first",
    "the address cannot be announced: it must be one that others can reach",
    "wait fifty blocks between two addresses",
    "port 0 cannot be announced",
    "the largest amount at this price is zero",
    "the reveal round is over already: check this machine's clock",
    "nothing was committed for this reveal",
    "it is not the time to reveal this commit",
    "there must be one weight for each uid",
    "there is no such uid",
};

const Pallet* find(uint8_t index) {
  for (const Pallet& pallet : kPallets) {
    if (pallet.index == index) return &pallet;
  }
  return nullptr;
}

std::string explain_module(uint8_t index, uint8_t error) {
  const std::string_view name = module_error_name(index, error);
  if (name.empty()) {
    return "error " + std::to_string(error) + " of pallet " + std::to_string(index);
  }
  std::string text = std::string(find(index)->name) + "." + std::string(name);
  for (const Advice& advice : kAdvice) {
    if (advice.error == name) return text + ": " + std::string(advice.text);
  }
  return text;
}

}  // namespace

std::string_view module_error_name(uint8_t pallet, uint8_t error) {
  const Pallet* known = find(pallet);
  if (known == nullptr || error >= known->errors.size()) return {};
  return known->errors[error];
}

std::optional<uint8_t> module_error_index(uint8_t pallet, std::string_view name) {
  const Pallet* known = find(pallet);
  if (known == nullptr) return std::nullopt;
  for (size_t i = 0; i < known->errors.size(); ++i) {
    if (known->errors[i] == name) return static_cast<uint8_t>(i);
  }
  return std::nullopt;
}

std::string explain(const DispatchError& error) {
  if (error.kind == DispatchError::kModule) return explain_module(error.pallet, error.error);
  if (error.kind >= std::size(kKinds)) return "dispatch error " + std::to_string(error.kind);
  std::string text(kKinds[error.kind]);
  if (error.kind == DispatchError::kBadOrigin) {
    text += ": this account may not do that";
  } else if (error.kind == DispatchError::kToken && error.detail < std::size(kTokenErrors)) {
    text += ": " + std::string(kTokenErrors[error.detail]);
  } else if (error.kind >= DispatchError::kToken && error.kind <= DispatchError::kToken + 2) {
    text += " error " + std::to_string(error.detail);
  }
  return text;
}

std::string explain_custom(uint8_t code) {
  if (code < std::size(kCustomErrors)) return std::string(kCustomErrors[code]);
  return "the chain's check number " + std::to_string(code) + " failed";
}

}  // namespace chain::substrate
