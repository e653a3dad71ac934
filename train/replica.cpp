#include "train/replica.h"

#include "common/check.h"
#include "train/model.h"

namespace train {
using common::Hash;
using common::Hasher;
using common::Window;

Replica::Replica(const common::Hparams& hparams, std::vector<float> theta, Window next, Hash root)
    : outer_(hparams.outer),
      full_root_windows_(hparams.checkpoint.full_root_windows),
      layout_(parameter_layout(hparams.model, hparams.codec)),
      theta_(std::move(theta)),
      next_(next),
      root_(root) {
  CHECK(theta_.size() == layout_.parameter_count());
}

Replica Replica::genesis(const common::Hparams& hparams, Window first) {
  CHECK(hparams.model.initial_theta == Hash{});
  const compress::Layout layout = parameter_layout(hparams.model, hparams.codec);
  return genesis(hparams, first, initial_parameters(hparams.model, layout));
}

Replica Replica::genesis(const common::Hparams& hparams, Window first, std::vector<float> theta) {
  Replica replica(hparams, std::move(theta), first, Hash{});
  replica.root_ = Hasher()
                      .update(common::view_of("genesis"))
                      .update(hparams.hash().bytes)
                      .update(replica.theta_root().bytes)
                      .finish();
  return replica;
}

common::Result<void> Replica::apply(Window window, const Hash& manifest_hash,
                                    const Counted& counted) {
  CHECK(window == next_ && intact_);
  if (!counted.contributors.empty()) {
    intact_ = false;
    TRY_VOID(compress::outer_step(theta_, counted.contributors, *counted.format, outer_,
                                  static_cast<float>(outer_.learning_rate),
                                  compress::all_pieces(*counted.format), counted.threads));
    intact_ = true;
  }
  const std::optional<Hash> plain = root_after(window, manifest_hash);
  root_ = plain ? *plain
                : Hasher()
                      .update(root_.bytes)
                      .update(manifest_hash.bytes)
                      .update(theta_root().bytes)
                      .finish();
  next_ = window.next();
  return {};
}

std::optional<Hash> Replica::root_after(Window window, const Hash& manifest_hash) const {
  if (window.index % full_root_windows_ == 0) return std::nullopt;
  return Hasher().update(root_.bytes).update(manifest_hash.bytes).finish();
}

void Replica::skip(Window window) {
  CHECK(window == next_);
  next_ = window.next();
}

common::Result<Trial> Trial::put_on(Replica& replica, const compress::StoredBody& body,
                                    const compress::BodyFormat& format, std::span<const float> clip,
                                    double step, uint32_t threads) {
  CHECK(replica.intact_);
  std::vector<float> scale(clip.begin(), clip.end());
  for (float& factor : scale) factor *= static_cast<float>(step);
  auto trial = compress::SparseTrial::put_on(replica.theta_, body, format, scale, threads);
  if (trial) return Trial(replica, std::move(*trial));
  replica.intact_ = trial.error().code != common::Code::kCorrupt;
  return trial.error();
}

common::Result<void> Trial::take_off() {
  auto off = trial_.take_off();
  if (!off) replica_->intact_ = false;
  return off;
}

}  // namespace train
