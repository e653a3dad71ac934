#include "tests/bench/study_input.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include "common/check.h"
#include "common/files.h"
#include "common/hparams.h"
#include "common/philox.h"
#include "compress/error_feedback.h"
#include "train/model.h"

namespace bench {
namespace {

using common::Code;
using common::Error;
using common::Philox;
using common::Result;

double exponential(Philox& random) { return -std::log1p(-random.unit()); }

double student3(Philox& random) {
  double chi_square = 0;
  for (int i = 0; i < 3; ++i) chi_square += std::pow(random.normal(), 2);
  return random.normal() / std::sqrt(chi_square / 3 + 1e-12);
}

double value(std::string_view kind, Philox& random) {
  if (kind == "laplace") return exponential(random) - exponential(random);
  if (kind == "student" || kind == "mixture") return student3(random);
  return random.normal();
}

double row_deviation(std::string_view kind) {
  if (kind == "rows1.0") return 1;
  return kind == "rows0.5" || kind == "mixture" ? 0.5 : 0;
}

compress::Layout matrix(uint32_t rows, uint32_t cols, uint32_t tile, uint32_t keep) {
  return {{{.name = "matrix", .rows = rows, .cols = cols}}, tile, keep};
}

// The number that all of `text` is, or 0.
uint32_t number(std::string_view text) {
  uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? value : 0;
}

// `input`, unless no codec could send it.
Result<StudyInput> usable(StudyInput input) {
  const auto bad = std::find_if_not(input.values.begin(), input.values.end(),
                                    [](float value) { return std::isfinite(value); });
  if (bad != input.values.end()) {
    return Error{Code::kInvalidArgument, input.name + ": value " +
                                             std::to_string(bad - input.values.begin()) +
                                             " is NaN or infinity"};
  }
  const auto is_zero = [](float value) { return value == 0; };
  if (std::all_of(input.values.begin(), input.values.end(), is_zero)) {
    return Error{Code::kInvalidArgument, input.name + " is all zeros: there is nothing to send"};
  }
  return input;
}

}  // namespace

StudyInput draw(std::string_view kind, uint32_t rows, uint32_t cols, uint64_t seed, uint32_t tile,
                uint32_t keep) {
  StudyInput input{std::string(kind), matrix(rows, cols, tile, keep), {}};
  input.values.reserve(input.layout.parameter_count());
  Philox random(seed);
  for (uint32_t row = 0; row < rows; ++row) {
    const double scale = 1e-3 * std::exp(row_deviation(kind) * random.normal());
    for (uint32_t col = 0; col < cols; ++col) {
      input.values.push_back(static_cast<float>(scale * value(kind, random)));
    }
  }
  return input;
}

Result<StudyInput> read_raw(const std::string& file_and_shape, uint32_t tile, uint32_t keep) {
  const std::string_view text = file_and_shape;
  const size_t colon = text.rfind(':');
  const size_t cross = text.rfind('x');
  uint32_t rows = 0, cols = 0;
  if (colon != text.npos && cross != text.npos && cross > colon) {
    rows = number(text.substr(colon + 1, cross - colon - 1));
    cols = number(text.substr(cross + 1));
  }
  if (rows == 0 || cols == 0) {
    return Error{Code::kInvalidArgument,
                 file_and_shape + ": say FILE:ROWSxCOLS, such as grad.f32:1024x4096"};
  }
  const std::filesystem::path file = text.substr(0, colon);
  const uint64_t size = uint64_t{rows} * cols * sizeof(float);
  TRY(const common::Bytes bytes, common::read_file(file, size));
  if (bytes.size() != size) {
    return Error{Code::kInvalidArgument, file.string() + " has " + std::to_string(bytes.size()) +
                                             " bytes, not the " + std::to_string(size) +
                                             " of that shape in fp32"};
  }
  StudyInput input{file.filename().string(), matrix(rows, cols, tile, keep), {}};
  input.values.resize(input.layout.parameter_count());
  std::memcpy(input.values.data(), bytes.data(), size);
  return usable(std::move(input));
}

Result<StudyInput> read_feedback(const std::filesystem::path& file,
                                 const std::filesystem::path& hparams, uint32_t tile,
                                 uint32_t keep) {
  TRY(common::Hparams params, common::Hparams::load(hparams));
  if (tile != 0) params.codec.tile = tile;
  if (keep != 0) params.codec.keep = keep;
  StudyInput input{
      file.filename().string(), train::parameter_layout(params.model, params.codec), {}};
  compress::ErrorFeedback feedback(input.layout.parameter_count(), params.codec.feedback_decay);
  TRY(const common::Window window, feedback.load(file));
  input.name += " of window " + std::to_string(window.index);
  input.values.assign(feedback.values().begin(), feedback.values().end());
  return usable(std::move(input));
}

}  // namespace bench
