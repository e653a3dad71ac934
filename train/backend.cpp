#include "train/backend.h"

#include <algorithm>
#include <cstdlib>

#include "common/check.h"

namespace train {

void* Backend::allocate_host(size_t size_bytes) {
  constexpr size_t kAlignment = 64;
  const size_t whole = (std::max(size_bytes, size_t{1}) + kAlignment - 1) / kAlignment * kAlignment;
  void* const memory = std::aligned_alloc(kAlignment, whole);
  CHECK_MSG(memory != nullptr, "out of memory");
  return memory;
}

void Backend::release_host(void* memory) { std::free(memory); }

}  // namespace train
