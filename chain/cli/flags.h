// Flags that several verbs share, in Bittensor's spellings, and what they mean.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "chain/explorer.h"
#include "chain/ledger.h"
#include "common/verb.h"
#include "common/wallet.h"

namespace chain::cli {

void add_json_flag(CLI::App& verb);
bool wants_json(const CLI::App& verb);

// --wallet.path, --wallet.name, --wallet.hotkey
void add_wallet_flags(CLI::App& verb);
// kInvalidArgument for a name that is not one folder's or file's.
Result<common::WalletLocation> wallet_of(const CLI::App& verb);
void add_password_flag(CLI::App& verb);
std::filesystem::path password_file_of(const CLI::App& verb);

// --yes
void add_consent_flag(CLI::App& verb);
bool has_consent(const CLI::App& verb);

// --subtensor.chain_endpoint, --subtensor.network, --patience. With both of the first, the node at
// that address must be of that network.
void add_endpoint_flags(CLI::App& verb);
// The same and --netuid.
void add_chain_flags(CLI::App& verb);
uint16_t netuid_of(const CLI::App& verb);

// The ledger that the flags name, seen to answer. Asked again for --patience seconds; then
// kUnavailable, with where nobody answered and how to start a ledger.
Result<std::unique_ptr<Ledger>> connect(const CLI::App& verb);

// The same chain by its own names.
Result<Explorer> explore(const CLI::App& verb);

// --block: after which block; nothing for the head.
void add_block_flag(CLI::App& verb);
std::optional<BlockNumber> block_of(const CLI::App& verb);

// kInvalidArgument, naming `flag`, for what is no SS58 address.
Result<AccountId> account_of(const std::string& address, const char* flag);
// The same for an amount of TAO above 0; in rao.
Result<uint64_t> amount_of(const std::string& text);

}  // namespace chain::cli
