#include "train/seal_writer.h"

#include <algorithm>

#include "common/check.h"
#include "compress/parallel.h"
#include "train/sealing/group_cipher.h"

namespace train {

using common::ByteView;
using common::Hash;
using common::Result;

struct SealWriter::Slot {
  explicit Slot(const SealKey& key) : cipher(key) {}
  GroupCipher cipher;
  common::Bytes sealed;
};

SealWriter::SealWriter(common::FileWriter& file, uint32_t threads)
    : file_(file), key_(make_seal_key()) {
  for (uint32_t i = 0; i < std::max(1U, threads); ++i) slots_.emplace_back(key_);
}

SealWriter::~SealWriter() = default;

Result<void> SealWriter::append(ByteView plain) {
  CHECK(!finished_);
  const size_t room = slots_.size() * kPlainGroup;
  size_ += plain.size();
  while (!plain.empty()) {
    if (held_.size() == room) TRY_VOID(flush(false));
    const ByteView next = plain.first(std::min(plain.size(), room - held_.size()));
    held_.insert(held_.end(), next.begin(), next.end());
    plain = plain.subspan(next.size());
  }
  return {};
}

// Seals all that is held: whole groups, or the end.
Result<void> SealWriter::flush(bool last) {
  const uint64_t chunks = seal_chunk_count(held_.size());
  const uint64_t first = sealed_ / kSealChunk;
  plain_leaves_.resize(first + chunks);
  sealed_leaves_.resize(first + chunks);
  const size_t groups = (chunks + kSealGroup - 1) / kSealGroup;
  compress::Trouble trouble;
  compress::in_parallel(
      groups, static_cast<uint32_t>(slots_.size()), [&](compress::Pieces& pieces) {
        for (size_t group = 0; pieces.take(group);) {
          Slot& slot = slots_[group];
          const ByteView rest = ByteView(held_).subspan(group * kPlainGroup);
          const ByteView plain = rest.first(std::min(rest.size(), kPlainGroup));
          const uint64_t number = first + group * kSealGroup;
          const uint64_t count = seal_chunk_count(plain.size());
          slot.sealed.resize(sealed_size(plain.size()));
          const std::span sealed(slot.sealed);
          slot.cipher.seal({number, last && group + 1 == groups}, plain, sealed,
                           {std::span(plain_leaves_).subspan(number, count),
                            std::span(sealed_leaves_).subspan(number, count)});
          if (auto written = file_.write_at(number * kSealedChunk, sealed); !written) {
            trouble.note(written.error());
          }
        }
      });
  sealed_ += held_.size();
  held_.clear();
  return trouble.result();
}

Hash SealWriter::digest() const {
  std::vector<Hash> leaves = plain_leaves_;
  const std::vector<Hash> rest = common::tree_leaves(held_, kSealChunk);
  leaves.insert(leaves.end(), rest.begin(), rest.end());
  return common::merkle_root(leaves);
}

Result<SealSummary> SealWriter::finish() {
  CHECK(!finished_);
  finished_ = true;
  TRY_VOID(flush(true));
  if (size_ == 0) plain_leaves_.clear();  // The one chunk of nothing is no leaf of the text.
  const Hash digest = common::merkle_root(plain_leaves_);
  return SealSummary{.plain_size = size_,
                     .sealed_size = sealed_size(size_),
                     .plain_digest = digest,
                     .plain_hash = plain_hash_of(key_, digest),
                     .sealed_root = common::merkle_root(sealed_leaves_)};
}

}  // namespace train
