#include "chain/substrate/advice.h"

#include <charconv>
#include <optional>

namespace chain::substrate {
namespace {

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
    {"BadOrigin", "this account may not do that"},
    {"AddStakeRateLimitExceeded", "wait for the next block"},
    {"StakingRateLimitExceeded", "wait for the next block"},
    {"TxRateLimitExceeded", "wait some blocks: this may be done only so often"},
    {"TooManyRegistrationsThisBlock", "try again in the next block"},
    {"TooManyRegistrationsThisInterval", "wait: the subnet takes only so many in a while"},
    {"RegistrationPriceLimitExceeded", "the price rose above the limit: look at it again"},
    {"ColdkeySwapAnnounced", "the coldkey is being swapped: wait until that is done"},
    {"ColdkeySwapDisputed", "the coldkey's swap is disputed: it can do nothing until that ends"},
    {"DisabledTemporarily", "the chain has closed this call for now"},
    {"CallFiltered", "the chain does not take this call now (safe mode?)"},
    {"InsufficientLiquidity", "the subnet's pool is too small for that amount: try a smaller one"},
    {"SlippageTooHigh", "the price would move further than you allow: try a smaller amount"},
    {"DelegateTakeTooHigh", "the largest take is 18 %"},
    {"DelegateTakeTooLow", "the take may only rise with increase_take"},
    {"InvalidNetuid", "there is no subnet of this netuid on this chain"},
    {"Token.FundsUnavailable", "the account has not enough free TAO"},
    {"Token.OnlyProvider", "the account must be left with at least 500 rao"},
    {"Token.BelowMinimum", "the amount is below the existential deposit of 500 rao"},
    {"Token.Frozen", "the funds are frozen"},
    {"Token.NotExpendable", "the sender must be left with at least 500 rao"},
    {"Arithmetic.Underflow", "an amount is larger than what is there"},
    {"Arithmetic.Overflow", "an amount is too large"},
    {"Exhausted", "the block is full: try again"},
    {"CannotLookup", "the address does not lead to an account"},
};

// By their numbers. Source: subtensor's CustomTransactionError.
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
    "the EVM key was associated too recently: wait",
    "the coldkey's swap is disputed: it can do nothing until that ends",
    "the real account of the proxy is none",
    "the shielded call is malformed: send it without the shield",
    "the shielded call is malformed: send it without the shield",
    "the hotkey belongs to another coldkey: sign with that one",
    "the take is too low",
    "the take is too high: the largest is 18 %",
};
constexpr uint8_t kBadRequest = 255;
constexpr uint8_t kRateLimited = 6;

// Substrate's numbers for what a pool says.
constexpr int64_t kInvalidTransaction = 1010;
constexpr int64_t kTemporarilyBanned = 1012;
constexpr int64_t kAlreadyImported = 1013;
constexpr int64_t kPriorityTooLow = 1014;
constexpr int64_t kPoolFull = 1016;

// Signs in the texts of nodes, and what to do.
struct PoolAdvice {
  std::string_view sign;
  PoolNo kind;
  std::string_view text;
};
constexpr PoolAdvice kPoolAdvice[] = {
    {"Inability to pay", PoolNo::kFinal,
     "the account has not enough free TAO for the fee: send it some"},
    {"outdated", PoolNo::kOutdated, "another extrinsic of this key came first: try again"},
    {"will be valid in the future", PoolNo::kOutdated,
     "an earlier extrinsic of this key is missing: try again"},
    {"bad signature", PoolNo::kBadProof,
     "the node runs another runtime or chain than it says: try again, or another node"},
    {"ancient birth block", PoolNo::kBadProof, "the extrinsic is too old: try again"},
    {"exhaust the resources", PoolNo::kNotNow, "the block is full: try again"},
};

// "Custom error: 10", or {"invalid":{"custom":10}}.
std::optional<uint8_t> custom_code(const RpcRefusal& refusal) {
  const std::string text =
      refusal.message + " " + refusal.data.dump(-1, ' ', false, Json::error_handler_t::replace);
  for (const std::string_view sign : {"ustom error: ", "\"custom\":", "Custom("}) {
    const size_t at = text.find(sign);
    if (at == std::string::npos) continue;
    uint8_t code = 0;
    const char* first = text.data() + at + sign.size();
    if (std::from_chars(first, text.data() + text.size(), code).ec == std::errc()) return code;
  }
  return std::nullopt;
}

}  // namespace

std::string_view advice_for(std::string_view error) {
  for (const Advice& advice : kAdvice) {
    if (advice.error == error) return advice.text;
  }
  return {};
}

std::string explain_custom_code(uint8_t code) {
  if (code < std::size(kCustomErrors)) return std::string(kCustomErrors[code]);
  if (code == kBadRequest) return "the chain takes the call for malformed: look at its arguments";
  return "the chain's check number " + std::to_string(code) + " failed";
}

PoolRefusal read_pool_refusal(const RpcRefusal& refusal, std::string_view call) {
  const std::string said = std::string(call) + " was refused (" + refusal.text() + ")";
  const auto because = [&](PoolNo kind, std::string_view advice) {
    return PoolRefusal{kind, said + ": " + std::string(advice)};
  };
  switch (refusal.code) {
    case kAlreadyImported:
      return because(PoolNo::kThere, "it is in the pool already");
    case kTemporarilyBanned:
      return because(PoolNo::kNotNow, "the same bytes failed a moment ago: wait");
    case kPriorityTooLow:
      return because(PoolNo::kOutdated,
                     "another extrinsic of this key is waiting: try again after the next block");
    case kPoolFull:
      return because(PoolNo::kNotNow, "the node's pool is full: try again, or add a tip");
    default:
      break;
  }
  if (refusal.code == kInvalidTransaction) {
    if (const auto code = custom_code(refusal)) {
      const PoolNo kind = *code == kRateLimited ? PoolNo::kRateLimit : PoolNo::kFinal;
      return because(kind, explain_custom_code(*code));
    }
  }
  for (const PoolAdvice& known : kPoolAdvice) {
    if (said.find(known.sign) != std::string::npos) return because(known.kind, known.text);
  }
  return {PoolNo::kFinal, said};
}

}  // namespace chain::substrate
