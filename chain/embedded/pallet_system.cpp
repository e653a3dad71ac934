// System, Timestamp, Balances, TransactionPayment, Commitments and Drand in the runtime's table.
#include "chain/embedded/balances.h"
#include "chain/embedded/consistency.h"
#include "chain/embedded/drand.h"
#include "chain/embedded/items.h"
#include "chain/embedded/rows.h"
#include "chain/embedded/serving.h"
#include "chain/embedded/state.h"

namespace chain::embedded {
namespace {

Outcome remark(const Context&, const Origin&, const calls::Remark&) { return {}; }
Outcome remark_with_event(const Context& context, const AccountId& sender,
                          const calls::Remark& call) {
  context.emit(events::Remarked{sender, common::blake2b_256(call.remark)});
  return {};
}
// Root may write what it likes, as long as the ledger can still read it.
Outcome set_storage(const Context& context, const Origin& origin, const calls::SetStorage& call) {
  if (!origin.root) return bad_origin();
  const size_t mark = context.storage.mark();
  for (const auto& [key, value] : call.items) context.storage.put(key, value);
  if (storage_fault(context.storage, mark)) return refuse(SystemError::kCallFiltered);
  return {};
}
Outcome kill_storage(const Context& context, const Origin& origin, const calls::KillStorage& call) {
  if (!origin.root) return bad_origin();
  const size_t mark = context.storage.mark();
  for (const Bytes& key : call.keys) context.storage.erase(key);
  if (storage_fault(context.storage, mark)) return refuse(SystemError::kCallFiltered);
  return {};
}
Outcome set_time(const Context&, const Origin&, const calls::SetTime&) { return bad_origin(); }

constexpr uint32_t kNormalLength = 3'932'160;  // Three quarters of a block's bytes, as on mainnet.

// What a class of extrinsics may take of a block.
struct WeightsPerClass {
  static constexpr std::string_view kPath = "frame_system::limits::WeightsPerClass";
  static constexpr std::string_view kNames = "base_extrinsic max_extrinsic max_total reserved";
  RuntimeWeight base_extrinsic;
  std::optional<RuntimeWeight> max_extrinsic;
  std::optional<RuntimeWeight> max_total;
  std::optional<RuntimeWeight> reserved;
};
template <typename T>
struct PerClass {
  static constexpr std::string_view kPath = "frame_support::dispatch::PerDispatchClass";
  static constexpr std::string_view kNames = "normal operational mandatory";
  static std::vector<substrate::TypeParam> params(TypeRegistry& registry) {
    return {{"T", registry.id<T>()}};
  }
  T normal{};
  T operational{};
  T mandatory{};
};
struct BlockWeights {
  static constexpr std::string_view kPath = "frame_system::limits::BlockWeights";
  static constexpr std::string_view kNames = "base_block max_block per_class";
  RuntimeWeight base_block;
  RuntimeWeight max_block;
  PerClass<WeightsPerClass> per_class;
};
struct BlockLength {
  static constexpr std::string_view kPath = "frame_system::limits::BlockLength";
  static constexpr std::string_view kNames = "max";
  PerClass<uint32_t> max;
};

BlockWeights block_weights() {
  const WeightsPerClass each{{{kBaseRefTime}, {0}}, {}, {}, {}};
  return {{{0}, {0}}, {{4'000'000'000'000}, {~uint64_t{0}}}, {each, each, each}};
}
BlockLength block_length() { return {{kNormalLength, kBlockBytesMax, kBlockBytesMax}}; }

}  // namespace

PalletTable system_pallet() {
  using namespace events;  // NOLINT: their names.
  PalletTable table{"System", kSystemPallet};
  AccountRecord nobody;
  nobody.data.flags.bits = static_cast<Uint128>(1) << 127;
  table.storage = {
      row<AccountRecord>(items::kAccount, nobody),
      row<Hash>(items::kBlockHash),
      row<uint32_t>(items::kNumber),
      row<Hash>(items::kParentHash),
      event_storage_row(),
      row<uint32_t>(items::kEventCount),
  };
  table.calls = {
      call<remark>(0, "remark", {}, "Says something, and nothing comes of it."),
      call<set_storage>(4, "set_storage", {20'000'000, kFree}, "Writes storage. For root only."),
      call<kill_storage>(5, "kill_storage", {20'000'000, kFree}, "Erases storage. For root only."),
      call<remark_with_event>(7, "remark_with_event", {20'000'000},
                              "Says something, and an event names its hash."),
  };
  table.events =
      event_rows<ExtrinsicSuccess, ExtrinsicFailed, NewAccount, KilledAccount, Remarked>();
  table.errors = {MUSTER_SYSTEM_ERRORS(MUSTER_ERROR_ROW)};
  table.constants = {
      constant("BlockWeights", block_weights()),   constant("BlockLength", block_length()),
      constant("BlockHashCount", kBlockHashCount), constant("Version", runtime_version()),
      constant("SS58Prefix", uint16_t{42}),
  };
  return table;
}

PalletTable timestamp_pallet() {
  PalletTable table{"Timestamp", kTimestampPallet};
  table.storage = {row<uint64_t>(items::kNow)};
  table.calls = {call<set_time>(0, "set", {0, true, DispatchClass::kMandatory},
                                "Every block's first: its time in milliseconds.")};
  table.constants = {constant("MinimumPeriod", uint64_t{6'000})};
  return table;
}

PalletTable balances_pallet() {
  using namespace events;  // NOLINT: their names.
  PalletTable table{"Balances", kBalancesPallet};
  table.storage = {row<uint64_t>(items::kTotalIssuance)};
  constexpr Cost kTransfer{172'000'000};
  table.calls = {
      call<transfer_allow_death>(0, "transfer_allow_death", kTransfer,
                                 "Sends TAO, even if the sender's account ends with it."),
      call<transfer_keep_alive>(3, "transfer_keep_alive", kTransfer,
                                "Sends TAO, if the sender's account lives on."),
      call<transfer_all>(4, "transfer_all", kTransfer, "Sends all that there is."),
      call<force_set_balance>(8, "force_set_balance", {20'000'000, kFree},
                              "Sets what an account has. For root only."),
  };
  table.events = event_rows<Endowed, DustLost, Transfer, BalanceSet>();
  table.constants = {constant("ExistentialDeposit", kExistentialDepositRao)};
  return table;
}

PalletTable payment_pallet() {
  PalletTable table{"TransactionPayment", kPaymentPallet};
  table.events = event_rows<events::TransactionFeePaid>();
  table.constants = {constant("OperationalFeeMultiplier", uint8_t{5})};
  return table;
}

PalletTable commitments_pallet() {
  PalletTable table{"Commitments", kCommitmentsPallet};
  table.storage = {
      row<CommitmentRegistration>(items::kCommitmentOf, std::nullopt),
      row<uint32_t>(items::kLastCommitment, std::nullopt),
      row<UsageTracker>(items::kUsedSpaceOf, std::nullopt),
      row<uint32_t>(kCommitmentSpace),
  };
  table.calls = {
      call<set_commitment>(0, "set_commitment", {33'480'000, kFree},
                           "Says something about a neuron, in place of what it said before."),
      call<set_max_space>(2, "set_max_space", {2'856'000, kFree},
                          "Sets how much may be said in an epoch. For root only."),
  };
  table.events = event_rows<events::Commitment>();
  table.errors = {MUSTER_COMMITMENTS_ERRORS(MUSTER_ERROR_ROW)};
  table.constants = {constant("MaxFields", static_cast<uint32_t>(kCommitmentFieldsMax))};
  return table;
}

PalletTable drand_pallet() {
  PalletTable table{"Drand", kDrandPallet};
  table.storage = {
      row<BeaconConfig>(kBeaconConfig),
      row<Pulse>(kPulses, std::nullopt),
      row<uint64_t>(kLastStoredRound),
      row<uint64_t>(kOldestStoredRound),
  };
  table.calls = {
      call<write_pulse>(0, "write_pulse", {5'228'000'000, kFree},
                        "Brings pulses of the beacon. Bare: they vouch for themselves."),
      call<set_beacon_config>(1, "set_beacon_config", {20'000'000, kFree},
                              "Names the beacon. For root only."),
  };
  table.events = event_rows<events::BeaconConfigChanged, events::NewPulse>();
  table.errors = {MUSTER_DRAND_ERRORS(MUSTER_ERROR_ROW)};
  return table;
}

}  // namespace chain::embedded
