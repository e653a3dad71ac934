// What the codec study encodes: numbers drawn by a seed, raw files, saved error feedback.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "compress/layout.h"

namespace bench {

struct StudyInput {
  std::string name;
  compress::Layout layout;
  std::vector<float> values;  // (N)
};

// Matrices of rows x cols. Of each kind: what one value is, and what its row's scale is.
//   gaussian    normal                  1
//   laplace     two exponentials        1
//   student     t with 3 degrees        1
//   rows0.5     normal                  e^(0.5 normal)
//   rows1.0     normal                  e^normal
//   mixture     t with 3 degrees        e^(0.5 normal)
inline constexpr std::string_view kKinds[] = {"gaussian", "laplace", "student",
                                              "rows0.5",  "rows1.0", "mixture"};
// Pre: `kind` is one of them.
StudyInput draw(std::string_view kind, uint32_t rows, uint32_t cols, uint64_t seed, uint32_t tile,
                uint32_t keep);

// "FILE:ROWSxCOLS": fp32, little-endian, row by row. kInvalidArgument, or what reading it says.
common::Result<StudyInput> read_raw(const std::string& file_and_shape, uint32_t tile,
                                    uint32_t keep);

// Error feedback of a miner (compress/error_feedback.h) of the network of these hparams; `tile` and
// `keep` instead of theirs, where not 0.
common::Result<StudyInput> read_feedback(const std::filesystem::path& file,
                                         const std::filesystem::path& hparams, uint32_t tile,
                                         uint32_t keep);

}  // namespace bench
