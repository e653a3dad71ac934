// A model with every kind of edge: cut tiles, vectors, single values. What the codecs' fuzz targets
// decode for, and their seeds are made of.
#pragma once

#include <vector>

#include "common/check.h"
#include "compress/codec.h"

namespace fuzz {

inline const compress::Layout& edges() {
  const auto tensor = [](uint32_t rows, uint32_t cols) {
    return compress::Tensor{.name = {}, .rows = rows, .cols = cols, .offset = 0};
  };
  static const compress::Layout layout({tensor(17, 19), tensor(1, 130), tensor(8, 8), tensor(1, 1)},
                                       64, 5);
  return layout;
}

// Its values in one array.
inline std::vector<float> dense_values(const compress::Update& update) {
  std::vector<float> values(edges().parameter_count(), 0.0F);
  compress::add_to(values, update, edges(), std::vector<float>(edges().tensors().size(), 1.0F));
  return values;
}

// What `codec` accepts is the one encoding of what it decodes to (CHECK).
inline void check_canonical(const compress::Codec& codec, compress::ByteView body) {
  const auto update = codec.decode(body, edges());
  if (!update) return;
  CHECK(codec.encode(dense_values(*update), edges()) == compress::Bytes(body.begin(), body.end()));
}

}  // namespace fuzz
