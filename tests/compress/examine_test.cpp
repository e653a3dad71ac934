// Goal: a contribution is written and examined as a stream, and what is found is what is found in
// memory.
// Method: every codec: written through sinks and read from sources, against serialise,
// parse_contribution and decode; faults of the body, of sources and of sinks.
#include <gtest/gtest.h>

#include <filesystem>

#include "common/file_writer.h"
#include "compress/contribution.h"
#include "compress/error_feedback.h"
#include "tests/compress/stored.h"
#include "tests/compress/support.h"
#include "tests/temp_folder.h"

namespace compress {
namespace {

using common::Code;
using common::MemorySource;
using testing::FailingSource;
using testing::gaussian;
using testing::kCodecNames;
using testing::layout_of;

class Examine : public ::testing::TestWithParam<std::string> {
 protected:
  ContributionHeader header() const {
    ContributionHeader made;
    made.uid = {12};
    made.window = {345};
    made.hotkey = alice_.account();
    made.steps = 30;
    made.token_count = 1000;
    return made;
  }
  Expected expected() const {
    return {.netuid = 0,
            .uid = {12},
            .window = {345},
            .hotkey = alice_.account(),
            .hparams_hash = {},
            .base_root = {},
            .steps_max = 30};
  }
  Bytes body(uint64_t seed) const {
    return codec_->encode(gaussian(layout_.parameter_count(), seed), layout_);
  }
  Verdict judge(const Bytes& bytes, const Expected& of, uint32_t threads = 1) const {
    const MemorySource source(bytes);
    const auto examined = examine(source, *format_, of, threads);
    EXPECT_TRUE(examined);
    return *examined ? Verdict::kAccepted : examined->error();
  }

