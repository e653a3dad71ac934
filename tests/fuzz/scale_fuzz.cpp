// Goal: no bytes crash the reader of values, whatever their type; what it takes is the one encoding
// of what it shows. Method: types of every kind, the first byte choosing; what is read is shown as
// JSON, written again and compared. Sequences of nothings and types within themselves only end.
#include <cstddef>
#include <cstdint>

#include "chain/substrate/stored.h"
#include "common/check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

using namespace chain::substrate;  // NOLINT: the room that is tried.

Type type_of(TypeDef def, std::vector<std::string> path = {}) {
  return {std::move(path), {}, std::move(def)};
}

constexpr chain::substrate::TypeId kWrittenBack = 26;  // Those before it go both ways.

const Metadata& metadata() {
  static const Metadata all = [] {
    Metadata out;
    out.types = {
        type_of(Primitive::kBool),                                                    // 0
        type_of(Primitive::kU8),                                                      // 1
        type_of(Primitive::kU16),                                                     // 2
        type_of(Primitive::kU32),                                                     // 3
        type_of(Primitive::kU64),                                                     // 4
        type_of(Primitive::kU128),                                                    // 5
        type_of(Primitive::kI8),                                                      // 6
        type_of(Primitive::kI64),                                                     // 7
        type_of(Primitive::kI128),                                                    // 8
        type_of(CompactType{2}),                                                      // 9
        type_of(CompactType{4}),                                                      // 10
        type_of(CompactType{5}),                                                      // 11
        type_of(SequenceType{1}),                                                     // 12
        type_of(SequenceType{2}),                                                     // 13
        type_of(ArrayType{32, 1}),                                                    // 14
        type_of(CompositeType{{{"", 14}}}, {"sp_core", "crypto", "AccountId32"}),     // 15
        type_of(VariantType{{{"None", {}, 0}, {"Some", {{"", 2}}, 1}}}, {"Option"}),  // 16
        type_of(
            VariantType{{{"Id", {{"", 15}}, 0}, {"Index", {{"", 11}}, 1}, {"Raw", {{"", 12}}, 2}}},
            {"sp_runtime", "multiaddress", "MultiAddress"}),               // 17
        type_of(TupleType{{2, 2}}),                                        // 18
        type_of(SequenceType{18}),                                         // 19
        type_of(CompositeType{{{"free", 4}, {"who", 15}, {"more", 16}}}),  // 20
        type_of(SequenceType{20}),                                         // 21
        type_of(ArrayType{3, 20}),                                         // 22
        type_of(VariantType{
            {{"A", {}, 1}, {"B", {{"", 2}, {"", 5}}, 3}, {"C", {{"x", 21}}, 9}}}),  // 23
        type_of(CompositeType{{{"", 19}}}, {"BTreeMap"}),                           // 24
        type_of(TupleType{}),                                                       // 25
        type_of(Primitive::kStr),                                                   // 26: any bytes
        type_of(Primitive::kChar),                                                  // 27
        type_of(Primitive::kU256),                                                  // 28
        type_of(SequenceType{29}),                                                  // 29: itself
        type_of(SequenceType{25}),                                                  // 30: nothings
        type_of(BitSequenceType{1, 25}),                                            // 31
        type_of(VariantType{{{"Leaf", {}, 0}, {"Fork", {{"", 32}, {"", 32}}, 1}}}),  // 32
        type_of(ArrayType{0xFFFFFFFF, 25}),                                          // 33
    };
    return out;
  }();
  return all;
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const auto type = static_cast<TypeId>(data[0] % metadata().types.size());
  const ByteView bytes(data + 1, size - 1);
  const auto value = decode_value(metadata(), type, bytes, "x");
  if (!value) return 0;
  const Json json = value->json();
  if (type >= kWrittenBack) return 0;
  const auto again = encode_value(metadata(), type, json, "x");
  CHECK_MSG(again.has_value(), json.dump());
  CHECK(std::equal(again->begin(), again->end(), bytes.begin(), bytes.end()));
  return 0;
}
