#include "train/peers.h"

#include <algorithm>

#include "common/check.h"

namespace train {

void Peers::update(std::vector<PeerAddress> addresses) {
  std::sort(addresses.begin(), addresses.end(),
            [](const PeerAddress& a, const PeerAddress& b) { return a.uid < b.uid; });
  for (size_t i = 1; i < addresses.size(); ++i) CHECK(addresses[i - 1].uid < addresses[i].uid);
  std::vector<Peer> peers;
  std::vector<std::unique_ptr<common::ObjectStore>> stores;
  for (PeerAddress& address : addresses) {
    std::unique_ptr<common::ObjectStore> store;
    bool unopened = false;
    const auto known = std::find_if(peers_.begin(), peers_.end(), [&address](const Peer& peer) {
      return peer.bucket != nullptr && peer.address == address;
    });
    if (known != peers_.end()) {
      store = std::move(stores_[static_cast<size_t>(known - peers_.begin())]);
    } else if (!address.bucket.empty()) {
      auto opened = open_(address.bucket);
      unopened = !opened && opened.error().code != common::Code::kInvalidArgument;
      if (opened) store = std::move(opened).value();
    }
    peers.push_back({std::move(address), store.get(), unopened});
    stores.push_back(std::move(store));
  }
  peers_ = std::move(peers);
  stores_ = std::move(stores);
}

const Peer* Peers::find(common::Uid uid) const {
  const auto found = std::lower_bound(
      peers_.begin(), peers_.end(), uid,
      [](const Peer& peer, common::Uid wanted) { return peer.address.uid < wanted; });
  return found != peers_.end() && found->address.uid == uid ? &*found : nullptr;
}

}  // namespace train
