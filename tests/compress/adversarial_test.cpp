// Goal: whatever numbers we encode and whatever bytes a stranger sends, each gets its one named
// verdict, the same through every door. Method: tables of numbers and of bodies with the verdict of
// each codec; every single flipped bit, every truncation and extension of small bodies.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <set>

#include "compress/bit_stream.h"
#include "compress/pack12.h"
#include "tests/compress/doors.h"

namespace compress {
namespace {

using testing::dense;
using testing::Doors;
using testing::gaussian;
using testing::kCodecNames;
using testing::layout_of;
using testing::piece_sizes;
using testing::small_layout;
using testing::with_table;
using enum Verdict;

// Of sparseloco, templar, demo, distro, dense.
using Verdicts = std::array<Verdict, 5>;
constexpr Verdicts all(Verdict verdict) { return {verdict, verdict, verdict, verdict, verdict}; }

// --- what we encode ---

struct Numbers {
  const char* name;
  std::function<float(size_t, float)> value;  // Of a place, and an ordinary number.
  Verdicts verdict;
};

const float kLargest = std::numeric_limits<float>::max();
const float kSmallest = std::numeric_limits<float>::denorm_min();

// sparseloco knows nothing below 2^-97, bf16 nothing below 2^-134, fp32 nothing below 2^-150; and
// demo's coefficients are up to 8 times a tile's numbers here.
const std::vector<Numbers> kNumbers = {
    {"ordinary", [](size_t, float x) { return x; }, all(kAccepted)},
    {"zeros", [](size_t, float) { return 0.0f; }, all(kEmpty)},
    {"zeros of both signs", [](size_t i, float) { return i % 2 ? 0.0f : -0.0f; }, all(kEmpty)},
    {"one number, the last", [](size_t i, float x) { return i == 564 ? x : 0.0f; }, all(kAccepted)},
    {"one tile", [](size_t i, float x) { return i < 8 ? x : 0.0f; }, all(kAccepted)},
    {"all equal", [](size_t, float) { return 0.7f; }, all(kAccepted)},
    {"huge", [](size_t i, float) { return i % 3 ? kLargest : -kLargest; }, all(kAccepted)},
    {"huge, all of one sign", [](size_t, float) { return kLargest; }, all(kAccepted)},
    {"one huge", [](size_t i, float x) { return i == 7 ? kLargest : x; }, all(kAccepted)},
    {"many scales",
     [](size_t i, float x) { return std::ldexp(x, static_cast<int>(i % 250) - 130); },
     all(kAccepted)},
    {"denormals",
     [](size_t, float x) { return 1e-39f * x; },
     {kEmpty, kAccepted, kAccepted, kAccepted, kAccepted}},
    {"the smallest denormal",
     [](size_t i, float) { return i % 2 ? kSmallest : -kSmallest; },
     {kEmpty, kAccepted, kEmpty, kEmpty, kEmpty}},
    {"one denormal among zeros",
     [](size_t i, float) { return i == 9 ? 1e-39f : 0.0f; },
     {kEmpty, kAccepted, kAccepted, kAccepted, kAccepted}},
};

std::vector<float> values_of(const Numbers& numbers, const Layout& layout) {
  std::vector<float> values = gaussian(layout.parameter_count(), 3);
  for (size_t i = 0; i < values.size(); ++i) values[i] = numbers.value(i, values[i]);
  return values;
}

class Adversary : public ::testing::TestWithParam<size_t> {
 protected:
  std::string name() const { return kCodecNames[GetParam()]; }
  bool has_table() const { return name() != "templar" && name() != "dense"; }

