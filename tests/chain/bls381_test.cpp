// Goal: the curve under the timelock is BLS12-381, as everybody else computes it.
// Method: slow arithmetic as an oracle and the laws of fields, groups and pairings on seeded
// numbers; the published vectors of RFC 9380; golden numbers of @noble/curves (data/bls381.json).
#include <gtest/gtest.h>
#include <sodium.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "chain/timelock/bls381/codec.h"
#include "chain/timelock/bls381/hash_to_g1.h"
#include "chain/timelock/bls381/pairing.h"
#include "common/philox.h"

namespace chain::timelock::bls381 {
namespace {

using common::Bytes;
using nlohmann::json;

const json& golden() {
  static const json file =
      json::parse(std::ifstream(std::string(MUSTER_SOURCE_DIR) + "/tests/chain/data/bls381.json"));
  return file;
}

std::string text_in(const json& text) { return text.get<std::string>(); }

Bytes bytes_in(const json& text) { return common::from_hex(text_in(text)).value(); }

Scalar scalar_in(const json& text) { return scalar_of(bytes_in(text)); }

template <size_t N>
std::string hex(const std::array<uint8_t, N>& bytes) {
  return common::to_hex(bytes);
}

std::string sha256_hex(common::ByteView bytes) {
  std::array<uint8_t, crypto_hash_sha256_BYTES> digest;
  crypto_hash_sha256(digest.data(), bytes.data(), bytes.size());
  return hex(digest);
}

// Seeded elements of everything.
class Draw {
 public:
  explicit Draw(uint64_t seed) : random_(seed) {}
  Fp fp() {
    std::array<uint8_t, kFpSize> bytes;
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random_.next32());
    bytes[0] &= 0x0F;  // Below p.
    return Fp::from_bytes(bytes).value();
  }
  Fp2 fp2() { return {fp(), fp()}; }
  Fp12 fp12() { return {{fp2(), fp2(), fp2()}, {fp2(), fp2(), fp2()}}; }
  Scalar scalar() {
    const auto low = fp().bytes();
    return scalar_of(low);
  }

