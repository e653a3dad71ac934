// Whether a card's codec, real or emulated, does what the CPU's does: what the tests of both share.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "compress/cuda_codec.h"
#include "tests/compress/support.h"

namespace compress::testing {

// One window of feedback: the same bytes, sizes and e. `codec` is of `range`, all pieces unless
// said; e and delta (N).
bool feedback_is_the_cpus(CudaCodec& codec, const Layout& layout, const std::vector<float>& e,
                          const std::vector<float>& delta,
                          std::optional<PieceRange> range = std::nullopt);

// What both say of a body whose table is right (CHECK); nothing if they differ, be it in a sum.
std::optional<Verdict> judges_as_the_cpu(CudaCodec& codec, const Layout& layout, ByteView body);

// G and theta of so many miners.
bool sums_are_the_cpus(CudaCodec& codec, const Layout& layout, size_t miners,
                       const std::string& divide, const std::string& rule);

// Theta with a body on it, and theta afterwards.
bool trial_is_the_cpus(CudaCodec& codec, const Layout& layout, uint64_t seed);

// Puts one on and does not take it off.
void forget_a_trial(CudaCodec& codec, const Layout& layout);

}  // namespace compress::testing
