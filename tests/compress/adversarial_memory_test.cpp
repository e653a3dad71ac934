// Goal: no bytes of a stranger make us ask for more memory than the hparams allow. Method: hostile
// bodies of every kind through every door, with all that is asked for counted, against bounds that
// follow from the layout and the codec alone.
//
// With P pieces, T tensors, V values and S bytes of the largest piece (BodyFormat), K values that a
// body can send (k of the largest piece):
//
//   judged      kFixed + 100 (P + T) + 3 S + judge_sent k + judge_value V
//   summed      the same, 4 V for G, 2 V by senders, S + 200 for each contributor, decode_value V
//   in memory   kFixed + 400 (P + T) + 3 S + decode_value V + 24 K     pieces', then tensors'
//   values examined    as judged on each thread, and what is hashed at once: 8 MiB, or all there is
//
// What a piece's values take is the codec's (kBounds), as its header says.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "common/philox.h"
#include "compress/outer_step.h"
#include "tests/allocation_meter.h"
#include "tests/compress/doors.h"

namespace compress {
namespace {

using testing::Doors;
using testing::gaussian;
using testing::kCodecNames;
using testing::layout_of;
using testing::outer_params;
using testing::piece_sizes;
using testing::Stored;
using testing::with_table;
using tests::AllocationMeter;

struct CodecBound {
  uint64_t judge_sent;    // Bytes for each value of the largest piece that is sent,
  uint64_t judge_value;   //   and for each value of it, to judge it;
  uint64_t decode_value;  // for each value of it, to decode it.
};
const std::map<std::string, CodecBound> kBounds = {
    {"sparseloco", {20, 0, 0}}, {"templar", {11, 0, 0}}, {"demo", {0, 4, 8}},
    {"distro", {0, 4, 8}},      {"dense", {0, 0, 8}},
};
constexpr uint64_t kFixed = 256 << 10;  // Some tiles, and the tables of the DCT.

struct Model {
  std::vector<std::pair<uint32_t, uint32_t>> tensors;
  uint32_t tile;
  uint32_t keep;
};
// Small ones of several pieces, wide ones, and two of the size of a real piece.
const std::vector<Model> kModels = {
    {{{17, 19}, {1, 130}, {8, 8}, {1, 1}}, 64, 5},
    {{{8, 8 * 1100}, {16, 8 * 1030}, {1, 5}, {9, 3}}, 64, 2},
    {{{64, 64}, {1, 70}}, 64, 64},
    {{{700, 1500}, {1, 5000}, {900, 1300}}, 1024, 16},
};

class AdversaryMemory : public ::testing::TestWithParam<std::string> {};

// --- hostile bodies ---

struct Hostile {
  std::string name;
  Bytes body;
};

// The same pieces, each of its least or most bytes, filled by `byte`.
Bytes filled(const BodyFormat& format, bool most, const std::function<uint8_t()>& byte) {
  std::vector<uint32_t> sizes;
  for (const Piece& piece : format.pieces()) {
    sizes.push_back(most ? piece.size_max : piece.size_min);
  }
  Bytes body(std::accumulate(sizes.begin(), sizes.end(), uint64_t{0}));
  std::ranges::generate(body, byte);
  const Bytes table = table_of(format, sizes);
  body.insert(body.end(), table.begin(), table.end());
  return body;
}

std::vector<Hostile> hostile_bodies(const Doors& doors) {
  const BodyFormat& format = doors.format();
  common::Philox random(7);
  const auto noise = [&] { return static_cast<uint8_t>(random.next32()); };
  const Bytes honest = doors.encode(gaussian(doors.layout().parameter_count(), 1));
  std::vector<Hostile> all = {
      {"honest", honest},
      {"nothing", {}},
      {"longer than any", Bytes(format.size_max() + 1)},
      {"half", Bytes(honest.begin(), honest.begin() + static_cast<ptrdiff_t>(honest.size() / 2))}};
  for (const bool most : {false, true}) {
    const std::string size = most ? ", longest" : ", shortest";
    for (const unsigned byte : {0x00u, 0xFFu, 0x01u, 0x7Fu, 0xAAu, 0xEEu}) {
      all.push_back({std::to_string(byte) + size,
                     filled(format, most, [=] { return static_cast<uint8_t>(byte); })});
    }
    all.push_back({"noise" + size, filled(format, most, noise)});
  }
  for (int i = 0; i < 4; ++i) {  // What is good up to somewhere.
    Bytes body = honest;
    body[random.below(body.size())] ^= 0x55;
    all.push_back({"changed", std::move(body)});
  }
  if (format.table_size() > 0) {
    for (const uint32_t lie : {0u, ~0u, 0x80000000u}) {
      std::vector<uint32_t> sizes = piece_sizes(honest, format);
      sizes.back() = lie;
      all.push_back({"a table's " + std::to_string(lie), with_table(honest, format, sizes)});
      std::ranges::fill(sizes, lie);
      all.push_back({"a table of " + std::to_string(lie), with_table(honest, format, sizes)});
    }
  }
  return all;
}

// --- bounds ---

uint64_t sent_of_piece_max(const Doors& doors, uint32_t tile, uint32_t keep) {
  if (doors.codec().name() != "sparseloco" && doors.codec().name() != "templar") return 0;
  uint64_t most = 0;
  for (const Piece& piece : doors.format().pieces()) {
    // Every tile, however small, keeps one.
    uint64_t kept = 0;
    for (const PieceRun& run : piece.runs) {
      const Tensor& tensor = doors.layout().tensors()[run.tensor];
      const uint64_t tiles =
          doors.layout().first_tile(run.tensor + 1) - doors.layout().first_tile(run.tensor);
      kept += std::min(uint64_t{run.count} * keep / tile + tiles * run.count / tensor.size() + 1,
                       uint64_t{run.count});
    }
    most = std::max(most, kept);
  }
  return most;
}

struct Bounds {
  uint64_t judged;
  uint64_t summed;
  uint64_t in_memory;
};

Bounds bounds_of(const Doors& doors, const Model& model) {
  const BodyFormat& format = doors.format();
  const CodecBound& codec = kBounds.at(std::string(doors.codec().name()));
  const uint64_t parts = format.pieces().size() + doors.layout().tensors().size();
  const uint64_t V = format.largest_piece();
  const uint64_t S = format.longest_piece();
  const uint64_t k = sent_of_piece_max(doors, model.tile, model.keep);
  const bool sparse = codec.judge_sent != 0;
  const uint64_t K = sparse ? doors.layout().kept_count() : doors.layout().parameter_count();
  const uint64_t judged =
      kFixed + 100 * parts + 3 * S + codec.judge_sent * k + codec.judge_value * V;
  const uint64_t decoding = 100 * parts + codec.decode_value * V + 4 * V + S + 200;
  return {.judged = judged,
          .summed = judged + decoding,
          .in_memory = kFixed + 400 * parts + 3 * S + codec.decode_value * V + 24 * K};
}

// --- doors ---

TEST_P(AdversaryMemory, IsBoundedByTheLayoutWhateverTheBytes) {
  for (const Model& model : kModels) {
    const Layout layout = layout_of(model.tensors, model.tile, model.keep);
    const Doors doors(GetParam(), layout, model.tile, model.keep);
    const Bounds bounds = bounds_of(doors, model);
    size_t accepted = 0;
    static_cast<void>(doors.in_memory(doors.encode(gaussian(layout.parameter_count(), 1))));
    for (const Hostile& hostile : hostile_bodies(doors)) {
      SCOPED_TRACE(hostile.name + ", " + std::to_string(layout.parameter_count()) + " values");
      const AllocationMeter of_stream;
      const Verdict verdict = doors.streamed(hostile.body);
      EXPECT_LE(of_stream.peak(), bounds.judged);
      const AllocationMeter of_memory;
      EXPECT_EQ(doors.in_memory(hostile.body), verdict);
      EXPECT_LE(of_memory.peak(), bounds.in_memory);
      accepted += verdict == Verdict::kAccepted;
    }
    EXPECT_GE(accepted, 1u);
  }
}

// What was judged, and is another when it is summed.
TEST_P(AdversaryMemory, OfASumIsBoundedWhateverTheBytes) {
  for (const Model& model : kModels) {
    const Layout layout = layout_of(model.tensors, model.tile, model.keep);
    const Doors doors(GetParam(), layout, model.tile, model.keep);
    const Bounds bounds = bounds_of(doors, model);
    for (const Hostile& hostile : hostile_bodies(doors)) {
      if (!find_pieces(hostile.body, doors.format())) continue;
      SCOPED_TRACE(hostile.name + ", " + std::to_string(layout.parameter_count()) + " values");
      const common::MemorySource source(hostile.body);
      const auto opened = *StoredBody::open(source, 0, hostile.body.size(), doors.format());
      const BodySums sums{std::vector<double>(layout.tensors().size(), 1.0),
                          std::vector<uint64_t>(layout.tensors().size(), 1)};
      const StoredContributor one{{1}, 1.0, &*opened, &sums};
      std::vector<float> theta(layout.parameter_count());
      for (const char* const divide : {"contributors", "senders"}) {
        const AllocationMeter meter;
        const auto stepped = outer_step(theta, {&one, 1}, doors.format(), outer_params(divide), 1,
                                        all_pieces(doors.format()), 1);
        const uint64_t by_senders = 2 * doors.format().largest_piece();
        EXPECT_LE(meter.peak(), bounds.summed + by_senders);
        const bool good = doors.streamed(hostile.body) == Verdict::kAccepted ||
                          doors.streamed(hostile.body) == Verdict::kEmpty;
        EXPECT_EQ(stepped.has_value(), good);
      }
    }
  }
}

// Says any size, and is never read.
class Claimed : public common::ByteSource {
 public:
  explicit Claimed(uint64_t size) : size_(size) {}
  uint64_t size() const override { return size_; }
  common::Result<void> read(uint64_t, std::span<uint8_t>) const override {
    return common::Error{common::Code::kIo, "was read"};
  }

