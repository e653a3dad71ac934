// What ErrorFeedback has to do with disks.
#include <string>

#include "common/byte_source.h"
#include "common/bytes.h"
#include "common/file_writer.h"
#include "common/tree_hash.h"
#include "compress/error_feedback.h"

namespace compress {
namespace {

// magic (8) | version u32 | window u64 | count u64 | values, fp32 | tree hash of all before
constexpr std::string_view kMagic = "muster-e";
constexpr uint32_t kVersion = 2;
constexpr uint64_t kHeadSize = 8 + 4 + 8 + 8;

common::Error corrupt(const std::filesystem::path& file, std::string_view what) {
  return {common::Code::kCorrupt, file.string() + ": " + std::string(what)};
}

ByteView bytes_of(std::span<const float> values) {
  return {reinterpret_cast<const uint8_t*>(values.data()), values.size_bytes()};
}

// The tree hash of all but the last 32 bytes, and those.
common::Result<bool> is_whole(const common::ByteSource& source) {
  const uint64_t size = source.size() - sizeof(common::Hash);
  TRY(const std::vector<common::Hash> leaves, common::tree_leaves(source, 1));
  TRY(const common::Hash found, common::tree_hash_of_first(size, leaves, source));
  common::Hash written;
  TRY_VOID(source.read(size, written.bytes));
  return found == written;
}

}  // namespace

common::Result<void> ErrorFeedback::save(const std::filesystem::path& file,
                                         common::Window window) const {
  common::ByteWriter head;
  head.raw(common::view_of(kMagic)).number(kVersion).number(window.index);
  head.number(uint64_t{values_.size()});
  common::TreeHasher hasher;
  hasher.update(head.bytes()).update(bytes_of(values_));
  TRY(common::FileWriter out, common::FileWriter::create(file));
  TRY_VOID(out.append(head.bytes()));
  TRY_VOID(out.append(bytes_of(values_)));
  TRY_VOID(out.append(hasher.root().bytes));
  return out.commit();
}

common::Result<common::Window> ErrorFeedback::load(const std::filesystem::path& file) {
  TRY(const common::FileSource source, common::FileSource::open(file));
  const uint64_t size = kHeadSize + values_.size() * sizeof(float) + sizeof(common::Hash);
  if (source.size() != size) return corrupt(file, "is not the error feedback of this model");
  Bytes head(kHeadSize);
  TRY_VOID(source.read(0, head));
  common::ByteReader in(head);
  const bool ours = common::text_of(in.raw(kMagic.size())) == kMagic;
  if (!ours || in.number<uint32_t>() != kVersion) {
    return corrupt(file, "is not error feedback of version 2");
  }
  const common::Window window{in.number<uint64_t>()};
  const auto count = in.number<uint64_t>();
  TRY(const bool whole, is_whole(source));
  if (count != values_.size() || !whole) return corrupt(file, "is damaged: its hash is another");
  TRY_VOID(source.read(
      kHeadSize, {reinterpret_cast<uint8_t*>(values_.data()), values_.size() * sizeof(float)}));
  return window;
}

}  // namespace compress
