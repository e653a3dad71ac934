#include "tests/allocation_meter.h"

#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <new>

namespace tests {
namespace {

std::atomic<uint64_t> g_held = 0;
std::atomic<uint64_t> g_peak = 0;
std::atomic<uint64_t> g_largest = 0;
std::atomic<uint64_t> g_count = 0;

void raise(std::atomic<uint64_t>& most, uint64_t now) {
  for (uint64_t old = most; old < now && !most.compare_exchange_weak(old, now);) {
  }
}

// The system refuses more in any case, and a sanitizer's allocator ends the program.
constexpr size_t kRefused = size_t{1} << 40;

// Null if there is none.
void* ask(size_t size, size_t alignment) {
  ++g_count;
  raise(g_largest, size);
  raise(g_peak, g_held + size);
  if (size >= kRefused) return nullptr;
  void* const at = alignment == 0
                       ? std::malloc(std::max(size, size_t{1}))
                       : std::aligned_alloc(alignment, (size + alignment - 1) & ~(alignment - 1));
  // What the system gave, for that is known when it is given back.
  if (at != nullptr) raise(g_peak, g_held += malloc_usable_size(at));
  return at;
}

void* insist(size_t size, size_t alignment) {
  void* const at = ask(size, alignment);
  if (at == nullptr) throw std::bad_alloc();
  return at;
}

void give_back(void* at) {
  if (at == nullptr) return;
  g_held -= malloc_usable_size(at);
  std::free(at);
}

}  // namespace

AllocationMeter::AllocationMeter() : held_before_(g_held), count_before_(g_count) {
  g_peak = held_before_;
  g_largest = 0;
}

uint64_t AllocationMeter::peak() const { return g_peak - held_before_; }
uint64_t AllocationMeter::largest() const { return g_largest; }
uint64_t AllocationMeter::count() const { return g_count - count_before_; }

}  // namespace tests

// Arrays come to these, too, but not where a sanitizer has its own; then they come and go there.
// Source: [new.delete.single] of the standard.
void* operator new(size_t size) { return tests::insist(size, 0); }
void* operator new(size_t size, const std::nothrow_t&) noexcept { return tests::ask(size, 0); }
void* operator new(size_t size, std::align_val_t alignment) {
  return tests::insist(size, static_cast<size_t>(alignment));
}
void* operator new(size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return tests::ask(size, static_cast<size_t>(alignment));
}
void operator delete(void* at) noexcept { tests::give_back(at); }
void operator delete(void* at, size_t) noexcept { tests::give_back(at); }
void operator delete(void* at, const std::nothrow_t&) noexcept { tests::give_back(at); }
void operator delete(void* at, std::align_val_t) noexcept { tests::give_back(at); }
void operator delete(void* at, size_t, std::align_val_t) noexcept { tests::give_back(at); }
void operator delete(void* at, std::align_val_t, const std::nothrow_t&) noexcept {
  tests::give_back(at);
}
