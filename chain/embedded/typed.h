// A C++ type's place on the wire: how its values stand in SCALE, and what metadata says of it, both
// from one declaration, so that metadata cannot lie.
//
// A struct says its fields' names once; their number, order and types are the struct's own:
//
//   struct CommitWeights {
//     static constexpr std::string_view kPath = "";          // In the runtime's sources, or "".
//     static constexpr std::string_view kNames = "netuid commit_hash";
//     // And, if types of one path differ by them: static std::vector<TypeParam> params(registry).
//     uint16_t netuid = 0;
//     Hash commit_hash;
//   };
#pragma once

#include <boost/pfr.hpp>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "chain/embedded/type_registry.h"

namespace chain::embedded {

// "a::b::C" in its parts; none for "".
std::vector<std::string> path_of(std::string_view path);
std::vector<std::string> words_of(std::string_view words);

template <typename T>
concept Struct = std::is_aggregate_v<T> && requires {
  T::kNames;
};

// A struct's fields, as metadata has them; unnamed if kNames is "".
template <Struct T>
std::vector<substrate::Field> fields_of(TypeRegistry& registry) {
  constexpr size_t kCount = boost::pfr::tuple_size_v<T>;
  std::vector<std::string> names = words_of(T::kNames);
  if (names.empty()) names.resize(kCount);
  CHECK(names.size() == kCount);
  std::vector<substrate::Field> fields;
  [&]<size_t... I>(std::index_sequence<I...>) {
    (fields.push_back({names[I], registry.id<boost::pfr::tuple_element_t<I, T>>()}), ...);
  }
  (std::make_index_sequence<kCount>());
  return fields;
}

template <Struct T>
struct Scale<T> {
  static void put(Encoder& out, const T& value) {
    boost::pfr::for_each_field(value, [&](const auto& field) {
      embedded::put<std::remove_cvref_t<decltype(field)>>(out, field);
    });
  }
  static T take(Decoder& in) {
    T value;
    boost::pfr::for_each_field(value, [&](auto& field) {
      field = embedded::take<std::remove_cvref_t<decltype(field)>>(in);
    });
    return value;
  }
  static substrate::Type type(TypeRegistry& registry) {
    std::vector<substrate::TypeParam> params;
    if constexpr (requires { T::params(registry); }) params = T::params(registry);
    return {path_of(T::kPath), std::move(params), substrate::CompositeType{fields_of<T>(registry)}};
  }
};

// u8 to u64, i8 to i64, bool.
template <std::integral T>
constexpr substrate::Primitive primitive_of() {
  using enum substrate::Primitive;
  if constexpr (std::same_as<T, bool>) return kBool;
  constexpr bool kSigned = std::is_signed_v<T>;
  switch (sizeof(T)) {
    case 1:
      return kSigned ? kI8 : kU8;
    case 2:
      return kSigned ? kI16 : kU16;
    case 4:
      return kSigned ? kI32 : kU32;
    default:
      return kSigned ? kI64 : kU64;
  }
}
template <std::integral T>
struct Scale<T> {
  static void put(Encoder& out, T value) { out.number(value); }
  static T take(Decoder& in) { return in.number<T>(); }
  static substrate::Type type(TypeRegistry&) { return {{}, {}, primitive_of<T>()}; }
};
template <>
struct Scale<Uint128> {
  static void put(Encoder& out, Uint128 value) { out.number128(value); }
  static Uint128 take(Decoder& in) { return in.number128(); }
  static substrate::Type type(TypeRegistry&) { return {{}, {}, substrate::Primitive::kU128}; }
};

// Compact<uN>.
template <typename T>
struct Compact {
  T value{};
  operator T() const { return value; }  // NOLINT(google-explicit-constructor): it is the number.
  bool operator==(const Compact&) const = default;
};
template <typename T>
struct Scale<Compact<T>> {
  static void put(Encoder& out, Compact<T> compact) { out.compact(compact.value); }
  static Compact<T> take(Decoder& in) {
    if constexpr (sizeof(T) == 16)
      return {in.compact128()};
    else
      return {in.compact<T>()};
  }
  static substrate::Type type(TypeRegistry& registry) {
    return {{}, {}, substrate::CompactType{registry.id<T>()}};
  }
};

inline constexpr size_t kSequenceMax = 1 << 20;

template <typename T>
struct Scale<std::vector<T>> {
  static void put(Encoder& out, const std::vector<T>& items) {
    if constexpr (std::same_as<T, uint8_t>) {
      out.bytes(items);
    } else {
      out.compact(items.size());
      for (const T& item : items) embedded::put<T>(out, item);
    }
  }
  static std::vector<T> take(Decoder& in) {
    if constexpr (std::same_as<T, uint8_t>) {
      const ByteView bytes = in.bytes(kSequenceMax);
      return {bytes.begin(), bytes.end()};
    } else {
      return in.sequence(kSequenceMax, 1, [](Decoder& one) { return embedded::take<T>(one); });
    }
  }
  static substrate::Type type(TypeRegistry& registry) {
    return {{}, {}, substrate::SequenceType{registry.id<T>()}};
  }
};
template <typename T, size_t N>
struct Scale<std::array<T, N>> {
  static void put(Encoder& out, const std::array<T, N>& items) {
    for (const T& item : items) embedded::put<T>(out, item);
  }
  static std::array<T, N> take(Decoder& in) {
    std::array<T, N> items{};
    for (T& item : items) item = embedded::take<T>(in);
    return items;
  }
  static substrate::Type type(TypeRegistry& registry) {
    return {{}, {}, substrate::ArrayType{static_cast<uint32_t>(N), registry.id<T>()}};
  }
};
template <>
struct Scale<std::string> {
  static void put(Encoder& out, const std::string& text) { out.text(text); }
  static std::string take(Decoder& in) { return in.text(kSequenceMax); }
  static substrate::Type type(TypeRegistry&) { return {{}, {}, substrate::Primitive::kStr}; }
};
template <typename T>
struct Scale<std::optional<T>> {
  static void put(Encoder& out, const std::optional<T>& value) {
    out.number(value.has_value());
    if (value) embedded::put<T>(out, *value);
  }
  static std::optional<T> take(Decoder& in) {
    if (!in.number<bool>()) return std::nullopt;
    return embedded::take<T>(in);
  }
  static substrate::Type type(TypeRegistry& registry) {
    const TypeId item = registry.id<T>();
    std::vector<substrate::Variant> variants = {{"None", {}, 0, {}}, {"Some", {{"", item}}, 1, {}}};
    return {{"Option"}, {{"T", item}}, substrate::VariantType{std::move(variants)}};
  }
};
template <typename... T>
struct Scale<std::tuple<T...>> {
  static void put(Encoder& out, const std::tuple<T...>& items) {
    std::apply([&](const T&... item) { (embedded::put<T>(out, item), ...); }, items);
  }
  static std::tuple<T...> take(Decoder& in) { return std::tuple<T...>{embedded::take<T>(in)...}; }
  static substrate::Type type(TypeRegistry& registry) {
    return {{}, {}, substrate::TupleType{{registry.id<T>()...}}};
  }
};

}  // namespace chain::embedded
