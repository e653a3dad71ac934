#include "chain/embedded/runtime.h"

#include <algorithm>
#include <map>

#include "chain/substrate/storage_key.h"

namespace chain::embedded {
namespace {

// How deep calls stand in each other while one is stepped over; one thread decodes one at a time.
thread_local int call_depth = 0;

class Deeper {
 public:
  Deeper() { ++call_depth; }
  ~Deeper() { --call_depth; }
  Deeper(const Deeper&) = delete;
  Deeper& operator=(const Deeper&) = delete;
};

struct Place {
  const PalletTable* pallet = nullptr;
  const CallRow* row = nullptr;
};

Place place_of(uint8_t pallet, uint8_t call) {
  for (const PalletTable& table : pallets()) {
    if (table.index != pallet) continue;
    for (const CallRow& row : table.calls) {
      if (row.index == call) return {&table, &row};
    }
  }
  return {};
}

constexpr uint8_t kApplyExtrinsic = 0;
constexpr uint8_t kInitialization = 2;

const EventRow* event_row(uint8_t pallet, uint8_t index) {
  for (const PalletTable& table : pallets()) {
    if (table.index != pallet) continue;
    for (const EventRow& row : table.events) {
      if (row.index == index) return &row;
    }
  }
  return nullptr;
}

void put_record(Encoder& out, const EventRecord& record) {
  if (record.extrinsic) {
    out.number(kApplyExtrinsic).number(*record.extrinsic);
  } else {
    out.number(kInitialization);
  }
  out.raw(record.event).compact(0);  // No topics.
}

}  // namespace

Bytes encode_events(const std::vector<EventRecord>& records) {
  Encoder out;
  out.sequence(records, put_record);
  return std::move(out).done();
}

std::optional<std::vector<EventRecord>> decode_events(ByteView bytes) {
  Decoder in(bytes);
  const size_t count = in.count(kSequenceMax, 4);
  std::vector<EventRecord> records;
  for (size_t i = 0; i < count && in.ok(); ++i) {
    EventRecord record;
    const auto phase = in.number<uint8_t>();
    if (phase == kApplyExtrinsic) record.extrinsic = in.number<uint32_t>();
    Decoder ahead = in;
    const auto pallet = ahead.number<uint8_t>();
    const EventRow* row = event_row(pallet, ahead.number<uint8_t>());
    if (row == nullptr) return std::nullopt;
    row->step_over(ahead);
    const ByteView event = in.raw(in.remaining() - ahead.remaining());
    record.event.assign(event.begin(), event.end());
    if (!ahead.ok() || in.compact<uint32_t>() != 0) return std::nullopt;
    records.push_back(std::move(record));
  }
  if (!in.at_end()) return std::nullopt;
  return records;
}

const std::vector<PalletTable>& pallets() {
  static const std::vector<PalletTable> tables = [] {
    std::vector<PalletTable> all = {
        system_pallet(),      timestamp_pallet(), balances_pallet(), payment_pallet(),
        subtensor_pallet(),   utility_pallet(),   sudo_pallet(),     commitments_pallet(),
        admin_utils_pallet(), drand_pallet(),
    };
    return all;
  }();
  return tables;
}

const StorageRow* find_storage(ByteView key) {
  constexpr size_t kPrefixSize = 32;
  static const auto rows = [] {
    std::map<Bytes, const StorageRow*, KeyOrder> all;
    for (const PalletTable& table : pallets()) {
      for (const StorageRow& row : table.storage) {
        all[substrate::storage_prefix(row.prefix, row.name)] = &row;
      }
    }
    return all;
  }();
  if (key.size() < kPrefixSize) return nullptr;
  const auto prefix = key.first(kPrefixSize);
  const auto found = rows.find(Bytes(prefix.begin(), prefix.end()));
  return found == rows.end() ? nullptr : found->second;
}

RawCall Scale<RawCall>::take(Decoder& in) {
  const Deeper deeper;
  Decoder ahead = in;
  const auto pallet = ahead.number<uint8_t>();
  const Place place = place_of(pallet, ahead.number<uint8_t>());
  if (place.row == nullptr || call_depth > kCallDepthMax) {
    in.fail();
    return {};
  }
  place.row->step_over(ahead);
  if (!ahead.ok()) in.fail();
  const ByteView bytes = in.raw(in.remaining() - ahead.remaining());
  return {Bytes(bytes.begin(), bytes.end())};
}

tl::expected<FoundCall, Invalid> find_call(ByteView call) {
  Decoder in(call);
  const auto pallet = in.number<uint8_t>();
  const Place place = place_of(pallet, in.number<uint8_t>());
  if (!in.ok()) return tl::unexpected(Invalid::kMalformed);
  if (place.row == nullptr) return tl::unexpected(Invalid::kCall);
  const Deeper deeper;
  place.row->step_over(in);
  if (!in.at_end()) return tl::unexpected(Invalid::kMalformed);
  return FoundCall{*place.pallet, *place.row, call.subspan(2)};
}

DispatchEventInfo dispatch_info(const FoundCall& call) {
  const Cost& cost = call.row.cost;
  uint64_t ref_time = cost.ref_time;
  if (call.row.inner != nullptr) {
    for (const RawCall& one : call.row.inner(call.args)) {
      const auto found = find_call(one.bytes);
      CHECK(found.has_value());  // Stepped over before.
      ref_time += dispatch_info(*found).weight.ref_time - kBaseRefTime;
    }
  }
  return {{{kBaseRefTime + ref_time}, {0}},
          cost.dispatch_class,
          cost.pays_fee ? Pays::kYes : Pays::kNo};
}

uint64_t fee_rao(const DispatchEventInfo& info, size_t size_bytes) {
  return info.pays_fee == Pays::kYes ? size_bytes + info.weight.ref_time / 2000 : 0;
}

std::optional<Refusal> pool_check(const Storage& storage, uint64_t block, const AccountId& origin,
                                  const FoundCall& call) {
  if (call.row.check == nullptr) return std::nullopt;
  const Outcome outcome = call.row.check(storage, block, origin, call.args);
  const auto code = outcome ? custom_code(*outcome) : std::nullopt;
  if (!code) return std::nullopt;
  return Refusal{Invalid::kCustom, *code};
}

Outcome dispatch(const Context& context, const Origin& origin, const FoundCall& call) {
  return call.row.dispatch(context, origin, call.args);
}

Outcome dispatch_inner(const Context& context, const Origin& origin, const RawCall& call) {
  const auto found = find_call(call.bytes);
  CHECK(found.has_value());
  const size_t mark = context.storage.mark();
  const size_t events = context.events.size();
  Outcome outcome = dispatch(context, origin, *found);
  if (outcome) {
    context.storage.roll_back(mark);
    context.events.resize(events);
  }
  return outcome;
}

}  // namespace chain::embedded
