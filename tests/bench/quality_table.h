// The results of the quality study, for people.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace bench {

// Markdown: for each model and number of tokens the runs, seeds together, best first, beside the
// best AdamW of the same seeds. `model`: of this one only, unless empty.
std::string quality_table(const std::vector<nlohmann::json>& lines, const std::string& model);

}  // namespace bench
