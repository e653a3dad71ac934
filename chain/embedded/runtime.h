// The runtime as one table: every pallet with its calls, storage, events, errors and constants.
//
// Metadata is written from it, calls are decoded and dispatched by it. What a row says of a call's
// arguments, an event's fields or an item's value is derived from the C++ type that the code itself
// reads and writes.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "chain/embedded/dispatch.h"
#include "chain/embedded/info.h"
#include "chain/embedded/validity.h"

namespace chain::embedded {

using FieldsOf = std::vector<substrate::Field> (*)(TypeRegistry&);
using TypeIdOf = TypeId (*)(TypeRegistry&);

inline constexpr uint64_t kBaseRefTime = 108'157'000;  // Of every extrinsic.

// What a call costs, beside what every extrinsic costs.
struct Cost {
  uint64_t ref_time = 0;  // picoseconds
  bool pays_fee = true;
  DispatchClass dispatch_class = DispatchClass::kNormal;
};
inline constexpr bool kFree = false;

struct CallRow {
  uint8_t index = 0;
  std::string_view name;
  std::string_view docs;
  Cost cost;
  FieldsOf fields = nullptr;
  // Reads over the arguments; the decoder has failed if they are not exactly such.
  void (*step_over)(Decoder&) = nullptr;
  // The calls within it; null for a call that holds none.
  std::vector<RawCall> (*inner)(ByteView) = nullptr;
  // What the pool asks before it takes one from `origin`; null if it asks nothing.
  Outcome (*check)(const Storage&, uint64_t block, const AccountId& origin, ByteView) = nullptr;
  Outcome (*dispatch)(const Context&, const Origin&, ByteView) = nullptr;
};
struct EventRow {
  uint8_t index = 0;
  std::string_view name;
  FieldsOf fields = nullptr;
  void (*step_over)(Decoder&) = nullptr;  // Reads over the fields.
};
struct ErrorRow {
  uint8_t index = 0;
  std::string_view name;
};
struct StorageRow {
  std::string_view prefix;  // The pallet's name, as keys are hashed of it.
  std::string_view name;
  std::vector<substrate::StorageHasher> hashers;  // One a key; none for a plain value.
  TypeIdOf key = nullptr;                         // Null for a plain value.
  TypeIdOf value = nullptr;
  void (*step_over)(Decoder&) = nullptr;  // Reads over a value.
  std::optional<Bytes> otherwise;         // What an absent value means; nothing: it is absent.
};
struct ConstantRow {
  std::string_view name;
  TypeIdOf type = nullptr;
  Bytes value;
};
struct PalletTable {
  std::string_view name;
  uint8_t index = 0;
  std::vector<StorageRow> storage = {};
  std::vector<CallRow> calls = {};
  std::vector<EventRow> events = {};
  std::vector<ErrorRow> errors = {};
  std::vector<ConstantRow> constants = {};
};

// Ascending by index.
const std::vector<PalletTable>& pallets();
PalletTable system_pallet();
PalletTable timestamp_pallet();
PalletTable balances_pallet();
PalletTable payment_pallet();
PalletTable subtensor_pallet();
PalletTable utility_pallet();
PalletTable sudo_pallet();
PalletTable commitments_pallet();
PalletTable admin_utils_pallet();
PalletTable drand_pallet();
std::vector<StorageRow> subtensor_storage();
StorageRow event_storage_row();  // System.Events

// The row whose key `key` is, or begins like; null for one that no pallet has.
const StorageRow* find_storage(ByteView key);

// A call's row and its arguments. kCall: there is no such call; kMalformed: its arguments are not
// the one encoding of what the row says. Valid as long as `call` is.
struct FoundCall {
  const PalletTable& pallet;
  const CallRow& row;
  ByteView args;
};
tl::expected<FoundCall, Invalid> find_call(ByteView call);

// The records of a System.Events value; nothing for bytes that are none of the table's.
std::optional<std::vector<EventRecord>> decode_events(ByteView bytes);

// What it costs, with all that it holds.
DispatchEventInfo dispatch_info(const FoundCall& call);
// One rao a byte, and half a rao for every thousand of ref_time; 0 for calls that are free.
uint64_t fee_rao(const DispatchEventInfo& info, size_t size_bytes);
// The call's own checks, in as far as the chain makes them at its pool: the refusal, if there is
// one.
std::optional<Refusal> pool_check(const Storage& storage, uint64_t block, const AccountId& origin,
                                  const FoundCall& call);
// Does it. What a failed call did must be rolled back by the caller.
Outcome dispatch(const Context& context, const Origin& origin, const FoundCall& call);
// Does a call within a call: a failed one leaves nothing behind. kCall's error for what is no call.
Outcome dispatch_inner(const Context& context, const Origin& origin, const RawCall& call);

// One function of the runtime that clients call by name: "AccountNonceApi_account_nonce".
class State;
struct ApiContext {
  const State& state;
  const Storage& storage;  // At `block`.
  uint64_t block = 0;
};
struct ApiRow {
  std::string_view api;
  std::string_view method;
  FieldsOf inputs = nullptr;
  TypeIdOf output = nullptr;
  // The encoded result; nothing if the arguments are not the one encoding of what `inputs` says.
  std::optional<Bytes> (*answer)(const ApiContext&, ByteView args) = nullptr;
};
// By API, each API's methods together.
const std::vector<ApiRow>& runtime_apis();
const ApiRow* find_api(std::string_view name);
RuntimeVersion runtime_version();

// Every type, pallet and runtime API, as metadata of version 15 has it; written once.
const substrate::Metadata& runtime_metadata();
// Its bytes as metadata of `version`; nothing but for 14 and 15.
const Bytes* metadata_bytes(uint32_t version);

}  // namespace chain::embedded
