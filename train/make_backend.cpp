#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string>
#include <thread>

#include "common/devices.h"
#include "train/cpu/backend.h"
#include "train/cpu/processor.h"
#include "train/cuda/backend.h"
#include "train/model.h"

namespace train {
namespace {

using common::Error;
using common::Result;

// One of common::parse_devices.
Result<std::unique_ptr<Backend>> open(const std::string& device, uint32_t threads,
                                      std::optional<Precision> precision) {
  int number = 0;  // What follows the colon.
  const size_t colon = std::min(device.find(':'), device.size() - 1);
  std::from_chars(device.data() + colon + 1, device.data() + device.size(), number);
  if (device.starts_with("cuda")) {
    return make_cuda_backend(number, precision.value_or(Precision::kBf16));
  }
  if (number == 0) number = static_cast<int>(threads);
  if (number == 0) number = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  if (!precision) {
    precision = cpu::processor().prefers_bf16 ? Precision::kBf16 : Precision::kFp32;
  }
  return make_cpu_backend(number, *precision);
}

}  // namespace

Result<std::vector<std::unique_ptr<Backend>>> make_backends(std::string_view devices,
                                                            uint32_t threads,
                                                            std::optional<Precision> precision) {
  const auto names = common::parse_devices(devices);
  if (!names) return common::within(fmt::format("device '{}'", devices), names.error());
  std::vector<std::unique_ptr<Backend>> backends;
  for (const std::string& name : *names) {
    TRY(backends.emplace_back(), open(name, threads, precision));
  }
  return backends;
}

Result<std::unique_ptr<Backend>> make_backend(std::string_view device, uint32_t threads,
                                              std::optional<Precision> precision) {
  TRY(auto backends, make_backends(device, threads, precision));
  if (backends.size() > 1) {
    return Error{common::Code::kInvalidArgument,
                 fmt::format("device '{}': should be one here, not {}", device, backends.size())};
  }
  return std::move(backends.front());
}

}  // namespace train
