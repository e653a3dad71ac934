// What the tests of compress share: models to encode, numbers to fill them with, a dense view of an
// update.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "common/bytes.h"
#include "common/hparams.h"
#include "compress/layout.h"
#include "compress/update.h"

namespace compress::testing {

// A layout of tensors named "0", "1", ... of these shapes.
Layout layout_of(const std::vector<std::pair<uint32_t, uint32_t>>& shapes, uint32_t tile = 4096,
                 uint32_t keep = 64);

// Every kind of edge in 4 KB: tiles of 8 x 8 and cut ones, vectors of one tile, of several, of one
// value.
Layout small_layout();

// Mean 0, variance 1, nearly normal; the same on every machine.
std::vector<float> gaussian(uint64_t count, uint64_t seed);

// Numbers of a kind: ordinary, many zeros, few different ones, many scales, two levels; all zero,
// all equal, denormal, huge.
inline constexpr uint32_t kKinds = 9;
std::vector<float> of_kind(uint32_t kind, uint64_t count, uint64_t seed);

std::vector<float> dense(const Update& update, const Layout& layout);

// The update of one tensor that `values` is, zeros not sent.
Update sparse(std::span<const float> values);

common::OuterParams outer_params(std::string divide = "contributors", double norm_floor = 0);

}  // namespace compress::testing
