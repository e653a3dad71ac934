// Enums without fields, on the wire and in metadata.
#pragma once

#include <string_view>
#include <type_traits>

#include "chain/embedded/typed.h"

namespace chain::embedded {

// EnumNames<E> lists its variants in the order of their numbers, from 0.
template <typename E>
struct EnumNames;  // kPath, kNames
template <typename E>
concept NamedEnum = std::is_enum_v<E> && requires {
  EnumNames<E>::kNames;
};

substrate::Type enum_type(std::string_view path, std::string_view names);
template <NamedEnum E>
struct Scale<E> {
  static void put(Encoder& out, E value) { out.number(static_cast<uint8_t>(value)); }
  static E take(Decoder& in) {
    const auto number = in.number<uint8_t>();
    if (number >= words_of(EnumNames<E>::kNames).size()) in.fail();
    return static_cast<E>(number);
  }
  static substrate::Type type(TypeRegistry&) {
    return enum_type(EnumNames<E>::kPath, EnumNames<E>::kNames);
  }
};

}  // namespace chain::embedded
