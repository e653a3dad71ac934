// Goal: what is done piece by piece, from sources and into sinks, on any number of threads or
// ranks, is bit for bit what is done with whole bodies and updates in memory; and what goes wrong
// on the way is said, never hidden. Method: every codec against encode, decode, aggregate and
// outer_step over random shapes, numbers, peers and threads; sources and sinks that fail at every
// place.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <memory>

#include "compress/aggregate.h"
#include "compress/demo.h"
#include "compress/outer_step.h"
#include "compress/sparse_trial.h"
#include "tests/compress/stored.h"
#include "tests/compress/support.h"

namespace compress {
namespace {

using common::MemorySource;
using testing::codec_of;
using testing::gaussian;
using testing::kCodecNames;
using testing::layout_of;
using testing::outer_params;
using testing::Peers;
using testing::same_bits;
using testing::small_layout;
using testing::some_values;
using testing::Stored;

// Several pieces in sparseloco and demo, groups of several tensors, cut tiles.
Layout pieces_layout() {
  return layout_of({{40, 50}, {16, 8 * 1300}, {1, 100}, {9, 3}, {70, 70}}, 64, 7);
}

Bytes written(const BodyFormat& format, const NewPieceMaker& maker, uint32_t threads) {
  common::MemorySink sink;
  EXPECT_TRUE(write_body(format, maker, threads, sink));
  return std::move(sink).bytes();
}

class Streamed : public ::testing::TestWithParam<std::string> {};

TEST_P(Streamed, BodiesAreThoseThatAreMadeInMemory) {
  const Layout layout = pieces_layout();
  const auto codec = codec_of(GetParam());
  const auto format = codec->format(layout);
  const uint64_t count = layout.parameter_count();
  const std::vector<float> delta = gaussian(count, 2);
  std::vector<float> wanted_e = gaussian(count, 1);
  const Bytes wanted = codec->encode_feedback(wanted_e, 0.9f, delta, layout);
  for (const uint32_t threads : {1u, 2u, 5u}) {
    std::vector<float> e = gaussian(count, 1);
    const auto maker = feedback_from(*format, all_pieces(*format), e, 0.9f, delta);
    EXPECT_EQ(written(*format, maker, threads), wanted) << threads;
    EXPECT_TRUE(same_bits(e, wanted_e)) << threads;
    EXPECT_EQ(written(*format, encode_from(*format, all_pieces(*format), delta), threads),
              codec->encode(delta, layout));
  }
}

TEST_P(Streamed, FeedbackOfAPieceIsFourSteps) {
  if (GetParam() == "demo" || GetParam() == "distro")
    GTEST_SKIP() << "not in demo; see compress/demo.h";
  const Layout layout = pieces_layout();
  const auto codec = codec_of(GetParam());
  std::vector<float> e = gaussian(layout.parameter_count(), 1);
  std::vector<float> wanted = e;
  const std::vector<float> delta = gaussian(layout.parameter_count(), 2);
  const Bytes body = codec->encode_feedback(e, 0.9f, delta, layout);
  for (size_t i = 0; i < wanted.size(); ++i) wanted[i] = 0.9f * wanted[i] + delta[i];
  EXPECT_EQ(codec->encode(wanted, layout), body);
  add_to(wanted, *codec->decode(body, layout), layout,
         std::vector<float>(layout.tensors().size(), -1.0f));
  EXPECT_TRUE(same_bits(e, wanted));
}

TEST_P(Streamed, RanksThatWriteTheirPiecesWriteTheBody) {
  const Layout layout = pieces_layout();
  const auto codec = codec_of(GetParam());
  const auto format = codec->format(layout);
  const std::vector<float> values = gaussian(layout.parameter_count(), 3);
  const size_t count = format->pieces().size();
  for (const size_t ranks : {1, 2, 3}) {
    common::MemorySink sink;
    std::vector<uint32_t> sizes;
    for (size_t rank = 0; rank < ranks; ++rank) {
      const PieceRange range{count * rank / ranks, count * (rank + 1) / ranks};
      const auto own =
          std::span(values).subspan(first_value(*format, range), value_count(*format, range));
      const auto some = write_pieces(*format, range, encode_from(*format, range, own), 2, sink);
      ASSERT_TRUE(some);
      sizes.insert(sizes.end(), some->begin(), some->end());
    }
    ASSERT_TRUE(sink.append(table_of(*format, sizes)));
    EXPECT_EQ(sink.bytes(), codec->encode(values, layout));
  }
}

TEST_P(Streamed, PiecesThatHoldARangeAreFound) {
  const Layout layout = pieces_layout();
  const auto format = codec_of(GetParam())->format(layout);
  const auto pieces = format->pieces();
  for (uint64_t first = 0; first < layout.parameter_count(); first += 997) {
    for (const uint64_t end : {first + 1, std::min(first + 5000, layout.parameter_count())}) {
      const PieceRange range = pieces_that_hold(*format, first, end);
      EXPECT_LE(pieces[range.first].first, first);
      EXPECT_GT(pieces[range.first].end(), first);
      EXPECT_LT(pieces[range.end - 1].first, end);
      EXPECT_GE(pieces[range.end - 1].end(), end);
    }
  }
}

TEST_P(Streamed, JudgesEveryFlipAndEveryTruncationAsDecodeDoes) {
  const Layout layout = small_layout();
  const auto codec = codec_of(GetParam());
  const auto format = codec->format(layout);
  Bytes body = codec->encode(some_values(layout.parameter_count(), 4), layout);
  size_t refused = 0;
  const auto expect_same = [&](ByteView bytes) {
    const MemorySource source(bytes);
    const auto update = codec->decode(bytes, layout);
    const auto opened = *StoredBody::open(source, 0, bytes.size(), *format);
    const Judged<BodySums> sums =
        opened ? *judge_body(*opened, *format, 1) : tl::unexpected(opened.error());
    ASSERT_EQ(sums.has_value(), update.has_value());
    if (!update) {
      ++refused;
      ASSERT_EQ(sums.error(), update.error());
      return;
    }
    ASSERT_EQ(sums->value_count(), update->value_count());
    for (size_t t = 0; t < layout.tensors().size(); ++t) {
      ASSERT_EQ(sums->norms[t], update->tensors[t].norm);
    }
  };
  expect_same(body);
  for (size_t bit = 0; bit < body.size() * 8; ++bit) {
    body[bit / 8] = static_cast<uint8_t>(body[bit / 8] ^ 1u << bit % 8);
    expect_same(body);
    body[bit / 8] = static_cast<uint8_t>(body[bit / 8] ^ 1u << bit % 8);
  }
  for (size_t size = 0; size < body.size(); ++size) expect_same(ByteView(body).first(size));
  expect_same(Bytes(format->size_max() + 1));
  expect_same(codec->encode(std::vector<float>(layout.parameter_count()), layout));
  EXPECT_GT(refused, body.size());
}

std::vector<float> stepped(std::vector<float> theta, const Peers& peers, const Layout& layout,
                           const common::OuterParams& params, float learning_rate) {
  std::vector<float> G = aggregate(peers.in_memory(), layout, params);
  if (params.rule == "sign") take_signs(G);
  outer_step(theta, G, learning_rate);
  return theta;
}

TEST_P(Streamed, TheStepIsThatOfUpdatesInMemory) {
  EXPECT_TRUE(rc::check("the step from sources is aggregate and outer_step", [&] {
    const auto side = *rc::gen::inRange<uint32_t>(1, 17);
    const auto keep = *rc::gen::inRange<uint32_t>(1, side * side + 1);
    const auto rows = *rc::gen::inRange<uint32_t>(1, 60);
    const auto cols = *rc::gen::inRange<uint32_t>(1, 100);
    const Layout layout =
        layout_of({{rows, cols}, {1, cols * rows}, {cols, 1}, {rows, 3}}, side * side, keep);
    const auto codec = codec_of(GetParam());
    const auto format = codec->format(layout);
    const auto seed = *rc::gen::inRange<uint64_t>(0, 1u << 30);
    const Peers peers(*codec, *format, *rc::gen::inRange<size_t>(1, 6), seed);
    auto params = outer_params(*rc::gen::element<std::string>("senders", "contributors"), 0.8);
    params.rule = *rc::gen::element<std::string>("average", "average", "sign");
    const auto threads = *rc::gen::inRange<uint32_t>(1, 4);

    std::vector<float> theta = gaussian(layout.parameter_count(), seed + 99);
    const std::vector<float> wanted = stepped(theta, peers, layout, params, 0.7f);
    RC_ASSERT(
        outer_step(theta, peers.on_disk(), *format, params, 0.7f, all_pieces(*format), threads)
            .has_value());
    RC_ASSERT(same_bits(theta, wanted));
    RC_ASSERT(clip_factors(peers.on_disk(), params) == clip_factors(peers.in_memory(), params));
  }));
}

TEST_P(Streamed, RanksThatStepTheirPiecesStepTheModel) {
  const Layout layout = pieces_layout();
  const auto codec = codec_of(GetParam());
  const auto format = codec->format(layout);
  const Peers peers(*codec, *format, 4, 10);
  const size_t count = format->pieces().size();
  for (const char* divide : {"contributors", "senders"}) {
    const auto params = outer_params(divide, 0.8);
    std::vector<float> theta = gaussian(layout.parameter_count(), 9);
    const std::vector<float> wanted = stepped(theta, peers, layout, params, 0.5f);
    for (size_t rank = 0; rank < 3; ++rank) {
      const PieceRange range{count * rank / 3, count * (rank + 1) / 3};
      const auto own =
          std::span(theta).subspan(first_value(*format, range), value_count(*format, range));
      ASSERT_TRUE(outer_step(own, peers.on_disk(), *format, params, 0.5f, range, 2));
    }
    EXPECT_TRUE(same_bits(theta, wanted)) << divide;
  }
}

TEST_P(Streamed, RanksThatJudgeTheirPiecesKnowTheNorms) {
  const Layout layout = pieces_layout();
  const auto codec = codec_of(GetParam());
  const auto format = codec->format(layout);
  const Peers peers(*codec, *format, 1, 10);
  const StoredBody& body = peers.stored[0]->body();
  const size_t count = format->pieces().size();
  std::vector<std::vector<RunSum>> all;
  for (size_t rank = 0; rank < 2; ++rank) {
    const auto own = judge_pieces(body, *format, {count * rank / 2, count * (rank + 1) / 2}, 2);
    ASSERT_TRUE(own && *own);
    all.insert(all.end(), (*own)->begin(), (*own)->end());
  }
  EXPECT_EQ(sum_up(all, *format).norms, peers.stored[0]->sums().norms);
}

TEST_P(Streamed, ATrialIsTheFormulaAndLeavesNoTrace) {
  const Layout layout = pieces_layout();
  const auto codec = codec_of(GetParam());
  const auto format = codec->format(layout);
  const Peers peers(*codec, *format, 1, 10);
  std::vector<float> scale;
  for (size_t t = 0; t < layout.tensors().size(); ++t)
    scale.push_back(0.1f * static_cast<float>(t + 1));
  const std::vector<float> before = gaussian(layout.parameter_count(), 6);
  std::vector<float> wanted = before;
  for (size_t t = 0; t < scale.size(); ++t) {
    const SparseTensor& sent = peers.updates[0].tensors[t];
    for (size_t i = 0; i < sent.index.size(); ++i) {
      wanted[layout.tensors()[t].offset + sent.index[i]] -= scale[t] * sent.value[i];
    }
  }
  for (const uint32_t threads : {1u, 3u}) {
    std::vector<float> theta = before;
    auto trial = SparseTrial::put_on(theta, peers.stored[0]->body(), *format, scale, threads);
    ASSERT_TRUE(trial);
    EXPECT_TRUE(same_bits(theta, wanted));
    ASSERT_TRUE(trial->take_off());
    EXPECT_TRUE(same_bits(theta, before));
  }
}

TEST_P(Streamed, AReaderGivesTheValuesOfAPiece) {
  const Layout layout = pieces_layout();
  const auto codec = codec_of(GetParam());
  const auto format = codec->format(layout);
  const Peers peers(*codec, *format, 1, 10);
  std::vector<float> found(layout.parameter_count(), 0.0f);
  PieceReader reader(peers.stored[0]->body(), *format);
  for (size_t i = format->pieces().size(); i-- > 0;) {  // In any order.
    const auto values = reader.read(i);
    ASSERT_TRUE(values);
    const std::vector<uint32_t>& offset = (*values)->offset;
    EXPECT_TRUE(std::is_sorted(offset.begin(), offset.end(), std::less_equal<>()));
    for (size_t j = 0; j < offset.size(); ++j) {
      ASSERT_LT(offset[j], format->pieces()[i].count);
      found[format->pieces()[i].first + offset[j]] = (*values)->value[j];
    }
  }
  EXPECT_TRUE(same_bits(found, testing::dense(peers.updates[0], layout)));
}

TEST_P(Streamed, OfBadPiecesTheFirstIsNamedOnAnyNumberOfThreads) {
  const Layout layout = layout_of({{16, 8 * 1300}, {16, 8 * 1300}, {16, 8 * 1300}}, 64, 5);
  const auto codec = codec_of(GetParam());
  const auto format = codec->format(layout);
  Bytes body = codec->encode(some_values(layout.parameter_count(), 4), layout);
  const auto table = find_pieces(body, *format);
  for (size_t i = format->pieces().size() / 2; i < format->pieces().size(); ++i) {
    std::fill_n(body.begin() + static_cast<ptrdiff_t>(table->first(i)), table->size(i),
                uint8_t{0xFF});
  }
  const auto wanted = codec->decode(body, layout);
  ASSERT_FALSE(wanted);
  const MemorySource source(body);
  const auto opened = *StoredBody::open(source, 0, body.size(), *format);
  for (const uint32_t threads : {1u, 2u, 4u}) {
    const auto sums = judge_body(*opened, *format, threads);
    ASSERT_TRUE(sums && !*sums);
    EXPECT_EQ(sums->error(), wanted.error());
  }
}

INSTANTIATE_TEST_SUITE_P(All, Streamed, ::testing::ValuesIn(kCodecNames),
                         [](const auto& of) { return of.param; });

TEST(OuterStep, OfNobodyThereIsNoStep) {
  const Layout layout = small_layout();
  const auto format = codec_of("sparseloco")->format(layout);
  std::vector<float> theta = gaussian(layout.parameter_count(), 1);
  ASSERT_TRUE(outer_step(theta, {}, *format, outer_params(), 1, all_pieces(*format), 2));
  EXPECT_EQ(theta, gaussian(layout.parameter_count(), 1));
}

}  // namespace
}  // namespace compress
