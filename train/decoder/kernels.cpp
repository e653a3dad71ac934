#include "train/decoder/kernels.h"

#include <algorithm>
#include <cmath>

// Highway compiles the rest of this file once for each instruction set.
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "train/decoder/kernels.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include <hwy/contrib/math/math-inl.h>
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace train::decoder::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using Wide = hn::ScalableTag<float>;
using Single = hn::CappedTag<float, 1>;
using V = hn::Vec<Wide>;

// Two sums side by side hide the latency of an addition.
HWY_INLINE float dot(const float* a, const float* b, int size) {
  const Wide d;
  const int lanes = static_cast<int>(hn::Lanes(d));
  V even = hn::Zero(d);
  V odd = hn::Zero(d);
  int i = 0;
  for (; i + 2 * lanes <= size; i += 2 * lanes) {
    even = hn::MulAdd(hn::LoadU(d, a + i), hn::LoadU(d, b + i), even);
    odd = hn::MulAdd(hn::LoadU(d, a + i + lanes), hn::LoadU(d, b + i + lanes), odd);
  }
  for (; i + lanes <= size; i += lanes) {
    even = hn::MulAdd(hn::LoadU(d, a + i), hn::LoadU(d, b + i), even);
  }
  float sum = hn::GetLane(hn::SumOfLanes(d, hn::Add(even, odd)));
  for (; i < size; ++i) sum += a[i] * b[i];
  return sum;
}

// Four positions with one row: the row is loaded once. The sums are those of `dot`, in its order.
HWY_INLINE void dot4(float* out, size_t stride, const float* x, const float* row, int C) {
  const Wide d;
  const int lanes = static_cast<int>(hn::Lanes(d));
  const float* x0 = x;
  const float* x1 = x0 + C;
  const float* x2 = x1 + C;
  const float* x3 = x2 + C;
  V even0 = hn::Zero(d), even1 = even0, even2 = even0, even3 = even0;
  V odd0 = even0, odd1 = even0, odd2 = even0, odd3 = even0;
  int i = 0;
  for (; i + 2 * lanes <= C; i += 2 * lanes) {
    const V w = hn::LoadU(d, row + i);
    const V v = hn::LoadU(d, row + i + lanes);
    even0 = hn::MulAdd(hn::LoadU(d, x0 + i), w, even0);
    even1 = hn::MulAdd(hn::LoadU(d, x1 + i), w, even1);
    even2 = hn::MulAdd(hn::LoadU(d, x2 + i), w, even2);
    even3 = hn::MulAdd(hn::LoadU(d, x3 + i), w, even3);
    odd0 = hn::MulAdd(hn::LoadU(d, x0 + i + lanes), v, odd0);
    odd1 = hn::MulAdd(hn::LoadU(d, x1 + i + lanes), v, odd1);
    odd2 = hn::MulAdd(hn::LoadU(d, x2 + i + lanes), v, odd2);
    odd3 = hn::MulAdd(hn::LoadU(d, x3 + i + lanes), v, odd3);
  }
  for (; i + lanes <= C; i += lanes) {
    const V w = hn::LoadU(d, row + i);
    even0 = hn::MulAdd(hn::LoadU(d, x0 + i), w, even0);
    even1 = hn::MulAdd(hn::LoadU(d, x1 + i), w, even1);
    even2 = hn::MulAdd(hn::LoadU(d, x2 + i), w, even2);
    even3 = hn::MulAdd(hn::LoadU(d, x3 + i), w, even3);
  }
  float sums[4] = {hn::GetLane(hn::SumOfLanes(d, hn::Add(even0, odd0))),
                   hn::GetLane(hn::SumOfLanes(d, hn::Add(even1, odd1))),
                   hn::GetLane(hn::SumOfLanes(d, hn::Add(even2, odd2))),
                   hn::GetLane(hn::SumOfLanes(d, hn::Add(even3, odd3)))};
  for (; i < C; ++i) {
    for (int n = 0; n < 4; ++n) sums[n] += x[n * C + i] * row[i];
  }
  for (size_t n = 0; n < 4; ++n) out[n * stride] = sums[n];
}

