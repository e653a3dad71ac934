// The types that metadata lists, and the two ways of each: to the wire and from it.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "chain/substrate/metadata.h"
#include "chain/substrate/scale.h"

namespace chain::embedded {

using common::AccountId;
using common::Bytes;
using common::ByteView;
using common::Hash;
using substrate::Decoder;
using substrate::Encoder;
using substrate::TypeId;
using substrate::Uint128;

class TypeRegistry;

// put(Encoder&, const T&), take(Decoder&) -> T, type(TypeRegistry&) -> substrate::Type.
template <typename T>
struct Scale;

template <typename T>
void put(Encoder& out, const T& value) {
  Scale<T>::put(out, value);
}
// Fails the decoder for what is not the one encoding of a value.
template <typename T>
T take(Decoder& in) {
  return Scale<T>::take(in);
}
template <typename T>
Bytes encoded(const T& value) {
  Encoder out;
  put(out, value);
  return std::move(out).done();
}

// Each type once.
class TypeRegistry {
 public:
  template <typename T>
  TypeId id() {
    return id_of(&kTag<T>, [](TypeRegistry& registry) { return Scale<T>::type(registry); });
  }
  TypeId add(substrate::Type type);
  // A type made at run time, by a name of its own: made at the first call, the same id afterwards.
  template <typename Make>
  TypeId named(const std::string& name, Make make) {
    const auto found = names_.find(name);
    if (found != names_.end()) return found->second;
    const TypeId id = names_[name] = add({});
    types_[id] = make(*this);
    return id;
  }
  std::vector<substrate::Type> done() && { return std::move(types_); }

 private:
  template <typename T>
  static constexpr char kTag = 0;

  template <typename Make>
  TypeId id_of(const void* tag, Make make) {
    const auto found = ids_.find(tag);
    if (found != ids_.end()) return found->second;
    // Its place is taken before it is made: a type may hold itself.
    const TypeId id = ids_[tag] = add({});
    substrate::Type type = make(*this);
    types_[id] = std::move(type);
    return id;
  }

  std::vector<substrate::Type> types_;
  std::map<const void*, TypeId> ids_;
  std::map<std::string, TypeId> names_;
};

}  // namespace chain::embedded
