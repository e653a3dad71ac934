// Calls as their senders write them: the arguments, with the call's place in the runtime's table.
#pragma once

#include <gtest/gtest.h>

#include "chain/embedded/calls.h"
#include "chain/embedded/runtime.h"
#include "chain/embedded/subtensor_calls.h"

namespace chain::embedded {

// Two calls may take the same arguments; then they are told apart here.
struct TransferAllowDeath {
  AccountId to;
  uint64_t amount_rao = 0;
};
struct TransferKeepAlive {
  AccountId to;
  uint64_t amount_rao = 0;
};

template <typename Args>
Bytes encode_named(std::string_view pallet, std::string_view name, const Args& args) {
  for (const PalletTable& table : pallets()) {
    if (table.name != pallet) continue;
    for (const CallRow& row : table.calls) {
      if (row.name != name) continue;
      Encoder out;
      out.number(table.index).number(row.index);
      put(out, args);
      return std::move(out).done();
    }
  }
  ADD_FAILURE() << "no call " << pallet << "." << name;
  return {};
}

inline Bytes encode_call(const Bytes& bytes) { return bytes; }
inline Bytes encode_call(const TransferAllowDeath& one) {
  return encode_named("Balances", "transfer_allow_death",
                      calls::Transfer{MultiAddress::of(one.to), {one.amount_rao}});
}
inline Bytes encode_call(const TransferKeepAlive& one) {
  return encode_named("Balances", "transfer_keep_alive",
                      calls::Transfer{MultiAddress::of(one.to), {one.amount_rao}});
}
inline Bytes encode_call(const calls::SetTime& one) {
  return encode_named("Timestamp", "set", one);
}
inline Bytes encode_call(const calls::Remark& one) { return encode_named("System", "remark", one); }
inline Bytes encode_call(const calls::SetCommitment& one) {
  return encode_named("Commitments", "set_commitment", one);
}
inline Bytes encode_call(const calls::SetWeights& one) {
  return encode_named("SubtensorModule", "set_weights", one);
}
inline Bytes encode_call(const calls::AddStake& one) {
  return encode_named("SubtensorModule", "add_stake", one);
}
inline Bytes encode_call(const calls::RemoveStake& one) {
  return encode_named("SubtensorModule", "remove_stake", one);
}
inline Bytes encode_call(const calls::ServeAxon& one) {
  return encode_named("SubtensorModule", "serve_axon", one);
}
inline Bytes encode_call(const calls::BurnedRegister& one) {
  return encode_named("SubtensorModule", "burned_register", one);
}
inline Bytes encode_call(const calls::CommitWeights& one) {
  return encode_named("SubtensorModule", "commit_weights", one);
}
inline Bytes encode_call(const calls::RevealWeights& one) {
  return encode_named("SubtensorModule", "reveal_weights", one);
}
inline Bytes encode_call(const calls::CommitTimelocked& one) {
  return encode_named("SubtensorModule", "commit_timelocked_weights", one);
}
inline Bytes encode_call(const calls::MoveStake& one) {
  return encode_named("SubtensorModule", "move_stake", one);
}
inline Bytes encode_call(const calls::TransferStake& one) {
  return encode_named("SubtensorModule", "transfer_stake", one);
}
inline Bytes encode_call(const calls::Sudo& one) { return encode_named("Sudo", "sudo", one); }

// What it costs to send one.
template <typename Call>
DispatchEventInfo cost_of(const Call& call) {
  const Bytes bytes = encode_call(call);
  return dispatch_info(*find_call(bytes));
}

// "SubtensorModule.AmountTooLow" and so on; "Token.2" and the like for what has no pallet.
inline std::string error_name(const DispatchError& error) {
  if (error.kind == DispatchError::kToken) return "Token." + std::to_string(error.detail);
  if (error.kind != DispatchError::kModule) return "Error." + std::to_string(error.kind);
  for (const PalletTable& table : pallets()) {
    if (table.index != error.pallet) continue;
    for (const ErrorRow& row : table.errors) {
      if (row.index == error.error) return std::string(row.name);
    }
  }
  return "an error that the table does not know";
}

// The event's fields if it is one of this kind.
template <typename Event>
std::optional<Event> event_as(const EventRecord& record) {
  Decoder in(record.event);
  if (in.number<uint8_t>() != Event::Place::kPallet) return std::nullopt;
  if (in.number<uint8_t>() != Event::Place::kIndex) return std::nullopt;
  const auto event = take<Event>(in);
  EXPECT_TRUE(in.at_end());
  return event;
}

}  // namespace chain::embedded
