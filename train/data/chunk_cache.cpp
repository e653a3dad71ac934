#include "train/data/chunk_cache.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "common/check.h"
#include "common/files.h"

namespace train {
namespace {

namespace fs = std::filesystem;
using common::Bytes;
using common::ByteView;
using common::Code;
using common::Error;
using common::Hash;
using common::Result;

constexpr std::string_view kUnfinished = ".part";

fs::path file_of(const fs::path& folder, const Hash& hash) {
  const std::string name = hash.hex();
  return folder / name.substr(0, 2) / name;
}

// A file of ours, as it was found.
struct Found {
  Hash hash;
  uint64_t size_bytes;
  fs::file_time_type written;
};

// Our files below `folder`, in any order; removes what a kill left half written.
Result<std::vector<Found>> files_in(const fs::path& folder) {
  std::vector<Found> found;
  std::error_code trouble;
  for (fs::recursive_directory_iterator entry(folder, trouble), end; !trouble && entry != end;
       entry.increment(trouble)) {
    std::error_code unknown;
    if (!entry->is_regular_file(unknown)) continue;
    const std::string name = entry->path().filename().string();
    const auto hash = Hash::from_hex(std::string_view(name).substr(0, 64));
    if (!hash || file_of(folder, *hash).parent_path() != entry->path().parent_path()) continue;
    if (name.size() > 64 && name.ends_with(kUnfinished)) fs::remove(entry->path(), unknown);
    if (name != hash->hex()) continue;
    const uint64_t size = entry->file_size(unknown);
    const auto written = entry->last_write_time(unknown);
    if (!unknown) found.push_back({*hash, size, written});
  }
  if (trouble) {
    return Error{Code::kIo, fmt::format("reading {}: {}", folder.string(), trouble.message())};
  }
  return found;
}

}  // namespace

struct ChunkCache::State {
  struct Kept {
    Hash hash;
    uint64_t size_bytes;
  };
  fs::path folder;
  uint64_t size_bytes_max = 0;

  std::mutex mutex;      // Of all that follows; never held while a file is read or written.
  std::list<Kept> kept;  // The most recently used first.
  std::map<Hash, std::list<Kept>::iterator> at;
  uint64_t size_bytes = 0;
  uint64_t written = 0;  // So that no two unfinished files have one name.

  // The caller holds the mutex (or is alone).
  void insert(const Hash& hash, uint64_t size) {
    forget(hash);
    kept.push_front({hash, size});
    at[hash] = kept.begin();
    size_bytes += size;
  }
  void forget(const Hash& hash) {
    const auto found = at.find(hash);
    if (found == at.end()) return;
    size_bytes -= found->second->size_bytes;
    kept.erase(found->second);
    at.erase(found);
  }
  // Until `more` bytes have room. Removing is quick; a file that is being read stays readable.
  void make_room(uint64_t more) {
    while (!kept.empty() && size_bytes + more > size_bytes_max) {
      const Hash oldest = kept.back().hash;
      forget(oldest);
      std::error_code gone_already;
      fs::remove(file_of(folder, oldest), gone_already);
    }
  }
};

ChunkCache::ChunkCache() = default;
ChunkCache::ChunkCache(std::unique_ptr<State> state) : state_(std::move(state)) {}
ChunkCache::ChunkCache(ChunkCache&&) noexcept = default;
ChunkCache& ChunkCache::operator=(ChunkCache&&) noexcept = default;
ChunkCache::~ChunkCache() = default;

Result<ChunkCache> ChunkCache::open(const fs::path& folder, uint64_t size_bytes_max) {
  TRY_VOID(common::make_folder(folder));
  TRY(std::vector<Found> found, files_in(folder));
  std::sort(found.begin(), found.end(),
            [](const Found& a, const Found& b) { return a.written < b.written; });
  auto state = std::make_unique<State>();
  state->folder = folder;
  state->size_bytes_max = size_bytes_max;
  for (const Found& one : found) state->insert(one.hash, one.size_bytes);
  state->make_room(0);
  return ChunkCache(std::move(state));
}

std::optional<Bytes> ChunkCache::get(const Hash& hash, uint64_t size_max) {
  if (state_ == nullptr) return std::nullopt;
  {
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->at.find(hash);
    if (found == state_->at.end()) return std::nullopt;
    state_->kept.splice(state_->kept.begin(), state_->kept, found->second);
  }
  const fs::path file = file_of(state_->folder, hash);
  auto bytes = common::read_file(file, size_max);
  if (bytes && common::blake2b_256(*bytes) == hash) return std::move(bytes).value();
  // Damaged, or evicted by another thread a moment ago: it will be fetched again.
  const std::lock_guard lock(state_->mutex);
  state_->forget(hash);
  std::error_code gone_already;
  fs::remove(file, gone_already);
  return std::nullopt;
}

Result<void> ChunkCache::put(const Hash& hash, ByteView bytes) {
  if (state_ == nullptr || bytes.size() > state_->size_bytes_max) return {};
  const fs::path file = file_of(state_->folder, hash);
  fs::path unfinished = file;
  {
    // Room first, so that the limit holds at every moment but for what is being written.
    const std::lock_guard lock(state_->mutex);
    state_->make_room(bytes.size());
    unfinished += fmt::format("-{}{}", state_->written++, kUnfinished);
  }
  std::error_code trouble;
  fs::create_directory(file.parent_path(), trouble);
  // Not synced: what a crash tears does not hash to its name.
  std::ofstream out(unfinished, std::ios::binary);
  out.write(reinterpret_cast<const char*>(bytes.data()),
            static_cast<std::streamsize>(bytes.size()));
  out.close();
  // Together, so that no other thread finds the file without its entry or the entry without it.
  const std::lock_guard lock(state_->mutex);
  if (out) fs::rename(unfinished, file, trouble);
  if (!out || trouble) {
    std::error_code ignored;
    fs::remove(unfinished, ignored);
    return Error{Code::kExhausted,
                 fmt::format("writing {}: {}", file.string(),
                             trouble ? trouble.message() : "the disk is full or failed")};
  }
  state_->insert(hash, bytes.size());
  state_->make_room(0);
  return {};
}

uint64_t ChunkCache::size_bytes() const {
  if (state_ == nullptr) return 0;
  const std::lock_guard lock(state_->mutex);
  return state_->size_bytes;
}

uint64_t ChunkCache::count() const {
  if (state_ == nullptr) return 0;
  const std::lock_guard lock(state_->mutex);
  return state_->at.size();
}

}  // namespace train
