// Skill from rankings: Plackett-Luce in the Bayesian form of Weng & Lin 2011 (JMLR 12, algorithm
// 4), with ties as OpenSkill 6.2 has them (6.1 rewards a large tied last place, W12), and a bounded
// memory, so that nobody lives on old merits (W11).
#pragma once

#include <cstdint>
#include <span>

#include "common/hparams.h"

namespace validator {

// A normal belief about a skill.
struct Rating {
  double mu = 0;
  double sigma = 0;
  bool operator==(const Rating&) const = default;
};

Rating newcomer(const common::RatingParams& params);

// What a window's passing does before a match: mu goes 1/memory of the way back to its start.
Rating forget(const Rating& rating, const common::RatingParams& params);

// One match, in place.
//
//   players, ranks  (n)   rank 0 is best; equal ranks are ties; numbers need not be dense
//   s_i^2 = sigma_i^2 + tau^2        c = sqrt(sum (s_i^2 + beta^2))       E_i = exp(mu_i / c)
//   S_q   = sum of E_i over rank_i >= rank_q          A_q = players of rank_q
//   omega_i = sum over rank_q <= rank_i of ([q = i] - E_i / S_q) / A_q
//   delta_i = sum over rank_q <= rank_i of (E_i / S_q) (1 - E_i / S_q) / A_q
//   mu_i += s_i^2 / c omega_i        sigma_i = s_i sqrt(max(1 - s_i^3 / c^3 delta_i, kappa))
//
// sigma never exceeds its start. Fewer than two players leave everything as it is. Quadratic in n.
// The same bits on every machine: fp64 sums in order, correctly rounded square roots, and an exp of
// our own.
void rate(std::span<Rating> players, std::span<const uint32_t> ranks,
          const common::RatingParams& params);

// e^x by additions and multiplications alone, within 4e-16 of itself: libm's differs from machine
// to machine (its FMA variant rounds otherwise), and an audit compares bits. x is clamped to +-700.
double portable_exp(double x);

}  // namespace validator
