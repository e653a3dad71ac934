#include "train/stored_contribution.h"

#include "common/tree_hash.h"

namespace train {

using common::ByteSource;
using common::Hash;
using common::Result;
using common::Verdict;

namespace {

compress::Judged<std::unique_ptr<const StoredContribution>> refused(Verdict verdict) {
  return tl::unexpected(verdict);
}

}  // namespace

StoredContribution::Opened StoredContribution::open(std::unique_ptr<const ByteSource> sealed,
                                                    const SealKey& key, const IsRight& is_right,
                                                    const compress::BodyFormat& format,
                                                    const compress::Expected& expected) {
  TRY(const std::optional<OpenedSeal> opened, open_seal(*sealed, key, 1));
  if (!opened || !is_right(opened->summary)) return refused(Verdict::kHashMismatch);
  auto stored = std::make_unique<StoredContribution>(Private(), std::move(sealed));
  stored->reader_.emplace(*stored->bytes_, key);
  stored->digest_ = opened->summary.plain_digest;
  return examine(std::move(stored), opened->plain_leaves, format, expected);
}

StoredContribution::Opened StoredContribution::open(std::unique_ptr<const ByteSource> plain,
                                                    const Hash& digest,
                                                    const compress::BodyFormat& format,
                                                    const compress::Expected& expected) {
  TRY(const std::vector<Hash> leaves, common::tree_leaves(*plain, 1));
  if (common::merkle_root(leaves) != digest) return refused(Verdict::kHashMismatch);
  auto stored = std::make_unique<StoredContribution>(Private(), std::move(plain));
  stored->digest_ = digest;
  return examine(std::move(stored), leaves, format, expected);
}

StoredContribution::Opened StoredContribution::examine(std::unique_ptr<StoredContribution> stored,
                                                       std::span<const Hash> leaves,
                                                       const compress::BodyFormat& format,
                                                       const compress::Expected& expected) {
  const ByteSource& plain = stored->plain();
  // Too short for a signature: examine says what that is, whatever the digest.
  Hash signed_digest;
  if (plain.size() >= compress::kSignatureSize &&
      plain.size() <= compress::contribution_size_max(format)) {
    TRY(signed_digest,
        common::tree_hash_of_first(plain.size() - compress::kSignatureSize, leaves, plain));
  }
  TRY(auto examined, compress::examine(plain, format, expected, 1, signed_digest));
  if (!examined) return refused(examined.error());
  stored->examined_ = std::move(*examined);
  return compress::Judged<std::unique_ptr<const StoredContribution>>(std::move(stored));
}

}  // namespace train