  const Layout layout_ = small_layout();
  const Doors doors_{name(), layout_};
};

TEST_P(Adversary, NumbersOfEveryKindAreEncodedSoundly) {
  ASSERT_EQ(layout_.parameter_count(), 565u);
  for (const Numbers& numbers : kNumbers) {
    SCOPED_TRACE(numbers.name);
    const std::vector<float> values = values_of(numbers, layout_);
    const Bytes body = doors_.encode(values);
    const Verdict verdict = doors_.judge(body);
    EXPECT_EQ(verdict, numbers.verdict[GetParam()]) << common::name(verdict);
    if (verdict != kAccepted) continue;
    for (const float value : dense(*doors_.codec().decode(body, layout_), layout_)) {
      ASSERT_TRUE(std::isfinite(value));
    }
    if (doors_.one_to_one()) {
      EXPECT_EQ(doors_.written_again(body), body);
    }
  }
}

TEST_P(Adversary, NoFeedbackOfFiniteNumbersIsEverLost) {
  for (const Numbers& numbers : kNumbers) {
    SCOPED_TRACE(numbers.name);
    std::vector<float> e(layout_.parameter_count());
    const Bytes body =
        doors_.codec().encode_feedback(e, 0.95f, values_of(numbers, layout_), layout_);
    for (const float value : e) ASSERT_TRUE(std::isfinite(value));
  }
}

using AdversaryDeathTest = Adversary;

TEST_P(AdversaryDeathTest, NanAndInfinityInOurOwnNumbersAreABug) {
  const std::vector<float> good = gaussian(layout_.parameter_count(), 1);
  const float infinity = std::numeric_limits<float>::infinity();
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), infinity, -infinity}) {
    for (const size_t at : {size_t{0}, size_t{564}}) {
      std::vector<float> values = good;
      values[at] = bad;
      EXPECT_DEATH(doors_.encode(values), "NaN or infinity") << at;
      std::vector<float> e = good;
      EXPECT_DEATH(doors_.codec().encode_feedback(e, 0.95f, values, layout_), "NaN or infinity");
    }
  }
  // Two finite numbers whose sum is none.
  std::vector<float> e(layout_.parameter_count(), kLargest);
  const std::vector<float> delta = e;
  EXPECT_DEATH(doors_.codec().encode_feedback(e, 1.0f, delta, layout_), "NaN or infinity");
}

// --- bits ---

// What a flip can be called.
const std::vector<std::set<Verdict>> kNamesOfFlips = {
    {kWrongShape, kMalformed},
    {kMalformed, kNonFinite},
    {kWrongShape, kMalformed, kNonFinite, kEmpty},
    {kWrongShape, kMalformed},
    {kMalformed, kNonFinite, kEmpty},
};

class Flips {
 public:
  Flips(const Doors& doors, const Bytes& body, const std::set<Verdict>& names)
      : doors_(doors), body_(body), names_(names), before_(sent(body)) {}

  void flip(size_t bit) {
    Bytes flipped = body_;
    flipped[bit / 8] = static_cast<uint8_t>(flipped[bit / 8] ^ 1u << bit % 8);
    const Verdict verdict = doors_.in_memory(flipped);
    ASSERT_EQ(doors_.streamed(flipped), verdict) << bit;
    ++found[verdict];
    if (verdict != kAccepted) {
      ASSERT_TRUE(names_.contains(verdict)) << bit << ": " << common::name(verdict);
      return;
    }
    const Update update = sent(flipped);
    for (const float value : dense(update, doors_.layout())) ASSERT_TRUE(std::isfinite(value));
    const bool same = std::ranges::equal(update.tensors, before_.tensors, same_tensor);
    if (doors_.one_to_one()) {
      ASSERT_FALSE(same) << bit;
      ASSERT_EQ(doors_.written_again(flipped), flipped) << bit;
    } else if (same) {
      ASSERT_TRUE(is_parameter(bit / 8)) << bit;
    }
  }

  std::map<Verdict, size_t> found;

 private:
  // Before a transform, which may round a small difference away.
  Update sent(ByteView body) const {
    if (const auto* demo = dynamic_cast<const Demo*>(&doors_.codec())) {
      return *demo->decode_coefficients(body, doors_.layout());
    }
    return *doors_.codec().decode(body, doors_.layout());
  }
  static bool same_tensor(const SparseTensor& a, const SparseTensor& b) {
    return a.index == b.index && testing::same_bits(a.value, b.value);
  }
  // Of templar: in one of the six numbers at the end of a piece.
  bool is_parameter(size_t byte) const {
    const PieceTable table = *find_pieces(body_, doors_.format());
    for (size_t i = 0; i < doors_.format().pieces().size(); ++i) {
      const uint64_t end = table.first(i) + table.size(i);
      if (byte < end) return byte + 24 >= end;
    }
    return false;
  }

  const Doors& doors_;
  const Bytes& body_;
  const std::set<Verdict>& names_;
  Update before_;
};

