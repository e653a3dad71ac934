// The inner loops of the decoder; Highway chooses the instructions of the machine it runs on.
#pragma once

#include <cstddef>

namespace train::decoder {

// Sequences of positions that are worked through at once.
inline constexpr int kBlock = 32;

// out[n * O + o] = x[n, :] . weight[o, :]   for o in [first, last), n in [0, N)
//   x (N, C)     weight (O, C)     out (N, O)
// A sum does not depend on N, first or last.
void products(float* out, const float* x, const float* weight, int N, int C, int O, int first,
              int last);

// One head of one position over `count` positions:
//   out = sum_s p[s] values[s],  p = softmax over s of  scale * query . keys[s]
//   query, out (D)     keys, values (count, D) with `stride` floats from row to row
//   scratch (count)
void attend(float* out, const float* query, const float* keys, const float* values, int count,
            size_t stride, int D, float scale, float* scratch);

// out = x / rms(x) * weight     (C)
void rmsnorm(float* out, const float* x, const float* weight, int C, float epsilon);

// out = silu(gate) * up     (F)
void swiglu(float* out, const float* gate, const float* up, int F);

}  // namespace train::decoder
