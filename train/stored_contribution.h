// A contribution as a node holds it: where its bytes lie, and what examining them found. Its values
// are nowhere; whoever wants them reads them piece by piece (compress/body_stream.h).
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "common/byte_source.h"
#include "common/result.h"
#include "compress/contribution.h"
#include "train/seal.h"
#include "train/seal_reader.h"

namespace train {

// Neither copied nor moved: what was examined points to where it lies.
class StoredContribution {
  struct Private {};  // Only `open` makes one.

 public:
  using Opened = common::Result<compress::Judged<std::unique_ptr<const StoredContribution>>>;

  using IsRight = std::function<bool(const SealSummary&)>;

  // Of a sealed object: kHashMismatch if it does not open or is not right; then what
  // compress::examine says. It stays sealed and is opened again at every read. Two passes over it.
  // Errors are the source's. Memory: 16 MiB and what `examine` takes, on one thread.
  static Opened open(std::unique_ptr<const common::ByteSource> sealed, const SealKey& key,
                     const IsRight& is_right, const compress::BodyFormat& format,
                     const compress::Expected& expected);
  // The same of a plain one, as it lies in a lead's mirror, with this digest.
  static Opened open(std::unique_ptr<const common::ByteSource> plain, const common::Hash& digest,
                     const compress::BodyFormat& format, const compress::Expected& expected);

  StoredContribution(Private, std::unique_ptr<const common::ByteSource> bytes)
      : bytes_(std::move(bytes)) {}
  StoredContribution(const StoredContribution&) = delete;
  StoredContribution& operator=(const StoredContribution&) = delete;

  const common::ByteSource& plain() const { return reader_ ? *reader_ : *bytes_; }
  const common::Hash& digest() const { return digest_; }  // Tree hash of the plaintext.
  const compress::ContributionHeader& header() const { return examined_->header; }
  const compress::StoredBody& body() const { return examined_->body; }
  const compress::BodySums& sums() const { return examined_->sums; }

 private:
  static Opened examine(std::unique_ptr<StoredContribution> stored,
                        std::span<const common::Hash> leaves, const compress::BodyFormat& format,
                        const compress::Expected& expected);

  std::unique_ptr<const common::ByteSource> bytes_;  // Sealed,
  std::optional<SealReader> reader_;                 //   if this opens them.
  common::Hash digest_;
  std::optional<compress::Examined> examined_;
};

}  // namespace train