 private:
  common::Philox random_;
};

// The edges of Fp: zero, one, p - 1, (p - 1) / 2, and some in between.
std::vector<Fp> some_fp() {
  std::vector<Fp> out = {Fp::zero(),
                         Fp::one(),
                         -Fp::one(),
                         fp("2").inverse() - Fp::one(),
                         fp("ffffffffffffffff"),
                         fp("10000000000000000")};
  Draw draw(1);
  for (int i = 0; i < 10; ++i) out.push_back(draw.fp());
  return out;
}

TEST(Fp, AProductIsRepeatedAddition) {
  for (const Fp& a : some_fp()) {
    for (const Fp& b : some_fp()) {
      Fp slow;
      for (const uint8_t byte : b.bytes()) {
        for (int bit = 7; bit >= 0; --bit) {
          slow = slow + slow;
          if (((byte >> bit) & 1) != 0) slow = slow + a;
        }
      }
      EXPECT_EQ(a * b, slow);
    }
  }
}

TEST(Fp, SumsAndDifferencesStayBelowTheModulus) {
  EXPECT_EQ(-Fp::one() + Fp::one(), Fp::zero());
  EXPECT_EQ(-Fp::zero(), Fp::zero());
  for (const Fp& a : some_fp()) {
    for (const Fp& b : some_fp()) {
      EXPECT_EQ((a + b) - b, a);
      EXPECT_EQ((a - b) + b, a);
      EXPECT_EQ(a + b, b + a);
    }
  }
}

TEST(Fp, InversesAndRoots) {
  EXPECT_EQ(Fp::zero().inverse(), Fp::zero());
  EXPECT_FALSE((-Fp::one()).root());  // p is 3 mod 4.
  for (const Fp& a : some_fp()) {
    if (!a.is_zero()) {
      EXPECT_EQ(a * a.inverse(), Fp::one());
    }
    const auto root = a.square().root();
    ASSERT_TRUE(root);
    EXPECT_TRUE(*root == a || *root == -a);
    if (!a.is_zero()) {
      EXPECT_NE(a.root().has_value(), (-a).root().has_value());
    }
  }
}

TEST(Fp, BytesAreCanonical) {
  for (const Fp& a : some_fp()) EXPECT_EQ(Fp::from_bytes(a.bytes()), a);
  const std::string modulus =
      "1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9fefffffff"
      "faaab";
  EXPECT_FALSE(Fp::from_bytes(*common::from_hex(modulus)));
  EXPECT_FALSE(Fp::from_bytes(Bytes(kFpSize, 0xFF)));
  EXPECT_EQ(hex((-Fp::one()).bytes()), modulus.substr(0, 95) + "a");
}

TEST(Fp, ExactlyOneOfAnElementAndItsNegativeIsHigh) {
  EXPECT_FALSE(Fp::zero().is_high());
  for (const Fp& a : some_fp()) {
    if (!a.is_zero()) {
      EXPECT_NE(a.is_high(), (-a).is_high());
    }
  }
}

TEST(Fp2, InversesAndRoots) {
  Draw draw(2);
  std::vector<Fp2> some = {Fp2::one(),
                           {Fp::zero(), Fp::one()},
                           {-Fp::one(), Fp::zero()},
                           {draw.fp(), Fp::zero()},
                           {Fp::zero(), draw.fp()}};
  for (int i = 0; i < 10; ++i) some.push_back(draw.fp2());
  for (const Fp2& a : some) {
    EXPECT_EQ(a * a.inverse(), Fp2::one());
    EXPECT_EQ(a * a, a.square());
    const auto root = a.square().root();
    ASSERT_TRUE(root);
    EXPECT_TRUE(*root == a || *root == -a);
    // 1 + u is no square: so of a and a (1 + u) exactly one is.
    EXPECT_NE(a.root().has_value(), a.times_xi().root().has_value());
    EXPECT_EQ(a.times_xi(), a * (Fp2{Fp::one(), Fp::one()}));
  }
}

TEST(Fp12, TheShortcutsAreTheProductsTheyStandFor) {
  Draw draw(3);
  for (int i = 0; i < 5; ++i) {
    const Fp12 a = draw.fp12();
    const Fp12 b = draw.fp12();
    EXPECT_EQ(a * a.inverse(), Fp12::one());
    EXPECT_EQ(a.square(), a * a);
    EXPECT_EQ((a * b) * b.inverse(), a);
    const Fp2 l0 = draw.fp2();
    const Fp2 l1 = draw.fp2();
    const Fp2 l4 = draw.fp2();
    EXPECT_EQ(a.times_line(l0, l1, l4), a * (Fp12{{l0, l1, {}}, {{}, l4, {}}}));
  }
}

TEST(Fp12, FrobeniusIsThePowerOfTheModulus) {
  const Fp12 a = Draw(4).fp12();
  Fp12 slow = Fp12::one();
  for (size_t bit = 384; bit-- > 0;) {
    slow = slow.square();
    if (((kModulus[bit / 64] >> (bit % 64)) & 1) != 0) slow = slow * a;
  }
  EXPECT_EQ(a.frobenius(), slow);
  Fp12 six = a;
  for (int i = 0; i < 6; ++i) six = six.frobenius();
  EXPECT_EQ(six, a.conjugate());
}

TEST(Fp12, CyclotomicSquaresAreSquares) {
  Fp12 a = Draw(5).fp12();
  a = a.conjugate() * a.inverse();
  a = a.frobenius().frobenius() * a;  // Now cyclotomic.
  EXPECT_EQ(a.cyclotomic_square(), a.square());
  EXPECT_EQ(a.conjugate(), a.inverse());
}

TEST(Scalar, IsTheRestModuloTheGroupOrder) {
  EXPECT_EQ(scalar_of(kGroupOrder), Scalar{});
  EXPECT_EQ(scalar_of({}), Scalar{});
  Scalar less = kGroupOrder;
  less[31] = 0;
  EXPECT_EQ(scalar_of(less), less);
  // 2^256 - 1, and 2^384: by an outside calculator.
  EXPECT_EQ(hex(scalar_of(Bytes(32, 0xFF))),
            "1824b159acc5056f998c4fefecbc4ff55884b7fa0003480200000001fffffffd");
  Bytes two384(49);
  two384[0] = 1;
  EXPECT_EQ(hex(scalar_of(two384)),
            "2dbeaf1fd4843acb7abbe5687369510a9277efb8ac0a600dcf2ab21bf81f712d");
}

TEST(Point, AdditionIsComplete) {
  const G1 g = g1_generator();
  const G1 zero;
  EXPECT_EQ(g + zero, g);
  EXPECT_EQ(zero + g, g);
  EXPECT_EQ(g + -g, zero);
  EXPECT_EQ(g + g, g.twice());
  EXPECT_EQ(zero + zero, zero);
  EXPECT_EQ(zero.twice(), zero);
  const G2 h = g2_generator();
  EXPECT_EQ(h + h, h.twice());
  EXPECT_EQ(h + -h, G2());
  EXPECT_EQ(h + G2(), h);
  EXPECT_FALSE(g == zero);
  EXPECT_FALSE(g == -g);
}

TEST(Point, TheGroupsHaveTheirOrder) {
  EXPECT_TRUE(multiply<Fp>(g1_generator(), kGroupOrder).is_infinity());
  EXPECT_TRUE(multiply<Fp2>(g2_generator(), kGroupOrder).is_infinity());
  EXPECT_TRUE(multiply<Fp>(g1_generator(), Scalar{}).is_infinity());
}

TEST(Point, MultiplesAreNobles) {
  for (const json& row : golden()["multiples"]) {
    const Scalar scalar = scalar_in(row["scalar"]);
    const auto g1 = multiply<Fp>(g1_generator(), scalar).affine();
    const auto g2 = multiply<Fp2>(g2_generator(), scalar).affine();
    EXPECT_EQ(hex(bytes_of(g1)), text_in(row["g1"]));
    EXPECT_EQ(hex(bytes_of(g2)), text_in(row["g2"]));
    EXPECT_EQ(g1_from_bytes(bytes_in(row["g1"])), g1);
    EXPECT_EQ(g2_from_bytes(bytes_in(row["g2"])), g2);
  }
}

TEST(Point, MultiplicationDistributes) {
  Draw draw(6);
  for (int i = 0; i < 4; ++i) {
    const Scalar a = draw.scalar();
    const Scalar b = draw.scalar();
    const G1 g = g1_generator();
    EXPECT_EQ(multiply(multiply(g, a), b), multiply(multiply(g, b), a));
    EXPECT_EQ(multiply(g, a) + multiply(g.twice(), a), multiply(g.twice() + g, a));
    Scalar seven{};
    seven[31] = 7;
    EXPECT_EQ(multiply(g, seven), multiply_public(g, 7));
  }
}

// The slow test of a subgroup: r times the point.
template <typename F>
bool has_group_order(const Affine<F>& point) {
  return multiply<F>(point, kGroupOrder).is_infinity();
}

TEST(Point, TheSubgroupTestSaysWhatTheGroupOrderSays) {
  Draw draw(7);
  for (int i = 0; i < 20; ++i) {
    const Fp x = draw.fp();
    if (const auto y = (x.square() * x + fp("4")).root()) {
      EXPECT_EQ(is_in_subgroup(G1Affine{x, *y}), has_group_order(G1Affine{x, *y}));
    }
    const Fp2 z = draw.fp2();
    if (const auto y = (z.square() * z + Fp2{fp("4"), fp("4")}).root()) {
      EXPECT_EQ(is_in_subgroup(G2Affine{z, *y}), has_group_order(G2Affine{z, *y}));
    }
  }
  EXPECT_TRUE(is_in_subgroup(g1_generator()));
  EXPECT_TRUE(is_in_subgroup(g2_generator()));
}

TEST(Codec, PointsOutsideTheSubgroupAreRefused) {
  for (const char* set : {"outside", "small"}) {
    for (const json& text : golden()[set]["g1"]) {
      EXPECT_EQ(g1_from_bytes(bytes_in(text)).error(), Fault::kNotInSubgroup);
    }
    for (const json& text : golden()[set]["g2"]) {
      EXPECT_EQ(g2_from_bytes(bytes_in(text)).error(), Fault::kNotInSubgroup);
    }
  }
  // x = 0 is on E with y = 2: a point of order three.
  Bytes order_three(kG1Size);
  order_three[0] = 0x80;
  EXPECT_EQ(g1_from_bytes(order_three).error(), Fault::kNotInSubgroup);
}

TEST(Codec, EachWrongEncodingIsNamed) {
  const auto good = bytes_of(g1_generator());
  const auto with = [&good](size_t at, uint8_t value) {
    Bytes bytes(good.begin(), good.end());
    bytes[at] = value;
    return bytes;
  };
  const auto fault = [](common::ByteView bytes) { return g1_from_bytes(bytes).error(); };
  EXPECT_EQ(fault({}), Fault::kLength);
  EXPECT_EQ(fault(common::ByteView(good).first(47)), Fault::kLength);
  EXPECT_EQ(fault(Bytes(96, 0x80)), Fault::kLength);
  EXPECT_EQ(fault(with(0, good[0] & 0x7F)), Fault::kFlags);
  EXPECT_EQ(fault(with(0, good[0] | 0x40)), Fault::kFlags);  // Infinity, but with an x.
  Bytes infinity(kG1Size);
  infinity[0] = 0xC0;
  EXPECT_EQ(fault(infinity), Fault::kZero);
  infinity[0] = 0xE0;
  EXPECT_EQ(fault(infinity), Fault::kFlags);
  Bytes modulus = *common::from_hex(
      "9a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9fefffffff"
      "faaab");
  EXPECT_EQ(fault(modulus), Fault::kNotCanonical);
  Bytes one(kG1Size);
  one[0] = 0x80;
  one[47] = 1;  // 1 + 4 is no square.
  EXPECT_EQ(fault(one), Fault::kNotOnCurve);
}

TEST(Codec, EachWrongEncodingInG2IsNamed) {
  const auto good = bytes_of(g2_generator());
  Bytes bytes(good.begin(), good.end());
  const auto fault = [](common::ByteView view) { return g2_from_bytes(view).error(); };
  EXPECT_EQ(fault(common::ByteView(bytes).first(48)), Fault::kLength);
  bytes[0] ^= 0x80;
  EXPECT_EQ(fault(bytes), Fault::kFlags);
  bytes[0] ^= 0x80;
  bytes[48] |= 0x20;  // c0 has no flags: it is too large now.
  EXPECT_EQ(fault(bytes), Fault::kNotCanonical);
  Bytes infinity(kG2Size);
  infinity[0] = 0xC0;
  EXPECT_EQ(fault(infinity), Fault::kZero);
  infinity[95] = 1;
  EXPECT_EQ(fault(infinity), Fault::kFlags);
}

TEST(Codec, TheSignFlagChoosesTheNegative) {
  auto bytes = bytes_of(g1_generator());
  bytes[0] ^= 0x20;
  EXPECT_EQ(g1_from_bytes(bytes), -g1_generator());
  auto twisted = bytes_of(g2_generator());
  twisted[0] ^= 0x20;
  EXPECT_EQ(g2_from_bytes(twisted), -g2_generator());
}

// RFC 9380, appendix J.9.1.
TEST(HashToG1, IsTheStandards) {
  struct Row {
    std::string message;
    const char* x;
    const char* y;
  };
  const std::vector<Row> rows = {
      {"",
       "052926add2207b76ca4fa57a8734416c8dc95e24501772c814278700eed6d1e4e8cf62d9c09db0fac349612b75"
       "9e79a1",
       "08ba738453bfed09cb546dbb0783dbb3a5f1f566ed67bb6be0e8c67e2e81a4cc68ee29813bb7994998f3eae0c9"
       "c6a265"},
      {"abc",
       "03567bc5ef9c690c2ab2ecdf6a96ef1c139cc0b2f284dca0a9a7943388a49a3aee664ba5379a7655d3c68900be"
       "2f6903",
       "0b9c15f3fe6e5cf4211f346271d7b01c8f3b28be689c8429c85b67af215533311f0b8dfaaa154fa6b88176c229"
       "f2885d"},
      {"abcdef0123456789",
       "11e0b079dea29a68f0383ee94fed1b940995272407e3bb916bbf268c263ddd57a6a27200a784cbc248e84f357c"
       "e82d98",
       "03a87ae2caf14e8ee52e51fa2ed8eefe80f02457004ba4d486d6aa1f517c0889501dc7413753f9599b099ebcbb"
       "d2d709"},
      {"q128_" + std::string(128, 'q'),
       "15f68eaa693b95ccb85215dc65fa81038d69629f70aeee0d0f677cf22285e7bf58d7cb86eefe8f2e9bc3f8cb84"
       "fac488",
       "1807a1d50c29f430b8cafc4f8638dfeeadf51211e1602a5f184443076715f91bb90a48ba1e370edce6ae1062f5"
       "e6dd38"},
      {"a512_" + std::string(512, 'a'),
       "082aabae8b7dedb0e78aeb619ad3bfd9277a2f77ba7fad20ef6aabdc6c31d19ba5a6d12283553294c1825c4b3c"
       "a2dcfe",
       "05b84ae5a942248eea39e1d91030458c40153f3b654ab7872d779ad1e942856a20c438e8d99bc8abfbf74729ce"
       "1f7ac8"},
  };
  for (const Row& row : rows) {
    const G1Affine point = hash_to_g1(common::view_of(row.message),
                                      "QUUX-V01-CS02-with-BLS12381G1_XMD:SHA-256_SSWU_RO_");
    EXPECT_EQ(hex(point.x.bytes()), row.x) << row.message;
    EXPECT_EQ(hex(point.y.bytes()), row.y) << row.message;
  }
}

TEST(HashToG1, IsNobles) {
  for (const json& row : golden()["hashes"]) {
    const auto point = hash_to_g1(bytes_in(row["message"]), text_in(row["dst"]));
    EXPECT_EQ(hex(bytes_of(point)), text_in(row["point"]));
    EXPECT_TRUE(has_group_order(point));
  }
}

TEST(HashToG1DeathTest, ANameThatIsNoNameIsABug) {
  EXPECT_DEATH(hash_to_g1({}, ""), "CHECK failed");
  EXPECT_DEATH(hash_to_g1({}, std::string(256, 'x')), "CHECK failed");
}

TEST(Pairing, IsNobles) {
  for (const json& row : golden()["pairings"]) {
    const auto p = multiply<Fp>(g1_generator(), scalar_in(row["a"])).affine();
    const auto q = multiply<Fp2>(g2_generator(), scalar_in(row["b"])).affine();
    EXPECT_EQ(sha256_hex(pairing(p, q).bytes()), text_in(row["sha256"]));
  }
}

TEST(Pairing, IsBilinearAndNotDegenerate) {
  Draw draw(8);
  const G1 g = g1_generator();
  const G2 h = g2_generator();
  for (int i = 0; i < 3; ++i) {
    const Scalar a = draw.scalar();
    const Scalar b = draw.scalar();
    const auto ga = multiply(g, a);
    const auto hb = multiply(h, b);
    EXPECT_EQ(pairing(ga.affine(), hb.affine()),
              pairing(multiply(g, b).affine(), multiply(h, a).affine()));
    const auto c = multiply(g, b);
    EXPECT_EQ(pairing((ga + c).affine(), hb.affine()),
              pairing(ga.affine(), hb.affine()) * pairing(c.affine(), hb.affine()));
  }
  EXPECT_NE(pairing(g1_generator(), g2_generator()), Fp12::one());
}

TEST(Pairing, AProductIsTheProductOfPairings) {
  Draw draw(9);
  std::vector<PointPair> pairs;
  Fp12 product = Fp12::one();
  for (int i = 0; i < 3; ++i) {
    pairs.push_back({multiply<Fp>(g1_generator(), draw.scalar()).affine(),
                     multiply<Fp2>(g2_generator(), draw.scalar()).affine()});
    product = product * pairing(pairs.back().p, pairs.back().q);
  }
  EXPECT_EQ(pairing_product(pairs), product);
  EXPECT_EQ(pairing_product({}), Fp12::one());
  const std::vector<PointPair> inverse = {{pairs[0].p, pairs[0].q}, {-pairs[0].p, pairs[0].q}};
  EXPECT_EQ(pairing_product(inverse), Fp12::one());
}

}  // namespace
}  // namespace chain::timelock::bls381
