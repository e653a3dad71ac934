#include "validator/rating.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "common/check.h"

namespace validator {
namespace {

constexpr double kExponentMax = 700;
constexpr int kTaylorTerms = 16;  // |r| <= ln(2) / 2: the next term is below 2^-70.

}  // namespace

double portable_exp(double x) {
  // x = k ln 2 + r; ln 2 in two parts, of which k times the first is exact (Cody & Waite 1980).
  constexpr double kLog2High = 0x1.62e42feep-1;
  constexpr double kLog2Low = 0x1.a39ef35793c76p-33;
  x = std::clamp(x, -kExponentMax, kExponentMax);
  const double k = std::floor(x / (kLog2High + kLog2Low) + 0.5);
  const double r = (x - k * kLog2High) - k * kLog2Low;
  double sum = 1;  // Horner: 1 + r (1 + r/2 (1 + r/3 (...)))
  for (int n = kTaylorTerms; n > 0; --n) sum = 1 + r * sum / n;
  return std::ldexp(sum, static_cast<int>(k));
}

Rating newcomer(const common::RatingParams& params) { return {params.mu, params.sigma}; }

Rating forget(const Rating& rating, const common::RatingParams& params) {
  return {rating.mu + (params.mu - rating.mu) / params.memory, rating.sigma};
}

void rate(std::span<Rating> players, std::span<const uint32_t> ranks,
          const common::RatingParams& params) {
  CHECK(players.size() == ranks.size());
  const size_t n = players.size();
  if (n < 2) return;
  double variance_sum = 0;
  double mu_max = players[0].mu;
  std::vector<double> variance(n);
  for (size_t i = 0; i < n; ++i) {
    variance[i] = players[i].sigma * players[i].sigma + params.tau * params.tau;
    variance_sum += variance[i] + params.beta * params.beta;
    mu_max = std::max(mu_max, players[i].mu);
  }
  const double c = std::sqrt(variance_sum);
  std::vector<double> strength(n);  // E, up to a common factor that cancels.
  for (size_t i = 0; i < n; ++i) strength[i] = portable_exp((players[i].mu - mu_max) / c);
  std::vector<double> behind(n, 0.0);  // S
  std::vector<double> tied(n, 0.0);    // A
  for (size_t q = 0; q < n; ++q) {
    for (size_t i = 0; i < n; ++i) {
      if (ranks[i] >= ranks[q]) behind[q] += strength[i];
      if (ranks[i] == ranks[q]) tied[q] += 1;
    }
  }
  for (size_t i = 0; i < n; ++i) {
    double omega = 0;
    double delta = 0;
    for (size_t q = 0; q < n; ++q) {
      if (ranks[q] > ranks[i]) continue;
      const double p = strength[i] / behind[q];
      omega += ((q == i ? 1.0 : 0.0) - p) / tied[q];
      delta += p * (1 - p) / tied[q];
    }
    const double sigma = std::sqrt(variance[i]);
    const double shrink = 1 - variance[i] / (c * c) * (sigma / c) * delta;
    players[i].mu += variance[i] / c * omega;
    players[i].sigma = std::min(params.sigma, sigma * std::sqrt(std::max(shrink, params.kappa)));
  }
}

}  // namespace validator
