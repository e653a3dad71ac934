#include "compress/sparse_trial.h"

#include <string>
#include <utility>

#include "common/check.h"

namespace compress {

using common::Result;

SparseTrial::SparseTrial(std::span<float> theta, const StoredBody& body, const BodyFormat& format,
                         uint32_t threads)
    : theta_(theta),
      body_(&body),
      format_(&format),
      threads_(threads),
      before_(format.pieces().size()) {}

SparseTrial::SparseTrial(SparseTrial&& other) noexcept
    : theta_(other.theta_),
      body_(other.body_),
      format_(other.format_),
      threads_(other.threads_),
      before_(std::move(other.before_)),
      on_(std::exchange(other.on_, false)) {}

SparseTrial::~SparseTrial() { CHECK_MSG(!on_, "a trial was not taken off"); }

Result<SparseTrial> SparseTrial::put_on(std::span<float> theta, const StoredBody& body,
                                        const BodyFormat& format, std::span<const float> scale,
                                        uint32_t threads) {
  CHECK(theta.size() == format.layout().parameter_count());
  CHECK(scale.size() == format.layout().tensors().size());
  SparseTrial trial(theta, body, format, threads);
  const auto visited = visit_pieces(body, format, all_pieces(format), threads,
                                    [&](size_t i, const PieceValues& values) -> Result<void> {
                                      const Piece& piece = format.pieces()[i];
                                      float* const at = theta.data() + piece.first;
                                      std::vector<float> before(values.offset.size());
                                      size_t j = 0;
                                      for (const PieceRun& run : piece.runs) {
                                        const uint64_t end = uint64_t{run.first} + run.count;
                                        for (; j < before.size() && values.offset[j] < end; ++j) {
                                          before[j] = at[values.offset[j]];
                                          at[values.offset[j]] -=
                                              scale[run.tensor] * values.value[j];
                                        }
                                      }
                                      trial.before_[i] = std::move(before);
                                      return {};
                                    });
  if (visited) return trial;
  TRY_VOID(trial.take_off());
  return visited.error();
}

Result<void> SparseTrial::take_off() {
  CHECK(on_);
  on_ = false;
  auto visited =
      visit_pieces(*body_, *format_, all_pieces(*format_), threads_,
                   [&](size_t i, const PieceValues& values) -> Result<void> {
                     const std::vector<float>& before = before_[i];
                     if (before.empty()) return {};
                     if (before.size() != values.offset.size()) {
                       return common::Error{common::Code::kCorrupt,
                                            "piece " + std::to_string(i) + " has other values now"};
                     }
                     float* const at = theta_.data() + format_->pieces()[i].first;
                     for (size_t j = 0; j < before.size(); ++j) {
                       at[values.offset[j]] = before[j];
                     }
                     return {};
                   });
  before_.clear();
  if (visited) return {};
  return common::Error{common::Code::kCorrupt,
                       "a contribution on trial could not be read again to take it off (" +
                           visited.error().message +
                           "); the model is void: go back to the last checkpoint"};
}

}  // namespace compress
