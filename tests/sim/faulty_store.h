// Buckets in memory that everybody sees, and one node's faulty way to them.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "common/object_store.h"
#include "common/philox.h"
#include "tests/sim/turns.h"

namespace sim {

using common::Bytes;
using common::ByteView;
using common::Result;

// What lies in the buckets, by address and key.
struct Objects {
  struct Object {
    Bytes bytes;
    Instant modified;
  };
  std::map<std::string, std::map<std::string, Object, std::less<>>> buckets;
};

// How often what goes wrong, as shares of 1 of all calls.
struct Faults {
  double unavailable = 0;  // The call fails; a put has not happened,
  double lost_reply = 0;   //   or it has, and the answer was lost: the caller repeats it.
  double torn = 0;         // A get yields only a first part.
  double corrupted = 0;    // A get yields one wrong bit.
  double stale = 0;        // A get, head or list does not see the newest object yet.
  double slow = 0;         // The call takes up to two seconds.
};

// One node's view of one bucket. Draws its faults from the world's stream, so that a seed is a
// history.
class FaultyStore final : public common::ObjectStore {
 public:
  FaultyStore(Objects& objects, std::string address, NodeClock& clock, Turns& turns,
              common::Philox& chance, const Faults& faults)
      : objects_(objects),
        address_(std::move(address)),
        clock_(clock),
        turns_(turns),
        chance_(chance),
        faults_(faults) {}

  Result<void> put(std::string_view key, ByteView bytes) override;
  Result<void> put_from(std::string_view key, const common::ByteSource& source) override {
    TRY(const Bytes bytes, common::read_all(source, source.size()));
    return put(key, bytes);
  }
  Result<Bytes> get(std::string_view key, uint64_t size_max) override;
  Result<Bytes> get_range(std::string_view key, common::Range range) override;
  Result<common::ObjectInfo> head(std::string_view key) override;
  Result<std::vector<common::ObjectInfo>> list(std::string_view prefix, size_t count_max) override;
  Result<void> remove(std::string_view key) override;

 private:
  Result<void> begin();
  bool happens(double share) { return share > 0 && chance_.unit() < share; }
  const Objects::Object* find(std::string_view key);

  Objects& objects_;
  std::string address_;
  NodeClock& clock_;
  Turns& turns_;
  common::Philox& chance_;
  const Faults& faults_;
};

}  // namespace sim
