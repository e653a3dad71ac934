#include "tests/sim/faulty_store.h"

#include <algorithm>

namespace sim {

using common::Code;
using common::Error;

// Every call is a point where the node may be killed, may wait, and may fail.
Result<void> FaultyStore::begin() {
  clock_.count_operation();
  if (happens(faults_.slow)) {
    if (!clock_.sleep(milliseconds(chance_.below(2000)))) {
      return Error{Code::kCancelled, "told to stop"};
    }
  }
  if (happens(faults_.unavailable)) return Error{Code::kUnavailable, "simulated: no answer"};
  return {};
}

const Objects::Object* FaultyStore::find(std::string_view key) {
  const auto& bucket = objects_.buckets[address_];
  const auto found = bucket.find(key);
  if (found == bucket.end()) return nullptr;
  const bool fresh = turns_.moment() - found->second.modified < milliseconds(1000);
  return fresh && happens(faults_.stale) ? nullptr : &found->second;
}

Result<void> FaultyStore::put(std::string_view key, ByteView bytes) {
  if (!common::valid_key(key)) return Error{Code::kInvalidArgument, "not a key"};
  TRY_VOID(begin());
  objects_.buckets[address_][std::string(key)] = {Bytes(bytes.begin(), bytes.end()),
                                                  turns_.moment()};
  if (happens(faults_.lost_reply)) return Error{Code::kTimeout, "simulated: the reply was lost"};
  return {};
}

Result<Bytes> FaultyStore::get(std::string_view key, uint64_t size_max) {
  TRY_VOID(begin());
  const Objects::Object* object = find(key);
  if (object == nullptr) return Error{Code::kNotFound, std::string(key) + " is not there"};
  if (object->bytes.size() > size_max) return Error{Code::kExhausted, "longer than allowed"};
  Bytes bytes = object->bytes;
  if (!bytes.empty() && happens(faults_.torn)) bytes.resize(chance_.below(bytes.size()));
  if (!bytes.empty() && happens(faults_.corrupted)) {
    bytes[chance_.below(bytes.size())] ^= static_cast<uint8_t>(1U << chance_.below(8));
  }
  return bytes;
}

Result<Bytes> FaultyStore::get_range(std::string_view key, common::Range range) {
  TRY(const Bytes whole, get(key, ~uint64_t{0}));
  if (range.first >= whole.size()) return Bytes{};
  const auto first = whole.begin() + static_cast<std::ptrdiff_t>(range.first);
  const uint64_t size = std::min<uint64_t>(range.size, whole.size() - range.first);
  return Bytes(first, first + static_cast<std::ptrdiff_t>(size));
}

Result<common::ObjectInfo> FaultyStore::head(std::string_view key) {
  TRY_VOID(begin());
  const Objects::Object* object = find(key);
  if (object == nullptr) return Error{Code::kNotFound, std::string(key) + " is not there"};
  return common::ObjectInfo{std::string(key), object->bytes.size(), object->modified};
}

Result<std::vector<common::ObjectInfo>> FaultyStore::list(std::string_view prefix,
                                                          size_t count_max) {
  TRY_VOID(begin());
  std::vector<common::ObjectInfo> found;
  for (const auto& [key, object] : objects_.buckets[address_]) {
    if (!key.starts_with(prefix)) continue;
    if (found.size() == count_max) return Error{Code::kExhausted, "too many objects"};
    found.push_back({key, object.bytes.size(), object.modified});
  }
  return found;
}

Result<void> FaultyStore::remove(std::string_view key) {
  TRY_VOID(begin());
  objects_.buckets[address_].erase(std::string(key));
  return {};
}

}  // namespace sim
