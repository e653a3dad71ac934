// A node for tests: blocks and storage in memory, JSON-RPC without a network, and all the trouble
// one can ask for.
#pragma once

#include <charconv>
#include <map>
#include <string>
#include <vector>

#include "chain/substrate/chain_reader.h"
#include "chain/substrate/events.h"
#include "chain/substrate/extrinsic.h"
#include "chain/substrate/storage_key.h"

namespace chain::substrate {

// A clock that stands still until somebody sleeps.
class TestClock final : public common::Clock {
 public:
  Instant now() override { return now_; }
  bool sleep(common::milliseconds span) override {
    if (stop) return false;
    now_ = now_ + span;
    ++sleeps;
    return true;
  }
  bool stop_requested() override { return stop; }

  bool stop = false;
  int sleeps = 0;

 private:
  Instant now_{1'000'000};
};

// State outlives the transports that are handed out. One block is made every `asks_per_block`
// questions for the head, so that a client that polls sees time pass.
class FakeNode {
 public:
  struct FakeBlock {
    Hash hash;
    std::vector<Bytes> extrinsics;
    Bytes events;
  };

  FakeNode() { seal({}); }

  // What the next block's Events say about a submitted extrinsic.
  std::vector<Event> outcome = {ExtrinsicSuccess{}};
  // The pool's answer to the next submission, if it is a no.
  std::optional<RpcRefusal> refusal;
  bool forget_submissions = false;  // Taken in, never included.
  int unavailable = 0;              // So many exchanges fail first.
  int asks_per_block = 2;
  std::map<std::string, Bytes> storage;  // By the key's hex.
  Bytes& stored(const Bytes& key) { return storage[hex0x(key)]; }
  std::vector<Bytes> submitted;
  std::vector<std::string> methods;  // Everything that was asked.
  int exchanges = 0;

  std::vector<FakeBlock>& blocks() { return blocks_; }

  void seal(const std::vector<Bytes>& extrinsics) {
    std::vector<EventRecord> records;
    for (uint32_t i = 0; i < extrinsics.size(); ++i) {
      for (const Event& event : outcome) records.push_back({i + 1, event});
    }
    FakeBlock block;
    block.hash = common::blake2b_256(Encoder().number(blocks_.size()).done());
    block.extrinsics = {{1, 2, 3}};  // Stands for Timestamp.set.
    block.extrinsics.insert(block.extrinsics.end(), extrinsics.begin(), extrinsics.end());
    block.events = encode_events(records);
    blocks_.push_back(std::move(block));
  }

  Result<std::string> answer(const std::string& body) {
    ++exchanges;
    if (unavailable > 0) {
      --unavailable;
      return common::Error{common::Code::kUnavailable, "nobody answers"};
    }
    const Json request = Json::parse(body);
    if (request.is_object()) return one(request).dump();
    Json answers = Json::array();
    // Backwards: a server may answer a batch in any order.
    for (size_t i = request.size(); i-- > 0;) answers.push_back(one(request[i]));
    return answers.dump();
  }

  std::unique_ptr<Transport> transport();

 private:
  Json one(const Json& request) {
    Json answer = {{"jsonrpc", "2.0"}, {"id", request.at("id")}};
    const std::string method = request.at("method");
    methods.push_back(method);
    if (method == "author_submitExtrinsic" && refusal) {
      answer["error"] = {
          {"code", refusal->code}, {"message", refusal->message}, {"data", refusal->data}};
      return answer;
    }
    answer["result"] = result(method, request.at("params"));
    return answer;
  }

  Json result(const std::string& method, const Json& params) {
    if (method == "state_getRuntimeVersion") {
      return {{"specName", "fake"}, {"specVersion", 1}, {"transactionVersion", 1}};
    }
    if (method == "chain_getFinalizedHead") return hex0x(blocks_.back().hash.bytes);
    if (method == "chain_getBlockHash") return block_hash(params);
    if (method == "chain_getHeader") return {{"number", "0x" + hex_number(find(params.at(0)))}};
    if (method == "system_accountNextIndex") return submitted.size();
    if (method == "author_submitExtrinsic") return submit(params.at(0));
    if (method == "chain_getBlock") {
      Json extrinsics = Json::array();
      for (const Bytes& bytes : blocks_.at(find(params.at(0))).extrinsics)
        extrinsics.push_back(hex0x(bytes));
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
    return nullptr;
  }

  Json block_hash(const Json& params) {
    if (params.empty()) {
      if (++asks_ % asks_per_block == 0) seal(std::exchange(pending_, {}));
      return hex0x(blocks_.back().hash.bytes);
    }
    const size_t number = params.at(0);
    if (number >= blocks_.size()) return nullptr;
    return hex0x(blocks_[number].hash.bytes);
  }

  Json submit(const Json& hex) {
    submitted.push_back(unhex(hex));
    if (!forget_submissions) pending_.push_back(submitted.back());
    return hex0x(extrinsic_hash(submitted.back()).bytes);
  }

  Json value(const Bytes& key, const Json& block) {
    if (key == storage::kEvents.key()) return hex0x(blocks_.at(find(block)).events);
    if (key == storage::kNow.key()) {
      return hex0x(Encoder().number(uint64_t{12'000} * find(block)).done());
    }
    const auto found = storage.find(hex0x(key));
    return found == storage.end() ? Json(nullptr) : Json(hex0x(found->second));
  }

  Json keys(const Json& params) {
    const std::string prefix = params.at(0);
    const size_t count = params.at(1);
    const std::string start = params.at(2).is_null() ? "" : params.at(2).get<std::string>();
    Json out = Json::array();
    for (const auto& [key, unused] : storage) {
      if (key.starts_with(prefix) && key > start && out.size() < count) out.push_back(key);
    }
    return out;
  }

  size_t find(const Json& hash) {
    for (size_t i = 0; i < blocks_.size(); ++i) {
      if (hash == Json(hex0x(blocks_[i].hash.bytes))) return i;
    }
    return 0;
  }
  static Bytes unhex(const Json& text) { return common::from_hex(text.get<std::string>()).value(); }
  static std::string hex_number(size_t number) {
    char text[20];
    const auto end = std::to_chars(text, text + sizeof text, number, 16).ptr;
    return {text, end};
  }

  std::vector<FakeBlock> blocks_;
  std::vector<Bytes> pending_;
  int asks_ = 0;
};

class FakeTransport final : public Transport {
 public:
  explicit FakeTransport(FakeNode& node) : node_(node) {}
  Result<std::string> post(const std::string& body) override { return node_.answer(body); }

 private:
  FakeNode& node_;
};
inline std::unique_ptr<Transport> FakeNode::transport() {
  return std::make_unique<FakeTransport>(*this);
}

}  // namespace chain::substrate
