#include "chain/embedded/rpc_request.h"

#include <charconv>

#include "chain/embedded/items.h"

namespace chain::embedded {

std::string hex0x(ByteView bytes) { return "0x" + common::to_hex(bytes); }

std::optional<uint64_t> number_of_json(const Json& json) {
  if (json.is_number_unsigned()) return json.get<uint64_t>();
  const auto* text = json.get_ptr<const Json::string_t*>();
  if (text == nullptr || !text->starts_with("0x")) return std::nullopt;
  uint64_t value = 0;
  const char* last = text->data() + text->size();
  const auto [end, trouble] = std::from_chars(text->data() + 2, last, value, 16);
  if (trouble != std::errc() || end != last) return std::nullopt;
  return value;
}

const Json& RpcRequest::at(size_t index) const {
  static const Json nothing;
  return index < params_.size() ? params_[index] : nothing;
}

Bytes RpcRequest::bytes(size_t index) {
  const auto* text = at(index).get_ptr<const Json::string_t*>();
  auto bytes = text != nullptr && text->starts_with("0x") ? common::from_hex(*text) : std::nullopt;
  if (!bytes) {
    fail(kInvalidParams,
         "parameter " + std::to_string(index) + " is not 0x and an even hex string");
    return {};
  }
  return *std::move(bytes);
}

std::optional<Bytes> RpcRequest::optional_bytes(size_t index) {
  if (at(index).is_null()) return std::nullopt;
  return bytes(index);
}

uint64_t RpcRequest::number(size_t index, uint64_t most) {
  const auto value = number_of_json(at(index));
  if (!value || *value > most) {
    fail(kInvalidParams,
         "parameter " + std::to_string(index) + " is not a number up to " + std::to_string(most));
    return 0;
  }
  return *value;
}

std::optional<Hash> RpcRequest::hash(size_t index) {
  const auto* text = at(index).get_ptr<const Json::string_t*>();
  const auto hash = text != nullptr ? Hash::from_hex(*text) : std::nullopt;
  if (!hash) fail(kInvalidParams, "parameter " + std::to_string(index) + " is not a block hash");
  return hash;
}

uint64_t RpcRequest::block_with_state(size_t index) {
  if (at(index).is_null()) return state_.head().header.number;
  const auto wanted = hash(index);
  if (!wanted) return 0;
  if (const SealedBlock* block = state_.recent(*wanted)) return block->header.number;
  const bool known = archive_ != nullptr && archive_->number_of(*wanted);
  fail(kServerError, std::string("Client error: UnknownBlock: ") +
                         (known ? "State already discarded for " : "Header was not found: ") +
                         hex0x(wanted->bytes));
  return 0;
}

std::optional<SealedBlock> RpcRequest::block(size_t index) {
  if (at(index).is_null()) return state_.head();
  const auto wanted = hash(index);
  if (!wanted) return std::nullopt;
  if (const SealedBlock* block = state_.recent(*wanted)) return *block;
  if (archive_ == nullptr) return std::nullopt;
  const auto number = archive_->number_of(*wanted);
  return number ? archive_->block(*number) : std::nullopt;
}

std::optional<Hash> RpcRequest::hash_of(uint64_t number) const {
  if (const SealedBlock* block = state_.recent(number)) return block->hash;
  if (number >= state_.head().header.number) return std::nullopt;
  if (number == 0) return state_.genesis_hash();
  const Bytes* value = state_.storage().find(items::kBlockHash.key(static_cast<uint32_t>(number)));
  if (value != nullptr) return Hash::from_bytes(*value);
  const auto old = archive_ != nullptr ? archive_->block(number) : std::nullopt;
  if (!old) return std::nullopt;
  return old->hash;
}

void RpcRequest::fail(int code, std::string message, Json data) {
  if (!error_) error_ = RpcError{code, std::move(message), std::move(data)};
}

}  // namespace chain::embedded
