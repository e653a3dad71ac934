// A model with every kind of edge: cut tiles, vectors, single values. What the codecs' fuzz targets
// decode for, and their seeds are made of.
#pragma once

#include <vector>

#include "common/byte_source.h"
#include "common/check.h"
#include "compress/body_stream.h"
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

// A body is judged piece by piece as it is decoded as a whole, and its sum is itself (CHECK).
inline void check_streamed(const compress::Codec& codec, compress::ByteView body) {
  const auto update = codec.decode(body, edges());
  const auto format = codec.format(edges());
  const common::MemorySource source(body);
  const auto opened = *compress::StoredBody::open(source, 0, body.size(), *format);
  CHECK(opened || opened.error() == update.error());
  if (!opened) return;
  const auto sums = *compress::judge_body(*opened, *format, 1);
  CHECK(sums.has_value() == update.has_value());
  CHECK(sums || sums.error() == update.error());
  if (!sums) return;

  const std::vector<float> wanted = dense_values(*update);
  const std::vector<float> scale(edges().tensors().size(), 1.0F);
  const auto sum = format->sum(false);
  for (size_t i = 0; i < format->pieces().size(); ++i) {
    const compress::Piece& piece = format->pieces()[i];
    compress::Bytes bytes;
    CHECK(opened->read(i, bytes).has_value());
    const compress::ScaledPiece one{bytes, opened->piece_size(i), scale};
    std::vector<float> G(piece.count);
    CHECK(!sum->sum(i, {&one, 1}, G));
    for (size_t j = 0; j < G.size(); ++j) CHECK(G[j] == wanted[piece.first + j]);
  }
}

}  // namespace fuzz
