#include "chain/embedded/metadata_encode.h"

namespace chain::embedded {
namespace {

using common::Bytes;
using substrate::Encoder;
using substrate::Metadata;
using substrate::TypeId;

void put_texts(Encoder& out, const std::vector<std::string>& texts) {
  out.sequence(texts, [](Encoder& to, const std::string& text) { to.text(text); });
}

// The wire has an option where "" stands here.
void put_name(Encoder& out, const std::string& name) {
  out.number(!name.empty());
  if (!name.empty()) out.text(name);
}

void put_id(Encoder& out, const std::optional<TypeId>& id) {
  out.option(id, [](Encoder& to, TypeId one) { to.compact(one); });
}

void put_field(Encoder& out, const substrate::Field& field) {
  put_name(out, field.name);
  out.compact(field.type);
  put_name(out, field.type_name);
  put_texts(out, field.docs);
}

void put_variant(Encoder& out, const substrate::Variant& variant) {
  out.text(variant.name).sequence(variant.fields, put_field).number(variant.index);
  put_texts(out, variant.docs);
}

struct PutDef {
  Encoder& out;
  void operator()(const substrate::CompositeType& type) { out.sequence(type.fields, put_field); }
  void operator()(const substrate::VariantType& type) { out.sequence(type.variants, put_variant); }
  void operator()(const substrate::SequenceType& type) { out.compact(type.item); }
  void operator()(const substrate::ArrayType& type) { out.number(type.size).compact(type.item); }
  void operator()(const substrate::TupleType& type) {
    out.sequence(type.items, [](Encoder& to, TypeId item) { to.compact(item); });
  }
  void operator()(substrate::Primitive type) { out.number(static_cast<uint8_t>(type)); }
  void operator()(const substrate::CompactType& type) { out.compact(type.item); }
  void operator()(const substrate::BitSequenceType& type) {
    out.compact(type.store).compact(type.order);
  }
};

void put_types(Encoder& out, const std::vector<substrate::Type>& types) {
  out.compact(types.size());
  for (TypeId id = 0; id < types.size(); ++id) {
    const substrate::Type& type = types[id];
    out.compact(id);
    put_texts(out, type.path);
    out.sequence(type.params, [](Encoder& to, const substrate::TypeParam& param) {
      to.text(param.name);
      put_id(to, param.type);
    });
    out.number(static_cast<uint8_t>(type.def.index()));
    std::visit(PutDef{out}, type.def);
    put_texts(out, type.docs);
  }
}

void put_item(Encoder& out, const substrate::StorageItem& item) {
  out.text(item.name).number(item.has_default).number(!item.hashers.empty());
  if (!item.hashers.empty()) {
    out.sequence(item.hashers, [](Encoder& to, substrate::StorageHasher hasher) {
      to.number(static_cast<uint8_t>(hasher));
    });
    out.compact(item.key);
  }
  out.compact(item.value).bytes(item.default_value);
  put_texts(out, item.docs);
}

void put_pallet(Encoder& out, const substrate::Pallet& pallet, uint8_t version) {
  out.text(pallet.name);
  out.option(pallet.storage, [](Encoder& to, const substrate::PalletStorage& storage) {
    to.text(storage.prefix).sequence(storage.items, put_item);
  });
  put_id(out, pallet.calls);
  put_id(out, pallet.events);
  out.sequence(pallet.constants, [](Encoder& to, const substrate::Constant& constant) {
    to.text(constant.name).compact(constant.type).bytes(constant.value);
    put_texts(to, constant.docs);
  });
  put_id(out, pallet.errors);
  out.number(pallet.index);
  if (version >= 15) put_texts(out, pallet.docs);
}

void put_extrinsic(Encoder& out, const substrate::ExtrinsicFormat& extrinsic, uint8_t version) {
  if (version == 14) out.compact(extrinsic.type);
  out.number(extrinsic.versions.at(0));
  if (version >= 15) {
    out.compact(extrinsic.address).compact(extrinsic.call);
    out.compact(extrinsic.signature).compact(extrinsic.extra);
  }
  out.sequence(extrinsic.extensions, [](Encoder& to, const substrate::SignedExtension& one) {
    to.text(one.identifier).compact(one.extra).compact(one.implicit);
  });
}

void put_method(Encoder& out, const substrate::ApiMethod& method) {
  out.text(method.name);
  out.sequence(method.inputs, [](Encoder& to, const substrate::Field& input) {
    to.text(input.name).compact(input.type);
  });
  out.compact(method.output);
  put_texts(out, method.docs);
}

}  // namespace

Bytes encode_metadata(const Metadata& metadata, uint8_t version) {
  Encoder out;
  out.raw(common::view_of("meta")).number(version);
  put_types(out, metadata.types);
  out.compact(metadata.pallets.size());
  for (const auto& pallet : metadata.pallets) put_pallet(out, pallet, version);
  put_extrinsic(out, metadata.extrinsic, version);
  out.compact(metadata.runtime);
  if (version == 14) return std::move(out).done();
  out.sequence(metadata.apis, [](Encoder& to, const substrate::RuntimeApi& one) {
    to.text(one.name).sequence(one.methods, put_method);
    put_texts(to, one.docs);
  });
  out.compact(metadata.outer.call).compact(metadata.outer.event).compact(metadata.outer.error);
  out.compact(metadata.custom.size());
  for (const auto& [name, value] : metadata.custom) {
    out.text(name).compact(value.type).bytes(value.value);
  }
  return std::move(out).done();
}

}  // namespace chain::embedded
