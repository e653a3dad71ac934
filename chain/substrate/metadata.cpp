#include "chain/substrate/metadata.h"

#include <algorithm>
#include <set>

#include "chain/substrate/metadata_checks.h"

namespace chain::substrate {
namespace {

using common::Code;
using common::Error;

template <typename T>
const T* named(const std::vector<T>& all, std::string_view name) {
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const T& it) { return it.name == name; });
  return found == all.end() ? nullptr : &*found;
}

// Notes the first fault.
class Checker {
 public:
  explicit Checker(const Metadata& metadata) : of_(metadata) {}

  void type(TypeId id, std::string_view where) {
    if (id >= of_.types.size()) {
      fault(std::string(where) + " has type " + std::to_string(id) + ", and there are " +
            std::to_string(of_.types.size()));
    }
  }
  void fields(const std::vector<Field>& fields, std::string_view where) {
    for (const Field& field : fields) type(field.type, where);
  }
  void def(const Type& type_of, const std::string& where) {
    std::visit([&](const auto& def) { parts(def, where); }, type_of.def);
    for (const TypeParam& param : type_of.params) {
      if (param.type) type(*param.type, where);
    }
  }
  // Calls, events, errors.
  void variants(const std::optional<TypeId>& id, const std::string& where) {
    if (!id) return;
    type(*id, where);
    if (ok() && !std::holds_alternative<VariantType>(of_.types[*id].def)) {
      fault(where + " are not an enum");
    }
  }
  template <typename T>
  void names_differ(const std::vector<T>& all, const std::string& where) {
    std::set<std::string_view> seen;
    for (const T& one : all) {
      if (one.name.empty()) fault(where + " has a nameless part");
      if (!seen.insert(one.name).second) fault(where + " has two named " + one.name);
    }
  }
  void storage(const PalletStorage& storage, const std::string& pallet) {
    names_differ(storage.items, pallet + "'s storage");
    for (const StorageItem& item : storage.items) {
      const std::string where = pallet + "." + item.name;
      type(item.value, where);
      if (item.hashers.empty()) continue;
      type(item.key, where);
      if (!ok() || item.hashers.size() == 1) continue;
      const auto* tuple = std::get_if<TupleType>(&of_.types[item.key].def);
      if (tuple == nullptr || tuple->items.size() != item.hashers.size()) {
        fault(where + " has " + std::to_string(item.hashers.size()) + " hashers and another key");
      }
    }
  }

  bool ok() const { return fault_.empty(); }
  void fault(std::string text) {
    if (ok()) fault_ = std::move(text);
  }
  Result<void> finish() const {
    if (ok()) return {};
    return Error{Code::kInvalidArgument, "the node's metadata contradicts itself: " + fault_};
  }

 private:
  void parts(const CompositeType& def, const std::string& where) { fields(def.fields, where); }
  void parts(const VariantType& def, const std::string& where) {
    std::set<uint8_t> seen;
    for (const Variant& variant : def.variants) {
      fields(variant.fields, where);
      if (!seen.insert(variant.index).second) {
        fault(where + " has two variants of number " + std::to_string(variant.index));
      }
    }
    names_differ(def.variants, where);
  }
  void parts(const SequenceType& def, const std::string& where) { type(def.item, where); }
  void parts(const ArrayType& def, const std::string& where) { type(def.item, where); }
  void parts(const TupleType& def, const std::string& where) {
    for (const TypeId item : def.items) type(item, where);
  }
  void parts(Primitive, const std::string&) {}
  void parts(const CompactType& def, const std::string& where) { type(def.item, where); }
  void parts(const BitSequenceType& def, const std::string& where) {
    type(def.store, where);
    type(def.order, where);
  }

  const Metadata& of_;
  std::string fault_;
};

void check_pallet(Checker& check, const Pallet& pallet) {
  if (pallet.storage) check.storage(*pallet.storage, pallet.name);
  check.variants(pallet.calls, pallet.name + "'s calls");
  check.variants(pallet.events, pallet.name + "'s events");
  check.variants(pallet.errors, pallet.name + "'s errors");
  check.names_differ(pallet.constants, pallet.name + "'s constants");
  for (const Constant& constant : pallet.constants) {
    check.type(constant.type, pallet.name + "." + constant.name);
  }
}

void check_extrinsic(Checker& check, const ExtrinsicFormat& format) {
  for (const TypeId id :
       {format.type, format.address, format.call, format.signature, format.extra}) {
    check.type(id, "the extrinsic");
  }
  for (const SignedExtension& extension : format.extensions) {
    check.type(extension.extra, extension.identifier);
    check.type(extension.implicit, extension.identifier);
  }
}

}  // namespace

Result<void> check_metadata(const Metadata& metadata) {
  Checker check(metadata);
  for (size_t i = 0; i < metadata.types.size(); ++i) {
    check.def(metadata.types[i], "type " + std::to_string(i));
  }
  check.names_differ(metadata.pallets, "the runtime");
  std::set<uint8_t> numbers;
  for (const Pallet& pallet : metadata.pallets) {
    check_pallet(check, pallet);
    if (!numbers.insert(pallet.index).second) {
      check.fault("two pallets have number " + std::to_string(pallet.index));
    }
  }
  check_extrinsic(check, metadata.extrinsic);
  check.type(metadata.runtime, "the runtime");
  check.names_differ(metadata.apis, "the runtime");
  for (const RuntimeApi& api : metadata.apis) {
    check.names_differ(api.methods, api.name);
    for (const ApiMethod& method : api.methods) {
      check.fields(method.inputs, api.name + "." + method.name);
      check.type(method.output, api.name + "." + method.name);
    }
  }
  for (const TypeId id : {metadata.outer.call, metadata.outer.event, metadata.outer.error}) {
    check.type(id, "the outer enums");
  }
  for (const auto& [name, value] : metadata.custom) check.type(value.type, name);
  return check.finish();
}

const Pallet* Metadata::pallet(std::string_view name) const { return named(pallets, name); }

const Pallet* Metadata::pallet(uint8_t index) const {
  const auto found = std::find_if(pallets.begin(), pallets.end(),
                                  [index](const Pallet& it) { return it.index == index; });
  return found == pallets.end() ? nullptr : &*found;
}

const StorageItem* Metadata::storage(std::string_view pallet_name, std::string_view item) const {
  const Pallet* found = pallet(pallet_name);
  return found == nullptr || !found->storage ? nullptr : named(found->storage->items, item);
}

const Constant* Metadata::constant(std::string_view pallet_name, std::string_view name) const {
  const Pallet* found = pallet(pallet_name);
  return found == nullptr ? nullptr : named(found->constants, name);
}

const ApiMethod* Metadata::api(std::string_view api_name, std::string_view method) const {
  const RuntimeApi* found = named(apis, api_name);
  return found == nullptr ? nullptr : named(found->methods, method);
}

const Variant* Metadata::variant(std::optional<TypeId> of, std::string_view name) const {
  if (!of) return nullptr;
  return named(std::get<VariantType>(types[*of].def).variants, name);
}

const Variant* Metadata::variant(std::optional<TypeId> of, uint8_t index) const {
  if (!of) return nullptr;
  const auto& variants = std::get<VariantType>(types[*of].def).variants;
  const auto found = std::find_if(variants.begin(), variants.end(),
                                  [index](const Variant& it) { return it.index == index; });
  return found == variants.end() ? nullptr : &*found;
}

}  // namespace chain::substrate
