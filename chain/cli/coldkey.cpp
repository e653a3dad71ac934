#include "chain/cli/coldkey.h"

#include <iostream>

#include "common/wallet.h"

namespace chain::cli {

void warn_of_plain_coldkey(const std::filesystem::path& coldkey_file) {
  const auto plain = common::is_unencrypted(coldkey_file);
  if (!plain || !*plain) return;
  std::cerr << "muster: warning: a coldkey lies unencrypted on this machine, in "
            << coldkey_file.string()
            << ": whoever reads that file owns its TAO. A coldkey is never needed by a running "
               "miner or validator: move it to another machine, or write it again with a password "
               "(`muster wallet regenerate --overwrite`, which asks for its phrase)"
            << std::endl;
}

}  // namespace chain::cli
