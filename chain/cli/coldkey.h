// A coldkey is money. What the verbs that meet one say of it.
#pragma once

#include <filesystem>

namespace chain::cli {

// Says on standard error if the file holds a coldkey's secret unencrypted: it should not lie on a
// machine that runs a node.
void warn_of_plain_coldkey(const std::filesystem::path& coldkey_file);

}  // namespace chain::cli