  const common::Keypair alice_ = common::Keypair::from_uri("//Alice").value();
  const Layout layout_ = layout_of({{40, 50}, {16, 8 * 1300}, {1, 100}, {9, 3}}, 64, 7);
  const std::unique_ptr<Codec> codec_ =
      make_codec({.name = GetParam(), .tile = 64, .keep = 7, .feedback_decay = 0.95}, 1).value();
  const std::unique_ptr<const BodyFormat> format_ = codec_->format(layout_);
};

TEST_P(Examine, FindsWhatIsFoundInMemory) {
  const Bytes bytes = serialise({header(), body(1)}, alice_);
  const MemorySource source(bytes);
  const auto parsed =
      parse_contribution(bytes, contribution_size_max(*codec_, layout_), expected());
  ASSERT_TRUE(parsed);
  const Update update = *codec_->decode(parsed->body, layout_);
  for (const uint32_t threads : {1u, 3u}) {
    const auto examined = examine(source, *format_, expected(), threads);
    ASSERT_TRUE(examined && *examined);
    EXPECT_EQ((*examined)->header, header());
    EXPECT_EQ((*examined)->sums.value_count(), update.value_count());
    for (size_t t = 0; t < update.tensors.size(); ++t) {
      EXPECT_EQ((*examined)->sums.norms[t], update.tensors[t].norm);
    }
  }
  EXPECT_EQ(contribution_size_max(*format_), contribution_size_max(*codec_, layout_));
}

TEST_P(Examine, AStreamIntoAFileIsWhatIsMadeInMemory) {
  const tests::TempFolder folder;
  const std::filesystem::path file = folder.path() / "contribution";
  const std::vector<float> delta = gaussian(layout_.parameter_count(), 2);
  ErrorFeedback in_memory(layout_.parameter_count(), 0.9);
  const Bytes wanted = serialise({header(), in_memory.encode(*codec_, delta, layout_)}, alice_);

  ErrorFeedback streamed(layout_.parameter_count(), 0.9);
  {
    auto out = common::FileWriter::create(file);
    ASSERT_TRUE(out);
    DigestSink sink(*out);
    ASSERT_TRUE(write_contribution(
        header(), alice_, sink, [&] { return sink.digest(); },
        [&](common::ByteSink& to) {
          const auto maker = streamed.encode(*format_, all_pieces(*format_), delta);
          return write_body(*format_, maker, 3, to);
        }));
    ASSERT_TRUE(out->commit());
  }
  const auto source = common::FileSource::open(file);
  ASSERT_TRUE(source);
  const Bytes bytes = *common::read_all(*source, wanted.size());
  // Signatures are random.
  EXPECT_TRUE(std::equal(wanted.begin(), wanted.end() - kSignatureSize, bytes.begin(),
                         bytes.end() - kSignatureSize));
  EXPECT_TRUE(testing::same_bits(streamed.values(), in_memory.values()));
  const auto examined = examine(*source, *format_, expected(), 2);
  EXPECT_TRUE(examined && *examined);
}

TEST_P(Examine, ADigestThatIsKnownIsNotSoughtAgain) {
  const Bytes bytes = serialise({header(), body(1)}, alice_);
  const MemorySource source(bytes);
  const Hash digest = common::tree_hash(ByteView(bytes).first(bytes.size() - kSignatureSize));
  EXPECT_TRUE(*examine(source, *format_, expected(), 1, digest));
  const auto other = *examine(source, *format_, expected(), 1, Hash{});
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error(), Verdict::kBadSignature);
}

TEST_P(Examine, FaultsOfTheBodyAreNamedAfterAllOthers) {
  const Bytes zero = codec_->encode(std::vector<float>(layout_.parameter_count()), layout_);
  Bytes cut = body(1);
  cut.pop_back();
  Bytes foul = body(1);
  std::fill_n(foul.begin(), 200, uint8_t{0xFF});
  for (const Bytes& bad : {zero, cut, foul, Bytes{}}) {
    const auto update = codec_->decode(bad, layout_);
    ASSERT_FALSE(update);
    const Bytes bytes = serialise({header(), bad}, alice_);
    for (const uint32_t threads : {1u, 2u}) {
      EXPECT_EQ(judge(bytes, expected(), threads), update.error());
    }
    Expected other = expected();
    other.base_root = common::blake2b_256({});
    EXPECT_EQ(judge(bytes, other), Verdict::kWrongBase);
    Bytes forged = bytes;
    forged.back() ^= 0x10;
    EXPECT_EQ(judge(forged, other), Verdict::kBadSignature);
  }
}

// Says that it is large, and is never read.
class LargeSource : public common::ByteSource {
 public:
  explicit LargeSource(uint64_t size) : size_(size) {}
  uint64_t size() const override { return size_; }
  common::Result<void> read(uint64_t, std::span<uint8_t>) const override {
    ADD_FAILURE() << "was read";
    return common::Error{Code::kIo, "was read"};
  }

 private:
  uint64_t size_;
};

TEST_P(Examine, WhatIsOversizedIsNotRead) {
  for (const uint64_t size : {contribution_size_max(*format_) + 1, uint64_t{1} << 60}) {
    const auto examined = examine(LargeSource(size), *format_, expected(), 2);
    ASSERT_TRUE(examined && !*examined);
    EXPECT_EQ(examined->error(), Verdict::kOversized);
  }
}

TEST_P(Examine, ASourceThatFailsMakesNobodyGuilty) {
  const Bytes bytes = serialise({header(), body(1)}, alice_);
  for (size_t bad = 0; bad < bytes.size(); bad += bytes.size() / 40) {
    const auto examined = examine(FailingSource(bytes, bad), *format_, expected(), 2);
    ASSERT_FALSE(examined) << bad;
    EXPECT_EQ(examined.error().code, Code::kIo);
  }
}

INSTANTIATE_TEST_SUITE_P(All, Examine, ::testing::ValuesIn(kCodecNames),
                         [](const auto& of) { return of.param; });

TEST(WriteContribution, AnErrorOfTheBodyIsHandedUp) {
  const auto alice = common::Keypair::from_uri("//Alice").value();
  ContributionHeader header;
  header.hotkey = alice.account();
  common::MemorySink memory;
  DigestSink sink(memory);
  const auto done = write_contribution(
      header, alice, sink, [&] { return sink.digest(); },
      [](common::ByteSink&) -> common::Result<void> {
        return common::Error{Code::kExhausted, "the disk is full"};
      });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().message, "the disk is full");
}

}  // namespace
}  // namespace compress
