#include "train/checked_backend.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>

namespace train {
namespace {

std::string ordinal(uint64_t number) {
  const uint64_t tens = number / 10 % 10;
  const uint64_t ones = tens == 1 ? 0 : number % 10;
  const char* const ending = ones == 1 ? "st" : ones == 2 ? "nd" : ones == 3 ? "rd" : "th";
  return std::to_string(number) + ending;
}

}  // namespace

CheckedBackend::Array CheckedBackend::array(const float* values, int rows, int columns) {
  return {values, nullptr, static_cast<uint64_t>(rows) * static_cast<uint64_t>(columns)};
}
CheckedBackend::Array CheckedBackend::array(const Activation* values, int rows, int columns) {
  return {nullptr, values, static_cast<uint64_t>(rows) * static_cast<uint64_t>(columns)};
}

bool CheckedBackend::finite(const Array& array) {
  if (array.parameters != nullptr) return inner_.all_finite(array.parameters, array.size);
  return array.activations == nullptr || inner_.all_finite(array.activations, array.size);
}
bool CheckedBackend::finite(std::initializer_list<Array> arrays) {
  return std::ranges::all_of(arrays, [this](const Array& each) { return finite(each); });
}

bool CheckedBackend::finite_rows(const float* table, const uint32_t* token, int N, int C) {
  std::vector<uint32_t> rows(static_cast<size_t>(N));
  inner_.download(rows.data(), token, rows.size() * sizeof(uint32_t));
  std::ranges::sort(rows);
  const auto repeated = std::ranges::unique(rows);
  rows.erase(repeated.begin(), repeated.end());
  return std::ranges::all_of(rows, [&](uint32_t row) {
    return finite(array(table + static_cast<size_t>(row) * C, 1, C));
  });
}

template <typename Read, typename Run, typename Written>
void CheckedBackend::check(const char* operation, const Read& read, const Run& run,
                           const Written& written) {
  ++operations_;
  if (trouble_.has_value()) return run();
  const bool given_finite = read();
  run();
  if (given_finite && written()) return;
  trouble_ = (label_.empty() ? "" : label_ + ": ") + operation + " (the " + ordinal(operations_) +
             " operation) " + (given_finite ? "made" : "was given") + " NaN or infinity";
}

std::string CheckedBackend::name() const { return inner_.name(); }
Precision CheckedBackend::precision() const { return inner_.precision(); }
int CheckedBackend::positions_at_once() const { return inner_.positions_at_once(); }
bool CheckedBackend::unified_memory() const { return inner_.unified_memory(); }
void* CheckedBackend::allocate(size_t size_bytes) { return inner_.allocate(size_bytes); }
void CheckedBackend::release(void* memory) { inner_.release(memory); }
void CheckedBackend::upload(void* to, const void* from, size_t size_bytes) {
  inner_.upload(to, from, size_bytes);
}
void CheckedBackend::download(void* to, const void* from, size_t size_bytes) {
  inner_.download(to, from, size_bytes);
}
void CheckedBackend::clear(void* memory, size_t size_bytes) { inner_.clear(memory, size_bytes); }
void CheckedBackend::upload_activations(Activation* to, std::span<const float> from) {
  inner_.upload_activations(to, from);
}
void CheckedBackend::download_activations(std::span<float> to, const Activation* from) {
  inner_.download_activations(to, from);
}
size_t CheckedBackend::packed_size(int O, int C) const { return inner_.packed_size(O, C); }
// What was packed is looked at where it is used.
void CheckedBackend::pack(const Weight& weight) { inner_.pack(weight); }

void CheckedBackend::embedding_forward(Activation* out, const uint32_t* token, const float* table,
                                       int N, int C) {
  check(
      "embedding_forward", [&] { return finite_rows(table, token, N, C); },
      [&] { inner_.embedding_forward(out, token, table, N, C); },
      [&] { return finite(array(out, N, C)); });
}

void CheckedBackend::embedding_backward(float* d_table, const Activation* d_out,
                                        const uint32_t* token, int N, int C) {
  check(
      "embedding_backward",
      [&] { return finite(array(d_out, N, C)) && finite_rows(d_table, token, N, C); },
      [&] { inner_.embedding_backward(d_table, d_out, token, N, C); },
      [&] { return finite_rows(d_table, token, N, C); });
}

void CheckedBackend::rmsnorm_forward(Activation* out, float* rstd, const Activation* x,
                                     const float* weight, int N, int C, float epsilon) {
  check(
      "rmsnorm_forward",
      [&] {
        return finite({array(x, N, C), array(weight, 1, C)});
      },
      [&] { inner_.rmsnorm_forward(out, rstd, x, weight, N, C, epsilon); },
      [&] {
        return finite({array(out, N, C), array(rstd, N, 1)});
      });
}

void CheckedBackend::rmsnorm_backward(Activation* d_x, float* d_weight, const Activation* d_out,
                                      const Activation* x, const float* weight, const float* rstd,
                                      int N, int C) {
  check(
      "rmsnorm_backward",
      [&] {
        return finite({array(d_x, N, C), array(d_weight, 1, C), array(d_out, N, C), array(x, N, C),
                       array(weight, 1, C), array(rstd, N, 1)});
      },
      [&] { inner_.rmsnorm_backward(d_x, d_weight, d_out, x, weight, rstd, N, C); },
      [&] {
        return finite({array(d_x, N, C), array(d_weight, 1, C)});
      });
}

void CheckedBackend::linear_forward(Activation* out, const Activation* residual,
                                    const Activation* x, const Weight& weight, int N) {
  check(
      "linear_forward",
      [&] {
        return finite({array(residual, N, weight.O), array(x, N, weight.C),
                       array(weight.values, weight.O, weight.C)});
      },
      [&] { inner_.linear_forward(out, residual, x, weight, N); },
      [&] { return finite(array(out, N, weight.O)); });
}

void CheckedBackend::linear_backward(Activation* d_x, float* d_weight, const Activation* d_out,
                                     const Activation* x, const Weight& weight, int N) {
  check(
      "linear_backward",
      [&] {
        return finite({array(d_weight, weight.O, weight.C), array(d_out, N, weight.O),
                       array(x, N, weight.C), array(weight.values, weight.O, weight.C)});
      },
      [&] { inner_.linear_backward(d_x, d_weight, d_out, x, weight, N); },
      [&] {
        return finite({array(d_x, N, weight.C), array(d_weight, weight.O, weight.C)});
      });
}

void CheckedBackend::rope(Activation* qkv, const float* cosine, const float* sine,
                          const AttentionShape& shape, bool inverse) {
  check(
      "rope",
      [&] {
        return finite({array(qkv, shape.positions(), shape.row()),
                       array(cosine, shape.T, shape.D / 2), array(sine, shape.T, shape.D / 2)});
      },
      [&] { inner_.rope(qkv, cosine, sine, shape, inverse); },
      [&] { return finite(array(qkv, shape.positions(), shape.row())); });
}

void CheckedBackend::attention_forward(Activation* out, float* lse, const Activation* qkv,
                                       const uint32_t* document_start,
                                       const AttentionShape& shape) {
  check(
      "attention_forward", [&] { return finite(array(qkv, shape.positions(), shape.row())); },
      [&] { inner_.attention_forward(out, lse, qkv, document_start, shape); },
      [&] {
        return finite({array(out, shape.positions(), shape.H * shape.D),
                       array(lse, shape.positions(), shape.H)});
      });
}

void CheckedBackend::attention_backward(Activation* d_qkv, const Activation* d_out,
                                        const Activation* out, const float* lse,
                                        const Activation* qkv, const uint32_t* document_start,
                                        const AttentionShape& shape) {
  check(
      "attention_backward",
      [&] {
        return finite({array(d_out, shape.positions(), shape.H * shape.D),
                       array(out, shape.positions(), shape.H * shape.D),
                       array(lse, shape.positions(), shape.H),
                       array(qkv, shape.positions(), shape.row())});
      },
      [&] { inner_.attention_backward(d_qkv, d_out, out, lse, qkv, document_start, shape); },
      [&] { return finite(array(d_qkv, shape.positions(), shape.row())); });
}

void CheckedBackend::swiglu_forward(Activation* out, const Activation* gate_up, int N, int F) {
  check(
      "swiglu_forward", [&] { return finite(array(gate_up, N, 2 * F)); },
      [&] { inner_.swiglu_forward(out, gate_up, N, F); }, [&] { return finite(array(out, N, F)); });
}

void CheckedBackend::swiglu_backward(Activation* d_gate_up, const Activation* d_out,
                                     const Activation* gate_up, int N, int F) {
  check(
      "swiglu_backward",
      [&] {
        return finite({array(d_out, N, F), array(gate_up, N, 2 * F)});
      },
      [&] { inner_.swiglu_backward(d_gate_up, d_out, gate_up, N, F); },
      [&] { return finite(array(d_gate_up, N, 2 * F)); });
}

void CheckedBackend::vocabulary_loss(float* losses, Activation* d_x, float* d_weight,
                                     const Activation* x, const Weight& weight,
                                     const uint32_t* target, int N, float scale) {
  check(
      "vocabulary_loss",
      [&] {
        return finite({array(x, N, weight.C), array(weight.values, weight.O, weight.C),
                       array(d_weight, weight.O, weight.C)});
      },
      [&] { inner_.vocabulary_loss(losses, d_x, d_weight, x, weight, target, N, scale); },
      [&] {
        return finite(
            {array(losses, N, 1), array(d_x, N, weight.C), array(d_weight, weight.O, weight.C)});
      });
}

double CheckedBackend::sum_of_squares(const float* values, uint64_t size) {
  double sum = 0;
  check(
      "sum_of_squares",
      [&] {
        return finite({values, nullptr, size});
      },
      [&] { sum = inner_.sum_of_squares(values, size); }, [&] { return std::isfinite(sum); });
  return sum;
}

// A question, not an operation: its answer is what it is.
bool CheckedBackend::all_finite(const float* values, uint64_t size) {
  return inner_.all_finite(values, size);
}
bool CheckedBackend::all_finite(const Activation* values, uint64_t size) {
  return inner_.all_finite(values, size);
}

void CheckedBackend::combine(float* out, float a, const float* x, float b, const float* y,
                             uint64_t size) {
  check(
      "combine",
      [&] {
        return finite({{x, nullptr, size}, {y, nullptr, size}});
      },
      [&] { inner_.combine(out, a, x, b, y, size); },
      [&] {
        return finite({out, nullptr, size});
      });
}

void CheckedBackend::adamw(float* theta, float* m, float* v, const float* gradient, uint64_t size,
                           const AdamwStep& step) {
  const auto moved = [&] {
    return finite({{theta, nullptr, size}, {m, nullptr, size}, {v, nullptr, size}});
  };
  check(
      "adamw",
      [&] {
        return moved() && finite({gradient, nullptr, size});
      },
      [&] { inner_.adamw(theta, m, v, gradient, size, step); }, moved);
}

void CheckedBackend::product(float* out, const float* a, const float* b, bool b_transposed, int M,
                             int N, int K, float scale, float keep) {
  const auto read = [&] {
    return finite({array(a, M, K), array(b, K, N)}) && (keep == 0 || finite(array(out, M, N)));
  };
  check(
      "product", read, [&] { inner_.product(out, a, b, b_transposed, M, N, K, scale, keep); },
      [&] { return finite(array(out, M, N)); });
}

}  // namespace train
