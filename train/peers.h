// The neurons of the subnet as places to read from. Handed down by the programs, which know the
// chain.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "common/object_store.h"
#include "common/peer.h"

namespace train {

using common::PeerAddress;

struct Peer {
  PeerAddress address;
  common::ObjectStore* bucket = nullptr;  // Null: it named no bucket that can be opened,
  bool unopened = false;                  //   or only we could not, and shall try again.
};

using OpenStore =
    std::function<common::Result<std::unique_ptr<common::ObjectStore>>(std::string_view address)>;

// Opens each bucket once and keeps it while its address stands. An address that is none
// (kInvalidArgument) is the peer's fault; any other failure to open is ours.
class Peers {
 public:
  explicit Peers(OpenStore open) : open_(std::move(open)) {}

  // A uid at most once (CHECK). What `all` and `find` have handed out is void then.
  void update(std::vector<PeerAddress> addresses);
  // By ascending uid.
  std::span<const Peer> all() const { return peers_; }
  const Peer* find(common::Uid uid) const;

 private:
  OpenStore open_;
  std::vector<Peer> peers_;
  std::vector<std::unique_ptr<common::ObjectStore>> stores_;  // stores_[i] belongs to peers_[i].
};

}  // namespace train