void products(float* out, const float* x, const float* weight, int N, int C, int O, int first,
              int last) {
  const auto stride = static_cast<size_t>(O);
  for (int o = first; o < last; ++o) {
    const float* row = weight + static_cast<size_t>(o) * static_cast<size_t>(C);
    int n = 0;
    for (; n + 4 <= N; n += 4) {
      dot4(out + static_cast<size_t>(n) * stride + o, stride, x + static_cast<ptrdiff_t>(n) * C,
           row, C);
    }
    for (; n < N; ++n) {
      out[static_cast<size_t>(n) * stride + static_cast<size_t>(o)] =
          dot(x + static_cast<ptrdiff_t>(n) * C, row, C);
    }
  }
}

// visit(tag, i) for whole vectors from i on, then for single values.
template <typename Visit>
HWY_INLINE void visit_all(int size, const Visit& visit) {
  const int lanes = static_cast<int>(hn::Lanes(Wide()));
  int i = 0;
  for (; i + lanes <= size; i += lanes) visit(Wide(), i);
  for (; i < size; ++i) visit(Single(), i);
}

void attend(float* out, const float* query, const float* keys, const float* values, int count,
            size_t stride, int D, float scale, float* scratch) {
  float top = -INFINITY;
  for (int s = 0; s < count; ++s) {
    scratch[s] = scale * dot(query, keys + static_cast<size_t>(s) * stride, D);
    top = std::max(top, scratch[s]);
  }
  visit_all(count, [&](auto d, int s) HWY_ATTR {
    hn::StoreU(hn::Exp(d, hn::Sub(hn::LoadU(d, scratch + s), hn::Set(d, top))), d, scratch + s);
  });
  float sum = 0;
  for (int s = 0; s < count; ++s) sum += scratch[s];
  std::fill(out, out + D, 0.0F);
  for (int s = 0; s < count; ++s) {
    const float* value = values + static_cast<size_t>(s) * stride;
    const float p = scratch[s] / sum;
    visit_all(D, [&](auto d, int i) HWY_ATTR {
      const auto so_far = hn::LoadU(d, out + i);
      hn::StoreU(hn::MulAdd(hn::Set(d, p), hn::LoadU(d, value + i), so_far), d, out + i);
    });
  }
}

void rmsnorm(float* out, const float* x, const float* weight, int C, float epsilon) {
  const float squares = dot(x, x, C);
  const float scale = 1.0F / std::sqrt(squares / static_cast<float>(C) + epsilon);
  visit_all(C, [&](auto d, int i) HWY_ATTR {
    const auto unit = hn::Mul(hn::LoadU(d, x + i), hn::Set(d, scale));
    hn::StoreU(hn::Mul(unit, hn::LoadU(d, weight + i)), d, out + i);
  });
}

void swiglu(float* out, const float* gate, const float* up, int F) {
  visit_all(F, [&](auto d, int i) HWY_ATTR {
    const auto one = hn::Set(d, 1.0F);
    const auto g = hn::LoadU(d, gate + i);
    // The bound keeps exp finite.
    const auto below = hn::Add(one, hn::Exp(d, hn::Min(hn::Neg(g), hn::Set(d, 88.0F))));
    hn::StoreU(hn::Mul(hn::Div(g, below), hn::LoadU(d, up + i)), d, out + i);
  });
}

}  // namespace
}  // namespace train::decoder::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace train::decoder {

HWY_EXPORT(products);
HWY_EXPORT(attend);
HWY_EXPORT(rmsnorm);
HWY_EXPORT(swiglu);

void products(float* out, const float* x, const float* weight, int N, int C, int O, int first,
              int last) {
  HWY_DYNAMIC_DISPATCH(products)(out, x, weight, N, C, O, first, last);
}

void attend(float* out, const float* query, const float* keys, const float* values, int count,
            size_t stride, int D, float scale, float* scratch) {
  HWY_DYNAMIC_DISPATCH(attend)(out, query, keys, values, count, stride, D, scale, scratch);
}

void rmsnorm(float* out, const float* x, const float* weight, int C, float epsilon) {
  HWY_DYNAMIC_DISPATCH(rmsnorm)(out, x, weight, C, epsilon);
}

void swiglu(float* out, const float* gate, const float* up, int F) {
  HWY_DYNAMIC_DISPATCH(swiglu)(out, gate, up, F);
}

}  // namespace train::decoder
#endif
