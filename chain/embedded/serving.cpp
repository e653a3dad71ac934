#include "chain/embedded/serving.h"

#include <algorithm>

#include "chain/embedded/items.h"
#include "chain/embedded/registration.h"
#include "chain/embedded/subtensor_events.h"

namespace chain::embedded {
namespace {

bool valid_ip(uint8_t ip_type, Uint128 ip) {
  constexpr Uint128 kLoopback4 = 0x7F000001;
  constexpr Uint128 kBroadcast4 = 0xFFFFFFFF;
  if (ip_type == 4) return ip < kBroadcast4 && ip != kLoopback4;
  return ip != 1 && ip != ~Uint128{0};
}

// What is served, and what was served before by the same hotkey.
struct Served {
  Uint128 ip = 0;
  uint16_t port = 0;
  uint8_t ip_type = 0;
  const Bytes* before = nullptr;  // Begins with its block.
};

Outcome check_serving(const Storage& storage, uint64_t block, const AccountId& hotkey,
                      uint16_t netuid, const Served& served) {
  if (!uid_of(storage, netuid, hotkey))
    return refuse(SubtensorError::kHotKeyNotRegisteredInNetwork);
  if (served.ip_type != 4 && served.ip_type != 6) return refuse(SubtensorError::kInvalidIpType);
  if (!valid_ip(served.ip_type, served.ip)) return refuse(SubtensorError::kInvalidIpAddress);
  if (served.before != nullptr) {
    const auto served_at = Decoder(*served.before).number<uint64_t>();
    const auto limit = get_number<uint64_t>(storage, items::kServingRateLimit.key(netuid));
    if (block - served_at < limit) return refuse(SubtensorError::kServingRateLimitExceeded);
  }
  if (served.port == 0) return refuse(SubtensorError::kInvalidPort);
  return {};
}

}  // namespace

Outcome check_axon(const Storage& storage, uint64_t block, const AccountId& hotkey,
                   const calls::ServeAxon& call) {
  const Bytes* before = storage.find(items::kAxons.key(call.netuid, hotkey));
  return check_serving(storage, block, hotkey, call.netuid,
                       {call.ip, call.port, call.ip_type, before});
}

Outcome serve_axon(const Context& context, const AccountId& hotkey, const calls::ServeAxon& call) {
  if (auto error = check_axon(context.storage, context.block, hotkey, call)) return error;
  const AxonInfo axon{context.block, call.version,  call.ip,           call.port,
                      call.ip_type,  call.protocol, call.placeholder1, call.placeholder2};
  context.storage.put(items::kAxons.key(call.netuid, hotkey), encoded(axon));
  context.emit(events::AxonServed{call.netuid, hotkey});
  return {};
}

Outcome check_prometheus(const Storage& storage, uint64_t block, const AccountId& hotkey,
                         const calls::ServePrometheus& call) {
  const Bytes* before = storage.find(kPrometheus.key(call.netuid, hotkey));
  return check_serving(storage, block, hotkey, call.netuid,
                       {call.ip, call.port, call.ip_type, before});
}

Outcome serve_prometheus(const Context& context, const AccountId& hotkey,
                         const calls::ServePrometheus& call) {
  if (auto error = check_prometheus(context.storage, context.block, hotkey, call)) return error;
  const PrometheusInfo info{context.block, call.version, call.ip, call.port, call.ip_type};
  context.storage.put(kPrometheus.key(call.netuid, hotkey), encoded(info));
  context.emit(events::PrometheusServed{call.netuid, hotkey});
  return {};
}

Outcome set_commitment(const Context& context, const AccountId& hotkey,
                       const calls::SetCommitment& call) {
  Storage& storage = context.storage;
  const uint16_t netuid = call.netuid;
  const auto& fields = call.info.fields.items;
  if (!uid_of(storage, netuid, hotkey)) return refuse(CommitmentError::kAccountNotAllowedCommit);
  if (fields.size() > kCommitmentFieldsMax) {
    return refuse(CommitmentError::kTooManyFieldsInCommitmentInfo);
  }
  uint64_t size = 0;
  for (const Data& field : fields) size += field.bytes.size();
  const uint64_t cost = std::max(kCommitmentSpaceMin, size);

  UsageTracker usage = get<UsageTracker>(storage, items::kUsedSpaceOf.key(netuid, hotkey));
  const auto epoch = get_number<uint64_t>(storage, items::kSubnetEpochIndex.key(netuid));
  if (usage.last_epoch != epoch) usage = {epoch, 0};
  usage.used_space += cost;
  if (usage.used_space > get_number<uint32_t>(storage, kCommitmentSpace.key())) {
    return refuse(CommitmentError::kSpaceLimitExceeded);
  }
  storage.put(items::kUsedSpaceOf.key(netuid, hotkey), encoded(usage));

  const auto block = static_cast<uint32_t>(context.block);
  storage.put(items::kCommitmentOf.key(netuid, hotkey),
              encoded(CommitmentRegistration{0, block, call.info}));
  put_number(storage, items::kLastCommitment.key(netuid, hotkey), block);
  context.emit(events::Commitment{netuid, hotkey});
  return {};
}

Outcome set_max_space(const Context& context, const Origin& origin,
                      const calls::SetMaxSpace& call) {
  if (!origin.root) return bad_origin();
  put_number(context.storage, kCommitmentSpace.key(), call.new_limit);
  return {};
}

}  // namespace chain::embedded
