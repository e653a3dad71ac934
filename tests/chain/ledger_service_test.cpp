// Goal: the ledger as its users set it up: manual sealing, development keys, storage written by
// hand, pruned bodies, a snapshot restored elsewhere. Method: serve_ledger in a thread, on a free
// port and a folder of its own; questions over HTTP.
#include <atomic>
#include <thread>

#include "chain/embedded/items.h"
#include "chain/ledger_command.h"
#include "common/files.h"
#include "tests/chain/ledger_process.h"
#include "tests/temp_folder.h"

namespace chain {
namespace {

using substrate::Json;
using substrate::RpcRefusal;

class StoppableClock final : public common::Clock {
 public:
  Instant now() override { return common::system_clock().now(); }
  bool sleep(milliseconds span) override { return !stop && common::system_clock().sleep(span); }
  bool stop_requested() override { return stop; }

  std::atomic<bool> stop = false;
};

// Serves until it is destroyed.
class Service {
 public:
  explicit Service(LedgerOptions options) {
    options.port = free_port();
    transport_ = substrate::http_transport("http://127.0.0.1:" + std::to_string(options.port),
                                           substrate::RpcOptions{})
                     .value();
    thread_ = std::thread([this, options] { outcome_ = serve_ledger(options, clock_); });
    const auto answers = [&] { return transport_->post("{}").has_value(); };
    for (int i = 0; i < 500 && !answers(); ++i) common::system_clock().sleep(milliseconds(10));
  }
  ~Service() {
    clock_.stop = true;
    thread_.join();
    EXPECT_TRUE(outcome_) << outcome_.error().message;
  }
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  // The result, or the refusal's words.
  Json ask(const std::string& method, Json params = Json::array()) {
    const substrate::RpcRequest request{method, std::move(params)};
    const auto replies = transport_->exchange({&request, 1});
    EXPECT_TRUE(replies) << replies.error().message;
    const auto& reply = replies->front();
    if (const auto* refusal = std::get_if<RpcRefusal>(&reply)) return refusal->text();
    return std::get<Json>(reply);
  }
  std::string text(const std::string& method, Json params = Json::array()) {
    const Json answer = ask(method, std::move(params));
    return answer.is_string() ? answer.get<std::string>() : answer.dump();
  }
  uint64_t height() {
    const Json header = ask("chain_getHeader");
    return std::stoull(header.at("number").get<std::string>(), nullptr, 16);
  }
  uint64_t free_rao(const AccountId& account) {
    const Json value =
        ask("state_getStorage",
            Json::array({"0x" + common::to_hex(embedded::items::kAccount.key(account))}));
    if (!value.is_string()) return 0;
    const Bytes bytes = common::from_hex(value.get<std::string>()).value();
    return substrate::Decoder(common::ByteView(bytes).subspan(16)).number<uint64_t>();
  }

 private:
  StoppableClock clock_;
  std::unique_ptr<substrate::BodyTransport> transport_;
  Result<void> outcome_;
  std::thread thread_;
};

class LedgerService : public testing::Test {
 protected:
  LedgerOptions options(int block_ms = 0) {
    LedgerOptions out;
    out.data = folder_ / "data";
    out.dev = true;
    out.block_time = milliseconds(block_ms);
    return out;
  }
  static std::string hex(const Bytes& bytes) { return "0x" + common::to_hex(bytes); }

