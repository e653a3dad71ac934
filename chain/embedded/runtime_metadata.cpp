// The runtime's table as metadata: the types that Substrate's clients look for, around the rows.
#include <algorithm>

#include "chain/embedded/metadata_encode.h"
#include "chain/embedded/rows.h"
#include "chain/embedded/state.h"

namespace chain::embedded {
namespace {

using substrate::CompositeType;
using substrate::Field;
using substrate::Metadata;
using substrate::Pallet;
using substrate::Type;
using substrate::Variant;
using substrate::VariantType;

constexpr std::string_view kRuntimePath = "muster_ledger_runtime";

std::vector<std::string> runtime_path(const char* name) {
  return {std::string(kRuntimePath), name};
}
std::vector<std::string> pallet_path(const PalletTable& table, const char* name) {
  return {"pallet_" + std::string(table.name), "pallet", name};
}

template <typename Row>
Type rows_type(TypeRegistry& registry, const PalletTable& table, const char* name,
               const std::vector<Row>& rows) {
  VariantType out;
  for (const Row& row : rows) {
    Variant variant{std::string(row.name), {}, row.index, {}};
    if constexpr (requires { row.fields; }) variant.fields = row.fields(registry);
    if constexpr (requires { row.docs; }) variant.docs = {std::string(row.docs)};
    out.variants.push_back(std::move(variant));
  }
  return {pallet_path(table, name), {}, std::move(out)};
}

TypeId calls_id(TypeRegistry& registry, const PalletTable& table) {
  return registry.named(std::string(table.name) + ".Call", [&](TypeRegistry& in) {
    return rows_type(in, table, "Call", table.calls);
  });
}
TypeId events_id(TypeRegistry& registry, const PalletTable& table) {
  return registry.named(std::string(table.name) + ".Event", [&](TypeRegistry& in) {
    return rows_type(in, table, "Event", table.events);
  });
}
TypeId errors_id(TypeRegistry& registry, const PalletTable& table) {
  return registry.named(std::string(table.name) + ".Error", [&](TypeRegistry& in) {
    return rows_type(in, table, "Error", table.errors);
  });
}

// All pallets' calls, events or errors in one enum.
template <typename Rows, typename IdOf>
Type outer_type(TypeRegistry& registry, const char* name, Rows rows, IdOf id_of) {
  VariantType out;
  for (const PalletTable& table : pallets()) {
    if (rows(table).empty()) continue;
    out.variants.push_back(
        {std::string(table.name), {{"", id_of(registry, table)}}, table.index, {}});
  }
  return {runtime_path(name), {}, std::move(out)};
}

TypeId outer_event(TypeRegistry& registry) {
  return registry.named("RuntimeEvent", [](TypeRegistry& in) {
    return outer_type(
        in, "RuntimeEvent", [](const PalletTable& table) { return table.events; }, events_id);
  });
}
TypeId outer_error(TypeRegistry& registry) {
  return registry.named("RuntimeError", [](TypeRegistry& in) {
    return outer_type(
        in, "RuntimeError", [](const PalletTable& table) { return table.errors; }, errors_id);
  });
}

TypeId vector_of(TypeRegistry& registry, const std::string& name, TypeId item) {
  return registry.named(name, [item](TypeRegistry&) {
    return Type{{}, {}, substrate::SequenceType{item}};
  });
}

// Vec<EventRecord<RuntimeEvent, H256>>.
TypeId event_records(TypeRegistry& registry) {
  const TypeId hash = registry.id<Hash>();
  const TypeId event = outer_event(registry);
  const TypeId number = registry.id<uint32_t>();
  const TypeId phase = registry.named("Phase", [number](TypeRegistry&) {
    std::vector<Variant> variants = {{"ApplyExtrinsic", {{"", number}}, 0, {}},
                                     {"Finalization", {}, 1, {}},
                                     {"Initialization", {}, 2, {}}};
    return Type{path_of("frame_system::Phase"), {}, VariantType{std::move(variants)}};
  });
  const TypeId topics = registry.id<std::vector<Hash>>();
  const TypeId record = registry.named("EventRecord", [&](TypeRegistry&) {
    return Type{path_of("frame_system::EventRecord"),
                {{"E", event}, {"T", hash}},
                CompositeType{{{"phase", phase}, {"event", event}, {"topics", topics}}}};
  });
  return vector_of(registry, "Vec<EventRecord>", record);
}

// The extensions, each by its path, what it adds to an extrinsic, and what is signed with it.
struct Extension {
  const char* identifier;
  const char* path;
  TypeId field = 0;
  bool has_field = false;
  TypeId implicit = 0;
};

std::vector<substrate::SignedExtension> extensions(TypeRegistry& registry) {
  const TypeId unit = registry.id<Unit>();
  const TypeId number = registry.id<uint32_t>();
  const TypeId hash = registry.id<Hash>();
  const TypeId era = registry.named("Era", era_type);
  const TypeId mode = registry.named("Mode", [](TypeRegistry&) {
    return enum_type("frame_metadata_hash_extension::Mode", "Disabled Enabled");
  });
  const TypeId nonce = registry.id<Compact<uint32_t>>();
  const TypeId tip = registry.id<Compact<uint64_t>>();
  const TypeId metadata_hash = registry.id<std::optional<std::array<uint8_t, 32>>>();
  const Extension list[] = {
      {"CheckNonZeroSender", "frame_system::extensions::check_non_zero_sender", 0, false, unit},
      {"CheckSpecVersion", "frame_system::extensions::check_spec_version", 0, false, number},
      {"CheckTxVersion", "frame_system::extensions::check_tx_version", 0, false, number},
      {"CheckGenesis", "frame_system::extensions::check_genesis", 0, false, hash},
      {"CheckMortality", "frame_system::extensions::check_mortality", era, true, hash},
      {"CheckNonce", "frame_system::extensions::check_nonce", nonce, true, unit},
      {"CheckWeight", "frame_system::extensions::check_weight", 0, false, unit},
      {"ChargeTransactionPayment", "pallet_transaction_payment", tip, true, unit},
      {"SudoTransactionExtension", "muster_ledger_runtime", 0, false, unit},
      {"CheckShieldedTxValidity", "muster_ledger_runtime", 0, false, unit},
      {"SubtensorTransactionExtension", "muster_ledger_runtime", 0, false, unit},
      {"DrandPriority", "muster_ledger_runtime", 0, false, unit},
      {"CheckMetadataHash", "frame_metadata_hash_extension", mode, true, metadata_hash},
  };
  std::vector<substrate::SignedExtension> out;
  for (const Extension& one : list) {
    Type type{path_of(one.path), {}, CompositeType{}};
    type.path.emplace_back(one.identifier);
    if (one.has_field) {
      const bool named = one.field == mode;
      std::get<CompositeType>(type.def).fields = {{named ? "mode" : "", one.field}};
    }
    const TypeId extra = registry.named(std::string("extension ") + one.identifier,
                                        [&](TypeRegistry&) { return std::move(type); });
    out.push_back({one.identifier, extra, one.implicit});
  }
  return out;
}

TypeId extra_id(TypeRegistry& registry, const std::vector<substrate::SignedExtension>& list) {
  return registry.named("Extra", [&](TypeRegistry&) {
    substrate::TupleType extra;
    for (const auto& one : list) extra.items.push_back(one.extra);
    return Type{{}, {}, extra};
  });
}

substrate::ExtrinsicFormat extrinsic_format(TypeRegistry& registry) {
  substrate::ExtrinsicFormat out;
  out.versions = {4};
  out.address = registry.id<MultiAddress>();
  out.call = registry.id<RawCall>();
  out.signature = registry.id<MultiSignature>();
  out.extensions = extensions(registry);
  out.extra = extra_id(registry, out.extensions);
  out.type = registry.id<ExtrinsicBytes>();
  return out;
}

Pallet pallet_of(TypeRegistry& registry, const PalletTable& table) {
  Pallet out;
  out.name = table.name;
  out.index = table.index;
  if (!table.storage.empty()) {
    out.storage.emplace();
    out.storage->prefix = table.storage[0].prefix;
    for (const StorageRow& row : table.storage) {
      CHECK(row.prefix == table.storage[0].prefix);
      substrate::StorageItem item;
      item.name = row.name;
      item.has_default = row.otherwise.has_value();
      item.hashers = row.hashers;
      if (row.key != nullptr) item.key = row.key(registry);
      item.value = row.value(registry);
      item.default_value = row.otherwise.value_or(Bytes{0});
      out.storage->items.push_back(std::move(item));
    }
  }
  if (!table.calls.empty()) out.calls = calls_id(registry, table);
  if (!table.events.empty()) out.events = events_id(registry, table);
  if (!table.errors.empty()) out.errors = errors_id(registry, table);
  for (const ConstantRow& row : table.constants) {
    out.constants.push_back({std::string(row.name), row.type(registry), row.value, {}});
  }
  return out;
}

std::vector<substrate::RuntimeApi> apis_of(TypeRegistry& registry) {
  std::vector<substrate::RuntimeApi> out;
  for (const ApiRow& row : runtime_apis()) {
    if (out.empty() || out.back().name != row.api) out.push_back({std::string(row.api), {}, {}});
    out.back().methods.push_back(
        {std::string(row.method), row.inputs(registry), row.output(registry), {}});
  }
  return out;
}

Metadata make_metadata() {
  Metadata out;
  out.version = 15;
  TypeRegistry registry;
  for (const PalletTable& table : pallets()) out.pallets.push_back(pallet_of(registry, table));
  out.extrinsic = extrinsic_format(registry);
  out.runtime = registry.add({runtime_path("Runtime"), {}, CompositeType{}});
  out.outer = {registry.id<RawCall>(), outer_event(registry), outer_error(registry)};
  out.apis = apis_of(registry);
  out.types = std::move(registry).done();
  return out;
}

// BLAKE2b-64 of an API's name, by which a runtime's version lists it (libsodium makes no digest so
// short), and the version, from whose shape clients conclude.
struct ApiVersion {
  std::string_view name;
  std::array<uint8_t, 8> id;
  uint32_t version;
};
constexpr ApiVersion kApiVersions[] = {
    {"Core", {0xdf, 0x6a, 0xcb, 0x68, 0x99, 0x07, 0x60, 0x9b}, 5},
    {"Metadata", {0x37, 0xe3, 0x97, 0xfc, 0x7c, 0x91, 0xf5, 0xe4}, 2},
    {"AccountNonceApi", {0xbc, 0x9d, 0x89, 0x90, 0x4f, 0x5b, 0x92, 0x3f}, 1},
    {"TransactionPaymentApi", {0x37, 0xc8, 0xbb, 0x13, 0x50, 0xa9, 0xa2, 0xa8}, 4},
    {"TransactionPaymentCallApi", {0xf3, 0xff, 0x14, 0xd5, 0xab, 0x52, 0x70, 0x59}, 3},
    {"DelegateInfoRuntimeApi", {0x42, 0xe6, 0x2b, 0xe4, 0xa3, 0x9e, 0x5b, 0x60}, 1},
    {"NeuronInfoRuntimeApi", {0x80, 0x6d, 0xf4, 0xcc, 0xaa, 0x9e, 0xd4, 0x85}, 1},
    {"SubnetInfoRuntimeApi", {0x83, 0x75, 0x10, 0x4b, 0x29, 0x9b, 0x74, 0xc5}, 1},
    {"StakeInfoRuntimeApi", {0x5d, 0x1f, 0xbf, 0xbe, 0x85, 0x2f, 0x28, 0x07}, 1},
    {"SubnetRegistrationRuntimeApi", {0xc6, 0x88, 0x6e, 0x2f, 0x8e, 0x59, 0x8b, 0x0a}, 1},
    {"SwapRuntimeApi", {0xa8, 0xb0, 0x93, 0xe6, 0x50, 0x8d, 0x9e, 0x9c}, 1},
};

}  // namespace

Type Scale<RawCall>::type(TypeRegistry& registry) {
  return outer_type(
      registry, "RuntimeCall", [](const PalletTable& table) { return table.calls; }, calls_id);
}

Type Scale<ExtrinsicBytes>::type(TypeRegistry& registry) {
  return {path_of("sp_runtime::generic::unchecked_extrinsic::UncheckedExtrinsic"),
          {{"Address", registry.id<MultiAddress>()},
           {"Call", registry.id<RawCall>()},
           {"Signature", registry.id<MultiSignature>()},
           {"Extra", extra_id(registry, extensions(registry))}},
          CompositeType{{{"", registry.id<Bytes>()}}}};
}

StorageRow event_storage_row() {
  StorageRow row{"System", "Events", {}, nullptr, event_records};
  row.otherwise = Bytes{0};
  return row;
}

RuntimeVersion runtime_version() {
  RuntimeVersion out;
  out.spec_name = out.impl_name = {kSpecName};
  out.spec_version = kSpecVersion;
  out.transaction_version = kTransactionVersion;
  for (const ApiVersion& one : kApiVersions) {
    const auto served = [&](const ApiRow& row) { return row.api == one.name; };
    const auto& rows = runtime_apis();
    if (std::any_of(rows.begin(), rows.end(), served)) out.apis.emplace_back(one.id, one.version);
  }
  return out;
}

const Metadata& runtime_metadata() {
  static const Metadata metadata = make_metadata();
  return metadata;
}

const Bytes* metadata_bytes(uint32_t version) {
  static const Bytes v14 = encode_metadata(runtime_metadata(), 14);
  static const Bytes v15 = encode_metadata(runtime_metadata(), 15);
  if (version == 14) return &v14;
  return version == 15 ? &v15 : nullptr;
}

}  // namespace chain::embedded
