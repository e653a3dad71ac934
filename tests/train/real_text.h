// English that every Debian system holds (package base-files): the licences, 0.2 MB.
#pragma once

#include <sstream>
#include <string>
#include <vector>

#include "common/check.h"
#include "common/files.h"

inline std::string real_text() {
  std::string text;
  for (const char* name : {"GPL-3", "GPL-2", "Apache-2.0", "GFDL-1.3", "Artistic", "MPL-2.0"}) {
    const auto bytes =
        common::read_file(std::string("/usr/share/common-licenses/") + name, 1 << 20);
    CHECK_MSG(bytes.has_value(), "the Debian package base-files holds this text");
    text += common::text_of(*bytes);
  }
  return text;
}

inline std::vector<std::string> real_lines() {
  std::vector<std::string> lines;
  std::istringstream text(real_text());
  for (std::string line; std::getline(text, line);) {
    if (!line.empty()) lines.push_back(line);
  }
  return lines;
}
