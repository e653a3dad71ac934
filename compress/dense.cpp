#include "compress/dense.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <vector>

#include "common/check.h"
#include "compress/bf16.h"

namespace compress {
namespace {

constexpr uint64_t kPieceValues = uint64_t{1} << 20;

std::vector<Piece> pieces_of(const Layout& layout) {
  std::vector<Piece> pieces;
  size_t t = 0;
  for (uint64_t first = 0; first < layout.parameter_count(); first += kPieceValues) {
    Piece& piece = pieces.emplace_back();
    const uint64_t end = std::min(first + kPieceValues, layout.parameter_count());
    piece.first = first;
    piece.count = static_cast<uint32_t>(end - first);
    piece.size_min = piece.size_max = 2 * piece.count;
    for (uint64_t at = first; at < end;) {
      const Tensor& tensor = layout.tensors()[t];
      const uint64_t run_end = std::min(end, tensor.offset + tensor.size());
      piece.runs.push_back(
          {t, static_cast<uint32_t>(at - first), static_cast<uint32_t>(run_end - at)});
      if (run_end == tensor.offset + tensor.size()) ++t;
      at = run_end;
    }
  }
  return pieces;
}

uint16_t bits_at(ByteView body, uint64_t i) {
  return static_cast<uint16_t>(body[2 * i] | body[2 * i + 1] << 8);
}

// kNonFinite before kMalformed, wherever they stand: one pass that compilers make vectors of.
Verdict judge(ByteView body) {
  uint32_t non_finite = 0, negative_zero = 0;
  for (uint64_t i = 0; i < body.size() / 2; ++i) {
    const uint16_t bits = bits_at(body, i);
    non_finite |= !is_finite_bf16(bits);
    negative_zero |= bits == kNegativeZeroBf16;
  }
  if (non_finite != 0) return Verdict::kNonFinite;
  return negative_zero != 0 ? Verdict::kMalformed : Verdict::kAccepted;
}

class RunEncoder : public PieceEncoder {
 public:
  explicit RunEncoder(const BodyFormat& format) : PieceEncoder(format.decoder()), format_(format) {}

  void encode(size_t piece, std::span<const float> values, Bytes& out) override {
    CHECK(values.size() == format_.pieces()[piece].count);
    const size_t first = out.size();
    out.resize(first + 2 * values.size());
    uint8_t* next = out.data() + first;
    for (const float value : values) {
      CHECK_MSG(std::isfinite(value), "NaN or infinity in our own update");
      const uint16_t bits = to_bf16(value);
      *next++ = static_cast<uint8_t>(bits);
      *next++ = static_cast<uint8_t>(bits >> 8);
    }
  }

 private:
  const BodyFormat& format_;
};

class RunDecoder : public PieceDecoder {
 public:
  explicit RunDecoder(const BodyFormat& format) : format_(format) {}

  Verdict judge(size_t piece, ByteView bytes, uint64_t size) override {
    const Verdict verdict = compress::judge(bytes.first(size));
    if (verdict != Verdict::kAccepted) return verdict;
    sums_.clear();
    for (const PieceRun& run : format_.pieces()[piece].runs) {
      RunSum& sum = sums_.emplace_back();
      sum.count = run.count;
      for (uint64_t i = run.first; i < uint64_t{run.first} + run.count; ++i) {
        const double value = from_bf16(bits_at(bytes, i));
        sum.squares += value * value;  // Each exact, added in order.
      }
    }
    return verdict;
  }

  Verdict decode(size_t piece, ByteView bytes, uint64_t size, PieceValues& out) override {
    const Verdict verdict = judge(piece, bytes, size);
    if (verdict != Verdict::kAccepted) return verdict;
    const uint32_t count = format_.pieces()[piece].count;
    out.offset.resize(count);
    std::iota(out.offset.begin(), out.offset.end(), 0u);
    out.value.resize(count);
    for (uint32_t i = 0; i < count; ++i) out.value[i] = from_bf16(bits_at(bytes, i));
    return verdict;
  }

 private:
  const BodyFormat& format_;
};

class RunFormat : public BodyFormat {
 public:
  explicit RunFormat(const Layout& layout) : BodyFormat(layout, pieces_of(layout), false) {}

  std::unique_ptr<PieceEncoder> encoder() const override {
    return std::make_unique<RunEncoder>(*this);
  }
  std::unique_ptr<PieceDecoder> decoder() const override {
    return std::make_unique<RunDecoder>(*this);
  }
};

}  // namespace

std::unique_ptr<const BodyFormat> Dense::format(const Layout& layout) const {
  return std::make_unique<RunFormat>(layout);
}

}  // namespace compress
