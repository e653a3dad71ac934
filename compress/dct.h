// The orthonormal DCT-II of a tile, along both its dimensions, and its inverse: the same bits from
// every compiler on every machine.
//
//   y[k] = c(k) sum over i of x[i] cos(pi (2 i + 1) k / (2 n)),   c(0) = sqrt(1 / n), else sqrt(2 /
//   n)
//
// Why the bits are the same: cosines are a Taylor series in fp64 in one order, after a reduction in
// whole numbers (libm's cos differs between machines), multiplied by a correctly rounded square
// root and rounded to fp32 once; sums are fp32, by ascending term, each operation rounded on its
// own. What a decoder makes of it goes into the bit-exact island.
//
// Source: Ahmed, Natarajan, Rao 1974; the tiles of DeMo, arXiv:2411.19870.
#pragma once

#include <cstdint>
#include <span>

namespace compress {

inline constexpr uint32_t kDctMax = 64;

// In place; `tile` (rows, cols), row by row, each at most kDctMax. A single row may be longer: it
// is transformed in runs of kDctMax, the last one shorter, as DeMo does with vectors.
// Cost: (rows + cols) / 2 multiplications a value; the symmetry of cosines saves as many.
void dct(std::span<float> tile, uint32_t rows, uint32_t cols);
void inverse_dct(std::span<float> tile, uint32_t rows, uint32_t cols);

// cos(pi * numerator / denominator), within 2^-52.  Pre: 0 < denominator < 2^20.
double cos_pi(uint32_t numerator, uint32_t denominator);

}  // namespace compress
