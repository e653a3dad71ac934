#include "compress/group_table.h"

namespace compress {

Judged<std::vector<ByteView>> split_groups(ByteView body, std::span<const SizeRange> ranges) {
  if (body.size() < ranges.size() * sizeof(GroupSize)) return tl::unexpected(Verdict::kWrongShape);
  common::ByteReader table(body);
  common::ByteReader groups(body.subspan(ranges.size() * sizeof(GroupSize)));
  std::vector<ByteView> parts;
  parts.reserve(ranges.size());
  for (const SizeRange& range : ranges) {
    const auto size = table.number<GroupSize>();
    if (size < range.least || size > range.most) return tl::unexpected(Verdict::kWrongShape);
    parts.push_back(groups.raw(size));
  }
  if (!groups.at_end()) return tl::unexpected(Verdict::kMalformed);
  return parts;
}

}  // namespace compress
