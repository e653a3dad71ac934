// What a miner sends: one window's update with all that is needed to judge it, signed.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "common/byte_sink.h"
#include "common/byte_source.h"
#include "common/hash.h"
#include "common/keys.h"
#include "common/tree_hash.h"
#include "common/window.h"
#include "compress/body_stream.h"
#include "compress/codec.h"

namespace compress {

using common::Hash;

// Fixed size, before the body. Everything a verdict needs without decoding the body.
struct ContributionHeader {
  uint32_t version = 2;
  uint16_t netuid = 0;
  common::Uid uid;
  common::Window window;
  common::AccountId hotkey;
  Hash hparams_hash;
  Hash base_root;  // State root the miner trained from.
  // Merkle root over (step, sample ids, loss before the step), in training order.
  Hash receipt_root;
  uint32_t steps = 0;        // Inner steps taken, 1 to hparams.inner.steps,
  uint64_t token_count = 0;  //   and tokens trained on.
  bool operator==(const ContributionHeader&) const = default;
};

// What a receiver holds a contribution against.
struct Expected {
  uint16_t netuid;
  common::Uid uid;
  common::Window window;
  common::AccountId hotkey;
  Hash hparams_hash;
  Hash base_root;
  uint32_t steps_max;
};

// --- of any size ---
//
// header | body | signature over the tree hash (common/tree_hash.h) of all before.  Canonical; the
// header opens with eight bytes that no other signed thing opens with. Nowhere stands how long the
// body is: that follows from the size of the whole, so that a writer need not know it ahead.

// The tree hash of all that a sink was given so far.
using Digest = std::function<Hash()>;

// Writes a contribution to `sink`, which was given nothing before: the header, what `write_body`
// appends, the signature. CHECK that `hotkey` is the header's. Errors are those of sink and body;
// all is void then. Memory: none but theirs.
common::Result<void> write_contribution(
    const ContributionHeader& header, const common::Keypair& hotkey, common::ByteSink& sink,
    const Digest& digest, const std::function<common::Result<void>(common::ByteSink&)>& write_body);

// A sink that knows the digest of what it hands on. Memory: 8 MiB.
class DigestSink final : public common::ByteSink {
 public:
  explicit DigestSink(common::ByteSink& sink) : sink_(sink) {}

  common::Result<void> append(ByteView bytes) override;
  Hash digest() const { return hasher_.root(); }

 private:
  common::ByteSink& sink_;
  common::TreeHasher hasher_;
};

// A contribution that counts: what is known of it without its values.
struct Examined {
  ContributionHeader header;
  StoredBody body;
  BodySums sums;
};

// Strict. What is wrong with it, in this order: kOversized, unread; kMalformed (steps outside 1 to
// steps_max or fewer tokens than steps, too), kBadSignature (not of the hotkey it names),
// kWrongWindow (window, uid, netuid or that hotkey), kWrongHparams, kWrongBase; then of the body,
// as Codec::decode says. Errors are the source's, which outlives what is returned.
//
// Read twice on `threads` threads: for its hash, then piece by piece. `digest` is the tree hash of
// all but the signature, where it is known already (train/seal_reader.h); then it is read once.
// Memory: 8 MiB a thread while hashing, then what judge_body takes; the table. For 72 billion
// parameters in sparseloco: 2 MB, and 8 MiB a thread.
common::Result<Judged<Examined>> examine(const common::ByteSource& source, const BodyFormat& format,
                                         const Expected& expected, uint32_t threads,
                                         std::optional<Hash> digest = {});

// What a signature is over: `size` of the whole less this.
inline constexpr uint64_t kSignatureSize = sizeof(common::Signature);

// The longest contribution of this layout; anything longer is kOversized, unread.
uint64_t contribution_size_max(const BodyFormat& format);
uint64_t contribution_size_max(const Codec& codec, const Layout& layout);

// --- in memory ---

struct Contribution {
  ContributionHeader header;
  Bytes body;  // The codec's.
};

Bytes serialise(const Contribution& contribution, const common::Keypair& hotkey);

// As `examine`, but the body is not judged.
Judged<Contribution> parse_contribution(ByteView bytes, uint64_t size_max,
                                        const Expected& expected);

}  // namespace compress
