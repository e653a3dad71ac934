// Every way in for a stranger's body; all must say the same of it.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "compress/contribution.h"
#include "compress/demo.h"
#include "tests/compress/stored.h"

namespace compress::testing {

// One codec of one layout (64 values a tile, 5 kept, unless given), and an honest hotkey.
class Doors {
 public:
  Doors(const std::string& name, const Layout& layout, uint32_t tile = 64, uint32_t keep = 5)
      : layout_(layout),
        codec_(
            make_codec({.name = name, .tile = tile, .keep = keep, .feedback_decay = 0.95}).value()),
        format_(codec_->format(layout)) {}

  const Codec& codec() const { return *codec_; }
  const BodyFormat& format() const { return *format_; }
  const Layout& layout() const { return layout_; }
  Bytes encode(std::span<const float> values) const { return codec_->encode(values, layout_); }

  // As a source of pieces.
  Verdict streamed(ByteView body, uint32_t threads = 1) const {
    const common::MemorySource source(body);
    const auto opened = *StoredBody::open(source, 0, body.size(), *format_);
    if (!opened) return opened.error();
    const auto sums = *judge_body(*opened, *format_, threads);
    return sums ? Verdict::kAccepted : sums.error();
  }
  // As a whole in memory.
  Verdict in_memory(ByteView body) const {
    const auto update = codec_->decode(body, layout_);
    return update ? Verdict::kAccepted : update.error();
  }
  // In a contribution that is right in everything else.
  Verdict contributed(ByteView body) const {
    const Bytes bytes = serialise({header(), Bytes(body.begin(), body.end())}, alice_);
    return examined(bytes);
  }
  Verdict examined(ByteView bytes) const {
    const common::MemorySource source(bytes);
    const auto found = *examine(source, *format_, expected(), 2);
    return found ? Verdict::kAccepted : found.error();
  }
  // What all of them say.
  Verdict judge(ByteView body) const {
    const Verdict verdict = in_memory(body);
    EXPECT_EQ(streamed(body, 1), verdict) << common::name(verdict);
    EXPECT_EQ(streamed(body, 2), verdict) << common::name(verdict);
    EXPECT_EQ(contributed(body), verdict) << common::name(verdict);
    return verdict;
  }

  // What `body`, which is accepted, would be written as.
  Bytes written_again(ByteView body) const {
    if (const auto* demo = dynamic_cast<const Demo*>(codec_.get())) {
      return demo->encode_coefficients(dense(*demo->decode_coefficients(body, layout_), layout_),
                                       layout_);
    }
    return encode(dense(*codec_->decode(body, layout_), layout_));
  }
  // Templar's levels are means of what is not sent: see compress/templar.h.
  bool one_to_one() const { return codec_->name() != "templar"; }

  const common::Keypair& alice() const { return alice_; }
  ContributionHeader header() const {
    ContributionHeader made;
    made.netuid = 3;
    made.uid = {12};
    made.window = {345};
    made.hotkey = alice_.account();
    made.steps = 30;
    made.token_count = 1000;
    return made;
  }
  Expected expected() const {
    return {.netuid = 3,
            .uid = {12},
            .window = {345},
            .hotkey = alice_.account(),
            .hparams_hash = {},
            .base_root = {},
            .steps_max = 30};
  }

 private:
  const Layout& layout_;
  std::unique_ptr<Codec> codec_;
  std::unique_ptr<const BodyFormat> format_;
  common::Keypair alice_ = common::Keypair::from_uri("//Alice").value();
};

// The sizes of the pieces of a good body.
inline std::vector<uint32_t> piece_sizes(ByteView body, const BodyFormat& format) {
  const PieceTable table = *find_pieces(body, format);
  std::vector<uint32_t> sizes;
  for (size_t i = 0; i < format.pieces().size(); ++i) {
    sizes.push_back(static_cast<uint32_t>(table.size(i)));
  }
  return sizes;
}

// The same pieces under another table.
inline Bytes with_table(ByteView body, const BodyFormat& format, std::span<const uint32_t> sizes) {
  Bytes made(body.begin(), body.end() - static_cast<ptrdiff_t>(format.table_size()));
  const Bytes table = table_of(format, sizes);
  made.insert(made.end(), table.begin(), table.end());
  return made;
}

}  // namespace compress::testing
