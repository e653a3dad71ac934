// Brings a claimed ciphertext to our disk, where it is read from then on: what lies in a miner's
// bucket may be another at every look.
#pragma once

#include <filesystem>
#include <string_view>

#include "common/fetch.h"
#include "common/object_store.h"
#include "common/result.h"
#include "common/verdict.h"
#include "train/messages.h"

namespace train {

// The object in `file`, exactly as claimed, and kAccepted; or kHashMismatch if what the bucket
// holds is another, or nothing any more, and then there is no file. Needs no key, so it can be
// fetched before the reveal; a fetch that broke off goes on where it was, and what was fetched
// already is checked and not fetched again. Before a miner is blamed, all of it comes from its
// bucket in one go: what an earlier fetch had left may be damaged by us.
//
// Errors: of the bucket that did not answer, of our disk, kCancelled; call again.
// Memory: a range, then 8 MiB a thread (common/fetch.h, verify_sealed).
common::Result<common::Verdict> fetch_sealed(common::ObjectStore& bucket, std::string_view key,
                                             const Claim& claim, const std::filesystem::path& file,
                                             uint32_t threads,
                                             const common::FetchOptions& options = {});

}  // namespace train
