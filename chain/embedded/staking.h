// Stake: a subnet's alpha on hotkeys, in shares of those who put it there.
//
// The price of alpha is fixed at one TAO (Bittensor's mechanism 0), so that staking is 1:1 without
// a fee, and every alpha that exists is backed by a TAO in the subnet's pool:
//   SubnetTAO >= SubnetAlphaOut = sum of TotalHotkeyAlpha + what is pending + what was burned
#pragma once

#include <cstdint>

#include "chain/embedded/dispatch.h"

namespace chain::embedded {

inline constexpr uint64_t kMinStakeRao = 2'000'000;  // The least to add or take at once.

uint64_t hotkey_alpha_rao(const Storage& storage, const AccountId& hotkey, uint16_t netuid);
// What a coldkey holds on a hotkey: its shares' part, rounded down.
uint64_t coldkey_alpha_rao(const Storage& storage, const AccountId& hotkey,
                           const AccountId& coldkey, uint16_t netuid);

// Gives alpha that already counts in SubnetAlphaOut to one holder; the others' holdings stay.
void credit_alpha(Storage& storage, const AccountId& hotkey, const AccountId& coldkey,
                  uint16_t netuid, uint64_t amount_rao);
// Gives it to all who hold stake on the hotkey, by their shares; to its owner if nobody does.
void credit_dividend(Storage& storage, const AccountId& hotkey, uint16_t netuid,
                     uint64_t amount_rao);

// AmountTooLow, SubnetNotExists, HotKeyAccountNotExists, NotEnoughBalanceToStake (the coldkey keeps
// its existential deposit).
Outcome check_add_stake(const Storage& storage, const AccountId& coldkey,
                        const substrate::AddStake& call);
Outcome add_stake(const Context& context, const AccountId& coldkey,
                  const substrate::AddStake& call);

// SubnetNotExists, HotKeyAccountNotExists, NotEnoughStakeToWithdraw, AmountTooLow (less than the
// least, and not all there is), InsufficientLiquidity.
Outcome check_remove_stake(const Storage& storage, const AccountId& coldkey,
                           const substrate::RemoveStake& call);
Outcome remove_stake(const Context& context, const AccountId& coldkey,
                     const substrate::RemoveStake& call);

}  // namespace chain::embedded
