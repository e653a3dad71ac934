#include "chain/embedded/pallet_batch.h"

#include "chain/embedded/items.h"
#include "chain/embedded/rows.h"

namespace chain::embedded {
namespace {

Outcome too_many(const calls::Batch& call) {
  if (call.calls.size() > kBatchCallsMax) return refuse(UtilityError::kTooManyCalls);
  return {};
}

template <CallRow kMake(uint8_t, std::string_view, Cost, std::string_view)>
CallRow batch_row(uint8_t index, std::string_view name, std::string_view docs) {
  CallRow row = kMake(index, name, {8'000'000}, docs);
  row.inner = [](ByteView args) { return args_of<calls::Batch>(args).calls; };
  return row;
}

CallRow sudo_row() {
  CallRow row =
      call<sudo>(0, "sudo", {20'000'000, kFree}, "Does a call as root, if the caller is sudo.");
  row.inner = [](ByteView args) { return std::vector<RawCall>{args_of<calls::Sudo>(args).call}; };
  return row;
}

}  // namespace

Outcome batch(const Context& context, const Origin& origin, const calls::Batch& call) {
  if (auto error = too_many(call)) return error;
  for (uint32_t i = 0; i < call.calls.size(); ++i) {
    if (const auto error = dispatch_inner(context, origin, call.calls[i])) {
      context.emit(events::BatchInterrupted{i, *error});
      return {};
    }
    context.emit(events::ItemCompleted{});
  }
  context.emit(events::BatchCompleted{});
  return {};
}

Outcome batch_all(const Context& context, const Origin& origin, const calls::Batch& call) {
  if (auto error = too_many(call)) return error;
  for (const RawCall& one : call.calls) {
    if (auto error = dispatch_inner(context, origin, one)) return error;
    context.emit(events::ItemCompleted{});
  }
  context.emit(events::BatchCompleted{});
  return {};
}

Outcome force_batch(const Context& context, const Origin& origin, const calls::Batch& call) {
  if (auto error = too_many(call)) return error;
  bool failed = false;
  for (const RawCall& one : call.calls) {
    if (const auto error = dispatch_inner(context, origin, one)) {
      failed = true;
      context.emit(events::ItemFailed{*error});
    } else {
      context.emit(events::ItemCompleted{});
    }
  }
  if (failed) {
    context.emit(events::BatchCompletedWithErrors{});
  } else {
    context.emit(events::BatchCompleted{});
  }
  return {};
}

Outcome sudo(const Context& context, const AccountId& caller, const calls::Sudo& call) {
  if (get_account(context.storage, kSudoKey.key()) != caller) {
    return refuse(SudoError::kRequireSudo);
  }
  const auto error = dispatch_inner(context, Origin::as_root(), call.call);
  context.emit(events::Sudid{{error}});
  return {};
}

Outcome set_sudo_key(const Context& context, const Origin& origin, const calls::SetSudoKey& call) {
  const auto old = get_account(context.storage, kSudoKey.key());
  if (!origin.root && (!origin.account || origin.account != old)) {
    return refuse(SudoError::kRequireSudo);
  }
  const auto key = call.key.lookup();
  if (!key) return cannot_look_up();
  put_account(context.storage, kSudoKey.key(), *key);
  context.emit(events::KeyChanged{old, *key});
  return {};
}

PalletTable utility_pallet() {
  PalletTable table{"Utility", kUtilityPallet};
  table.calls = {
      batch_row<call<batch>>(0, "batch", "Does calls one after the other, until one fails."),
      batch_row<call<batch_all>>(2, "batch_all", "Does all of the calls, or none."),
      batch_row<call<force_batch>>(4, "force_batch", "Does calls, whether others fail or not."),
  };
  using namespace events;  // NOLINT: their names.
  table.events = event_rows<BatchInterrupted, BatchCompleted, BatchCompletedWithErrors,
                            ItemCompleted, ItemFailed>();
  table.errors = {MUSTER_UTILITY_ERRORS(MUSTER_ERROR_ROW)};
  table.constants = {constant("batched_calls_limit", kBatchCallsMax)};
  return table;
}

PalletTable sudo_pallet() {
  PalletTable table{"Sudo", kSudoPallet};
  table.storage = {row<AccountId>(kSudoKey, std::nullopt)};
  table.calls = {
      sudo_row(),
      call<set_sudo_key>(2, "set_key", {20'000'000, kFree}, "Makes another account sudo."),
  };
  table.events = event_rows<events::Sudid, events::KeyChanged>();
  table.errors = {MUSTER_SUDO_ERRORS(MUSTER_ERROR_ROW)};
  return table;
}

}  // namespace chain::embedded