TEST_P(Adversary, EveryFlippedBitHasItsNameOrIsAnotherUpdate) {
  std::map<Verdict, size_t> found;
  for (const Numbers& numbers : kNumbers) {
    SCOPED_TRACE(numbers.name);
    const Bytes body = doors_.encode(values_of(numbers, layout_));
    if (doors_.in_memory(body) != kAccepted) continue;
    Flips flips(doors_, body, kNamesOfFlips[GetParam()]);
    for (size_t bit = 0; bit < 8 * body.size(); ++bit) ASSERT_NO_FATAL_FAILURE(flips.flip(bit));
    for (const auto& [verdict, count] : flips.found) found[verdict] += count;
  }
  EXPECT_GT(found[kAccepted], 1000u);
  for (const Verdict verdict : kNamesOfFlips[GetParam()]) {
    if (verdict == kEmpty) continue;  // Needs one number of one bit: below.
    EXPECT_GT(found[verdict], 20u) << common::name(verdict);
  }
}

// The bits of a piece behind another, and of the table; of the long piece every 41st.
TEST_P(Adversary, EveryFlippedBitOfSeveralPiecesHasItsNameOrIsAnotherUpdate) {
  const Layout layout = layout_of({{8, 8 * 1100}, {1, 5}, {9, 3}}, 64, 2);
  const Doors doors(name(), layout);
  std::vector<float> values = gaussian(layout.parameter_count(), 3);
  std::fill(values.begin() + 100, values.end() - 100, 0.0f);
  const Bytes body = doors.encode(values);
  Flips flips(doors, body, kNamesOfFlips[GetParam()]);
  const size_t first = body.size() - 40;
  for (size_t bit = 0; bit < 8 * first; bit += name() == "dense" ? 4001 : 401) {
    ASSERT_NO_FATAL_FAILURE(flips.flip(bit));
  }
  for (size_t bit = 8 * first; bit < 8 * body.size(); ++bit) {
    ASSERT_NO_FATAL_FAILURE(flips.flip(bit));
  }
  if (!has_table()) return;
  EXPECT_EQ(doors.format().pieces().size(), 2u);
  EXPECT_GT(flips.found[kWrongShape], 20u);
}

TEST(AdversaryOfDense, TheLastBitOfTheOnlyNumberIsEmpty) {
  const Layout layout = layout_of({{1, 3}}, 64, 5);
  const Doors doors("dense", layout);
  EXPECT_EQ(doors.judge(Bytes{0, 0, 1, 0, 0, 0}), kAccepted);
  EXPECT_EQ(doors.judge(Bytes{0, 0, 0, 0, 0, 0}), kEmpty);
  EXPECT_EQ(doors.judge(Bytes{0, 0, 1, 0, 0, 0x80}), kMalformed);  // Minus zero.
  EXPECT_EQ(doors.judge(Bytes{0, 0x80, 1, 0, 0x80, 0x7F}), kNonFinite);
}

// --- lengths ---

TEST_P(Adversary, EveryLengthButItsOwnIsRefused) {
  for (const bool few : {false, true}) {
    std::vector<float> values = gaussian(layout_.parameter_count(), 3);
    if (few) std::fill(values.begin() + 10, values.end(), 0.0f);
    const Bytes body = doors_.encode(values);
    for (size_t size = 0; size < body.size(); ++size) {
      const Verdict verdict = doors_.in_memory(ByteView(body).first(size));
      ASSERT_EQ(doors_.streamed(ByteView(body).first(size)), verdict);
      const bool named = verdict == kWrongShape || (has_table() && verdict == kMalformed);
      ASSERT_TRUE(named) << size << ": " << common::name(verdict);
    }
    for (const unsigned filler : {0u, 1u, 0x7Fu, 0xFFu}) {
      Bytes longer = body;
      while (longer.size() < doors_.format().size_max() + 3) {
        longer.push_back(static_cast<uint8_t>(filler));
        const Verdict verdict = doors_.in_memory(longer);
        ASSERT_EQ(doors_.streamed(longer), verdict);
        if (longer.size() > doors_.format().size_max()) {
          ASSERT_EQ(verdict, kOversized);
        } else {
          ASSERT_TRUE(verdict == kWrongShape || verdict == kMalformed) << longer.size();
        }
      }
    }
  }
}

