#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "train/cpu/backend.h"
#include "train/cpu/processor.h"
#include "train/cuda/backend.h"
#include "train/model.h"

namespace train {
namespace {

constexpr int kThreadsMax = 1024;

std::optional<int> number(std::string_view text, int most) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (value < 0 || value > most) return std::nullopt;
  return value;
}

}  // namespace

common::Result<std::unique_ptr<Backend>> make_backend(std::string_view device, uint32_t threads,
                                                      std::optional<Precision> precision) {
  const size_t colon = device.find(':');
  const std::string_view kind = device.substr(0, colon);
  std::optional<int> count;  // What follows the colon.
  bool good = kind == "cpu" || kind == "cuda";
  if (colon != std::string_view::npos) {
    count = number(device.substr(colon + 1), kThreadsMax);
    good = good && count.has_value() && (kind == "cuda" || *count > 0);
  }
  if (!good || threads > kThreadsMax) {
    return common::Error{common::Code::kInvalidArgument,
                         "device '" + std::string(device) +
                             "': it must be cpu, cpu:THREADS (1 to 1024) or cuda:NUMBER"};
  }
  if (kind == "cuda") {
    return make_cuda_backend(count.value_or(0), precision.value_or(Precision::kBf16));
  }
  if (!count && threads > 0) count = static_cast<int>(threads);
  if (!count) count = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  if (!precision) {
    precision = cpu::processor().prefers_bf16 ? Precision::kBf16 : Precision::kFp32;
  }
  return make_cpu_backend(*count, *precision);
}

}  // namespace train
