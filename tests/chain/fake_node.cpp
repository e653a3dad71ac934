#include "tests/chain/fake_node.h"

#include <charconv>

#include "tests/chain/golden_metadata.h"

namespace chain::substrate {
namespace {

constexpr uint64_t kBlockMs = 12'000;

Bytes unhex(const Json& text) { return common::from_hex(text.get<std::string>()).value(); }

std::string hex_number(uint64_t number) {
  char text[20];
  const auto end = std::to_chars(text, text + sizeof text, number, 16).ptr;
  return "0x" + std::string(text, end);
}

}  // namespace

FakeNode::FakeNode() {
  static const Bytes bytes = golden_metadata_bytes("424-v16");
  set_runtime(424, golden_424(), bytes);
  seal();
}

Json FakeNode::success() {
  const Json info = {
      {"weight", {{"ref_time", 1}, {"proof_size", 1}}}, {"class", "Normal"}, {"pays_fee", "Yes"}};
  return {{"System", {{"ExtrinsicSuccess", {{"dispatch_info", info}}}}}};
}

Json FakeNode::failed(const std::string& pallet_name, const std::string& error_name) const {
  const Pallet* pallet = metadata_->pallet(pallet_name);
  const Variant* error = metadata_->variant(pallet->errors, error_name);
  const Json module = {{"index", pallet->index},
                       {"error", hex0x(std::array<uint8_t, 4>{error->index, 0, 0, 0})}};
  const Json info = success()["System"]["ExtrinsicSuccess"]["dispatch_info"];
  const Json fields = {{"dispatch_error", {{"Module", module}}}, {"dispatch_info", info}};
  return {{"System", {{"ExtrinsicFailed", fields}}}};
}

void FakeNode::set_runtime(uint32_t spec_version, const Metadata& metadata, const Bytes& bytes) {
  spec_version_ = spec_version;
  metadata_ = &metadata;
  metadata_bytes_ = bytes;
}

Bytes& FakeNode::raw(std::string_view pallet, std::string_view item, const Json& keys) {
  const Stored stored = find_stored(*metadata_, pallet, item).value();
  return storage[hex0x(stored_key(*metadata_, stored, keys).value())];
}

void FakeNode::put(std::string_view pallet, std::string_view item, const Json& keys,
                   const Json& value) {
  const Stored stored = find_stored(*metadata_, pallet, item).value();
  raw(pallet, item, keys) = encode_value(*metadata_, stored.item->value, value, item).value();
}

void FakeNode::erase(std::string_view pallet, std::string_view item, const Json& keys) {
  const Stored stored = find_stored(*metadata_, pallet, item).value();
  storage.erase(hex0x(stored_key(*metadata_, stored, keys).value()));
}

void FakeNode::seal() {
  FakeBlock block;
  block.extrinsics = {{1, 2, 3}};  // Stands for Timestamp.set.
  block.events.push_back(
      {{"phase", {{"ApplyExtrinsic", 0}}}, {"event", success()}, {"topics", Json::array()}});
  for (const Bytes& extrinsic : std::exchange(pending_, {})) {
    for (const Json& event : outcome) {
      block.events.push_back({{"phase", {{"ApplyExtrinsic", block.extrinsics.size()}}},
                              {"event", event},
                              {"topics", Json::array()}});
    }
    block.extrinsics.push_back(extrinsic);
  }
  const Hash root = common::blake2b_256(Encoder().number(++entropy_).done());
  const Hash parent = blocks_.empty() ? Hash{} : blocks_.back().hash;
  block.header = {{"parentHash", hex0x(parent.bytes)},
                  {"number", hex_number(blocks_.size())},
                  {"stateRoot", hex0x(root.bytes)},
                  {"extrinsicsRoot", hex0x(root.bytes)},
                  {"digest", {{"logs", Json::array({"0x066175726108"})}}}};
  block.hash = parse_header(block.header).value().hash;
  blocks_.push_back(std::move(block));
}

void FakeNode::fork(size_t depth, bool pool_keeps) {
  for (size_t i = 0; i < depth; ++i) {
    const FakeBlock block = std::move(blocks_.back());
    blocks_.pop_back();
    for (size_t at = 1; at < block.extrinsics.size() && pool_keeps; ++at) {
      pending_.push_back(block.extrinsics[at]);
    }
  }
  auto waiting = std::exchange(pending_, {});
  for (size_t i = 0; i <= depth; ++i) seal();
  pending_ = std::move(waiting);
}

Result<std::string> FakeNode::answer(const std::string& body) {
  ++exchanges;
  if (unavailable > 0) {
    --unavailable;
    return common::Error{common::Code::kUnavailable, "nobody answers"};
  }
  const Json request = Json::parse(body);
  if (request.is_object()) return one(request).dump();
  Json answers = Json::array();
  for (const Json& each : request) answers.push_back(one(each));
  // Backwards: a server may answer a batch in any order.
  std::reverse(answers.begin(), answers.end());
  return answers.dump();
}

Json FakeNode::one(const Json& request) {
  Json answer = {{"jsonrpc", "2.0"}, {"id", request.at("id")}};
  Json error;
  Json its_result = result(request.at("method"), request.at("params"), error);
  if (error.is_null()) {
    answer["result"] = std::move(its_result);
  } else {
    answer["error"] = std::move(error);
  }
  return answer;
}

Json FakeNode::result(const std::string& method, const Json& params, Json& error) {
  methods.push_back(method);
  if (lie) {
    if (const auto told = lie(method, params)) return *told;
  }
  if (method == "state_getRuntimeVersion") {
    return {
        {"specName", "node-subtensor"}, {"specVersion", spec_version_}, {"transactionVersion", 1}};
  }
  if (method == "chain_getHeader") {
    return params.empty() ? best_header() : blocks_.at(find(params.at(0))).header;
  }
  if (method == "chain_getFinalizedHead") {
    return hex0x(
        blocks_[blocks_.size() - 1 - std::min(finality_lag, blocks_.size() - 1)].hash.bytes);
  }
  if (method == "chain_getBlockHash") {
    const size_t number = params.at(0);
    return number >= blocks_.size() ? Json() : Json(hex0x(blocks_[number].hash.bytes));
  }
  if (method == "system_accountNextIndex") return submitted.size();
  if (method == "author_submitExtrinsic") return submit(params.at(0), error);
  if (method == "chain_getBlock") {
    Json extrinsics = Json::array();
    for (const Bytes& bytes : blocks_.at(find(params.at(0))).extrinsics) {
      extrinsics.push_back(hex0x(bytes));
    }
    return {{"block", {{"extrinsics", extrinsics}}}};
  }
  if (method == "state_getStorage") return value(unhex(params.at(0)), params.at(1));
  if (method == "state_queryStorageAt") {
    Json changes = Json::array();
    for (const Json& key : params.at(0)) {
      changes.push_back(Json::array({key, value(unhex(key), params.at(1))}));
    }
    return Json::array({Json{{"block", params.at(1)}, {"changes", changes}}});
  }
  if (method == "state_getKeysPaged") return keys(params);
  if (method == "state_call") return call(params.at(0), unhex(params.at(1)));
  return nullptr;
}

Json FakeNode::call(const std::string& function, const Bytes& argument) {
  if (function == "Metadata_metadata_versions") {
    return hex0x(Encoder().numbers(std::vector<uint32_t>{metadata_bytes_[4]}).done());
  }
  if (function == "Metadata_metadata_at_version") {
    CHECK(argument[0] == metadata_bytes_[4]);
    return hex0x(Encoder().number(true).bytes(metadata_bytes_).done());
  }
  if (function == "SubnetInfoRuntimeApi_get_next_epoch_start_block") {
    return hex0x(Encoder().number(true).number(uint64_t{blocks_.size() + 100}).done());
  }
  return "0x00";  // None
}

Json FakeNode::best_header() {
  if (++asks_ % asks_per_block == 0) seal();
  return blocks_.back().header;
}

Json FakeNode::submit(const Json& hex, Json& error) {
  if (!refusals.empty()) {
    const RpcRefusal refusal = refusals.front();
    refusals.erase(refusals.begin());
    error = {{"code", refusal.code}, {"message", refusal.message}, {"data", refusal.data}};
    return nullptr;
  }
  submitted.push_back(unhex(hex));
  if (on_submit) on_submit(submitted.back());
  if (!forget_submissions) pending_.push_back(submitted.back());
  return hex0x(extrinsic_hash(submitted.back()).bytes);
}

Json FakeNode::value(const Bytes& key, const Json& block) {
  if (key == storage_prefix("System", "Events")) {
    const Stored events = find_stored(*metadata_, "System", "Events").value();
    return hex0x(
        encode_value(*metadata_, events.item->value, blocks_.at(find(block)).events, "events")
            .value());
  }
  if (key == storage_prefix("Timestamp", "Now")) {
    return hex0x(Encoder().number(kBlockMs * find(block)).done());
  }
  const auto found = storage.find(hex0x(key));
  return found == storage.end() ? Json(nullptr) : Json(hex0x(found->second));
}

Json FakeNode::keys(const Json& params) {
  const std::string prefix = params.at(0);
  const size_t count = params.at(1);
  const std::string start = params.at(2).is_null() ? "" : params.at(2).get<std::string>();
  Json out = Json::array();
  for (const auto& [key, unused] : storage) {
    if (key.starts_with(prefix) && key > start && out.size() < count) out.push_back(key);
  }
  return out;
}

size_t FakeNode::find(const Json& hash) const {
  for (size_t i = 0; i < blocks_.size(); ++i) {
    if (hash == Json(hex0x(blocks_[i].hash.bytes))) return i;
  }
  return 0;
}

std::unique_ptr<Transport> FakeNode::transport() { return std::make_unique<FakeTransport>(*this); }

}  // namespace chain::substrate
