#include "compress/body_sum.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "common/check.h"
#include "compress/body_format.h"
#include "compress/clip.h"
#include "compress/parallel.h"
#include "compress/simd/sum.h"
#include "compress/sparseloco.h"
#include "compress/tile_code.h"

namespace compress {
namespace {

// The first contributor that is refused, of several threads' findings.
class FirstRefused {
 public:
  void note(size_t contributor) {
    size_t first = first_.load();
    while (contributor < first && !first_.compare_exchange_weak(first, contributor)) {
    }
  }
  bool any() const { return first_ != kNone; }
  Refused malformed() const { return {first_, Verdict::kMalformed}; }

 private:
  static constexpr size_t kNone = std::numeric_limits<size_t>::max();
  std::atomic<size_t> first_ = kNone;
};

// Bodies, and where their groups lie.
struct Bodies {
  std::span<const CodedContributor> contributors;
  const BodyFormat& format;
  std::vector<TileGroup> groups;
  std::vector<PieceTable> tables;  // One a contributor.

  // The group's bytes and all behind them.
  ByteView bytes(size_t contributor, size_t group) const {
    return contributors[contributor].body.subspan(tables[contributor].first(group));
  }
  bool open(size_t contributor, size_t group, GroupReader& reader) const {
    return reader.open(bytes(contributor, group), 0, tables[contributor].size(group), groups[group],
                       format.layout());
  }
};

std::optional<Refused> find_tables(Bodies& bodies) {
  for (size_t p = 0; p < bodies.contributors.size(); ++p) {
    auto table = find_pieces(bodies.contributors[p].body, bodies.format);
    if (!table) return Refused{p, table.error()};
    bodies.tables.push_back(*std::move(table));
  }
  return std::nullopt;
}

// What each contributor's values of each tensor are multiplied by: [contributor][tensor]. From
// heads and levels alone.
using Scales = std::vector<std::vector<float>>;

std::optional<Refused> find_norms(const Bodies& bodies, uint32_t threads,
                                  std::vector<std::vector<double>>& norms) {
  const size_t count = bodies.contributors.size();
  norms.assign(count, std::vector<double>(bodies.format.layout().tensors().size()));
  std::vector<uint64_t> values(count);
  FirstRefused refused;
  in_parallel(count, threads, [&](Pieces& pieces) {
    GroupReader reader;
    for (size_t p; pieces.take(p);) {
      for (size_t g = 0; g < bodies.groups.size(); ++g) {
        if (!bodies.open(p, g, reader)) {
          refused.note(p);
          break;
        }
        for (size_t r = 0; r < reader.sums().size(); ++r) {
          norms[p][bodies.groups[g].runs[r].tensor] += reader.sums()[r].squares;
          values[p] += reader.sums()[r].count;
        }
      }
      for (double& norm : norms[p]) norm = std::sqrt(norm);
    }
  });
  if (refused.any()) return refused.malformed();
  for (size_t p = 0; p < count; ++p) {
    if (values[p] == 0) return Refused{p, Verdict::kEmpty};
  }
  return std::nullopt;
}

Scales scales_of(const Bodies& bodies, std::span<const size_t> order,
                 const std::vector<std::vector<double>>& norms, double norm_floor) {
  const size_t tensors = bodies.format.layout().tensors().size();
  Scales scales(order.size(), std::vector<float>(tensors));
  std::vector<double> in_order(order.size());
  for (size_t t = 0; t < tensors; ++t) {
    for (size_t i = 0; i < order.size(); ++i) in_order[i] = norms[order[i]][t];
    const std::vector<double> factors = clip_factors_of(in_order, norm_floor);
    for (size_t i = 0; i < order.size(); ++i) {
      const double weight = bodies.contributors[order[i]].weight;
      CHECK(std::isfinite(weight));
      scales[order[i]][t] = static_cast<float>(factors[i] * weight);
    }
  }
  return scales;
}

// One thread's sums.
class TileSums : public PieceSum {
 public:
  TileSums(const Layout& layout, std::span<const TileGroup> groups, bool by_senders)
      : layout_(layout), groups_(groups), by_senders_(by_senders) {}

  std::optional<size_t> sum(size_t g, std::span<const ScaledPiece> of,
                            std::span<float> G) override {
    begin(g, of, G);
    const TileGroup& group = groups_[g];
    // Whatever was judged before: these bytes came anew from wherever they lie.
    for (size_t i = 0; i < of.size(); ++i) {
      if (!readers_[i].reopen(of[i].bytes, 0, of[i].size, group, layout_)) return i;
    }
    for (const TileRun& run : group.runs) {
      TileWalk tiles(layout_, run);
      for (uint64_t i = 0; i < run.count; ++i) {
        if (const size_t added = sum_tile(run.tensor, tiles.next()); added < of.size()) {
          // The sums that were begun are zero again.
          sums_ = {};
          return added;
        }
      }
    }
    simd::write_mean(mean_, mean_.rows);
    for (size_t i = 0; i < of.size(); ++i) {
      if (!readers_[i].at_end()) return i;
    }
    return std::nullopt;
  }

