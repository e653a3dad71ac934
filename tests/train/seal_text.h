// Text to seal, for the tests of sealing.
#pragma once

#include <algorithm>
#include <cstring>

#include "common/bytes.h"
#include "common/philox.h"

namespace train {

// As good as random, the same on every machine; another for every size.
inline common::Bytes text_of(size_t size) {
  common::Philox random(size);
  common::Bytes text(size);
  for (size_t i = 0; i < size; i += 4) {
    const uint32_t word = random.next32();
    std::memcpy(&text[i], &word, std::min<size_t>(4, size - i));
  }
  return text;
}

}  // namespace train
