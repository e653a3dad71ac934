#include "chain/embedded/serving.h"

#include <algorithm>

#include "chain/embedded/items.h"
#include "chain/embedded/registration.h"

namespace chain::embedded {
namespace {

using substrate::Decoder;
using substrate::Encoder;
using substrate::Uint128;

bool valid_ip(uint8_t ip_type, Uint128 ip) {
  constexpr Uint128 kLoopback4 = 0x7F000001;
  constexpr Uint128 kBroadcast4 = 0xFFFFFFFF;
  if (ip_type == 4) return ip < kBroadcast4 && ip != kLoopback4;
  return ip != 1 && ip != ~Uint128{0};
}

}  // namespace

Outcome check_axon(const Storage& storage, uint64_t block, const AccountId& hotkey,
                   const substrate::ServeAxon& call) {
  if (!uid_of(storage, call.netuid, hotkey)) {
    return refuse(SubtensorError::kHotKeyNotRegisteredInNetwork);
  }
  if (call.ip_type != 4 && call.ip_type != 6) return refuse(SubtensorError::kInvalidIpType);
  if (!valid_ip(call.ip_type, call.ip)) return refuse(SubtensorError::kInvalidIpAddress);
  const Bytes* before = storage.find(items::kAxons.key(call.netuid, hotkey));
  if (before != nullptr) {
    const auto served_at = Decoder(*before).number<uint64_t>();
    const auto limit = get_number<uint64_t>(storage, items::kServingRateLimit.key(call.netuid));
    if (block - served_at < limit) return refuse(SubtensorError::kServingRateLimitExceeded);
  }
  if (call.port == 0) return refuse(SubtensorError::kInvalidPort);
  return {};
}

Outcome serve_axon(const Context& context, const AccountId& hotkey,
                   const substrate::ServeAxon& call) {
  if (auto error = check_axon(context.storage, context.block, hotkey, call)) return error;
  Encoder out;
  out.number(context.block).number(call.version).number128(call.ip).number(call.port);
  out.number(call.ip_type).number(call.protocol);
  out.number(call.placeholder1).number(call.placeholder2);
  context.storage.put(items::kAxons.key(call.netuid, hotkey), std::move(out).done());
  context.emit(substrate::AxonServed{call.netuid, hotkey});
  return {};
}

Outcome set_commitment(const Context& context, const AccountId& hotkey,
                       const substrate::SetCommitment& call) {
  Storage& storage = context.storage;
  const uint16_t netuid = call.netuid;
  if (!uid_of(storage, netuid, hotkey)) return refuse(CommitmentError::kAccountNotAllowed);
  if (call.fields.size() > substrate::kCommitmentFieldsMax) {
    return refuse(CommitmentError::kTooManyFields);
  }
  uint64_t size = 0;
  for (const substrate::Data& field : call.fields) size += field.bytes.size();
  const uint64_t cost = std::max(kCommitmentSpaceMin, size);

  const auto epoch = get_number<uint64_t>(storage, items::kSubnetEpochIndex.key(netuid));
  const Bytes usage_key = items::kUsedSpaceOf.key(netuid, hotkey);
  uint64_t used = 0;
  if (const Bytes* usage = storage.find(usage_key)) {
    Decoder in(*usage);
    const bool same_epoch = in.number<uint64_t>() == epoch;
    if (same_epoch) used = in.number<uint64_t>();
  }
  if (used + cost > get_number<uint32_t>(storage, kCommitmentSpace.key())) {
    return refuse(CommitmentError::kSpaceLimitExceeded);
  }
  storage.put(usage_key, Encoder().number(epoch).number(used + cost).done());

  const auto block = static_cast<uint32_t>(context.block);
  Encoder registration;
  registration.number(uint64_t{0}).number(block).sequence(call.fields, substrate::encode_data);
  storage.put(items::kCommitmentOf.key(netuid, hotkey), std::move(registration).done());
  put_number(storage, items::kLastCommitment.key(netuid, hotkey), block);
  context.emit(substrate::CommitmentSet{netuid, hotkey});
  return {};
}

}  // namespace chain::embedded
