#include "chain/timelock/bls381/point.h"

namespace chain::timelock::bls381 {
namespace {

// A cube root of one in Fp: (x, y) -> (kCubeRoot x, y) multiplies points of G1 by -x^2.
constexpr Fp kCubeRoot =
    fp("5f19672fdf76ce51ba69c6076a0f77eaddb3a93be6f89688de17d813620a00022e01fffffffefffe");

// psi: untwist, to the power of p, twist again. It multiplies points of G2 by x.
//   (x, y) -> (conjugate(x) (1 + u)^-((p - 1) / 3), conjugate(y) (1 + u)^-((p - 1) / 2))
constexpr Fp2 kPsiX = {Fp::zero(), fp("1a0111ea397fe699ec02408663d4de85aa0d857d89759ad4897d29650fb8"
                                      "5f9b409427eb4f49fffd8bfd00000000aa"
                                      "ad")};
constexpr Fp2 kPsiY = {fp("135203e60180a68ee2e9c448d77a2cd91c3dedd930b1cf60ef396489f61eb45e304466cf"
                          "3e67fa0af1ee7b04121bde"
                          "a2"),
                       fp("06af0e0437ff400b6831e36d6bd17ffe48395dabc2d3435e77f76e17009241c5ee67992f"
                          "72ec05f4c81084fbede3cc"
                          "09")};

}  // namespace

const G1Affine& g1_generator() {
  static constexpr G1Affine kGenerator = {fp("17f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3"
                                             "a3f171bac586c55e83ff97a1aeffb3af00adb22"
                                             "c6bb"),
                                          fp("08b3f481e3aaa0f1a09e30ed741d8ae4fcf5e095d5d00af600db1"
                                             "8cb2c04b3edd03cc744a2888ae40caa232946c5"
                                             "e7e1")};
  return kGenerator;
}

const G2Affine& g2_generator() {
  static constexpr G2Affine kGenerator = {{fp("024aa2b2f08f0a91260805272dc51051c6e47ad4fa403b02b451"
                                              "0b647ae3d1770bac0326a805bbefd48056c8c121"
                                              "bdb8"),
                                           fp("13e02b6052719f607dacd3a088274f65596bd0d09920b61ab5da"
                                              "61bbdc7f5049334cf11213945d57e5ac7d055d04"
                                              "2b7e")},
                                          {fp("0ce5d527727d6e118cc9cdc6da2e351aadfd9baa8cbdd3a76d42"
                                              "9a695160d12c923ac9cc3baca289e19354860"
                                              "8b82801"),
                                           fp("0606c4a02ea734cc32acd2b02bc28b99cb3e287e85a763af2674"
                                              "92ab572e99ab3f370d275cec1da1aaa9075ff"
                                              "05f79be")}};
  return kGenerator;
}

bool is_in_subgroup(const G1Affine& point) {
  const G1 multiple = multiply_public(multiply_public<Fp>(point, kParameter), kParameter);
  return -multiple == G1(G1Affine{point.x * kCubeRoot, point.y});
}

bool is_in_subgroup(const G2Affine& point) {
  const G2 multiple = multiply_public<Fp2>(point, kParameter);
  return -multiple == G2(G2Affine{point.x.conjugate() * kPsiX, point.y.conjugate() * kPsiY});
}

}  // namespace chain::timelock::bls381
