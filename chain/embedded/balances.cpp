#include "chain/embedded/balances.h"

#include "chain/embedded/items.h"

namespace chain::embedded {
namespace {

using substrate::Decoder;
using substrate::Encoder;
using substrate::OtherEvent;

// AccountData's flags: "the account's locks are in the new form".
constexpr substrate::Uint128 kNewLogic = static_cast<substrate::Uint128>(1) << 127;

void emit_account(const Context& context, uint8_t pallet, uint8_t variant, const AccountId& account,
                  std::optional<uint64_t> amount_rao = {}) {
  Encoder fields;
  fields.account(account);
  if (amount_rao) fields.number(*amount_rao);
  context.emit(OtherEvent{pallet, variant, std::move(fields).done()});
}

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
    emit_account(context, kSystemPallet, 3, account);                // NewAccount
    emit_account(context, kBalancesPallet, 0, account, amount_rao);  // Endowed
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
      emit_account(context, kSystemPallet, 4, from);                                // KilledAccount
      if (rest_rao > 0) emit_account(context, kBalancesPallet, 1, from, rest_rao);  // DustLost
    }
  }
  context.emit(substrate::Transferred{from, to, amount_rao});
  return {};
}

}  // namespace chain::embedded
