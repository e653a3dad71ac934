#include "compress/outer_step.h"

#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "common/check.h"
#include "compress/aggregate.h"
#include "compress/clip.h"
#include "compress/demo.h"
#include "compress/parallel.h"

namespace compress {
namespace {

using common::Result;

std::vector<size_t> order_of(std::span<const StoredContributor> contributors) {
  std::vector<common::Uid> uids;
  for (const StoredContributor& contributor : contributors) uids.push_back(contributor.uid);
  return order_by_uid(uids);
}

// min(1, limit / norm) of each contributor for each tensor, in fp64: [in `order`][tensor].
std::vector<std::vector<double>> factors_of(std::span<const StoredContributor> contributors,
                                            std::span<const size_t> order, double norm_floor) {
  const size_t tensors = contributors.empty() ? 0 : contributors[0].sums->norms.size();
  std::vector<std::vector<double>> factors(order.size(), std::vector<double>(tensors));
  std::vector<double> norms(order.size());
  for (size_t t = 0; t < tensors; ++t) {
    for (size_t i = 0; i < order.size(); ++i) {
      CHECK(contributors[order[i]].sums->norms.size() == tensors);
      norms[i] = contributors[order[i]].sums->norms[t];
    }
    const std::vector<double> clipped = clip_factors_of(norms, norm_floor);
    for (size_t i = 0; i < order.size(); ++i) factors[i][t] = clipped[i];
  }
  return factors;
}

// Contributors in ascending uid, and what their values of each tensor are multiplied by.
struct Scaled {
  std::vector<StoredContributor> contributors;
  std::vector<std::vector<float>> scales;
};

Scaled scaled(std::span<const StoredContributor> contributors, double norm_floor) {
  const std::vector<size_t> order = order_of(contributors);
  const auto factors = factors_of(contributors, order, norm_floor);
  Scaled made;
  for (size_t i = 0; i < order.size(); ++i) {
    const StoredContributor& contributor = contributors[order[i]];
    CHECK(std::isfinite(contributor.weight));
    made.contributors.push_back(contributor);
    std::vector<float>& scales = made.scales.emplace_back();
    for (const double factor : factors[i]) {
      scales.push_back(static_cast<float>(factor * contributor.weight));
    }
  }
  return made;
}

// One thread's.
class DirectionMaker {
 public:
  DirectionMaker(const Scaled& scaled, const BodyFormat& format, const common::OuterParams& params)
      : scaled_(scaled),
        format_(format),
        by_sign_(params.rule == "sign"),
        sum_(format.sum(params.divide == "senders")),
        bytes_(scaled.contributors.size()),
        pieces_(scaled.contributors.size()) {
    G_.reserve(format.largest_piece());  // Not twice: growing would hold the old one meanwhile.
  }

  // Until the next call.
  Result<std::span<const float>> make(size_t piece) {
    for (size_t i = 0; i < pieces_.size(); ++i) {
      const StoredBody& body = *scaled_.contributors[i].body;
      TRY_VOID(body.read(piece, bytes_[i]));
      pieces_[i] = {bytes_[i], body.piece_size(piece), scaled_.scales[i]};
    }
    G_.resize(format_.pieces()[piece].count);
    if (const auto refused = sum_->sum(piece, pieces_, G_)) {
      return common::Error{common::Code::kCorrupt,
                           "uid " + std::to_string(scaled_.contributors[*refused].uid.index) +
                               "'s contribution was changed since it was judged (piece " +
                               std::to_string(piece) +
                               "); fetch it again and go back to the last checkpoint"};
    }
    if (by_sign_) take_signs(G_);
    return std::span<const float>(G_);
  }

 private:
  const Scaled& scaled_;
  const BodyFormat& format_;
  bool by_sign_;
  std::unique_ptr<PieceSum> sum_;
  std::vector<Bytes> bytes_;
  std::vector<ScaledPiece> pieces_;
  std::vector<float> G_;
};

class MemoryStep : public PieceStep {
 public:
  MemoryStep(std::span<float> theta, const BodyFormat& format, uint64_t first, float learning_rate)
      : theta_(theta), format_(format), first_(first), learning_rate_(learning_rate) {}

  Result<void> take(size_t piece, std::span<const float> direction) override {
    const Piece& place = format_.pieces()[piece];
    outer_step(theta_.subspan(place.first - first_, place.count), direction, learning_rate_);
    return {};
  }

 private:
  std::span<float> theta_;
  const BodyFormat& format_;
  uint64_t first_;
  float learning_rate_;
};

}  // namespace

Result<void> each_direction(std::span<const StoredContributor> contributors,
                            const BodyFormat& format, const common::OuterParams& params,
                            PieceRange range, uint32_t threads, const NewPieceStep& new_step) {
  CHECK(params.divide == "senders" || params.divide == "contributors");
  CHECK(params.rule == "sign" || params.rule == "average");
  CHECK(contributors.size() <= std::numeric_limits<uint16_t>::max());
  CHECK(range.first <= range.end && range.end <= format.pieces().size());
  if (contributors.empty()) return {};
  const Scaled all = scaled(contributors, params.norm_floor);
  Trouble trouble;
  in_parallel(range.count(), threads, [&](Pieces& pieces) {
    DirectionMaker maker(all, format, params);
    const std::unique_ptr<PieceStep> step = new_step();
    for (size_t i; !trouble.any() && pieces.take(i);) {
      const auto direction = maker.make(range.first + i);
      if (!direction) return trouble.note(direction.error());
      if (auto taken = step->take(range.first + i, *direction); !taken) {
        return trouble.note(taken.error());
      }
    }
  });
  return trouble.result();
}

Result<void> outer_step(std::span<float> theta, std::span<const StoredContributor> contributors,
                        const BodyFormat& format, const common::OuterParams& params,
                        float learning_rate, PieceRange range, uint32_t threads) {
  CHECK(theta.size() == value_count(format, range));
  return each_direction(contributors, format, params, range, threads, [&] {
    return std::make_unique<MemoryStep>(theta, format, first_value(format, range), learning_rate);
  });
}

std::vector<std::vector<float>> clip_factors(std::span<const StoredContributor> contributors,
                                             const common::OuterParams& params) {
  const std::vector<size_t> order = order_of(contributors);
  const auto factors = factors_of(contributors, order, params.norm_floor);
  std::vector<std::vector<float>> rounded(contributors.size());
  for (size_t i = 0; i < order.size(); ++i) {
    for (const double factor : factors[i]) {
      rounded[order[i]].push_back(static_cast<float>(factor));
    }
  }
  return rounded;
}

}  // namespace compress
