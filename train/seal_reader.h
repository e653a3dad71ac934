// Reads a sealed object where it lies, a range at a time, in bounded memory.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "common/byte_source.h"
#include "common/result.h"
#include "common/verdict.h"
#include "train/messages.h"
#include "train/seal.h"

namespace train {

// Whether the ciphertext is the claimed one: kAccepted, or kHashMismatch for another size or root.
// Needs no key, so it can be asked before the reveal. One pass on `threads` threads, 8 MiB of
// memory each. Errors are the source's.
common::Result<common::Verdict> verify_sealed(const common::ByteSource& sealed, const Claim& claim,
                                              uint32_t threads);

// What a sealed object turned out to be when all of it was opened.
struct OpenedSeal {
  SealSummary summary;
  // Of the plaintext: with them the digest of its beginning is known, too (tree_hash_of_first).
  std::vector<common::Hash> plain_leaves;
};

// Opens all of it once and keeps nothing but the digests; nothing if it does not open with this
// key. One pass on `threads` threads, 16 MiB of memory each. Errors are the source's.
common::Result<std::optional<OpenedSeal>> open_seal(const common::ByteSource& sealed,
                                                    const SealKey& key, uint32_t threads);

// Whether what was opened is what was claimed: kAccepted or kHashMismatch.
common::Verdict judge(const Claim& claim, const std::optional<OpenedSeal>& opened);

// The plaintext as a source of ranges; only the chunks that are touched are opened. Several threads
// may read at once. A chunk that is not wanted whole is kept for the next read, `kKept` of them.
// Memory: kKept MiB, and one for each thread that reads.
class SealReader final : public common::ByteSource {
 public:
  static constexpr size_t kKept = 8;

  // `sealed` outlives the reader. Pre: it has a size that a sealed object has (plain_size); ask
  // open_seal first whether all of it opens.
  SealReader(const common::ByteSource& sealed, const SealKey& key);
  SealReader(SealReader&& other) noexcept;
  SealReader& operator=(SealReader&& other) noexcept;
  ~SealReader() override;

  uint64_t size() const override { return size_; }
  // kCorrupt, naming the chunk, if it does not open: the key is wrong, or it was changed since.
  common::Result<void> read(uint64_t offset, std::span<uint8_t> out) const override;

 private:
  struct Cache;

  common::Result<void> open_chunk(uint64_t chunk, std::span<uint8_t> out) const;
  common::Result<void> read_part(uint64_t chunk, size_t first, std::span<uint8_t> out) const;

  const common::ByteSource* sealed_;
  SealKey key_;
  uint64_t size_;
  std::unique_ptr<Cache> cache_;
};

}  // namespace train
