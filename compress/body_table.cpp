#include "compress/body_table.h"

#include <utility>

#include "compress/tile_code.h"

namespace compress {
namespace {

using Size = uint32_t;  // Of a group, in the table.

uint64_t group_size_min(const TileGroup& group) { return (group.count * kTileBitsMin + 7) / 8; }

uint64_t group_size_max(const TileGroup& group, const Layout& layout) {
  return group_bits_max(group, layout) / 8;
}

}  // namespace

Bytes join_groups(std::span<const Bytes> groups) {
  common::ByteWriter out;
  for (const Bytes& group : groups) out.number(static_cast<Size>(group.size()));
  for (const Bytes& group : groups) out.raw(group);
  return std::move(out).bytes();
}

Judged<std::vector<ByteRange>> find_groups(ByteView body, std::span<const TileGroup> groups,
                                           const Layout& layout) {
  common::ByteReader in(body);
  std::vector<ByteRange> ranges(groups.size());
  for (ByteRange& range : ranges) range.size = in.number<Size>();
  if (!in.ok()) return tl::unexpected(Verdict::kWrongShape);
  for (size_t g = 0; g < groups.size(); ++g) {
    ByteRange& range = ranges[g];
    if (range.size < group_size_min(groups[g]) || range.size > group_size_max(groups[g], layout)) {
      return tl::unexpected(Verdict::kWrongShape);
    }
    range.first = body.size() - in.remaining();
    in.raw(range.size);
  }
  if (!in.at_end()) return tl::unexpected(Verdict::kMalformed);
  return ranges;
}

uint64_t body_size_max(std::span<const TileGroup> groups, const Layout& layout) {
  uint64_t size = 0;
  for (const TileGroup& group : groups) size += sizeof(Size) + group_size_max(group, layout);
  return size;
}

}  // namespace compress
