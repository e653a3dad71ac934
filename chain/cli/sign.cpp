// muster wallet sign, verify: who wrote a message. Signatures are over the message's own bytes, as
// Bittensor's tools make and check them.
#include "chain/cli/sign.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "chain/cli/coldkey.h"
#include "chain/cli/flags.h"
#include "chain/cli/output.h"
#include "common/files.h"
#include "common/terminal.h"

namespace chain::cli {
namespace {

using common::Code;
using common::Error;
using common::Result;

// --message, or all of --message-file.
Result<Bytes> message_of(const CLI::App& verb) {
  constexpr uint64_t kMessageMax = 16u << 20;
  const bool text = common::is_given(verb, "--message");
  const bool file = common::is_given(verb, "--message-file");
  if (text == file) {
    return Error{Code::kInvalidArgument, "give either --message or --message-file"};
  }
  if (file) return common::read_file(common::given(verb, "--message-file"), kMessageMax);
  const std::string message = common::given(verb, "--message");
  return Bytes(message.begin(), message.end());
}

Result<int> run_sign(const CLI::App& verb) {
  TRY(const Bytes message, message_of(verb));
  TRY(const auto wallet, wallet_of(verb));
  const bool hot = common::is_given(verb, "--use-hotkey");
  const auto file = hot ? wallet.hotkey_file() : wallet.coldkey_file();
  if (!hot) warn_of_plain_coldkey(file);
  TRY(const Keypair key, common::read_keyfile(file, common::ask_password(password_file_of(verb))));
  const std::string signature = "0x" + common::to_hex(key.sign(message));
  if (wants_json(verb)) {
    print_json({{"address", key.account().ss58()}, {"signature", signature}});
  } else {
    print(render_fields({{"address", key.account().ss58()}, {"signature", signature}}));
  }
  return common::kOk;
}

// Whose signature is checked: --address, or the wallet's key.
Result<AccountId> signer_of(const CLI::App& verb) {
  if (common::is_given(verb, "--address")) {
    return account_of(common::given(verb, "--address"), "--address");
  }
  TRY(const auto wallet, wallet_of(verb));
  return common::read_public(common::is_given(verb, "--use-hotkey") ? wallet.hotkey_file()
                                                                    : wallet.coldkey_file());
}

Result<int> run_verify(const CLI::App& verb) {
  TRY(const Bytes message, message_of(verb));
  TRY(const AccountId signer, signer_of(verb));
  const auto bytes = common::from_hex(common::given(verb, "--signature"));
  common::Signature signature;
  if (!bytes || bytes->size() != signature.size()) {
    return Error{Code::kInvalidArgument, "--signature: a signature is 64 bytes: 128 hex digits"};
  }
  std::copy(bytes->begin(), bytes->end(), signature.begin());
  const bool valid = common::verify(signer, message, signature);
  if (wants_json(verb)) {
    print_json({{"address", signer.ss58()}, {"valid", valid}});
  } else {
    print(std::string(valid ? "Valid: " : "Not valid: ") + signer.ss58() +
          (valid ? " signed this message.\n" : " did not sign this message.\n"));
  }
  return valid ? common::kOk : common::kFailed;
}

void add_flags(CLI::App& verb) {
  verb.add_option("--message", "What is signed");
  verb.add_option("--message-file", "Or a file whose bytes are signed");
  common::add_switch(verb, "--use-hotkey", "The wallet's hotkey rather than its coldkey");
  add_wallet_flags(verb);
  add_json_flag(verb);
}

}  // namespace

void add_signing_verbs(CLI::App& wallet, int& exit_code) {
  CLI::App& sign = common::add_verb(
      wallet, exit_code,
      {"sign", "Sign a message with a key of the wallet",
       "muster wallet sign --message 'I am alice' --use-hotkey --wallet.name alice"},
      run_sign);
  add_flags(sign);
  add_password_flag(sign);
  CLI::App& verify = common::add_verb(
      wallet, exit_code,
      {"verify", "Check who signed a message; exits with 1 if nobody of that name",
       "muster wallet verify --message 'I am alice' --wallet.name alice --signature "
       "\"$SIGNATURE\""},
      run_verify);
  add_flags(verify);
  verify.add_option("--address,--ss58", "Whose signature it should be (else the wallet's key)");
  verify.add_option("--signature", "128 hex digits")->required();
}

}  // namespace chain::cli
