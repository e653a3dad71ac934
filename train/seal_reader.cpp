#include "train/seal_reader.h"

#include <algorithm>
#include <atomic>
#include <list>
#include <mutex>
#include <string>

#include "common/check.h"
#include "compress/parallel.h"
#include "train/sealing/group_cipher.h"

namespace train {

using common::Bytes;
using common::ByteSource;
using common::Code;
using common::Error;
using common::Hash;
using common::Result;
using common::Verdict;

Result<Verdict> verify_sealed(const ByteSource& sealed, const Claim& claim, uint32_t threads) {
  if (sealed.size() != claim.sealed_size) return Verdict::kHashMismatch;
  TRY(const std::vector<Hash> leaves, common::tree_leaves(sealed, threads, kSealedChunk));
  const bool same = common::merkle_root(leaves) == claim.sealed_root;
  return same ? Verdict::kAccepted : Verdict::kHashMismatch;
}

namespace {

// What the threads that open an object share.
struct Opening {
  const ByteSource& sealed;
  const SealKey& key;
  uint64_t chunk_count;
  OpenedSeal& opened;
  std::vector<Hash> sealed_leaves;
  compress::Trouble trouble;
  std::atomic<bool> refused = false;
};

// One thread's part: takes groups of chunks until there are none.
void open_groups(Opening& all, compress::Pieces& pieces) {
  GroupCipher cipher(all.key);
  Bytes sealed(static_cast<size_t>(std::min<uint64_t>(all.sealed.size(), kSealedGroup)));
  Bytes plain(sealed.size());
  for (size_t group = 0; pieces.take(group) && !all.refused && !all.trouble.any();) {
    const uint64_t first = uint64_t{group} * kSealGroup;
    const uint64_t count = std::min<uint64_t>(kSealGroup, all.chunk_count - first);
    const uint64_t offset = first * kSealedChunk;
    const auto size =
        static_cast<size_t>(std::min<uint64_t>(kSealedGroup, all.sealed.size() - offset));
    const auto in = std::span(sealed).first(size);
    if (auto read = all.sealed.read(offset, in); !read) {
      all.trouble.note(read.error());
      return;
    }
    const RunLeaves leaves{std::span(all.opened.plain_leaves).subspan(first, count),
                           std::span(all.sealed_leaves).subspan(first, count)};
    if (!cipher.open({first, first + count == all.chunk_count}, in,
                     std::span(plain).first(size - count * kSealTag), leaves)) {
      all.refused = true;
    }
  }
}

}  // namespace

Result<std::optional<OpenedSeal>> open_seal(const ByteSource& sealed, const SealKey& key,
                                            uint32_t threads) {
  const auto size = plain_size(sealed.size());
  if (!size) return std::optional<OpenedSeal>();
  OpenedSeal opened;
  const uint64_t chunks = seal_chunk_count(*size);
  opened.plain_leaves.resize(chunks);
  Opening all{.sealed = sealed,
              .key = key,
              .chunk_count = chunks,
              .opened = opened,
              .sealed_leaves = std::vector<Hash>(chunks)};
  const size_t groups = (chunks + kSealGroup - 1) / kSealGroup;
  compress::in_parallel(groups, threads,
                        [&all](compress::Pieces& pieces) { open_groups(all, pieces); });
  TRY_VOID(all.trouble.result());
  if (all.refused) return std::optional<OpenedSeal>();
  if (*size == 0) opened.plain_leaves.clear();  // The one chunk of nothing is no leaf of the text.
  const Hash digest = common::merkle_root(opened.plain_leaves);
  opened.summary = {.plain_size = *size,
                    .sealed_size = sealed.size(),
                    .plain_digest = digest,
                    .plain_hash = plain_hash_of(key, digest),
                    .sealed_root = common::merkle_root(all.sealed_leaves)};
  return std::optional(std::move(opened));
}

Verdict judge(const Claim& claim, const std::optional<OpenedSeal>& opened) {
  const bool same = opened && opened->summary.sealed_size == claim.sealed_size &&
                    opened->summary.sealed_root == claim.sealed_root &&
                    opened->summary.plain_hash == claim.plain_hash;
  return same ? Verdict::kAccepted : Verdict::kHashMismatch;
}

// Opened chunks, the one used last in front.
struct SealReader::Cache {
  struct Entry {
    uint64_t chunk;
    Bytes text;
  };
  std::mutex mutex;
  std::list<Entry> entries;
};

SealReader::SealReader(const ByteSource& sealed, const SealKey& key)
    : sealed_(&sealed), key_(key), cache_(std::make_unique<Cache>()) {
  const auto size = plain_size(sealed.size());
  CHECK(size.has_value());
  size_ = *size;
}

SealReader::SealReader(SealReader&& other) noexcept = default;
SealReader& SealReader::operator=(SealReader&& other) noexcept = default;
SealReader::~SealReader() = default;

Result<void> SealReader::read(uint64_t offset, std::span<uint8_t> out) const {
  CHECK(offset <= size_ && out.size() <= size_ - offset);
  while (!out.empty()) {
    const uint64_t chunk = offset / kSealChunk;
    const auto first = static_cast<size_t>(offset % kSealChunk);
    const auto whole =
        static_cast<size_t>(std::min<uint64_t>(kSealChunk, size_ - chunk * kSealChunk));
    const auto part = out.first(std::min(out.size(), whole - first));
    if (part.size() == whole) {
      TRY_VOID(open_chunk(chunk, part));
    } else {
      TRY_VOID(read_part(chunk, first, part));
    }
    offset += part.size();
    out = out.subspan(part.size());
  }
  return {};
}

// All of a chunk, opened where it is wanted.
Result<void> SealReader::open_chunk(uint64_t chunk, std::span<uint8_t> out) const {
  std::array<uint8_t, kSealTag> tag;
  const uint64_t at = chunk * kSealedChunk;
  TRY_VOID(sealed_->read(at, out));
  TRY_VOID(sealed_->read(at + out.size(), tag));
  GroupCipher cipher(key_);
  const bool last = chunk + 1 == seal_chunk_count(size_);
  if (cipher.open_in_place(chunk, last, out, tag)) return {};
  return Error{Code::kCorrupt, "chunk " + std::to_string(chunk) +
                                   " of a sealed object does not open: the key is wrong, or it "
                                   "was changed"};
}

Result<void> SealReader::read_part(uint64_t chunk, size_t first, std::span<uint8_t> out) const {
  const auto copy = [&](const Bytes& text) {
    std::copy_n(text.begin() + static_cast<std::ptrdiff_t>(first), out.size(), out.begin());
  };
  Cache::Entry entry{chunk, {}};
  {
    const std::lock_guard lock(cache_->mutex);
    auto& entries = cache_->entries;
    const auto found = std::ranges::find(entries, chunk, &Cache::Entry::chunk);
    if (found != entries.end()) {
      entries.splice(entries.begin(), entries, found);
      copy(found->text);
      return {};
    }
    if (entries.size() >= kKept) {
      entry.text = std::move(entries.back().text);
      entries.pop_back();
    }
  }
  entry.text.resize(
      static_cast<size_t>(std::min<uint64_t>(kSealChunk, size_ - chunk * kSealChunk)));
  TRY_VOID(open_chunk(chunk, entry.text));
  copy(entry.text);
  const std::lock_guard lock(cache_->mutex);
  // Another thread may have opened it meanwhile: twice it does no harm.
  cache_->entries.push_front(std::move(entry));
  if (cache_->entries.size() > kKept) cache_->entries.pop_back();
  return {};
}

}  // namespace train
