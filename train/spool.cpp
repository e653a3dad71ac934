#include "train/spool.h"

#include <fmt/format.h>

#include <system_error>

#include "common/fetch.h"
#include "train/fetch_sealed.h"
#include "train/seal_reader.h"

namespace train {
namespace {

namespace fs = std::filesystem;
using common::Bytes;
using common::ByteSource;
using common::Code;
using common::Error;
using common::Result;
using common::Verdict;

// Bytes of its own.
class OwnBytes final : public ByteSource {
 public:
  explicit OwnBytes(Bytes bytes) : bytes_(std::move(bytes)) {}

  uint64_t size() const override { return bytes_.size(); }
  Result<void> read(uint64_t offset, std::span<uint8_t> out) const override {
    return common::MemorySource(bytes_).read(offset, out);
  }

 private:
  Bytes bytes_;
};

// An object that is held in memory. kConflict: it is longer or shorter.
Result<Spool::Fetched> get_whole(common::ObjectStore& bucket, std::string_view key, uint64_t size) {
  auto bytes = bucket.get(key, size);
  const bool longer = !bytes && bytes.error().code == Code::kExhausted;
  if (!bytes && !longer) return bytes.error();
  if (longer || bytes->size() != size) {
    return Error{Code::kConflict,
                 fmt::format("object {} has not the promised {} bytes", key, size)};
  }
  return Spool::Fetched(std::make_unique<OwnBytes>(std::move(*bytes)));
}

Result<Spool::Fetched> open_file(const fs::path& file) {
  TRY(common::FileSource source, common::FileSource::open(file));
  return Spool::Fetched(std::make_unique<common::FileSource>(std::move(source)));
}

compress::Judged<Spool::Fetched> refused(Verdict verdict) { return tl::unexpected(verdict); }

// "w12-" opens the names of all files of window 12.
std::string prefix_of(common::Window window) { return fmt::format("w{}-", window.index); }

}  // namespace

fs::path Spool::file(const SpoolName& name) const {
  return folder_ / fmt::format("{}{}-{}", prefix_of(name.window), name.uid.index, name.kind);
}

Result<compress::Judged<Spool::Fetched>> Spool::claimed(common::ObjectStore& bucket,
                                                        std::string_view key, const Claim& claim,
                                                        const SpoolName& name) const {
  if (claim.sealed_size > kInMemory) {
    const fs::path path = file(name);
    TRY(const Verdict verdict, fetch_sealed(bucket, key, claim, path, /*threads=*/1));
    if (verdict != Verdict::kAccepted) return refused(verdict);
    TRY(Fetched fetched, open_file(path));
    return compress::Judged<Fetched>(std::move(fetched));
  }
  auto fetched = get_whole(bucket, key, claim.sealed_size);
  if (!fetched) {
    const Code code = fetched.error().code;
    if (code == Code::kNotFound || code == Code::kConflict) return refused(Verdict::kHashMismatch);
    return fetched.error();
  }
  TRY(const Verdict verdict, verify_sealed(**fetched, claim, /*threads=*/1));
  if (verdict != Verdict::kAccepted) return refused(verdict);
  return compress::Judged<Fetched>(std::move(*fetched));
}

Result<Spool::Fetched> Spool::fetch(common::ObjectStore& bucket, std::string_view key,
                                    uint64_t size, const SpoolName& name) const {
  if (size <= kInMemory) return get_whole(bucket, key, size);
  TRY_VOID(common::fetch_to_file(bucket, key, size, file(name)));
  return open_file(file(name));
}

void Spool::drop(const SpoolName& name) const { common::discard_fetched(file(name)); }

void Spool::keep_only(common::Window window) const {
  const std::string kept = prefix_of(window);
  std::error_code ignored;  // A file that stays costs room, no more.
  for (const auto& entry : fs::directory_iterator(folder_, ignored)) {
    if (!entry.path().filename().string().starts_with(kept)) fs::remove(entry.path(), ignored);
  }
}

}  // namespace train
