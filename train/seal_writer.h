// Seals a stream into a file, on several threads, while it is made.
//
// Memory: 16 MiB for each thread. One pass over the plaintext: digest, cipher and the leaves of the
// sealed object are made of each piece while it is in the cache.
#pragma once

#include <vector>

#include "common/byte_sink.h"
#include "common/file_writer.h"
#include "common/result.h"
#include "train/seal.h"

namespace train {

class SealWriter final : public common::ByteSink {
 public:
  // Under a fresh key: one key, one object. Nothing else is written to `file`, which outlives the
  // writer and is committed by the caller when `finish` is done.
  SealWriter(common::FileWriter& file, uint32_t threads);
  ~SealWriter() override;

  // Plaintext, in pieces of any size. Errors are the file's.
  common::Result<void> append(common::ByteView plain) override;
  // The tree hash of all that was appended so far: what a signature at its end is over.
  common::Hash digest() const;
  uint64_t size() const { return size_; }

  // Once, after the last piece.
  common::Result<SealSummary> finish();
  const SealKey& key() const { return key_; }

 private:
  struct Slot;

  common::Result<void> flush(bool last);

  common::FileWriter& file_;
  SealKey key_;
  std::vector<Slot> slots_;  // A group of chunks each, sealed side by side.
  uint64_t size_ = 0;        // Of the plaintext,
  uint64_t sealed_ = 0;      //   and how much of it is sealed.
  common::Bytes held_;       // The rest. A full one waits: its last chunk may be the last of all.
  std::vector<common::Hash> plain_leaves_;
  std::vector<common::Hash> sealed_leaves_;
  bool finished_ = false;
};

}  // namespace train
