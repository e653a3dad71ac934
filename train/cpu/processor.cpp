#include "train/cpu/processor.h"

#include <time.h>

#include <algorithm>
#include <limits>

#include "train/cpu/gemm.h"

namespace train::cpu {
namespace {

using common::Code;
using common::Error;
using common::Result;

// Two row blocks and several column blocks of any kernel, deep enough for its portions, and small
// enough for the second cache.
constexpr int kM = 128;
constexpr int kN = 256;
constexpr int kK = 256;
constexpr int kRuns = 6;

// Over OpenBLAS's fp32. Products are not all of a training step, and bf16 costs accuracy.
constexpr double kGainWanted = 1.25;

// How long this thread has run.
double thread_seconds() {
  timespec spent{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
  return static_cast<double>(spent.tv_sec) + 1e-9 * static_cast<double>(spent.tv_nsec);
}

// The best of a few runs, after one to wake the caches and the vector units.
template <typename Product>
double measure_gflops(const Product& product) {
  product();
  double best = std::numeric_limits<double>::infinity();
  for (int run = 0; run < kRuns; ++run) {
    const double start = thread_seconds();
    product();
    best = std::min(best, thread_seconds() - start);
  }
  return 2e-9 * kM * kN * kK / std::max(best, 1e-9);
}

struct Operands {
  struct alignas(64) Line {
    Bf16 values[32];
  };

  Operands()
      : left(packed_size(kM, kK) / 32, ones()),
        right(packed_size(kN, kK) / 32, ones()),
        a(static_cast<size_t>(kM * kK), 1.0F),
        b(static_cast<size_t>(kK * kN), 1.0F),
        out(static_cast<size_t>(kM * kN)) {}

  static Line ones() {
    Line line;
    std::fill(std::begin(line.values), std::end(line.values), to_bf16(1.0F));
    return line;
  }

  TileProduct product() {
    const auto panel_stride = static_cast<size_t>(tiles_deep(kK) * kTileSize);
    return {.out = out.data(),
            .stride = kN,
            .left = {left.data()->values, panel_stride},
            .right = {right.data()->values, panel_stride},
            .row_panels = panels(kM),
            .column_panels = panels(kN),
            .depth = tiles_deep(kK),
            .adds = false};
  }

  std::vector<Line> left;
  std::vector<Line> right;
  std::vector<float> a;
  std::vector<float> b;
  std::vector<float> out;
};

Processor measure() {
  Operands operands;
  Processor result{.speeds = {}, .kernel = nullptr, .prefers_bf16 = false};
  double best = 0;
  for (const TileKernel& kernel : tile_kernels()) {
    if (!kernel.runs_here()) continue;
    kernel.begin_thread();
    const double gflops = measure_gflops([&] { kernel.multiply(operands.product()); });
    result.speeds.push_back({kernel.name, gflops});
    if (gflops > best) {
      best = gflops;
      result.kernel = &kernel;
    }
  }
  const double fp32 = measure_gflops([&] {
    gemm(operands.out.data(), kN, {operands.a.data(), kK}, {operands.b.data(), kN}, kM, kN, kK);
  });
  result.speeds.push_back({kOpenblas, fp32});
  result.prefers_bf16 = best >= kGainWanted * fp32;
  return result;
}

}  // namespace

std::string Processor::describe() const {
  std::string text;
  for (const ProductSpeed& speed : speeds) {
    if (!text.empty()) text += ", ";
    text += std::string(speed.name) + " " + std::to_string(static_cast<int64_t>(speed.gflops));
  }
  text += " GFLOP/s a thread: ";
  return text + (prefers_bf16 ? "bf16 by " + std::string(kernel->name) : "fp32");
}

const Processor& processor() {
  static const Processor measured = measure();
  return measured;
}

Result<const TileKernel*> choose_kernel(std::string_view name) {
  if (name == "auto") return processor().kernel;
  std::string known = "auto";
  for (const TileKernel& kernel : tile_kernels()) {
    if (!kernel.runs_here()) continue;
    if (kernel.name == name) return &kernel;
    known += ", " + std::string(kernel.name);
  }
  return Error{Code::kInvalidArgument, "no kernel '" + std::string(name) +
                                           "' for matrix products runs on this processor; it has " +
                                           known};
}

}  // namespace train::cpu