 private:
  uint64_t size_;
};

TEST_P(AdversaryMemory, ASizeThatIsOnlySaidCostsNothing) {
  const Layout layout = layout_of(kModels[0].tensors, 64, 5);
  const Doors doors(GetParam(), layout);
  for (const uint64_t size : {contribution_size_max(doors.format()) + 1, uint64_t{1} << 40,
                              ~uint64_t{0} - 1000, ~uint64_t{0}}) {
    const Claimed source(size);
    const AllocationMeter meter;
    const auto examined = examine(source, doors.format(), doors.expected(), 2);
    ASSERT_TRUE(examined && !*examined);
    EXPECT_EQ(examined->error(), Verdict::kOversized);
    const auto body = StoredBody::open(source, 0, size, doors.format());
    ASSERT_TRUE(body && !*body);
    EXPECT_EQ(body->error(), Verdict::kOversized);
    EXPECT_LE(meter.peak(), 100u);
  }
}

// While it is hashed, 8 MiB a thread at most; of a small one no more than it is.
TEST_P(AdversaryMemory, OfAContributionIsBoundedWhateverTheBytes) {
  const Model& model = kModels[1];
  const Layout layout = layout_of(model.tensors, model.tile, model.keep);
  const Doors doors(GetParam(), layout, model.tile, model.keep);
  const Bounds bounds = bounds_of(doors, model);
  for (const Hostile& hostile : hostile_bodies(doors)) {
    SCOPED_TRACE(hostile.name);
    const Bytes bytes = serialise({doors.header(), hostile.body}, doors.alice());
    const AllocationMeter meter;
    static_cast<void>(doors.examined(bytes));
    EXPECT_LE(meter.peak(), 2 * bounds.judged + std::min<uint64_t>(16 << 20, 2 * bytes.size()));
  }
}

INSTANTIATE_TEST_SUITE_P(All, AdversaryMemory, ::testing::ValuesIn(kCodecNames),
                         [](const auto& of) { return of.param; });

TEST(AllocationMeter, CountsWhatIsHeldAtOnceAndWhatIsRefused) {
  const AllocationMeter meter;
  { const std::vector<char> first(1 << 20); }
  { const std::vector<char> second(3 << 20); }
  EXPECT_GE(meter.peak(), uint64_t{3} << 20);
  EXPECT_LT(meter.peak(), uint64_t{4} << 20);
  EXPECT_GE(meter.count(), 2u);
  const auto too_much = [] { return std::vector<char>(size_t{1} << 62).size(); };
  EXPECT_THROW(static_cast<void>(too_much()), std::bad_alloc);
  EXPECT_EQ(meter.largest(), uint64_t{1} << 62);
  EXPECT_GE(meter.peak(), uint64_t{1} << 62);
}

}  // namespace
}  // namespace compress
