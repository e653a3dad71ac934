// How the rows of the runtime's table are made from C++ types and functions.
#pragma once

#include <string_view>
#include <vector>

#include "chain/embedded/items.h"
#include "chain/embedded/runtime.h"

namespace chain::embedded {

// The last argument's type of a call's function: f(Context, AccountId or Origin, Args).
template <typename F>
struct Handler;
template <typename Who, typename A>
struct Handler<Outcome (*)(const Context&, const Who&, const A&)> {
  using Args = A;
  static constexpr bool kSigned = std::same_as<Who, AccountId>;
};

template <typename Args>
Args args_of(ByteView bytes) {
  Decoder in(bytes);
  Args args = take<Args>(in);
  CHECK(in.at_end());  // find_call stepped over them.
  return args;
}

// A call that `kDo` carries out and, if it is given, `kCheck` looks at in the pool:
//   Outcome do(const Context&, const AccountId& or const Origin&, const Args&)
//   Outcome check(const Storage&, uint64_t block, const AccountId&, const Args&)
// One that takes an AccountId is for accounts that signed; all others get BadOrigin.
template <auto kDo, auto kCheck = nullptr>
CallRow call(uint8_t index, std::string_view name, Cost cost, std::string_view docs) {
  using H = Handler<decltype(kDo)>;
  using Args = typename H::Args;
  CallRow row{index, name, docs, cost};
  row.fields = [](TypeRegistry& registry) { return fields_of<Args>(registry); };
  row.step_over = [](Decoder& in) { take<Args>(in); };
  row.dispatch = [](const Context& context, const Origin& origin, ByteView bytes) -> Outcome {
    if constexpr (H::kSigned) {
      if (!origin.account) return bad_origin();
      return kDo(context, *origin.account, args_of<Args>(bytes));
    } else {
      return kDo(context, origin, args_of<Args>(bytes));
    }
  };
  if constexpr (!std::same_as<decltype(kCheck), std::nullptr_t>) {
    row.check = [](const Storage& storage, uint64_t block, const AccountId& origin,
                   ByteView bytes) { return kCheck(storage, block, origin, args_of<Args>(bytes)); };
  }
  return row;
}

template <typename... Events>
std::vector<EventRow> event_rows() {
  return {{Events::Place::kIndex, Events::kName,
           [](TypeRegistry& registry) { return fields_of<Events>(registry); },
           [](Decoder& in) { take<Events>(in); }}...};
}

// A method of a runtime API: Output method(const ApiContext&, const Inputs&).
template <typename F>
struct Method;
template <typename O, typename I>
struct Method<O (*)(const ApiContext&, const I&)> {
  using Output = O;
  using Inputs = I;
};
template <auto kMethod>
ApiRow api(std::string_view api_name, std::string_view method) {
  using M = Method<decltype(kMethod)>;
  ApiRow row{api_name, method};
  row.inputs = [](TypeRegistry& registry) { return fields_of<typename M::Inputs>(registry); };
  row.output = [](TypeRegistry& registry) { return registry.id<typename M::Output>(); };
  row.answer = [](const ApiContext& context, ByteView bytes) -> std::optional<Bytes> {
    Decoder in(bytes);
    const auto inputs = take<typename M::Inputs>(in);
    if (!in.at_end()) return std::nullopt;
    return encoded<typename M::Output>(kMethod(context, inputs));
  };
  return row;
}

#define MUSTER_ERROR_ROW(number, name) {number, #name},

template <typename T>
ConstantRow constant(std::string_view name, const T& value) {
  return {name, [](TypeRegistry& registry) { return registry.id<T>(); }, encoded(value)};
}

// Storage. The kind of item says by which keys and hashers it is found.
enum class Otherwise { kNothing, kDefault };

template <typename T>
TypeId type_id(TypeRegistry& registry) {
  return registry.id<T>();
}

template <typename Value, typename Key, typename Item>
StorageRow storage_row(const Item& item, std::vector<substrate::StorageHasher> hashers,
                       std::optional<Value> otherwise) {
  StorageRow row{item.pallet, item.item, std::move(hashers), nullptr, type_id<Value>};
  row.step_over = [](Decoder& in) { take<Value>(in); };
  if constexpr (!std::same_as<Key, void>) row.key = type_id<Key>;
  if (otherwise) row.otherwise = encoded(*otherwise);
  return row;
}

using H = substrate::StorageHasher;
template <typename Value>
StorageRow row(const substrate::PlainItem& item, std::optional<Value> otherwise = Value{}) {
  return storage_row<Value, void>(item, {}, std::move(otherwise));
}
template <typename Value>
StorageRow row(const substrate::BlockMap& item, std::optional<Value> otherwise = Value{}) {
  return storage_row<Value, uint32_t>(item, {H::kTwox64Concat}, std::move(otherwise));
}
template <typename Value>
StorageRow row(const substrate::AccountMap& item, std::optional<Value> otherwise = Value{}) {
  return storage_row<Value, AccountId>(item, {item.hasher}, std::move(otherwise));
}
template <typename Value>
StorageRow row(const substrate::SubnetMap& item, std::optional<Value> otherwise = Value{}) {
  return storage_row<Value, uint16_t>(item, {item.hasher}, std::move(otherwise));
}
template <typename Value>
StorageRow row(const substrate::NeuronMap& item, std::optional<Value> otherwise = Value{}) {
  return storage_row<Value, std::tuple<uint16_t, uint16_t>>(item, {H::kIdentity, H::kIdentity},
                                                            std::move(otherwise));
}
template <typename Value>
StorageRow row(const substrate::SubnetAccountMap& item, std::optional<Value> otherwise = Value{}) {
  return storage_row<Value, std::tuple<uint16_t, AccountId>>(item, {H::kIdentity, item.hasher},
                                                             std::move(otherwise));
}
template <typename Value>
StorageRow row(const substrate::AccountSubnetMap& item, std::optional<Value> otherwise = Value{}) {
  return storage_row<Value, std::tuple<AccountId, uint16_t>>(
      item, {H::kBlake2_128Concat, H::kIdentity}, std::move(otherwise));
}
template <typename Value>
StorageRow row(const substrate::StakeMap& item, std::optional<Value> otherwise = Value{}) {
  return storage_row<Value, std::tuple<AccountId, AccountId, uint16_t>>(
      item, {H::kBlake2_128Concat, H::kBlake2_128Concat, H::kIdentity}, std::move(otherwise));
}
template <typename Value, H kHasher, typename... Keys>
StorageRow row(const KeyedItem<kHasher, Keys...>& item, std::optional<Value> otherwise = Value{}) {
  using Key = std::conditional_t<sizeof...(Keys) == 1, std::tuple_element_t<0, std::tuple<Keys...>>,
                                 std::tuple<Keys...>>;
  return storage_row<Value, Key>(item, std::vector<H>(sizeof...(Keys), kHasher),
                                 std::move(otherwise));
}

}  // namespace chain::embedded