 private:
  void begin(size_t g, std::span<const ScaledPiece> of, std::span<float> G) {
    CHECK(!of.empty() && of.size() <= std::numeric_limits<uint16_t>::max());
    CHECK(G.size() == value_count(groups_[g], layout_));
    of_ = of;
    G_ = G.data();
    first_value_ = first_value(groups_[g], layout_);
    mean_.rows = mean_.written = 0;
    if (readers_.size() == of.size()) return;
    readers_.resize(of.size());
    sent_.resize(of.size());
    mean_.share = static_cast<float>(1.0 / static_cast<double>(of.size()));
    by_count_ = {1.0f, 1.0f};
    for (size_t senders = 2; senders <= of.size(); ++senders) {
      by_count_.push_back(static_cast<float>(1.0 / static_cast<double>(senders)));
    }
    mean_.shares = by_senders_ ? by_count_.data() : nullptr;
  }

  // Sums one tile, while the one before goes to G. Returns who is refused, or how many there are.
  size_t sum_tile(size_t t, const Tile& tile) {
    const Tensor& tensor = layout_.tensors()[t];
    if (tile.size() != size_ || tile.keep != keep_) {
      size_ = tile.size();
      keep_ = tile.keep;
      gaps_ = GapCode::of(size_, keep_);
    }
    for (size_t i = 0; i < of_.size(); ++i) sent_[i] = readers_[i].next_sent(of_[i].scale[t]);
    simd::TileSum& sum = sums_[next_sum_];
    const size_t added = simd::add_tiles(size_, gaps_, sent_, by_senders_, sum, mean_);
    mean_.sum = &sum;
    mean_.to = G_ + (tensor.offset + uint64_t{tile.row} * tensor.cols + tile.col - first_value_);
    mean_.rows = tile.rows;
    mean_.cols = tile.cols;
    mean_.stride = tensor.cols;
    mean_.written = 0;
    next_sum_ ^= 1;
    return added;
  }

  const Layout& layout_;
  std::span<const TileGroup> groups_;
  bool by_senders_;
  // Of the group at hand.
  std::span<const ScaledPiece> of_;
  float* G_ = nullptr;
  uint64_t first_value_ = 0;
  // Of so many contributors.
  std::vector<float> by_count_;  // 1 / senders, rounded once.
  std::vector<GroupReader> readers_;
  std::vector<simd::SentTile> sent_;
  std::array<simd::TileSum, 2> sums_{};  // This tile's, and the one's before, which goes to G.
  size_t next_sum_ = 0;
  simd::MeanRows mean_;
  // Of tiles of this size.
  GapCode gaps_;
  uint32_t size_ = 0;
  uint32_t keep_ = 0;
};

}  // namespace

std::unique_ptr<PieceSum> make_tile_sums(const Layout& layout, std::span<const TileGroup> groups,
                                         bool by_senders) {
  return std::make_unique<TileSums>(layout, groups, by_senders);
}

std::optional<Refused> aggregate_bodies(std::span<const CodedContributor> contributors,
                                        const Layout& layout, const common::OuterParams& params,
                                        uint32_t threads, std::span<float> G) {
  const bool by_senders = params.divide == "senders";
  CHECK(by_senders || params.divide == "contributors");
  CHECK(contributors.size() <= std::numeric_limits<uint16_t>::max());
  CHECK(G.size() == layout.parameter_count());
  if (contributors.empty()) {
    std::fill(G.begin(), G.end(), 0.0f);
    return std::nullopt;
  }
  std::vector<common::Uid> uids;
  for (const CodedContributor& contributor : contributors) uids.push_back(contributor.uid);
  const std::vector<size_t> order = order_by_uid(uids);

  const auto format = SparseLoco().format(layout);
  Bodies bodies{contributors, *format, tile_groups(layout), {}};
  if (const auto refused = find_tables(bodies)) return refused;
  std::vector<std::vector<double>> norms;
  if (const auto refused = find_norms(bodies, threads, norms)) return refused;
  const Scales scales = scales_of(bodies, order, norms, params.norm_floor);

  FirstRefused refused;
  in_parallel(bodies.groups.size(), threads, [&](Pieces& pieces) {
    const auto sum = format->sum(by_senders);
    std::vector<ScaledPiece> of(order.size());
    for (size_t g; pieces.take(g) && !refused.any();) {
      for (size_t i = 0; i < order.size(); ++i) {
        of[i] = {bodies.bytes(order[i], g), bodies.tables[order[i]].size(g), scales[order[i]]};
      }
      const Piece& piece = format->pieces()[g];
      const auto bad = sum->sum(g, of, G.subspan(piece.first, piece.count));
      if (bad) refused.note(order[*bad]);
    }
  });
  if (refused.any()) return refused.malformed();
  return std::nullopt;
}

}  // namespace compress
