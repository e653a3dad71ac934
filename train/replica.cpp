#include "train/replica.h"

#include <algorithm>

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

void Replica::apply(Window window, const Hash& manifest_hash,
                    std::span<const compress::Contributor> contributors) {
  CHECK(window == next_);
  if (!contributors.empty()) {
    const std::vector<float> G = compress::aggregate(contributors, layout_, outer_);
    compress::outer_step(theta_, G, static_cast<float>(outer_.learning_rate));
  }
  const std::optional<Hash> plain = root_after(window, manifest_hash);
  root_ = plain ? *plain
                : Hasher()
                      .update(root_.bytes)
                      .update(manifest_hash.bytes)
                      .update(theta_root().bytes)
                      .finish();
  next_ = window.next();
}

std::optional<Hash> Replica::root_after(Window window, const Hash& manifest_hash) const {
  if (window.index % full_root_windows_ == 0) return std::nullopt;
  return Hasher().update(root_.bytes).update(manifest_hash.bytes).finish();
}

void Replica::skip(Window window) {
  CHECK(window == next_);
  next_ = window.next();
}

Trial::Trial(Replica& replica, const compress::Update& update, std::span<const float> clip,
             double step)
    : replica_(replica) {
  const auto tensors = replica.layout_.tensors();
  CHECK(update.tensors.size() == tensors.size() && clip.size() == tensors.size());
  touched_.reserve(update.value_count());
  for (size_t t = 0; t < tensors.size(); ++t) {
    const compress::SparseTensor& sparse = update.tensors[t];
    const float scale = static_cast<float>(step) * clip[t];
    for (size_t i = 0; i < sparse.index.size(); ++i) {
      const uint64_t at = tensors[t].offset + sparse.index[i];
      touched_.push_back({at, replica_.theta_[at]});
      replica_.theta_[at] -= scale * sparse.value[i];
    }
  }
}

Trial::~Trial() {
  // A copy, not an addition: (a - b) + b is not a in floating point.
  // Backwards, so that the first value seen of a coordinate is the one that stays.
  for (auto touched = touched_.rbegin(); touched != touched_.rend(); ++touched) {
    replica_.theta_[touched->offset] = touched->before;
  }
}

}  // namespace train
