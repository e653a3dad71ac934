// What the tests of single operations share: arrays on the machine, numbers that it can hold, and
// how close is close.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "tests/train/backends.h"
#include "tests/train/oracle.h"
#include "train/bf16.h"
#include "train/buffer.h"

namespace train {

using oracle::Values;

// Sums that are kept in fp32, of exact inputs, against fp64.
inline constexpr double kSumTolerance = 1e-5;

class Operations : public BackendTest {
 protected:
  bool is_bf16() const { return backend_->precision() == Precision::kBf16; }
  // Of an activation. One rounding to bf16 is at most 2^-8 of a value, of many about half of that.
  double tolerance() const { return is_bf16() ? 0x1p-8 : 1e-5; }

  // Random numbers that activations and packed weights hold exactly, so that the oracle begins with
  // the same.
  Values values(size_t size, double scale = 1.0) {
    return exact(oracle::random_values(random_, size, scale));
  }
  Values exact(Values values) const {
    if (!is_bf16()) return values;
    for (double& value : values) value = to_float(to_bf16(static_cast<float>(value)));
    return values;
  }

  Buffer<float> put(const Values& values) {
    Buffer<float> buffer(*backend_);
    buffer.upload(oracle::narrow(values));
    return buffer;
  }
  Buffer<uint32_t> put(const std::vector<uint32_t>& values) {
    Buffer<uint32_t> buffer(*backend_);
    buffer.upload(values);
    return buffer;
  }
  Buffer<float> room(size_t size) { return put(Values(size, std::nan(""))); }
  Buffer<float> ones(size_t size) { return put(Values(size, 1.0)); }
  ActivationBuffer put_activations(const Values& values) {
    ActivationBuffer buffer(*backend_);
    buffer.upload(oracle::narrow(values));
    return buffer;
  }
  ActivationBuffer activation_room(size_t size) {
    return put_activations(Values(size, std::nan("")));
  }
  ActivationBuffer activation_ones(size_t size) { return put_activations(Values(size, 1.0)); }
  template <typename AnyBuffer>
  static std::vector<float> get(const AnyBuffer& buffer) {
    std::vector<float> values(buffer.size());
    buffer.download(values);
    return values;
  }

  // (O, C), packed.
  struct Matrix {
    Buffer<float> values;
    Buffer<std::byte> packed;
    Weight weight;
  };
  Matrix matrix(const Values& values, int O, int C) {
    Matrix result{put(values), Buffer<std::byte>(*backend_), {}};
    result.packed.reserve(backend_->packed_size(O, C));
    result.weight = {result.values.data(), result.packed.data(), O, C};
    backend_->pack(result.weight);
    return result;
  }

  // How far `got` is from `from` + the gradient of <cotangent, f(x)>. Of a long x, 64 places are
  // tried.
  template <typename AnyBuffer>
  double gradient_distance(const AnyBuffer& got, const std::function<Values(const Values&)>& f,
                           const Values& x, const Values& cotangent, double from = 0) {
    const auto value = [&](const Values& at) {
      const Values out = f(at);
      double dot = 0;
      for (size_t i = 0; i < out.size(); ++i) dot += cotangent[i] * out[i];
      return dot;
    };
    const std::vector<float> all = get(got);
    Values tried;
    Values expected;
    for (uint64_t k = 0; k < std::min<uint64_t>(x.size(), 64); ++k) {
      const size_t i = x.size() <= 64 ? k : random_.below(x.size());
      tried.push_back(all[i] - from);
      expected.push_back(oracle::slope(value, x, i));
    }
    return oracle::distance(tried, expected);
  }

  common::Philox random_{7};
};

}  // namespace train
