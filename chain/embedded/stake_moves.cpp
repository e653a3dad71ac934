// Stake that changes hands without passing through TAO, prices' limits, and the delegate's take.
#include <algorithm>

#include "chain/embedded/balances.h"
#include "chain/embedded/items.h"
#include "chain/embedded/staking.h"
#include "chain/embedded/subtensor_events.h"

namespace chain::embedded {
namespace {

struct Place {
  AccountId hotkey;
  AccountId coldkey;
  uint16_t netuid = 0;
};

Outcome check_move(const Storage& storage, const Place& from, const Place& to,
                   uint64_t amount_rao) {
  for (const Place* place : {&from, &to}) {
    if (auto error = check_subnet(storage, place->netuid)) return error;
    if (!get_account(storage, items::kOwner.key(place->hotkey))) {
      return refuse(SubtensorError::kHotKeyAccountNotExists);
    }
  }
  if (coldkey_alpha_rao(storage, from.hotkey, from.coldkey, from.netuid) < amount_rao) {
    return refuse(SubtensorError::kNotEnoughStakeToWithdraw);
  }
  if (amount_rao < kMinStakeRao) return refuse(SubtensorError::kAmountTooLow);
  if (get_number<uint64_t>(storage, kSubnetTao.key(from.netuid)) < amount_rao) {
    return refuse(SubtensorError::kInsufficientLiquidity);
  }
  if (from.coldkey != to.coldkey) {
    for (const Place* place : {&from, &to}) {
      if (!get_number<bool>(storage, kTransferToggle.key(place->netuid), true)) {
        return refuse(SubtensorError::kTransferDisallowed);
      }
    }
  }
  return {};
}

Outcome move(const Context& context, const Place& from, const Place& to, uint64_t amount_rao) {
  Storage& storage = context.storage;
  if (auto error = check_move(storage, from, to, amount_rao)) return error;
  debit_alpha(storage, from.hotkey, from.coldkey, from.netuid, amount_rao);
  credit_alpha(storage, to.hotkey, to.coldkey, to.netuid, amount_rao);
  for (const SubnetMap& item : {kSubnetTao, kSubnetAlphaOut}) {
    const Bytes out = item.key(from.netuid);
    put_number(storage, out, get_number<uint64_t>(storage, out) - amount_rao);
    const Bytes in = item.key(to.netuid);
    put_number(storage, in, get_number<uint64_t>(storage, in) + amount_rao);
  }
  return {};
}

// A take may be set by the hotkey's owner only.
Outcome check_take(const Storage& storage, const AccountId& coldkey, const calls::Take& call) {
  const auto owner = get_account(storage, items::kOwner.key(call.hotkey));
  if (!owner) return refuse(SubtensorError::kHotKeyAccountNotExists);
  if (*owner != coldkey) return refuse(SubtensorError::kNonAssociatedColdKey);
  if (call.take < get_number<uint16_t>(storage, kMinDelegateTake.key())) {
    return refuse(SubtensorError::kDelegateTakeTooLow);
  }
  if (call.take > get_number<uint16_t>(storage, kMaxDelegateTake.key(), kDefaultTake)) {
    return refuse(SubtensorError::kDelegateTakeTooHigh);
  }
  return {};
}

}  // namespace

Outcome move_stake(const Context& context, const AccountId& coldkey, const calls::MoveStake& call) {
  const Place from{call.origin_hotkey, coldkey, call.origin_netuid};
  const Place to{call.destination_hotkey, coldkey, call.destination_netuid};
  if (auto error = move(context, from, to, call.alpha_amount)) return error;
  context.emit(events::StakeMoved{coldkey, from.hotkey, from.netuid, to.hotkey, to.netuid,
                                  call.alpha_amount});
  return {};
}

Outcome transfer_stake(const Context& context, const AccountId& coldkey,
                       const calls::TransferStake& call) {
  const Place from{call.hotkey, coldkey, call.origin_netuid};
  const Place to{call.hotkey, call.destination_coldkey, call.destination_netuid};
  if (auto error = move(context, from, to, call.alpha_amount)) return error;
  context.emit(events::StakeTransferred{coldkey, to.coldkey, call.hotkey, from.netuid, to.netuid,
                                        call.alpha_amount});
  return {};
}

Outcome add_stake_limit(const Context& context, const AccountId& coldkey,
                        const calls::AddStakeLimit& call) {
  if (call.limit_price < kAlphaPriceRao) return refuse(SubtensorError::kSlippageTooHigh);
  return add_stake(context, coldkey, {call.hotkey, call.netuid, call.amount_staked});
}

Outcome remove_stake_limit(const Context& context, const AccountId& coldkey,
                           const calls::RemoveStakeLimit& call) {
  if (call.limit_price > kAlphaPriceRao) return refuse(SubtensorError::kSlippageTooHigh);
  return remove_stake(context, coldkey, {call.hotkey, call.netuid, call.amount_unstaked});
}

Outcome remove_stake_full(const Context& context, const AccountId& coldkey,
                          const calls::RemoveStakeFull& call) {
  if (call.limit_price.value_or(0) > kAlphaPriceRao) {
    return refuse(SubtensorError::kSlippageTooHigh);
  }
  const uint64_t held_rao = coldkey_alpha_rao(context.storage, call.hotkey, coldkey, call.netuid);
  return remove_stake(context, coldkey, {call.hotkey, call.netuid, held_rao});
}

Outcome unstake_all(const Context& context, const AccountId& coldkey,
                    const calls::UnstakeAll& call) {
  if (!get_account(context.storage, items::kOwner.key(call.hotkey))) {
    return refuse(SubtensorError::kHotKeyAccountNotExists);
  }
  for (const uint16_t netuid : subnets(context.storage)) {
    const uint64_t held_rao = coldkey_alpha_rao(context.storage, call.hotkey, coldkey, netuid);
    if (held_rao == 0) continue;
    if (auto error = remove_stake(context, coldkey, {call.hotkey, netuid, held_rao})) return error;
  }
  return {};
}

uint16_t delegate_take(const Storage& storage, const AccountId& hotkey) {
  return get_number<uint16_t>(storage, kDelegates.key(hotkey), kDefaultTake);
}

Outcome decrease_take(const Context& context, const AccountId& coldkey, const calls::Take& call) {
  if (auto error = check_take(context.storage, coldkey, call)) return error;
  if (call.take >= delegate_take(context.storage, call.hotkey)) {
    return refuse(SubtensorError::kDelegateTakeTooLow);
  }
  put_number(context.storage, kDelegates.key(call.hotkey), call.take);
  context.emit(events::TakeDecreased{coldkey, call.hotkey, call.take});
  return {};
}

Outcome increase_take(const Context& context, const AccountId& coldkey, const calls::Take& call) {
  if (auto error = check_take(context.storage, coldkey, call)) return error;
  if (call.take <= delegate_take(context.storage, call.hotkey)) {
    return refuse(SubtensorError::kDelegateTakeTooLow);
  }
  put_number(context.storage, kDelegates.key(call.hotkey), call.take);
  context.emit(events::TakeIncreased{coldkey, call.hotkey, call.take});
  return {};
}

}  // namespace chain::embedded
