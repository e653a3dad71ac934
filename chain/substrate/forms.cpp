#include "chain/substrate/forms.h"

#include "chain/substrate/similar.h"
#include "chain/substrate/stored.h"
#include "chain/substrate/value.h"

namespace chain::substrate {
namespace {

std::string joined(const Docs& docs) {
  std::string out;
  for (std::string_view line : docs) {
    while (line.starts_with(' ')) line.remove_prefix(1);
    add_listed(out, "\n", line);
  }
  return out;
}

std::vector<NamedType> named_types(const Metadata& metadata, const std::vector<Field>& fields) {
  std::vector<NamedType> out;
  for (const Field& field : fields) out.push_back({field.name, type_text(metadata, field.type)});
  return out;
}

void add_pallet(const Metadata& metadata, const Pallet& pallet, Forms& out) {
  out.pallets.push_back(pallet.name);
  if (pallet.calls) {
    for (const Variant& call : std::get<VariantType>(metadata.types[*pallet.calls].def).variants) {
      out.calls.push_back(
          {pallet.name, call.name, joined(call.docs), named_types(metadata, call.fields)});
    }
  }
  for (const StorageItem& item :
       pallet.storage ? pallet.storage->items : std::vector<StorageItem>{}) {
    StorageForm form{pallet.name, item.name, joined(item.docs), {}, {}};
    for (const TypeId key : key_types(metadata, item)) {
      form.keys.push_back(type_text(metadata, key));
    }
    form.value = type_text(metadata, item.value);
    out.storage.push_back(std::move(form));
  }
  for (const Constant& constant : pallet.constants) {
    const auto value = decode_value(metadata, constant.type, constant.value, constant.name);
    out.constants.push_back({pallet.name, constant.name, type_text(metadata, constant.type),
                             joined(constant.docs), value ? value->json() : Json()});
  }
}

}  // namespace

Forms forms_of(const Runtime& runtime) {
  const Metadata& metadata = runtime.metadata;
  Forms out{runtime.version.spec_name, runtime.version.spec_version, {}, {}, {}, {}, {}};
  for (const Pallet& pallet : metadata.pallets) add_pallet(metadata, pallet, out);
  for (const RuntimeApi& api : metadata.apis) {
    for (const ApiMethod& method : api.methods) {
      out.apis.push_back({api.name, method.name, type_text(metadata, method.output),
                          joined(method.docs), named_types(metadata, method.inputs)});
    }
  }
  return out;
}

}  // namespace chain::substrate
