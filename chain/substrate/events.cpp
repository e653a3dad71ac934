#include "chain/substrate/events.h"

#include <utility>

#include "chain/substrate/event_layout.h"

namespace chain::substrate {
namespace {

using common::Code;
using common::Error;

constexpr uint8_t kApplyExtrinsic = 0;
constexpr uint8_t kFinalization = 1;
constexpr uint8_t kInitialization = 2;
constexpr size_t kRecordSizeMin = 4;  // Phase, two numbers, no topics.
constexpr size_t kTopicsMax = 16;

struct EventIndex {
  uint8_t pallet, variant;
};
// In the order of `Event`'s alternatives, all but the last.
constexpr EventIndex kIndices[] = {{0, 0}, {0, 1}, {5, 2},  {7, 2}, {7, 3},
                                   {7, 5}, {7, 6}, {7, 28}, {18, 0}};
static_assert(std::size(kIndices) + 1 == std::variant_size_v<Event>);

void put_error(Encoder& out, const DispatchError& error) {
  out.number(error.kind);
  if (error.kind == DispatchError::kModule) {
    out.number(error.pallet).number(error.error).raw(std::array<uint8_t, 3>{});
  } else if ((error.kind >= 7 && error.kind <= 9) || error.kind == 14) {
    out.number(error.detail);
  }
}
DispatchError take_error(Decoder& in) {
  constexpr uint8_t kLastKind = 14;
  DispatchError error;
  error.kind = in.number<uint8_t>();
  if (error.kind > kLastKind) in.fail();
  if (error.kind == DispatchError::kModule) {
    error.pallet = in.number<uint8_t>();
    error.error = in.number<uint8_t>();
    in.raw(3);  // Errors nested in the module's error: none of the pallets has any.
  } else if ((error.kind >= 7 && error.kind <= 9) || error.kind == kLastKind) {
    error.detail = in.number<uint8_t>();
  }
  return error;
}

void put_info(Encoder& out, const DispatchInfo& info) {
  out.compact(info.ref_time).compact(info.proof_size);
  out.number(info.dispatch_class).number(static_cast<uint8_t>(info.pays_fee ? 0 : 1));
}
DispatchInfo take_info(Decoder& in) {
  DispatchInfo info;
  info.ref_time = in.compact<uint64_t>();
  info.proof_size = in.compact<uint64_t>();
  info.dispatch_class = in.number<uint8_t>();
  if (info.dispatch_class > 2) in.fail();
  info.pays_fee = !in.number<bool>();
  return info;
}

void put(Encoder& out, const ExtrinsicSuccess& event) { put_info(out, event.info); }
void put(Encoder& out, const ExtrinsicFailed& event) {
  put_error(out, event.error);
  put_info(out, event.info);
}
void put(Encoder& out, const Transferred& event) {
  out.account(event.from).account(event.to).number(event.amount_rao);
}
template <typename T>
requires std::same_as<T, StakeAdded> || std::same_as<T, StakeRemoved>
void put(Encoder& out, const T& event) {
  out.account(event.coldkey).account(event.hotkey).number(event.tao_rao).number(event.alpha_rao);
  out.number(event.netuid).number(event.fee_rao);
}
void put(Encoder& out, const WeightsSet& event) { out.number(event.netuid).number(event.uid); }
void put(Encoder& out, const NeuronRegistered& event) {
  out.number(event.netuid).number(event.uid).account(event.hotkey);
}
void put(Encoder& out, const AxonServed& event) { out.number(event.netuid).account(event.hotkey); }
void put(Encoder& out, const CommitmentSet& event) { out.number(event.netuid).account(event.who); }
void put(Encoder& out, const OtherEvent& event) { out.raw(event.fields); }

void take(Decoder& in, ExtrinsicSuccess& event) { event.info = take_info(in); }
void take(Decoder& in, ExtrinsicFailed& event) {
  event.error = take_error(in);
  event.info = take_info(in);
}
void take(Decoder& in, Transferred& event) {
  event.from = in.account();
  event.to = in.account();
  event.amount_rao = in.number<uint64_t>();
}
template <typename T>
requires std::same_as<T, StakeAdded> || std::same_as<T, StakeRemoved>
void take(Decoder& in, T& event) {
  event.coldkey = in.account();
  event.hotkey = in.account();
  event.tao_rao = in.number<uint64_t>();
  event.alpha_rao = in.number<uint64_t>();
  event.netuid = in.number<uint16_t>();
  event.fee_rao = in.number<uint64_t>();
}
void take(Decoder& in, WeightsSet& event) {
  event.netuid = in.number<uint16_t>();
  event.uid = in.number<uint16_t>();
}
void take(Decoder& in, NeuronRegistered& event) {
  event.netuid = in.number<uint16_t>();
  event.uid = in.number<uint16_t>();
  event.hotkey = in.account();
}
void take(Decoder& in, AxonServed& event) {
  event.netuid = in.number<uint16_t>();
  event.hotkey = in.account();
}
void take(Decoder& in, CommitmentSet& event) {
  event.netuid = in.number<uint16_t>();
  event.who = in.account();
}

// The typed event of these numbers; nothing if `Event` has no alternative of its own for it.
template <size_t I = 0>
std::optional<Event> take_known(Decoder& in, EventIndex index) {
  if constexpr (I == std::size(kIndices)) {
    return std::nullopt;
  } else {
    if (kIndices[I].pallet != index.pallet || kIndices[I].variant != index.variant) {
      return take_known<I + 1>(in, index);
    }
    std::variant_alternative_t<I, Event> event;
    take(in, event);
    return event;
  }
}

// Nothing for an event that can be neither read nor stepped over.
std::optional<Event> take_event(Decoder& in, EventIndex index) {
  if (auto known = take_known(in, index)) return known;
  const auto layout = event_layout(index.pallet, index.variant);
  if (!layout) return std::nullopt;
  Decoder ahead = in;
  skip_fields(ahead, *layout);
  if (!ahead.ok()) in.fail();
  const ByteView fields = in.raw(in.remaining() - ahead.remaining());
  return OtherEvent{index.pallet, index.variant, Bytes(fields.begin(), fields.end())};
}

void take_phase(Decoder& in, EventRecord& record) {
  const auto phase = in.number<uint8_t>();
  if (phase == kApplyExtrinsic) {
    record.extrinsic = in.number<uint32_t>();
  } else if (phase == kFinalization) {
    record.at_finalization = true;
  } else if (phase != kInitialization) {
    in.fail();
  }
}

void put_record(Encoder& out, const EventRecord& record) {
  if (record.extrinsic) {
    out.number(kApplyExtrinsic).number(*record.extrinsic);
  } else {
    out.number(record.at_finalization ? kFinalization : kInitialization);
  }
  if (const auto* other = std::get_if<OtherEvent>(&record.event)) {
    out.number(other->pallet).number(other->variant);
  } else {
    const EventIndex index = kIndices[record.event.index()];
    out.number(index.pallet).number(index.variant);
  }
  std::visit([&out](const auto& event) { put(out, event); }, record.event);
  out.sequence(record.topics, [](Encoder& to, const Hash& topic) { to.hash(topic); });
}

}  // namespace

Bytes encode_events(const std::vector<EventRecord>& records) {
  Encoder out;
  out.sequence(records, put_record);
  return std::move(out).done();
}

Result<std::vector<EventRecord>> decode_events(ByteView bytes, bool prefix_ok) {
  Decoder in(bytes);
  const size_t count = in.count(kEventsMax, kRecordSizeMin);
  std::vector<EventRecord> records;
  for (size_t i = 0; i < count && in.ok(); ++i) {
    EventRecord record;
    take_phase(in, record);
    const auto pallet = in.number<uint8_t>();
    const EventIndex index{pallet, in.number<uint8_t>()};
    auto event = in.ok() ? take_event(in, index) : std::nullopt;
    if (in.ok() && !event) {
      if (prefix_ok) return records;
      return Error{Code::kInvalidArgument, "event " + std::to_string(index.pallet) + "." +
                                               std::to_string(index.variant) +
                                               " has a layout that is not known here"};
    }
    record.topics =
        in.sequence(kTopicsMax, sizeof(Hash), [](Decoder& from) { return from.hash(); });
    if (!in.ok()) break;
    record.event = *std::move(event);
    records.push_back(std::move(record));
  }
  if (!in.at_end()) return Error{Code::kInvalidArgument, "the block's events are malformed"};
  return records;
}

}  // namespace chain::substrate
