#include "chain/substrate/submitter.h"

#include "chain/substrate/submission.h"

namespace chain::substrate {

tl::expected<Outcome, Failure> Submitter::try_submit(const Keypair& key, const NamedCall& call,
                                                     const SubmitOptions& options) {
  Submission submission(chain_, clock_, send_, key, call, options);
  if (auto sent = submission.send(); !sent) return tl::unexpected(sent.error());
  return submission.wait();
}

Result<Outcome> Submitter::submit(const Keypair& key, const NamedCall& call,
                                  const SubmitOptions& options) {
  auto outcome = try_submit(key, call, options);
  if (!outcome) return std::move(outcome.error().error);
  return *std::move(outcome);
}

Result<Bytes> Submitter::sign(const Keypair& key, const NamedCall& call,
                              const SubmitOptions& options) {
  Submission submission(chain_, clock_, send_, key, call, options);
  TRY_VOID(submission.sign());
  return submission.bytes();
}

}  // namespace chain::substrate
