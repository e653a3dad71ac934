#include "tests/bench/register_peak.h"

#include <time.h>

#include <algorithm>

// Highway compiles the next part once for each instruction set.
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tests/bench/register_peak.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace bench::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// Twelve sums: units times cycles of latency, on every processor of the last ten years. Each starts
// from a number of its own, so that they are not seen to be one.
double multiply_add(int rounds, float* numbers) {
  const hn::CappedTag<float, 16> d;
  const auto a = hn::LoadU(d, numbers);
  const auto b = hn::LoadU(d, numbers + 16);
  const auto start = [&](int i) HWY_ATTR { return hn::LoadU(d, numbers + 16 * (i + 2)); };
  auto s0 = start(0), s1 = start(1), s2 = start(2), s3 = start(3), s4 = start(4), s5 = start(5);
  auto s6 = start(6), s7 = start(7), s8 = start(8), s9 = start(9), s10 = start(10);
  auto s11 = start(11);
  for (int round = 0; round < rounds; ++round) {
    s0 = hn::MulAdd(a, b, s0);
    s1 = hn::MulAdd(a, b, s1);
    s2 = hn::MulAdd(a, b, s2);
    s3 = hn::MulAdd(a, b, s3);
    s4 = hn::MulAdd(a, b, s4);
    s5 = hn::MulAdd(a, b, s5);
    s6 = hn::MulAdd(a, b, s6);
    s7 = hn::MulAdd(a, b, s7);
    s8 = hn::MulAdd(a, b, s8);
    s9 = hn::MulAdd(a, b, s9);
    s10 = hn::MulAdd(a, b, s10);
    s11 = hn::MulAdd(a, b, s11);
  }
  const auto low = hn::Add(hn::Add(hn::Add(s0, s1), hn::Add(s2, s3)), hn::Add(s4, s5));
  const auto high = hn::Add(hn::Add(hn::Add(s6, s7), hn::Add(s8, s9)), hn::Add(s10, s11));
  hn::StoreU(hn::Add(low, high), d, numbers);
  return 12.0 * 2.0 * static_cast<double>(hn::Lanes(d)) * rounds;
}

}  // namespace
}  // namespace bench::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bench {
namespace {

HWY_EXPORT(multiply_add);

constexpr int kRounds = 20000;

// Each gives the number of additions and multiplications it did.
double fp32() {
  float numbers[14 * 16] = {};
  return HWY_DYNAMIC_DISPATCH(multiply_add)(kRounds, numbers);
}

#if defined(__x86_64__)
[[gnu::target("avx512f")]] double pairs_of_bf16() {
  for (int round = 0; round < kRounds; ++round) {
    asm volatile(
        "vdpbf16ps %%zmm30, %%zmm31, %%zmm0\n vdpbf16ps %%zmm30, %%zmm31, %%zmm1\n"
        "vdpbf16ps %%zmm30, %%zmm31, %%zmm2\n vdpbf16ps %%zmm30, %%zmm31, %%zmm3\n"
        "vdpbf16ps %%zmm30, %%zmm31, %%zmm4\n vdpbf16ps %%zmm30, %%zmm31, %%zmm5\n"
        "vdpbf16ps %%zmm30, %%zmm31, %%zmm6\n vdpbf16ps %%zmm30, %%zmm31, %%zmm7\n"
        "vdpbf16ps %%zmm30, %%zmm31, %%zmm8\n vdpbf16ps %%zmm30, %%zmm31, %%zmm9\n"
        "vdpbf16ps %%zmm30, %%zmm31, %%zmm10\n vdpbf16ps %%zmm30, %%zmm31, %%zmm11\n"
        "vdpbf16ps %%zmm30, %%zmm31, %%zmm12\n vdpbf16ps %%zmm30, %%zmm31, %%zmm13\n"
        "vdpbf16ps %%zmm30, %%zmm31, %%zmm14\n vdpbf16ps %%zmm30, %%zmm31, %%zmm15\n" ::
            : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
              "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
  }
  return 16.0 * 64.0 * kRounds;
}

double tiles() {
  constexpr int kFewer = kRounds / 20;
  asm volatile("tilezero %tmm4\n tilezero %tmm5\n tilezero %tmm6\n tilezero %tmm7");
  asm volatile("tilezero %tmm0\n tilezero %tmm1\n tilezero %tmm2\n tilezero %tmm3");
  for (int round = 0; round < kFewer; ++round) {
    asm volatile(
        "tdpbf16ps %tmm6, %tmm4, %tmm0\n tdpbf16ps %tmm7, %tmm4, %tmm1\n"
        "tdpbf16ps %tmm6, %tmm5, %tmm2\n tdpbf16ps %tmm7, %tmm5, %tmm3\n");
  }
  return 4.0 * 2.0 * 16.0 * 16.0 * 32.0 * kFewer;
}
#else
double pairs_of_bf16() { return 0; }
double tiles() { return 0; }
#endif

double thread_seconds() {
  timespec spent{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
  return static_cast<double>(spent.tv_sec) + 1e-9 * static_cast<double>(spent.tv_nsec);
}

}  // namespace

double register_peak(const train::cpu::TileKernel& kernel) {
  kernel.begin_thread();
  const auto run = kernel.name == "amx"           ? tiles
                   : kernel.name == "avx512_bf16" ? pairs_of_bf16
                                                  : fp32;
  double best = 0;
  for (int i = 0; i < 100; ++i) {
    const double start = thread_seconds();
    const double flops = run();
    best = std::max(best, 1e-9 * flops / (thread_seconds() - start));
  }
  return best;
}

}  // namespace bench
#endif  // HWY_ONCE
