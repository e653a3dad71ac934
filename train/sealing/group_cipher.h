// One thread's means to seal and open chunks, eight at a time: as many as BLAKE2b hashes at once.
#pragma once

#include <openssl/evp.h>

#include <array>
#include <memory>
#include <span>

#include "common/hash.h"
#include "train/seal.h"

namespace train {

inline constexpr size_t kSealGroup = 8;  // Chunks.
inline constexpr size_t kPlainGroup = kSealGroup * kSealChunk;
inline constexpr size_t kSealedGroup = kSealGroup * kSealedChunk;

// Up to a group of consecutive chunks. Only the last chunk of an object may be shorter than a whole
// one; in an object's last group `ends_object` is set.
struct ChunkRun {
  uint64_t first = 0;  // The number of the first of them.
  bool ends_object = false;
};

// Where the digests of a run's chunks go, one for each; or nothing, and then none are made.
struct RunLeaves {
  std::span<common::Hash> plain;
  std::span<common::Hash> sealed;
};

class GroupCipher {
 public:
  explicit GroupCipher(const SealKey& key);

  // One pass over memory: each 16 KiB is sealed and hashed before and after, while it is in the
  // cache.  Pre: sealed.size() is plain.size() and a tag for each chunk.
  void seal(const ChunkRun& run, common::ByteView plain, std::span<uint8_t> sealed,
            const RunLeaves& leaves);
  // False if one of them does not open; then `plain` and `leaves` are void.
  // Pre: plain.size() is sealed.size() less a tag for each chunk.
  bool open(const ChunkRun& run, common::ByteView sealed, std::span<uint8_t> plain,
            const RunLeaves& leaves);
  // One chunk where it lies: ciphertext becomes text.
  bool open_in_place(uint64_t number, bool last, std::span<uint8_t> text, common::ByteView tag);

 private:
  struct FreeContext {
    void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
  };
  struct Lanes;

  void begin(size_t lane, bool encrypt, uint64_t number, bool last);
  void end_seal(size_t lane, uint8_t* tag);
  bool end_open(size_t lane, const uint8_t* tag);
  void step(size_t lane, const uint8_t* from, size_t size, uint8_t* to);
  // `encrypt` or not, all chunks of a run in step, those that are whole.
  bool whole_chunks(bool encrypt, const ChunkRun& run, size_t count, const uint8_t* from,
                    uint8_t* to, const RunLeaves& leaves);

  std::array<uint8_t, 32> key_;  // Made of the seal key, so that hashing and sealing share none.
  std::array<std::unique_ptr<EVP_CIPHER_CTX, FreeContext>, kSealGroup> contexts_;
};

}  // namespace train
