#include "train/fetch_sealed.h"

#include "common/byte_source.h"
#include "train/seal_reader.h"

namespace train {
namespace {

using common::Code;
using common::Error;
using common::Result;
using common::Verdict;

// The bucket answered, and what it holds is not what was claimed.
bool is_the_miners(const Error& error) {
  return error.code == Code::kNotFound || error.code == Code::kConflict;
}

}  // namespace

Result<Verdict> fetch_sealed(common::ObjectStore& bucket, std::string_view key, const Claim& claim,
                             const std::filesystem::path& file, uint32_t threads,
                             const common::FetchOptions& options) {
  for (;;) {
    const auto fetched = common::fetch_to_file(bucket, key, claim.sealed_size, file, options);
    if (!fetched && !is_the_miners(fetched.error())) return fetched.error();
    Verdict verdict = Verdict::kHashMismatch;
    if (fetched) {
      TRY(const common::FileSource source, common::FileSource::open(file));
      TRY(verdict, verify_sealed(source, claim, threads));
    }
    if (verdict == Verdict::kAccepted) return verdict;
    common::discard_fetched(file);
    if (!fetched || fetched->resumed == 0) return verdict;
  }
}

}  // namespace train
