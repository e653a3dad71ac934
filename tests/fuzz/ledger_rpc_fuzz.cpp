// Goal: no text that a stranger sends crashes the ledger's JSON-RPC, and every answer is JSON.
// Method: the input's lines as messages of one WebSocket conversation, with the development
// methods, and a block after each; the whole as a genesis and as a snapshot, too.
#include <cstddef>
#include <cstdint>

#include "chain/embedded/rpc.h"
#include "chain/embedded/snapshot.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

using namespace chain::embedded;  // NOLINT: the room that is tried.

void expect_json(std::vector<std::string>& texts) {
  for (const std::string& text : texts) CHECK(nlohmann::json::accept(text));
  texts.clear();
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr int kLinesMax = 8;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)parse_genesis(text);
  (void)decode_snapshot({data, size});
  static const State base = State::from_genesis(development_genesis());
  PrivateChain chain(base, common::milliseconds(250), "fuzz");
  int blocks = 0;
  LedgerRpc rpc(chain, nullptr, [&]() -> Result<void> {
    // A thousand blocks at once are allowed, and slow.
    if (++blocks > 8) return common::Error{common::Code::kExhausted, "enough"};
    chain.make_block();
    return {};
  });
  const auto talk = rpc.converse();
  std::vector<std::string> out;
  for (int line = 0; line < kLinesMax && !text.empty(); ++line) {
    const size_t end = text.find('\n');
    talk->hear(text.substr(0, end), out);
    expect_json(out);
    chain.make_block();
    talk->news(out);
    expect_json(out);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return 0;
}
