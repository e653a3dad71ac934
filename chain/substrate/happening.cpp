#include "chain/substrate/happening.h"

#include <array>

#include "chain/substrate/advice.h"
#include "chain/substrate/similar.h"

namespace chain::substrate {
namespace {

using common::Code;
using common::Error;

// "{index: u8, error: [u8; 4]}"; before 2022 the error was one byte.
struct ModuleError {
  const Pallet* pallet = nullptr;
  const Variant* error = nullptr;
};

ModuleError find_module_error(const Metadata& metadata, const Value& dispatch_error) {
  const Value::Choice* choice = dispatch_error.choice();
  if (choice == nullptr || choice->name != "Module" || choice->fields.values.empty()) return {};
  // A struct ModuleError, or its fields themselves.
  const Value& inner = choice->fields.names.empty() ? choice->fields.values[0] : dispatch_error;
  const Value* index = inner.at("index");
  const Value* error = inner.at("error");
  const auto pallet_index = index ? index->number<uint8_t>() : std::nullopt;
  if (!pallet_index || error == nullptr) return {};
  const Bytes* bytes = error->bytes();
  std::optional<uint8_t> number = error->number<uint8_t>();
  if (bytes != nullptr && !bytes->empty()) number = bytes->front();
  const Pallet* pallet = metadata.pallet(*pallet_index);
  if (pallet == nullptr || !number) return {pallet, nullptr};
  return {pallet, metadata.variant(pallet->errors, *number)};
}

std::string joined(const Docs& docs) {
  std::string out;
  for (std::string_view line : docs) {
    while (line.starts_with(' ')) line.remove_prefix(1);
    if (!line.empty()) add_listed(out, " ", line);
  }
  while (out.ends_with('.')) out.pop_back();
  return out;
}

// Calls that carry out others, and report how that went in an event of their own.
struct Wrapper {
  std::string_view pallet, event;
};
constexpr std::array kWrappers = {
    Wrapper{"Sudo", "Sudid"},           Wrapper{"Sudo", "SudoAsDone"},
    Wrapper{"Proxy", "ProxyExecuted"},  Wrapper{"Multisig", "MultisigExecuted"},
    Wrapper{"Utility", "DispatchedAs"},
};

const Value* error_in(const Happening& event) {
  if (event.is("System", "ExtrinsicFailed")) return event.at(0);
  if (event.is("Utility", "BatchInterrupted")) return event.at("error");
  if (event.is("Utility", "ItemFailed")) return event.at("error");
  for (const Wrapper& wrapper : kWrappers) {
    if (!event.is(wrapper.pallet, wrapper.event)) continue;
    for (const Value& field : event.fields.values) {
      const Value::Choice* result = field.choice();
      if (result != nullptr && result->name == "Err") return field.at(0);
    }
  }
  return nullptr;
}

}  // namespace

const Value* Happening::at(std::string_view field) const {
  for (size_t i = 0; i < fields.names.size(); ++i) {
    if (fields.names[i] == field) return &fields.values[i];
  }
  return nullptr;
}

const Value* Happening::at(size_t place) const {
  return place < fields.values.size() ? &fields.values[place] : nullptr;
}

Json Happening::json() const { return Value{fields}.json(); }

Result<std::vector<Happening>> read_happenings(const Value& events) {
  const Error wrong{Code::kCorrupt, "the node's events are not shaped as a block's events are"};
  const Value::List* list = events.list();
  if (list == nullptr) return wrong;
  std::vector<Happening> out;
  for (const Value& record : *list) {
    const Value* phase = record.at("phase");
    const Value* event = record.at("event");
    const Value::Choice* when = phase ? phase->choice() : nullptr;
    const Value::Choice* pallet = event ? event->choice() : nullptr;
    const Value* inner = pallet ? event->at(0) : nullptr;
    const Value::Choice* what = inner ? inner->choice() : nullptr;
    if (when == nullptr || what == nullptr) return wrong;
    Happening happening{{}, pallet->name, what->name, what->fields};
    if (when->name == "ApplyExtrinsic") {
      happening.extrinsic = phase->at(0) ? phase->at(0)->number<uint32_t>() : std::nullopt;
      if (!happening.extrinsic) return wrong;
    }
    out.push_back(std::move(happening));
  }
  return out;
}

std::string module_error(const Metadata& metadata, const Value& dispatch_error) {
  const auto [pallet, error] = find_module_error(metadata, dispatch_error);
  return error == nullptr ? "" : pallet->name + "." + error->name;
}

std::string explain_dispatch(const Metadata& metadata, const Value& dispatch_error) {
  const auto [pallet, error] = find_module_error(metadata, dispatch_error);
  if (error != nullptr) {
    const std::string_view advice = advice_for(error->name);
    const std::string more = advice.empty() ? joined(error->docs) : std::string(advice);
    std::string text = pallet->name + "." + error->name;
    if (!more.empty()) text.append(": ").append(more);
    return text;
  }
  const Value::Choice* choice = dispatch_error.choice();
  if (choice == nullptr) return "an error of no known shape";
  std::string text = choice->name;
  const Value* detail = dispatch_error.at(size_t{0});
  if (const Value::Choice* kind = detail ? detail->choice() : nullptr)
    text.append(".").append(kind->name);
  if (choice->name == "Module" && detail != nullptr) text.append(" ").append(detail->json().dump());
  const std::string_view advice = advice_for(text);
  if (!advice.empty()) text.append(": ").append(advice);
  return text;
}

const Value* failure_of(const std::vector<Happening>& events) {
  const Value* swallowed = nullptr;
  for (const Happening& event : events) {
    const Value* error = error_in(event);
    if (event.is("System", "ExtrinsicFailed")) return error;
    if (swallowed == nullptr) swallowed = error;
  }
  return swallowed;
}

}  // namespace chain::substrate
