#include "chain/embedded/staking.h"

#include <algorithm>
#include <limits>

#include "chain/embedded/balances.h"
#include "chain/embedded/items.h"
#include "chain/embedded/subtensor_events.h"

namespace chain::embedded {
namespace {

using substrate::Decoder;
using substrate::Encoder;
using substrate::Uint128;

// A SafeFloat whose exponent is 0. A first share is one rao, and dividends make shares dearer, so
// that shares never outnumber the rao that were ever staked: they fit 64 bits.
Uint128 get_shares(const Storage& storage, const Bytes& key) {
  const Bytes* value = storage.find(key);
  if (value == nullptr) return 0;
  Decoder in(*value);
  const Uint128 mantissa = in.number128();
  CHECK(in.number<int64_t>() == 0);
  CHECK(in.at_end());
  return mantissa;
}

void put_shares(Storage& storage, const Bytes& key, Uint128 shares) {
  if (shares == 0) return storage.erase(key);
  storage.put(key, Encoder().number128(shares).number(int64_t{0}).done());
}

void put_alpha(Storage& storage, const AccountId& hotkey, uint16_t netuid, uint64_t amount_rao) {
  const Bytes key = items::kTotalHotkeyAlpha.key(hotkey, netuid);
  if (amount_rao == 0) return storage.erase(key);
  put_number(storage, key, amount_rao);
}

void remember_staker(Storage& storage, const AccountId& coldkey, const AccountId& hotkey) {
  auto hotkeys = get_accounts(storage, items::kStakingHotkeys.key(coldkey));
  if (std::find(hotkeys.begin(), hotkeys.end(), hotkey) != hotkeys.end()) return;
  hotkeys.push_back(hotkey);
  put_accounts(storage, items::kStakingHotkeys.key(coldkey), hotkeys);
}

void move_number(Storage& storage, const Bytes& key, uint64_t up_rao, uint64_t down_rao) {
  const auto before = get_number<uint64_t>(storage, key);
  CHECK(before + up_rao >= before && before + up_rao >= down_rao);
  put_number(storage, key, before + up_rao - down_rao);
}

}  // namespace

uint64_t hotkey_alpha_rao(const Storage& storage, const AccountId& hotkey, uint16_t netuid) {
  return get_number<uint64_t>(storage, items::kTotalHotkeyAlpha.key(hotkey, netuid));
}

uint64_t coldkey_alpha_rao(const Storage& storage, const AccountId& hotkey,
                           const AccountId& coldkey, uint16_t netuid) {
  const Uint128 total = get_shares(storage, items::kTotalHotkeySharesV2.key(hotkey, netuid));
  if (total == 0) return 0;
  const Uint128 own = get_shares(storage, items::kAlphaV2.key(hotkey, coldkey, netuid));
  return static_cast<uint64_t>(own * hotkey_alpha_rao(storage, hotkey, netuid) / total);
}

void credit_alpha(Storage& storage, const AccountId& hotkey, const AccountId& coldkey,
                  uint16_t netuid, uint64_t amount_rao) {
  if (amount_rao == 0) return;
  const Bytes own_key = items::kAlphaV2.key(hotkey, coldkey, netuid);
  const Bytes total_key = items::kTotalHotkeySharesV2.key(hotkey, netuid);
  const Uint128 total = get_shares(storage, total_key);
  const uint64_t alpha_rao = hotkey_alpha_rao(storage, hotkey, netuid);
  // Of a hotkey without holders the first gets all, what rounding may have left there included.
  const Uint128 shares =
      total == 0 || alpha_rao == 0 ? Uint128{amount_rao} : amount_rao * total / alpha_rao;
  put_shares(storage, own_key, get_shares(storage, own_key) + shares);
  put_shares(storage, total_key, total + shares);
  put_alpha(storage, hotkey, netuid, alpha_rao + amount_rao);
  remember_staker(storage, coldkey, hotkey);
}

void debit_alpha(Storage& storage, const AccountId& hotkey, const AccountId& coldkey,
                 uint16_t netuid, uint64_t amount_rao) {
  const Bytes own_key = items::kAlphaV2.key(hotkey, coldkey, netuid);
  const Bytes total_key = items::kTotalHotkeySharesV2.key(hotkey, netuid);
  const Uint128 own = get_shares(storage, own_key);
  const Uint128 total = get_shares(storage, total_key);
  const uint64_t alpha_rao = hotkey_alpha_rao(storage, hotkey, netuid);
  const uint64_t held_rao = coldkey_alpha_rao(storage, hotkey, coldkey, netuid);
  CHECK(held_rao >= amount_rao && alpha_rao > 0);
  // Rounded up, so that nobody pays for another's rounding.
  Uint128 spent = (amount_rao * total + alpha_rao - 1) / alpha_rao;
  if (amount_rao == held_rao || spent > own) spent = own;
  put_shares(storage, own_key, own - spent);
  put_shares(storage, total_key, total - spent);
  put_alpha(storage, hotkey, netuid, alpha_rao - amount_rao);
}

std::vector<uint16_t> subnets(const Storage& storage) {
  std::vector<uint16_t> netuids;
  const Bytes prefix = items::kNetworksAdded.prefix();
  for (const Bytes& key : keys_under(storage.entries(), prefix, std::nullopt, 65'536)) {
    substrate::Decoder in(ByteView(key).subspan(prefix.size()));
    netuids.push_back(in.number<uint16_t>());
  }
  // The chain's keys are little-endian, so that their order is not that of the numbers.
  std::sort(netuids.begin(), netuids.end());
  return netuids;
}

Outcome check_subnet(const Storage& storage, uint16_t netuid) {
  if (!get_number<bool>(storage, items::kNetworksAdded.key(netuid))) {
    return refuse(SubtensorError::kSubnetNotExists);
  }
  if (!get_number<bool>(storage, kSubtokenEnabled.key(netuid))) {
    return refuse(SubtensorError::kSubtokenDisabled);
  }
  return {};
}

void credit_dividend(Storage& storage, const AccountId& hotkey, uint16_t netuid,
                     uint64_t amount_rao) {
  if (get_shares(storage, items::kTotalHotkeySharesV2.key(hotkey, netuid)) == 0) {
    const auto owner = get_account(storage, items::kOwner.key(hotkey));
    CHECK(owner);
    return credit_alpha(storage, hotkey, *owner, netuid, amount_rao);
  }
  const auto take_rao = static_cast<uint64_t>(Uint128{amount_rao} * delegate_take(storage, hotkey) /
                                              std::numeric_limits<uint16_t>::max());
  put_alpha(storage, hotkey, netuid,
            hotkey_alpha_rao(storage, hotkey, netuid) + amount_rao - take_rao);
  const auto owner = get_account(storage, items::kOwner.key(hotkey));
  CHECK(owner);
  credit_alpha(storage, hotkey, *owner, netuid, take_rao);
}

Outcome check_add_stake(const Storage& storage, uint64_t, const AccountId& coldkey,
                        const calls::AddStake& call) {
  if (auto error = check_subnet(storage, call.netuid)) return error;
  if (call.amount_staked < kMinStakeRao) return refuse(SubtensorError::kAmountTooLow);
  if (!can_withdraw(storage, coldkey, call.amount_staked)) {
    return refuse(SubtensorError::kNotEnoughBalanceToStake);
  }
  if (!get_account(storage, items::kOwner.key(call.hotkey))) {
    return refuse(SubtensorError::kHotKeyAccountNotExists);
  }
  return {};
}

Outcome add_stake(const Context& context, const AccountId& coldkey, const calls::AddStake& call) {
  Storage& storage = context.storage;
  if (auto error = check_add_stake(storage, context.block, coldkey, call)) return error;
  withdraw(storage, coldkey, call.amount_staked);
  move_number(storage, kSubnetTao.key(call.netuid), call.amount_staked, 0);
  move_number(storage, kSubnetAlphaOut.key(call.netuid), call.amount_staked, 0);
  move_number(storage, items::kTotalStake.key(), call.amount_staked, 0);
  credit_alpha(storage, call.hotkey, coldkey, call.netuid, call.amount_staked);
  context.emit(events::StakeAdded{coldkey, call.hotkey, call.amount_staked, call.amount_staked,
                                  call.netuid, 0});
  return {};
}

Outcome check_remove_stake(const Storage& storage, uint64_t, const AccountId& coldkey,
                           const calls::RemoveStake& call) {
  if (auto error = check_subnet(storage, call.netuid)) return error;
  if (!get_account(storage, items::kOwner.key(call.hotkey))) {
    return refuse(SubtensorError::kHotKeyAccountNotExists);
  }
  const uint64_t held_rao = coldkey_alpha_rao(storage, call.hotkey, coldkey, call.netuid);
  if (call.amount_unstaked > held_rao) return refuse(SubtensorError::kNotEnoughStakeToWithdraw);
  if (call.amount_unstaked == 0 ||
      (call.amount_unstaked < kMinStakeRao && call.amount_unstaked != held_rao)) {
    return refuse(SubtensorError::kAmountTooLow);
  }
  if (get_number<uint64_t>(storage, kSubnetTao.key(call.netuid)) < call.amount_unstaked) {
    return refuse(SubtensorError::kInsufficientLiquidity);
  }
  return {};
}

Outcome remove_stake(const Context& context, const AccountId& coldkey,
                     const calls::RemoveStake& call) {
  Storage& storage = context.storage;
  if (auto error = check_remove_stake(storage, context.block, coldkey, call)) return error;
  // A remainder of less than the existential deposit cannot become an account.
  if (account_info(storage, coldkey).free_rao + call.amount_unstaked < kExistentialDepositRao) {
    return refuse(SubtensorError::kAmountTooLow);
  }
  debit_alpha(storage, call.hotkey, coldkey, call.netuid, call.amount_unstaked);
  move_number(storage, kSubnetTao.key(call.netuid), 0, call.amount_unstaked);
  move_number(storage, kSubnetAlphaOut.key(call.netuid), 0, call.amount_unstaked);
  // TotalStake counts TAO in the pools; emission has added to it, too.
  move_number(storage, items::kTotalStake.key(), 0, call.amount_unstaked);
  deposit(context, coldkey, call.amount_unstaked);
  context.emit(events::StakeRemoved{coldkey, call.hotkey, call.amount_unstaked,
                                    call.amount_unstaked, call.netuid, 0});
  return {};
}

}  // namespace chain::embedded
