#include "train/cpu/tiles_amx.h"

#include "train/cpu/tiles_kernels.h"

#if defined(__x86_64__) && defined(__linux__)

#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace train::cpu {
namespace {

// Spelled out, for g++'s intrinsics take no template parameter as the number of a register.
struct AmxRegisters {
  template <int T>
  static void zero() {
    asm volatile("tilezero %%tmm%c0" ::"i"(T));
  }
  template <int T>
  static void load(const void* from, ptrdiff_t bytes) {
    asm volatile("tileloadd (%0,%1,1), %%tmm%c2" ::"r"(from), "r"(bytes), "i"(T) : "memory");
  }
  template <int T>
  static void store(void* to, ptrdiff_t bytes) {
    asm volatile("tilestored %%tmm%c2, (%0,%1,1)" ::"r"(to), "r"(bytes), "i"(T) : "memory");
  }
  template <int D, int A, int B>
  static void multiply() {
    asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(D), "i"(A), "i"(B));
  }
};

// All eight tile registers at their full size: 16 rows of 64 bytes. The layout is that of
// LDTILECFG.
struct alignas(64) TileConfiguration {
  uint8_t palette = 1;
  uint8_t start_row = 0;
  uint8_t reserved[14] = {};
  uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
static_assert(sizeof(TileConfiguration) == 64);

// The registers are the thread's from its first product to its end; idle ones would make every
// switch of threads save 8 KiB.
struct ThreadRegisters {
  ThreadRegisters() {
    const TileConfiguration configuration;
    asm volatile("ldtilecfg %0" ::"m"(configuration));
  }
  ~ThreadRegisters() { asm volatile("tilerelease"); }
};

void begin_amx_thread() { static thread_local const ThreadRegisters registers; }

bool processor_has_amx() {
  constexpr unsigned kOsSaves = 1U << 27;  // Leaf 1, ecx: OSXSAVE
  constexpr unsigned kAmxBf16 = 1U << 22;  // Leaf 7, edx
  constexpr unsigned kAmxTile = 1U << 24;
  constexpr unsigned kTileStates = 3U << 17;  // XCR0: XTILECFG, XTILEDATA
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & kOsSaves) == 0) return false;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return false;
  if ((d & kAmxBf16) == 0 || (d & kAmxTile) == 0) return false;
  unsigned low = 0;
  unsigned high = 0;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (low & kTileStates) == kTileStates;
}

// Linux lends the large registers to a process that asks (kernel documentation, x86/xstate.rst);
// the permission holds for all its threads.
bool amx_runs_here() {
  constexpr long kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr long kTileData = 18;
  static const bool permitted =
      processor_has_amx() && syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
  return permitted;
}

}  // namespace

TileKernel amx_kernel() {
  return {.name = "amx",
          .runs_here = amx_runs_here,
          .begin_thread = begin_amx_thread,
          .multiply = multiply_by_tiles<AmxRegisters>,
          .block = {.row_panels = 32, .column_panels = 16, .depth = 8}};
}

}  // namespace train::cpu

#else

namespace train::cpu {

TileKernel amx_kernel() {
  return {.name = "amx",
          .runs_here = [] { return false; },
          .begin_thread = [] {},
          .multiply = [](const TileProduct&) {},
          .block = {.row_panels = 32, .column_panels = 16, .depth = 8}};
}

}  // namespace train::cpu

#endif  // __x86_64__ && __linux__
