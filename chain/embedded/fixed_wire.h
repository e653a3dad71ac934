// Fixed-point numbers on the wire: their bits.
#pragma once

#include <string_view>

#include "chain/embedded/typed.h"

namespace chain::embedded {

struct FixedU128 {
  static constexpr std::string_view kPath = "substrate_fixed::FixedU128";
  static constexpr std::string_view kNames = "bits";
  Uint128 bits = 0;
};
struct FixedI64 {
  static constexpr std::string_view kPath = "substrate_fixed::FixedI64";
  static constexpr std::string_view kNames = "bits";
  int64_t bits = 0;
};
struct FixedI128 {
  Uint128 bits = 0;  // Two's complement.
};
template <>
struct Scale<FixedI128> {
  static void put(Encoder& out, FixedI128 value) { out.number128(value.bits); }
  static FixedI128 take(Decoder& in) { return {in.number128()}; }
  static substrate::Type type(TypeRegistry& registry);
};

}  // namespace chain::embedded
