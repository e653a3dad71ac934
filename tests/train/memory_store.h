// A bucket in memory for tests: its clock is turned by hand, each call can be watched, failed, or
// used to change something in between. Several threads may use it, as they may any store.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/object_store.h"

namespace tests {

using common::Bytes;
using common::ByteView;
using common::Code;
using common::Error;
using common::Result;

class MemoryStore final : public common::ObjectStore {
 public:
  // Called before each call, as "get w/1/claim"; what it returns is the outcome, if it returns
  // something.
  using Watch = std::function<std::optional<Error>(const std::string& call)>;

  common::Instant now{1'000'000};
  Watch watch;

  Result<void> put(std::string_view key, ByteView bytes) override {
    if (!common::valid_key(key)) return Error{Code::kInvalidArgument, "no key"};
    if (auto error = begin("put", key)) return *error;
    write(key, Bytes(bytes.begin(), bytes.end()));
    return {};
  }
  Result<void> put_from(std::string_view key, const common::ByteSource& source) override {
    TRY(const Bytes bytes, common::read_all(source, source.size()));
    return put(key, bytes);
  }
  Result<Bytes> get(std::string_view key, uint64_t size_max) override {
    if (auto error = begin("get", key)) return *error;
    const std::lock_guard lock(mutex_);
    const auto found = objects_.find(key);
    if (found == objects_.end()) return Error{Code::kNotFound, std::string(key)};
    if (found->second.bytes.size() > size_max) return Error{Code::kExhausted, std::string(key)};
    return found->second.bytes;
  }
  Result<Bytes> get_range(std::string_view key, common::Range range) override {
    auto whole = get(key, ~uint64_t{0});
    if (!whole) return whole;
    const size_t first = std::min<size_t>(range.first, whole->size());
    const size_t size = std::min<size_t>(range.size, whole->size() - first);
    const auto from = whole->begin() + static_cast<std::ptrdiff_t>(first);
    return Bytes(from, from + static_cast<std::ptrdiff_t>(size));
  }
  Result<common::ObjectInfo> head(std::string_view key) override {
    if (auto error = begin("head", key)) return *error;
    const std::lock_guard lock(mutex_);
    const auto found = objects_.find(key);
    if (found == objects_.end()) return Error{Code::kNotFound, std::string(key)};
    return common::ObjectInfo{std::string(key), found->second.bytes.size(), found->second.modified};
  }
  Result<std::vector<common::ObjectInfo>> list(std::string_view prefix, size_t count_max) override {
    if (auto error = begin("list", prefix)) return *error;
    const std::lock_guard lock(mutex_);
    std::vector<common::ObjectInfo> found;
    for (const auto& [key, object] : objects_) {
      if (!key.starts_with(prefix)) continue;
      if (found.size() == count_max) return Error{Code::kExhausted, "too many"};
      found.push_back({key, object.bytes.size(), object.modified});
    }
    return found;
  }
  Result<void> remove(std::string_view key) override {
    if (auto error = begin("remove", key)) return *error;
    erase(key);
    return {};
  }

  // Behind everybody's back: no watch, no failure.
  void write(std::string_view key, Bytes bytes) {
    const std::lock_guard lock(mutex_);
    objects_[std::string(key)] = {std::move(bytes), now};
  }
  void erase(std::string_view key) {
    const std::lock_guard lock(mutex_);
    objects_.erase(std::string(key));
  }
  std::optional<Bytes> peek(std::string_view key) const {
    const std::lock_guard lock(mutex_);
    const auto found = objects_.find(key);
    return found == objects_.end() ? std::nullopt : std::optional(found->second.bytes);
  }
  // Every call so far, in order; cleared by asking.
  std::vector<std::string> calls() {
    const std::lock_guard lock(mutex_);
    return std::exchange(calls_, {});
  }

 private:
  struct Object {
    Bytes bytes;
    common::Instant modified;
  };
  std::optional<Error> begin(const char* name, std::string_view key) {
    const std::string call = std::string(name) + " " + std::string(key);
    {
      const std::lock_guard lock(mutex_);
      calls_.push_back(call);
    }
    return watch ? watch(call) : std::nullopt;
  }

  mutable std::mutex mutex_;
  std::map<std::string, Object, std::less<>> objects_;
  std::vector<std::string> calls_;
};

// Fails every call.
inline MemoryStore::Watch always(Code code) {
  return [code](const std::string& call) { return std::optional(Error{code, call}); };
}
// Fails the calls of this name: "get w/1/key".
inline MemoryStore::Watch fails(std::string call, Code code) {
  return [call = std::move(call), code](const std::string& now) {
    return now == call ? std::optional(Error{code, now}) : std::nullopt;
  };
}

// Another's way to a bucket that the test owns.
class StoreView final : public common::ObjectStore {
 public:
  explicit StoreView(MemoryStore& store) : store_(store) {}
  Result<void> put(std::string_view key, ByteView bytes) override { return store_.put(key, bytes); }
  Result<void> put_from(std::string_view key, const common::ByteSource& source) override {
    return store_.put_from(key, source);
  }
  Result<Bytes> get(std::string_view key, uint64_t size_max) override {
    return store_.get(key, size_max);
  }
  Result<Bytes> get_range(std::string_view key, common::Range range) override {
    return store_.get_range(key, range);
  }
  Result<common::ObjectInfo> head(std::string_view key) override { return store_.head(key); }
  Result<std::vector<common::ObjectInfo>> list(std::string_view prefix, size_t count_max) override {
    return store_.list(prefix, count_max);
  }
  Result<void> remove(std::string_view key) override { return store_.remove(key); }

 private:
  MemoryStore& store_;
};

}  // namespace tests
