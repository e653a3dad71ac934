#include "compress/dense.h"

#include <cmath>
#include <numeric>

#include "common/check.h"
#include "compress/bf16.h"

namespace compress {
namespace {

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

}  // namespace

Bytes Dense::encode(std::span<const float> values, const Layout& layout) const {
  CHECK(values.size() == layout.parameter_count());
  Bytes body(body_size_max(layout));
  for (size_t i = 0; i < values.size(); ++i) {
    CHECK_MSG(std::isfinite(values[i]), "NaN or infinity in our own update");
    const uint16_t bits = to_bf16(values[i]);
    body[2 * i] = static_cast<uint8_t>(bits);
    body[2 * i + 1] = static_cast<uint8_t>(bits >> 8);
  }
  return body;
}

Judged<Update> Dense::decode(ByteView body, const Layout& layout) const {
  const uint64_t size = body_size_max(layout);
  if (body.size() > size) return tl::unexpected(Verdict::kOversized);
  if (body.size() < size) return tl::unexpected(Verdict::kWrongShape);
  const Verdict verdict = judge(body);
  if (verdict != Verdict::kAccepted) return tl::unexpected(verdict);

  Update update;
  for (const Tensor& tensor : layout.tensors()) {
    SparseTensor& out = update.tensors.emplace_back();
    out.index.resize(tensor.size());
    std::iota(out.index.begin(), out.index.end(), 0u);
    out.value.resize(tensor.size());
    double squares = 0;  // Each exact, added in order.
    for (uint64_t i = 0; i < tensor.size(); ++i) {
      const float value = from_bf16(bits_at(body, tensor.offset + i));
      out.value[i] = value;
      squares += double{value} * double{value};
    }
    out.norm = std::sqrt(squares);
  }
  if (update.is_zero()) return tl::unexpected(Verdict::kEmpty);
  return update;
}

uint64_t Dense::body_size_max(const Layout& layout) const { return 2 * layout.parameter_count(); }

}  // namespace compress
