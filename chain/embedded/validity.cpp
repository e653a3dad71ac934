#include "chain/embedded/validity.h"

#include <map>
#include <variant>

#include "chain/embedded/balances.h"
#include "chain/embedded/registration.h"
#include "chain/embedded/serving.h"
#include "chain/embedded/staking.h"
#include "chain/embedded/weights.h"

namespace chain::embedded {
namespace {

constexpr uint64_t kBaseRefTime = 108'157'000;  // Of every extrinsic.

template <typename... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <typename... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

// InvalidTransaction::Custom's numbers for the errors that the chain's transaction extension looks
// for.
std::optional<uint8_t> custom_code(SubtensorError error) {
  using E = SubtensorError;
  static const std::map<E, uint8_t> codes = {
      {E::kAmountTooLow, 1},
      {E::kNotEnoughStakeToSetWeights, 1},
      {E::kNotEnoughBalanceToStake, 2},
      {E::kSubnetNotExists, 3},
      {E::kHotKeyAccountNotExists, 4},
      {E::kNotEnoughStakeToWithdraw, 5},
      {E::kSettingWeightsTooFast, 6},
      {E::kInsufficientLiquidity, 7},
      {E::kHotKeyNotRegisteredInNetwork, 10},
      {E::kHotKeyNotRegisteredInSubNet, 10},
      {E::kInvalidIpType, 11},
      {E::kInvalidIpAddress, 11},
      {E::kServingRateLimitExceeded, 12},
      {E::kInvalidPort, 13},
      {E::kWeightVecNotEqualSize, 18},
      {E::kUidVecContainInvalidOne, 19},
      {E::kNonAssociatedColdKey, 25},
  };
  const auto found = codes.find(error);
  if (found == codes.end()) return std::nullopt;
  return found->second;
}

std::optional<Refusal> as_refusal(const Outcome& outcome) {
  if (!outcome || outcome->kind != DispatchError::kModule || outcome->pallet != kSubtensorPallet) {
    return std::nullopt;
  }
  const auto code = custom_code(static_cast<SubtensorError>(outcome->error));
  if (!code) return std::nullopt;
  return Refusal{Invalid::kCustom, *code};
}

}  // namespace

std::string Refusal::text() const {
  switch (kind) {
    case Invalid::kCall:
      return "Transaction call is not expected";
    case Invalid::kPayment:
      return "Inability to pay some fees (e.g. account balance too low)";
    case Invalid::kFuture:
      return "Transaction will be valid in the future";
    case Invalid::kStale:
      return "Transaction is outdated";
    case Invalid::kBadProof:
      return "Transaction has a bad signature";
    case Invalid::kAncientBirthBlock:
      return "Transaction has an ancient birth block";
    case Invalid::kExhaustsResources:
      return "Transaction would exhaust the block limits";
    case Invalid::kCustom:
      return "Custom error: " + std::to_string(custom);
    case Invalid::kBadMandatory:
      return "Transaction dispatch is mandatory; transactions must not be validated.";
    case Invalid::kMalformed:
      return "not an extrinsic";
  }
  CHECK_MSG(false, "an Invalid that is none");
}

substrate::DispatchInfo dispatch_info(const substrate::Call& call) {
  substrate::DispatchInfo info;
  info.pays_fee = true;
  const auto set = [&](uint64_t ref_time, bool pays) {
    info.ref_time = kBaseRefTime + ref_time;
    info.pays_fee = pays;
  };
  std::visit(Overloaded{
                 [&](const substrate::Remark&) { set(0, true); },
                 [&](const substrate::SetTimestamp&) { info.dispatch_class = 2; },
                 [&](const substrate::TransferAllowDeath&) { set(172'000'000, true); },
                 [&](const substrate::TransferKeepAlive&) { set(172'000'000, true); },
                 [&](const substrate::SetWeights&) { set(15'540'000'000, false); },
                 [&](const substrate::AddStake&) { set(340'800'000, true); },
                 [&](const substrate::RemoveStake&) { set(196'800'000, true); },
                 [&](const substrate::ServeAxon&) { set(33'600'000, false); },
                 [&](const substrate::BurnedRegister&) { set(354'200'000, true); },
                 [&](const substrate::SetCommitment&) { set(33'480'000, false); },
             },
             call);
  return info;
}

uint64_t fee_rao(const substrate::DispatchInfo& info, size_t size_bytes) {
  return info.pays_fee ? size_bytes + info.ref_time / 2000 : 0;
}

std::optional<Refusal> pool_check(const Storage& storage, uint64_t block, const AccountId& origin,
                                  const substrate::Call& call) {
  const Outcome outcome = std::visit(
      Overloaded{
          [&](const substrate::SetWeights& one) {
            return check_weights(storage, block, origin, one);
          },
          [&](const substrate::AddStake& one) { return check_add_stake(storage, origin, one); },
          [&](const substrate::RemoveStake& one) {
            return check_remove_stake(storage, origin, one);
          },
          [&](const substrate::ServeAxon& one) { return check_axon(storage, block, origin, one); },
          [&](const substrate::BurnedRegister& one) {
            return check_register(storage, block, origin, one);
          },
          [](const auto&) { return Outcome{}; },
      },
      call);
  return as_refusal(outcome);
}

Outcome dispatch(const Context& context, const AccountId& origin, const substrate::Call& call) {
  return std::visit(
      Overloaded{
          [](const substrate::Remark&) { return Outcome{}; },
          [](const substrate::SetTimestamp&) {
            return Outcome{DispatchError{DispatchError::kBadOrigin, 0, 0, 0}};
          },
          [&](const substrate::TransferAllowDeath& one) {
            return transfer(context, origin, one.to, one.amount_rao, false);
          },
          [&](const substrate::TransferKeepAlive& one) {
            return transfer(context, origin, one.to, one.amount_rao, true);
          },
          [&](const substrate::SetWeights& one) { return set_weights(context, origin, one); },
          [&](const substrate::AddStake& one) { return add_stake(context, origin, one); },
          [&](const substrate::RemoveStake& one) { return remove_stake(context, origin, one); },
          [&](const substrate::ServeAxon& one) { return serve_axon(context, origin, one); },
          [&](const substrate::BurnedRegister& one) {
            return burned_register(context, origin, one);
          },
          [&](const substrate::SetCommitment& one) { return set_commitment(context, origin, one); },
      },
      call);
}

}  // namespace chain::embedded
