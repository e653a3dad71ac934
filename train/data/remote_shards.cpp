#include "train/data/remote_shards.h"

#include <algorithm>
#include <condition_variable>
#include <list>
#include <mutex>
#include <set>
#include <utility>

#include "common/check.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/retry.h"
#include "train/data/chunk_check.h"

namespace train {
namespace {

using common::Bytes;
using common::Code;
using common::Hash;
using common::Result;

constexpr int kAttempts = 4;  // With 100, 200 and 400 ms between.
constexpr common::milliseconds kFirstWait{100};
constexpr uint64_t kHashesInMemory_bytes = 64 << 20;

// Asks again while the trouble may pass by itself.
template <typename Ask>
Result<Bytes> patiently(Ask ask) {
  common::milliseconds wait = kFirstWait;
  for (int attempt = 1;; ++attempt) {
    auto answer = ask();
    if (answer || attempt == kAttempts || !common::may_pass(answer.error().code)) return answer;
    if (!common::system_clock().sleep(wait)) return answer;
    wait *= 2;
  }
}

// At most one thread at a time fetches what has this hash; the others wait and find it kept.
class InFlight {
 public:
  class Turn {
   public:
    Turn(InFlight& all, const Hash& hash) : all_(all), hash_(hash) {
      std::unique_lock lock(all_.mutex_);
      all_.ended_.wait(lock, [this] { return !all_.hashes_.contains(hash_); });
      all_.hashes_.insert(hash_);
    }
    ~Turn() {
      const std::lock_guard lock(all_.mutex_);
      all_.hashes_.erase(hash_);
      all_.ended_.notify_all();
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

   private:
    InFlight& all_;
    Hash hash_;
  };

 private:
  std::mutex mutex_;
  std::condition_variable ended_;
  std::set<Hash> hashes_;
};

class RemoteShards final : public ShardSource {
 public:
  RemoteShards(std::unique_ptr<common::ObjectStore> bucket, std::string address,
               DatasetManifest manifest, ChunkCache cache)
      : bucket_(std::move(bucket)),
        address_(std::move(address)),
        manifest_(std::move(manifest)),
        cache_(std::move(cache)) {}

  Result<void> read(size_t shard, uint64_t first, std::span<uint8_t> into) override {
    while (!into.empty()) {
      const uint64_t index = first / manifest_.chunk_bytes;
      TRY(const Bytes bytes, chunk(shard, index));
      const auto offset = static_cast<size_t>(first - index * manifest_.chunk_bytes);
      const size_t count = std::min(into.size(), bytes.size() - offset);
      std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset), count, into.begin());
      first += count;
      into = into.subspan(count);
    }
    return {};
  }
  Result<Bytes> raw(size_t shard, common::Range range) override {
    return named(patiently([&] { return bucket_->get_range(shards()[shard].file, range); }));
  }
  Result<Bytes> raw_hashes(size_t shard) override {
    const uint64_t size = manifest_.chunk_count(shards()[shard]) * sizeof(Hash::bytes);
    const std::string key = hashes_file(shards()[shard].file);
    return named(patiently([&] { return bucket_->get(key, size); }));
  }

 private:
  const std::vector<DatasetManifest::Shard>& shards() const { return manifest_.shards; }

  Result<Bytes> named(Result<Bytes> bytes) const {
    return bytes ? std::move(bytes) : Result<Bytes>(common::within(address_, bytes.error()));
  }

  Result<Bytes> chunk(size_t shard, uint64_t index) {
    TRY(const Hash expected, chunk_hash(shard, index));
    const common::Range range = chunk_range(manifest_, shards()[shard], index);
    return kept_or_fetched(
        expected, range.size, [&] { return raw(shard, range); },
        [&](const Bytes& bytes) {
          return check_chunk(manifest_, shards()[shard], index, expected, bytes, address_);
        });
  }

  // From memory, where those of the shards touched last are.
  Result<Hash> chunk_hash(size_t shard, uint64_t index) {
    {
      const std::lock_guard lock(mutex_);
      const auto found = std::find_if(hashes_.begin(), hashes_.end(),
                                      [shard](const Hashes& one) { return one.shard == shard; });
      if (found != hashes_.end()) {
        hashes_.splice(hashes_.begin(), hashes_, found);
        return hash_at(found->bytes, index);
      }
    }
    const uint64_t size = manifest_.chunk_count(shards()[shard]) * sizeof(Hash::bytes);
    TRY(Bytes bytes, kept_or_fetched(
                         shards()[shard].hashes, size, [&] { return raw_hashes(shard); },
                         [&](const Bytes& fetched) {
                           return check_hashes(manifest_, shards()[shard], fetched, address_);
                         }));
    const Hash hash = hash_at(bytes, index);
    remember(shard, std::move(bytes));
    return hash;
  }

  void remember(size_t shard, Bytes bytes) {
    const std::lock_guard lock(mutex_);
    hashes_bytes_ += bytes.size();
    hashes_.push_front({shard, std::move(bytes)});
    while (hashes_bytes_ > kHashesInMemory_bytes && hashes_.size() > 1) {
      hashes_bytes_ -= hashes_.back().bytes.size();
      hashes_.pop_back();
    }
  }

  // What has this hash: of the cache, or of the bucket, which is asked twice if `check` refuses.
  template <typename Fetch, typename Check>
  Result<Bytes> kept_or_fetched(const Hash& hash, uint64_t size, Fetch fetch, Check check) {
    const InFlight::Turn turn(in_flight_, hash);
    if (auto kept = cache_.get(hash, size)) return std::move(*kept);
    TRY(Bytes bytes, fetch());
    if (const auto first = check(bytes); !first) {
      common::log_warning("asking once more: {}", first.error().message);
      TRY(bytes, fetch());
      TRY_VOID(check(bytes));
    }
    if (const auto kept = cache_.put(hash, bytes); !kept) warn_once(kept.error());
    return bytes;
  }

  void warn_once(const common::Error& error) {
    const std::lock_guard lock(mutex_);
    if (!std::exchange(warned_, true)) {
      common::log_warning("data are fetched but not kept: {}", error.message);
    }
  }

  struct Hashes {
    size_t shard;
    Bytes bytes;
  };
  std::unique_ptr<common::ObjectStore> bucket_;
  std::string address_;
  DatasetManifest manifest_;
  ChunkCache cache_;
  InFlight in_flight_;
  std::mutex mutex_;          // Of what follows.
  std::list<Hashes> hashes_;  // Checked; the most recently used first.
  uint64_t hashes_bytes_ = 0;
  bool warned_ = false;
};

}  // namespace

std::unique_ptr<ShardSource> remote_shards(std::unique_ptr<common::ObjectStore> bucket,
                                           std::string address, DatasetManifest manifest,
                                           ChunkCache cache) {
  return std::make_unique<RemoteShards>(std::move(bucket), std::move(address), std::move(manifest),
                                        std::move(cache));
}

}  // namespace train