// --- bodies ---

struct Body {
  const char* name;
  std::function<void(Bytes&)> change;
  Verdicts verdict;
};

// Of an ordinary one. Where there is a table it comes last; templar's six numbers come last, the
// levels at their end; dense ends in a number.
const std::vector<Body> kBodies = {
    {"as it is", [](Bytes&) {}, all(kAccepted)},
    {"nothing", [](Bytes& b) { b.clear(); }, all(kWrongShape)},
    {"a byte", [](Bytes& b) { b.resize(1); }, all(kWrongShape)},
    {"ones",
     [](Bytes& b) { std::ranges::fill(b, uint8_t{0xFF}); },
     {kWrongShape, kMalformed, kWrongShape, kWrongShape, kNonFinite}},
    {"zeros",
     [](Bytes& b) { std::ranges::fill(b, uint8_t{0}); },
     {kWrongShape, kMalformed, kWrongShape, kWrongShape, kEmpty}},
    {"ones but for the table",
     [](Bytes& b) { std::fill(b.begin(), b.end() - 4, uint8_t{0xFF}); },
     {kMalformed, kMalformed, kMalformed, kMalformed, kNonFinite}},
    {"a number or size of all ones",
     [](Bytes& b) { std::fill(b.end() - 4, b.end(), uint8_t{0xFF}); },
     {kWrongShape, kNonFinite, kWrongShape, kWrongShape, kNonFinite}},
    {"a number or size of 2^31",
     [](Bytes& b) { std::copy_n("\0\0\0\x80", 4, b.end() - 4); },
     {kWrongShape, kMalformed, kWrongShape, kWrongShape, kMalformed}},
    {"infinity, or a size of 2^31 less 2^23",
     [](Bytes& b) { std::copy_n("\0\0\x80\x7F", 4, b.end() - 4); },
     {kWrongShape, kNonFinite, kWrongShape, kWrongShape, kNonFinite}},
};

TEST_P(Adversary, BodiesOfEveryKindHaveTheirName) {
  const Bytes good = doors_.encode(gaussian(layout_.parameter_count(), 3));
  for (const Body& one : kBodies) {
    SCOPED_TRACE(one.name);
    Bytes body = good;
    one.change(body);
    const Verdict verdict = doors_.judge(body);
    EXPECT_EQ(verdict, one.verdict[GetParam()]) << common::name(verdict);
  }
  Bytes twice = good;
  twice.insert(twice.end(), good.begin(), good.end());
  EXPECT_EQ(doors_.judge(twice), kOversized);
  EXPECT_EQ(doors_.judge(Bytes(doors_.format().size_max() + 1)), kOversized);
}

struct TableLie {
  const char* name;
  std::function<void(std::vector<uint32_t>&)> change;
  Verdict verdict;
};

const std::vector<TableLie> kTableLies = {
    {"as it is", [](auto&) {}, kAccepted},
    {"nothing in the first", [](auto& of) { of[0] = 0; }, kWrongShape},
    {"all in the second", [](auto& of) { of[1] += std::exchange(of[0], 0u); }, kWrongShape},
    {"as large as can be said", [](auto& of) { of[0] = ~0u; }, kWrongShape},
    {"both as large", [](auto& of) { of[0] = of[1] = ~0u; }, kWrongShape},
    {"a sum that is right modulo 2^32",
     [](auto& of) { of[0] += 0x80000000u, of[1] += 0x80000000u; }, kWrongShape},
    {"one too few in all", [](auto& of) { --of[0]; }, kMalformed},
    {"one too many in all", [](auto& of) { ++of[0]; }, kMalformed},
    {"a byte in the first that is the second's", [](auto& of) { ++of[0], --of[1]; }, kMalformed},
    {"a byte in the second that is the first's", [](auto& of) { --of[0], ++of[1]; }, kMalformed},
};

