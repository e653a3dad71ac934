// A node for tests: blocks and storage in memory, JSON-RPC without a network, and all the trouble
// one can ask for. Its runtime is mainnet's of spec 424, or another that a test gives it.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "chain/substrate/chain_reader.h"
#include "chain/substrate/extrinsic.h"
#include "chain/substrate/signing.h"

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
    Json header;
    std::vector<Bytes> extrinsics;
    Json events = Json::array();
  };

  FakeNode();

  // What the next blocks' events say about a submitted extrinsic.
  std::vector<Json> outcome = {success()};
  static Json success();
  // {"System": {"ExtrinsicFailed": ..}} of a pallet's error by its name.
  Json failed(const std::string& pallet, const std::string& error) const;
  // The pool's answers to the next submissions, if they are a no; one each.
  std::vector<RpcRefusal> refusals;
  bool forget_submissions = false;  // Taken in, never included.
  int unavailable = 0;              // So many exchanges fail first.
  int asks_per_block = 2;
  uint64_t finality_lag = 0;  // So many blocks the finalized head is behind.
  // Called with each question; what it returns is the answer instead.
  std::function<std::optional<Json>(const std::string& method, const Json& params)> lie;
  // Called when an extrinsic comes, before it waits for its block.
  std::function<void(const Bytes&)> on_submit;
  std::map<std::string, Bytes> storage;  // By the key's hex.
  std::vector<Bytes> submitted;
  std::vector<std::string> methods;  // Everything that was asked.
  int exchanges = 0;

  // Runtime: as old transports know it from `spec` on.
  void set_runtime(uint32_t spec_version, const Metadata& metadata, const Bytes& bytes);
  uint32_t spec_version() const { return spec_version_; }

  void put(std::string_view pallet, std::string_view item, const Json& keys, const Json& value);
  Bytes& raw(std::string_view pallet, std::string_view item, const Json& keys);
  void erase(std::string_view pallet, std::string_view item, const Json& keys);

  std::vector<FakeBlock>& blocks() { return blocks_; }
  void seal();
  // The newest `depth` blocks are replaced by as many others and one more; what stood in them waits
  // again, if the pool keeps it.
  void fork(size_t depth, bool pool_keeps);

  Result<std::string> answer(const std::string& body);
  // One question, without the wrapping.
  Json result(const std::string& method, const Json& params, Json& error);
  std::unique_ptr<Transport> transport();
  std::vector<Bytes>& pending() { return pending_; }

 private:
  Json one(const Json& request);
  Json call(const std::string& function, const Bytes& argument);
  Json best_header();
  Json submit(const Json& hex, Json& error);
  Json value(const Bytes& key, const Json& block);
  Json keys(const Json& params);
  size_t find(const Json& hash) const;

  const Metadata* metadata_ = nullptr;
  Bytes metadata_bytes_;
  uint32_t spec_version_ = 0;
  std::vector<FakeBlock> blocks_;
  std::vector<Bytes> pending_;
  int asks_ = 0;
  uint64_t entropy_ = 0;
};

class FakeTransport final : public BodyTransport {
 public:
  explicit FakeTransport(FakeNode& node) : node_(node) {}
  Result<std::string> post(const std::string& body) override { return node_.answer(body); }

 private:
  FakeNode& node_;
};

}  // namespace chain::substrate
