// Accounts and TAO: System.Account and the Balances pallet.
#pragma once

#include <cstdint>

#include "chain/embedded/calls.h"
#include "chain/embedded/dispatch.h"

namespace chain::embedded {

// The least an account may hold without being swept away.
inline constexpr uint64_t kExistentialDepositRao = 500;

// As many as there can be.
inline constexpr uint64_t kIssuanceMaxRao = 21'000'000ull * 1'000'000'000;

// System.Account's value: 56 bytes.
struct AccountInfo {
  uint32_t nonce = 0;
  uint32_t consumers = 0;
  uint32_t providers = 0;
  uint32_t sufficients = 0;
  uint64_t free_rao = 0;
  uint64_t reserved_rao = 0;
  uint64_t frozen_rao = 0;
};
AccountInfo account_info(const Storage& storage, const AccountId& account);
void put_account_info(Storage& storage, const AccountId& account, const AccountInfo& info);

uint64_t total_issuance_rao(const Storage& storage);
void mint_issuance(Storage& storage, uint64_t amount_rao);
// CHECKs that there is as much.
void burn_issuance(Storage& storage, uint64_t amount_rao);

// True if `amount_rao` can leave the account and the account lives on.
bool can_withdraw(const Storage& storage, const AccountId& account, uint64_t amount_rao);
// Takes it out; where it goes is the caller's affair.  Pre: can_withdraw.
void withdraw(Storage& storage, const AccountId& account, uint64_t amount_rao);
void deposit(const Context& context, const AccountId& account, uint64_t amount_rao);

// With `keep_alive` the sender must keep the existential deposit; without, what would be left below
// it is burned. An emptied account keeps its nonce (Bittensor forgets it, and with it the
// protection against a second use of an immortal extrinsic).
Outcome transfer(const Context& context, const AccountId& from, const AccountId& to,
                 uint64_t amount_rao, bool keep_alive);

// The pallet's calls.
Outcome transfer_allow_death(const Context& context, const AccountId& from,
                             const calls::Transfer& call);
Outcome transfer_keep_alive(const Context& context, const AccountId& from,
                            const calls::Transfer& call);
Outcome transfer_all(const Context& context, const AccountId& from, const calls::TransferAll& call);
Outcome force_set_balance(const Context& context, const Origin& origin,
                          const calls::ForceSetBalance& call);

}  // namespace chain::embedded
