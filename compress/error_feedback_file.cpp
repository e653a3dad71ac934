// What ErrorFeedback has to do with disks.
#include <cstring>

#include "common/bytes.h"
#include "common/files.h"
#include "common/hash.h"
#include "compress/error_feedback.h"

namespace compress {
namespace {

// magic (8) | version u32 | window u64 | count u64 | values, fp32 | BLAKE2b-256 of all before
constexpr std::string_view kMagic = "muster-e";
constexpr uint32_t kVersion = 1;
constexpr uint64_t kAroundValues = 8 + 4 + 8 + 8 + sizeof(common::Hash);

common::Error corrupt(const std::filesystem::path& file, std::string_view what) {
  return {common::Code::kCorrupt, file.string() + ": " + std::string(what)};
}

ByteView bytes_of(std::span<const float> values) {
  return {reinterpret_cast<const uint8_t*>(values.data()), values.size_bytes()};
}

}  // namespace

common::Result<void> ErrorFeedback::save(const std::filesystem::path& file,
                                         common::Window window) const {
  common::ByteWriter out;
  out.raw(common::view_of(kMagic)).number(kVersion).number(window.index);
  out.number(uint64_t{values_.size()}).raw(bytes_of(values_));
  out.raw(common::blake2b_256(out.bytes()).bytes);
  return common::write_file(file, out.bytes());
}

common::Result<common::Window> ErrorFeedback::load(const std::filesystem::path& file) {
  const uint64_t size = kAroundValues + uint64_t{values_.size()} * sizeof(float);
  const auto read = common::read_file(file, size);
  if (!read && read.error().code == common::Code::kExhausted) {
    return corrupt(file, "is longer than the error feedback of this model");
  }
  TRY(const Bytes bytes, read);
  if (bytes.size() != size) return corrupt(file, "is not the error feedback of this model");
  const ByteView content = ByteView(bytes).first(size - sizeof(common::Hash));
  common::ByteReader in(bytes);
  const bool ours = common::text_of(in.raw(kMagic.size())) == kMagic;
  if (!ours || in.number<uint32_t>() != kVersion) {
    return corrupt(file, "is not error feedback of version 1");
  }
  const common::Window window{in.number<uint64_t>()};
  const auto count = in.number<uint64_t>();
  const ByteView values = in.raw(values_.size() * sizeof(float));
  const common::Hash hash{in.array<sizeof(common::Hash)>()};
  if (count != values_.size() || !in.at_end() || hash != common::blake2b_256(content)) {
    return corrupt(file, "is damaged: its hash is another");
  }
  if (!values.empty()) std::memcpy(values_.data(), values.data(), values.size());
  return window;
}

}  // namespace compress
