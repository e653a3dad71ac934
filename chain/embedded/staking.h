// Stake: a subnet's alpha on hotkeys, in shares of those who put it there.
//
// The price of alpha is fixed at one TAO (Bittensor's mechanism 0), so that staking is 1:1 without
// a fee, and every alpha that exists is backed by a TAO in the subnet's pool:
//   SubnetTAO >= SubnetAlphaOut = sum of TotalHotkeyAlpha + what is pending + what was burned
#pragma once

#include <cstdint>

#include "chain/embedded/dispatch.h"
#include "chain/embedded/subtensor_calls.h"

namespace chain::embedded {

inline constexpr uint64_t kAlphaPriceRao = 1'000'000'000;  // Of 1e9 alpha; one TAO.
inline constexpr uint64_t kMinStakeRao = 2'000'000;        // The least to add or take at once.

uint64_t hotkey_alpha_rao(const Storage& storage, const AccountId& hotkey, uint16_t netuid);
// What a coldkey holds on a hotkey: its shares' part, rounded down.
uint64_t coldkey_alpha_rao(const Storage& storage, const AccountId& hotkey,
                           const AccountId& coldkey, uint16_t netuid);

// Gives alpha that already counts in SubnetAlphaOut to one holder; the others' holdings stay.
void credit_alpha(Storage& storage, const AccountId& hotkey, const AccountId& coldkey,
                  uint16_t netuid, uint64_t amount_rao);
// Takes from one holder; SubnetAlphaOut is the caller's affair.  Pre: it holds as much.
void debit_alpha(Storage& storage, const AccountId& hotkey, const AccountId& coldkey,
                 uint16_t netuid, uint64_t amount_rao);
// Netuids, ascending.
std::vector<uint16_t> subnets(const Storage& storage);
// Whether there is such a subnet, and whether its owner has started it: SubnetNotExists,
// SubtokenDisabled.
Outcome check_subnet(const Storage& storage, uint16_t netuid);
// Gives it to all who hold stake on the hotkey, by their shares, but the delegate take to its
// owner; all to the owner if nobody holds any.
void credit_dividend(Storage& storage, const AccountId& hotkey, uint16_t netuid,
                     uint64_t amount_rao);

// SubnetNotExists, SubtokenDisabled, AmountTooLow, HotKeyAccountNotExists, NotEnoughBalanceToStake
// (the coldkey keeps its existential deposit).
Outcome check_add_stake(const Storage& storage, uint64_t block, const AccountId& coldkey,
                        const calls::AddStake& call);
Outcome add_stake(const Context& context, const AccountId& coldkey, const calls::AddStake& call);

// SubnetNotExists, HotKeyAccountNotExists, NotEnoughStakeToWithdraw, AmountTooLow (less than the
// least, and not all there is), InsufficientLiquidity.
Outcome check_remove_stake(const Storage& storage, uint64_t block, const AccountId& coldkey,
                           const calls::RemoveStake& call);
Outcome remove_stake(const Context& context, const AccountId& coldkey,
                     const calls::RemoveStake& call);

// With a price above or below which nothing is done (SlippageTooHigh); it is one TAO, always.
Outcome add_stake_limit(const Context& context, const AccountId& coldkey,
                        const calls::AddStakeLimit& call);
Outcome remove_stake_limit(const Context& context, const AccountId& coldkey,
                           const calls::RemoveStakeLimit& call);
// All that the coldkey has there; and on all subnets.
Outcome remove_stake_full(const Context& context, const AccountId& coldkey,
                          const calls::RemoveStakeFull& call);
Outcome unstake_all(const Context& context, const AccountId& coldkey,
                    const calls::UnstakeAll& call);

// Alpha from hotkey to hotkey, from coldkey to coldkey, from subnet to subnet: the same rules as
// for taking it from one and adding it to the other, but that no TAO passes through the accounts.
Outcome move_stake(const Context& context, const AccountId& coldkey, const calls::MoveStake& call);
Outcome transfer_stake(const Context& context, const AccountId& coldkey,
                       const calls::TransferStake& call);

// What the hotkey's owner keeps of dividends, of 65,535. NonAssociatedColdKey, DelegateTakeTooLow,
// DelegateTakeTooHigh.
inline constexpr uint16_t kDefaultTake = 11'796;
uint16_t delegate_take(const Storage& storage, const AccountId& hotkey);
Outcome decrease_take(const Context& context, const AccountId& coldkey, const calls::Take& call);
Outcome increase_take(const Context& context, const AccountId& coldkey, const calls::Take& call);

}  // namespace chain::embedded
