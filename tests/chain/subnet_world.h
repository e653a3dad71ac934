// A subnet in a fake node's storage.
#pragma once

#include "chain/substrate/query.h"
#include "tests/chain/fake_node.h"

namespace chain::substrate {

inline constexpr uint16_t kNetuid = 3;

inline AccountId hotkey_of(uint16_t uid) {
  return {{static_cast<uint8_t>(uid + 1), static_cast<uint8_t>(uid >> 8)}};
}

// `count` neurons; the hotkey of uid i starts with i + 1, its coldkey with 100.
inline void make_subnet(FakeNode& node, uint16_t count) {
  node.put("SubtensorModule", "SubnetworkN", Json::array({kNetuid}), count);
  node.put("SubtensorModule", "NetworksAdded", Json::array({kNetuid}), true);
  for (uint16_t uid = 0; uid < count; ++uid) {
    const Json hotkey = key_of(hotkey_of(uid));
    node.put("SubtensorModule", "Keys", Json::array({kNetuid, uid}), hotkey);
    node.put("SubtensorModule", "Uids", Json::array({kNetuid, hotkey}), uid);
    node.put("SubtensorModule", "Owner", Json::array({hotkey}), key_of({{100}}));
    node.put("SubtensorModule", "TotalHotkeyAlpha", Json::array({hotkey, kNetuid}), uid * 10);
    node.put("SubtensorModule", "BlockAtRegistration", Json::array({kNetuid, uid}), uid + 50);
  }
}

// The call of a signed extrinsic, by its names.
inline ReadExtrinsic call_of(const Metadata& metadata, const Bytes& extrinsic) {
  return read_extrinsic(metadata, extrinsic).value();
}

}  // namespace chain::substrate