TEST_P(Adversary, TablesThatLieHaveTheirName) {
  // Two pieces, neither as short nor as long as can be.
  const Layout layout = layout_of({{8, 8 * 1100}, {1, 640}}, 64, 5);
  const Doors doors(name(), layout);
  std::vector<float> values = gaussian(layout.parameter_count(), 3);
  for (size_t i = 0; i < values.size(); ++i) {
    if (i % 150 != 0) values[i] = 0;
  }
  const Bytes body = doors.encode(values);
  if (!has_table()) {
    EXPECT_EQ(doors.format().table_size(), 0u);
    return;
  }
  ASSERT_EQ(doors.format().pieces().size(), 2u);
  for (const TableLie& lie : kTableLies) {
    SCOPED_TRACE(lie.name);
    std::vector<uint32_t> sizes = piece_sizes(body, doors.format());
    lie.change(sizes);
    const Verdict verdict = doors.judge(with_table(body, doors.format(), sizes));
    EXPECT_EQ(verdict, lie.verdict) << common::name(verdict);
  }
}

// --- shapes ---

struct Shape {
  const char* name;
  std::vector<std::pair<uint32_t, uint32_t>> tensors;
  uint32_t keep;
  bool same_tiles;  // Nobody can tell it;
  bool same_size;   //   dense neither.
};

const std::vector<Shape> kShapes = {
    {"its own", {{16, 24}, {1, 50}}, 5, true, true},
    {"transposed", {{24, 16}, {1, 50}}, 5, true, true},
    {"one row of as many tiles", {{1, 434}}, 5, true, true},
    {"more kept", {{16, 24}, {1, 50}}, 6, false, true},
    {"fewer kept", {{16, 24}, {1, 50}}, 4, false, true},
    {"a row more", {{17, 24}, {1, 50}}, 5, false, false},
    {"a tensor less", {{16, 24}}, 5, false, false},
    {"a tensor more", {{16, 24}, {1, 50}, {1, 1}}, 5, false, false},
    {"a tile of each", {{8, 8}, {1, 8}}, 5, false, false},
    {"none", {}, 5, false, false},
};

TEST_P(Adversary, BodiesOfOtherShapesAreRefused) {
  const Layout layout = layout_of({{16, 24}, {1, 50}}, 64, 5);
  const Bytes body = Doors(name(), layout).encode(gaussian(layout.parameter_count(), 3));
  for (const Shape& shape : kShapes) {
    SCOPED_TRACE(shape.name);
    const Layout other = layout_of(shape.tensors, 64, shape.keep);
    const Doors doors(name(), other, 64, shape.keep);
    const Verdict verdict = doors.judge(body);
    // Who trained such a model has other hparams, and that is in the header. Templar's pieces are
    // tensors.
    const bool alike = (shape.same_tiles && !(name() == "templar" && shape.tensors.size() == 1)) ||
                       (shape.same_size && name() == "dense");
    if (alike) {
      EXPECT_EQ(verdict, kAccepted) << common::name(verdict);
    } else {
      EXPECT_TRUE(verdict == kWrongShape || verdict == kOversized ||
                  (verdict == kMalformed && has_table()))
          << common::name(verdict);
    }
  }
}

// A shape that differs by little may be given a body that is one of its own, too.
TEST_P(Adversary, WhatIsAcceptedOfAnotherShapeIsWhatThatShapeWouldSend) {
  const Layout layout = layout_of({{16, 24}, {1, 50}}, 64, 5);
  const Bytes body = Doors(name(), layout).encode(gaussian(layout.parameter_count(), 3));
  const std::vector<std::vector<std::pair<uint32_t, uint32_t>>> others = {
      {{1, 50}, {16, 24}}, {{16, 24}, {1, 49}}, {{16, 23}, {1, 50}}, {{15, 24}, {1, 50}}};
  for (const auto& tensors : others) {
    const Layout other = layout_of(tensors, 64, 5);
    const Doors doors(name(), other);
    const Verdict verdict = doors.judge(body);
    if (verdict == kAccepted && doors.one_to_one()) {
      EXPECT_EQ(doors.written_again(body), body);
    } else if (verdict != kAccepted) {
      EXPECT_TRUE(verdict == kWrongShape || verdict == kOversized || verdict == kMalformed)
          << common::name(verdict);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, Adversary, ::testing::Range(size_t{0}, kCodecNames.size()),
                         [](const auto& of) { return kCodecNames[of.param]; });
INSTANTIATE_TEST_SUITE_P(All, AdversaryDeathTest, ::testing::Range(size_t{0}, kCodecNames.size()),
                         [](const auto& of) { return kCodecNames[of.param]; });

}  // namespace
}  // namespace compress
