#include "chain/embedded/balances.h"

#include <algorithm>

#include "chain/embedded/items.h"

namespace chain::embedded {
namespace {

using substrate::Decoder;
using substrate::Encoder;

// AccountData's flags: "the account's locks are in the new form".
constexpr substrate::Uint128 kNewLogic = static_cast<substrate::Uint128>(1) << 127;

// Two pallets count it, each for itself.
void put_issuance(Storage& storage, uint64_t amount_rao) {
  put_number(storage, items::kTotalIssuance.key(), amount_rao);
  put_number(storage, kTaoIssuance.key(), amount_rao);
}

}  // namespace

AccountInfo account_info(const Storage& storage, const AccountId& account) {
  const Bytes* value = storage.find(items::kAccount.key(account));
  AccountInfo info;
  if (value == nullptr) return info;
  Decoder in(*value);
  info.nonce = in.number<uint32_t>();
  info.consumers = in.number<uint32_t>();
  info.providers = in.number<uint32_t>();
  info.sufficients = in.number<uint32_t>();
  info.free_rao = in.number<uint64_t>();
  info.reserved_rao = in.number<uint64_t>();
  info.frozen_rao = in.number<uint64_t>();
  in.number128();
  CHECK(in.at_end());
  return info;
}

void put_account_info(Storage& storage, const AccountId& account, const AccountInfo& info) {
  Encoder out;
  out.number(info.nonce).number(info.consumers).number(info.providers).number(info.sufficients);
  out.number(info.free_rao).number(info.reserved_rao).number(info.frozen_rao).number128(kNewLogic);
  storage.put(items::kAccount.key(account), std::move(out).done());
}

uint64_t total_issuance_rao(const Storage& storage) {
  return get_number<uint64_t>(storage, items::kTotalIssuance.key());
}

void mint_issuance(Storage& storage, uint64_t amount_rao) {
  const uint64_t before = total_issuance_rao(storage);
  CHECK(before + amount_rao >= before);
  put_issuance(storage, before + amount_rao);
}

void burn_issuance(Storage& storage, uint64_t amount_rao) {
  const uint64_t before = total_issuance_rao(storage);
  CHECK(before >= amount_rao);
  put_issuance(storage, before - amount_rao);
}

bool can_withdraw(const Storage& storage, const AccountId& account, uint64_t amount_rao) {
  const uint64_t free_rao = account_info(storage, account).free_rao;
  return free_rao >= amount_rao && free_rao - amount_rao >= kExistentialDepositRao;
}

void withdraw(Storage& storage, const AccountId& account, uint64_t amount_rao) {
  AccountInfo info = account_info(storage, account);
  CHECK(info.free_rao >= amount_rao);
  info.free_rao -= amount_rao;
  put_account_info(storage, account, info);
}

void deposit(const Context& context, const AccountId& account, uint64_t amount_rao) {
  AccountInfo info = account_info(context.storage, account);
  const bool is_new = info.providers == 0;
  info.providers = 1;
  info.free_rao += amount_rao;
  CHECK(info.free_rao >= amount_rao);  // No more rao exist than fit 64 bits.
  put_account_info(context.storage, account, info);
  if (is_new) {
    context.emit(events::NewAccount{account});
    context.emit(events::Endowed{account, amount_rao});
  }
}

Outcome transfer(const Context& context, const AccountId& from, const AccountId& to,
                 uint64_t amount_rao, bool keep_alive) {
  const AccountInfo sender = account_info(context.storage, from);
  if (sender.free_rao < amount_rao) return refuse(TokenError::kFundsUnavailable);
  if (from != to) {
    const uint64_t rest_rao = sender.free_rao - amount_rao;
    const bool dies = rest_rao < kExistentialDepositRao;
    if (dies && keep_alive) return refuse(TokenError::kNotExpendable);
    const uint64_t held_rao = account_info(context.storage, to).free_rao;
    if (held_rao + amount_rao < kExistentialDepositRao) return refuse(TokenError::kBelowMinimum);
    withdraw(context.storage, from, amount_rao);
    deposit(context, to, amount_rao);
    if (dies) {
      AccountInfo emptied = account_info(context.storage, from);
      emptied.free_rao = 0;
      emptied.providers = 0;
      put_account_info(context.storage, from, emptied);
      burn_issuance(context.storage, rest_rao);
      context.emit(events::KilledAccount{from});
      if (rest_rao > 0) context.emit(events::DustLost{from, rest_rao});
    }
  }
  context.emit(events::Transfer{from, to, amount_rao});
  return {};
}

Outcome transfer_allow_death(const Context& context, const AccountId& from,
                             const calls::Transfer& call) {
  const auto to = call.dest.lookup();
  return to ? transfer(context, from, *to, call.value, false) : cannot_look_up();
}

Outcome transfer_keep_alive(const Context& context, const AccountId& from,
                            const calls::Transfer& call) {
  const auto to = call.dest.lookup();
  return to ? transfer(context, from, *to, call.value, true) : cannot_look_up();
}

Outcome transfer_all(const Context& context, const AccountId& from,
                     const calls::TransferAll& call) {
  const auto to = call.dest.lookup();
  if (!to) return cannot_look_up();
  const uint64_t free_rao = account_info(context.storage, from).free_rao;
  const uint64_t kept_rao = call.keep_alive ? kExistentialDepositRao : 0;
  return transfer(context, from, *to, free_rao - std::min(free_rao, kept_rao), call.keep_alive);
}

Outcome force_set_balance(const Context& context, const Origin& origin,
                          const calls::ForceSetBalance& call) {
  if (!origin.root) return bad_origin();
  const auto who = call.who.lookup();
  if (!who) return cannot_look_up();
  AccountInfo info = account_info(context.storage, *who);
  const uint64_t now_rao = call.new_free < kExistentialDepositRao ? 0 : call.new_free.value;
  const uint64_t others_rao = total_issuance_rao(context.storage) - info.free_rao;
  if (now_rao > kIssuanceMaxRao - std::min(others_rao, kIssuanceMaxRao)) {
    return refuse(TokenError::kFundsUnavailable);
  }
  burn_issuance(context.storage, info.free_rao);
  mint_issuance(context.storage, now_rao);
  info.free_rao = now_rao;
  info.providers = now_rao > 0 ? 1 : 0;
  put_account_info(context.storage, *who, info);
  context.emit(events::BalanceSet{*who, now_rao});
  return {};
}

}  // namespace chain::embedded