  tests::TempFolder folder_;
};

TEST_F(LedgerService, MakesNoBlockOfItsOwnUnderManualSealing) {
  Service service(options());
  common::system_clock().sleep(milliseconds(300));
  EXPECT_EQ(service.height(), 0u);
  EXPECT_EQ(service.text("dev_newBlock").size(), 66u);
  EXPECT_EQ(service.height(), 1u);
  service.ask("dev_newBlock", Json::array({{{"count", 3}}}));
  EXPECT_EQ(service.height(), 4u);
  EXPECT_NE(service.text("dev_newBlock", Json::array({{{"count", 100'000}}})).find("1 to 1000"),
            std::string::npos);
  EXPECT_EQ(service.height(), 4u);
}

TEST_F(LedgerService, GivesDevelopmentKeysAMillionEach) {
  Service service(options());
  for (const char* name : {"Alice", "Bob", "Charlie", "Dave", "Eve", "Ferdie"}) {
    EXPECT_EQ(service.free_rao(key(name).account()), 1'000'000 * kRaoPerTao) << name;
  }
  EXPECT_EQ(service.free_rao(key("Mallory").account()), 0u);
}

TEST_F(LedgerService, TakesStorageByHandAndKeepsIt) {
  const AccountId somebody = key("Somebody").account();
  const std::string at = hex(embedded::items::kAccount.key(somebody));
  {
    Service service(options());
    // {nonce, consumers, providers, sufficients: u32; free, reserved, frozen: u64; flags: u128}
    Bytes account(56);
    account[8] = 1;
    account[16 + 4] = 1;
    const auto put = [&](const Json& value) {
      return service.text("dev_setStorage", Json::array({Json::array({Json::array({at, value})})}));
    };
    EXPECT_NE(put("0x01").find("the value is not of its type"), std::string::npos);
    EXPECT_EQ(put(hex(account)).size(), 66u);
    EXPECT_EQ(service.free_rao(somebody), uint64_t{1} << 32);
  }
  Service again(options());
  EXPECT_EQ(again.free_rao(somebody), uint64_t{1} << 32);
}

TEST_F(LedgerService, DoesNotMakeBlocksForStrangersWithoutDev) {
  { const Service first(options()); }
  LedgerOptions plain = options(50);
  plain.dev = false;
  Service service(plain);
  EXPECT_NE(service.text("dev_newBlock").find("Method not found"), std::string::npos);
  const Json nothing = Json::array({Json::array()});
  EXPECT_NE(service.text("dev_setStorage", nothing).find("Method not found"), std::string::npos);
}

TEST_F(LedgerService, DropsOldBodiesAndSaysSo) {
  LedgerOptions few = options();
  few.keep_blocks = 10;
  Service service(few);
  const std::string first = service.text("dev_newBlock");
  service.ask("dev_newBlock", Json::array({{{"count", 600}}}));  // The state keeps 512.
  EXPECT_TRUE(service.ask("chain_getBlock", Json::array({first})).is_null());
  EXPECT_NE(service.text("state_getStorage", Json::array({"0x1234", first})).find("UnknownBlock"),
            std::string::npos);
  const std::string recent = service.text("chain_getBlockHash", Json::array({590}));
  EXPECT_TRUE(service.ask("chain_getBlock", Json::array({recent})).is_object());
}

TEST_F(LedgerService, ASnapshotGoesOnInAnotherFolder) {
  const auto file = folder_ / "snapshot";
  std::string genesis;
  std::string head;
  {
    Service service(options());
    head = service.text("dev_newBlock", Json::array({{{"count", 25}}}));
    genesis = service.text("chain_getBlockHash", Json::array({0}));
    const auto busy = snapshot_ledger(folder_ / "data", file);
    ASSERT_FALSE(busy);
    EXPECT_NE(busy.error().message.find("in use by another process"), std::string::npos);
  }
  ASSERT_TRUE(snapshot_ledger(folder_ / "data", file));
  EXPECT_EQ(fs::status(file).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(snapshot_ledger(folder_ / "nothing", file).error().code, Code::kNotFound);
  LedgerOptions restored = options();
  restored.restore = file;
  common::Clock& clock = common::system_clock();
  const auto used = serve_ledger(restored, clock);
  ASSERT_FALSE(used);
  EXPECT_NE(used.error().message.find("holds a chain already"), std::string::npos);
  restored.data = folder_ / "elsewhere";
  {
    Service service(restored);
    EXPECT_EQ(service.height(), 25u);
    EXPECT_EQ(service.text("chain_getBlockHash", Json::array({25})), head);
    EXPECT_EQ(service.text("chain_getBlockHash", Json::array({0})), genesis);
    EXPECT_EQ(service.free_rao(key("Alice").account()), 1'000'000 * kRaoPerTao);
    service.ask("dev_newBlock");
    EXPECT_EQ(service.height(), 26u);
  }
  EXPECT_EQ(common::read_file(folder_ / "data/beacon.seed", 32).value(),
            common::read_file(folder_ / "elsewhere/beacon.seed", 32).value());
}

}  // namespace
}  // namespace chain
