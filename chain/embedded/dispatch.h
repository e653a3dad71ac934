// What a call works on, who calls, and how it ends: shared by the ledger's pallets.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "chain/embedded/errors.h"
#include "chain/embedded/events.h"
#include "chain/embedded/storage.h"
#include "chain/embedded/typed.h"

namespace chain::embedded {

// An event and what it belongs to.
struct EventRecord {
  std::optional<uint32_t> extrinsic;  // Nothing for the block's own work before the extrinsics.
  Bytes event;                        // Pallet, number, fields.
};
// The value of System.Events.
Bytes encode_events(const std::vector<EventRecord>& records);

// The block being made. `storage` and `events` are the state's.
struct Context {
  Storage& storage;
  uint64_t block = 0;
  std::vector<EventRecord>& events;
  std::optional<uint32_t> extrinsic = {};  // Nothing in the block's own work.

  template <typename Event>
  void emit(const Event& event) const {
    Encoder out;
    out.number(Event::Place::kPallet).number(Event::Place::kIndex);
    put(out, event);
    events.push_back({extrinsic, std::move(out).done()});
  }
};

// Who calls: an account that signed, root by way of Sudo, or nobody (a bare extrinsic).
struct Origin {
  std::optional<AccountId> account;
  bool root = false;

  static Origin signed_by(const AccountId& account) { return {account, false}; }
  static Origin as_root() { return {std::nullopt, true}; }
};

}  // namespace chain::embedded
