#include "train/optimiser_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "common/bytes.h"
#include "common/file_writer.h"
#include "common/files.h"
#include "common/hash.h"

namespace train {
namespace {

using common::ByteView;
using common::Code;
using common::Error;
using common::Result;
using common::Window;

// version u32 | kind, 16 bytes filled up with zeros | layout hash | first u64 | size u64
//   | window u64 | steps u64 | moments f32... | BLAKE2b-256 of all before
constexpr uint32_t kVersion = 2;
constexpr size_t kKindSize = 16;
constexpr size_t kHashSize = 32;
constexpr uint64_t kHeaderSize = 4 + kKindSize + kHashSize + 4 * 8;
constexpr uint64_t kPiece = 1 << 20;  // Values.

std::string padded(std::string_view kind) {
  std::string text(kind);
  text.resize(kKindSize, '\0');
  return text;
}

// In the file's order: moment by moment, each of all parts.
std::vector<Moment*> moments_of(const OptimiserParts& parts) {
  std::vector<Moment*> all;
  for (size_t moment = 0; moment < parts.moments(); ++moment) {
    for (Optimiser* part : parts) all.push_back(&part->state().moments[moment]);
  }
  return all;
}

uint64_t size_bytes(const std::vector<Moment*>& all) {
  uint64_t values = 0;
  for (const Moment* moment : all) values += moment->size();
  return values * sizeof(float);
}

Error refused(const std::filesystem::path& file, std::string_view why) {
  return {Code::kCorrupt,
          fmt::format("optimiser state {}: {}; remove the file, and training goes on with a fresh "
                      "optimiser",
                      file.string(), why)};
}

// What the header says, or a sentence on what is wrong with it.
struct Header {
  uint32_t version = 0;
  std::string kind;
  common::Hash layout;
  ParameterRange range;
  Window window;
  uint64_t steps = 0;

  static Header read(ByteView bytes) {
    common::ByteReader reader(bytes);
    Header header;
    header.version = reader.number<uint32_t>();
    header.kind = std::string(common::text_of(reader.raw(kKindSize)));
    header.layout = {reader.array<kHashSize>()};
    header.range.first = reader.number<uint64_t>();
    header.range.size = reader.number<uint64_t>();
    header.window = {reader.number<uint64_t>()};
    header.steps = reader.number<uint64_t>();
    return header;
  }
  std::string objection(const OptimiserParts& optimiser) const {
    if (version != kVersion) {
      return fmt::format("it is of version {}, and this program reads version {}", version,
                         kVersion);
    }
    if (kind != padded(optimiser.kind())) {
      return fmt::format("it is of the optimiser '{}', and the hparams say '{}'", kind.c_str(),
                         optimiser.kind());
    }
    if (layout != optimiser.layout_hash()) return "it is of another model";
    if (range != optimiser.range()) {
      return fmt::format("it is of parameters {} to {}, and this machine keeps {} to {}",
                         range.first, range.end(), optimiser.range().first,
                         optimiser.range().end());
    }
    return {};
  }
};

}  // namespace

Result<void> save_optimiser(const OptimiserParts& optimiser, const std::filesystem::path& file,
                            Window window) {
  TRY(common::FileWriter writer, common::FileWriter::create(file));
  common::Hasher hasher;
  const auto append = [&](ByteView bytes) {
    hasher.update(bytes);
    return writer.append(bytes);
  };
  common::ByteWriter header;
  header.number(kVersion).raw(common::view_of(padded(optimiser.kind())));
  header.raw(optimiser.layout_hash().bytes);
  header.number(optimiser.range().first).number(optimiser.range().size);
  header.number(window.index).number(optimiser.steps());
  TRY_VOID(append(header.bytes()));
  std::vector<float> piece;
  for (const Moment* moment : moments_of(optimiser)) {
    for (uint64_t first = 0; first < moment->size(); first += kPiece) {
      piece.resize(std::min<uint64_t>(kPiece, moment->size() - first));
      moment->read(piece.data(), first, piece.size());
      TRY_VOID(
          append({reinterpret_cast<const uint8_t*>(piece.data()), piece.size() * sizeof(float)}));
    }
  }
  TRY_VOID(writer.append(hasher.finish().bytes));
  return writer.commit();
}

Result<Window> load_optimiser(const OptimiserParts& optimiser, const std::filesystem::path& file) {
  TRY(const common::MappedFile mapped, common::MappedFile::open(file));
  const ByteView bytes = mapped.bytes();
  if (bytes.size() < kHeaderSize + kHashSize) return refused(file, "it is cut short");
  const Header header = Header::read(bytes.first(kHeaderSize));
  if (const std::string why = header.objection(optimiser); !why.empty()) return refused(file, why);
  const std::vector<Moment*> all = moments_of(optimiser);
  if (bytes.size() != kHeaderSize + size_bytes(all) + kHashSize) {
    return refused(file, "it is cut short, or too long");
  }
  const ByteView content = bytes.first(bytes.size() - kHashSize);
  if (!std::ranges::equal(common::blake2b_256(content).bytes, bytes.last(kHashSize))) {
    return refused(file, "it is damaged (its hash is wrong)");
  }
  const uint8_t* next = content.data() + kHeaderSize;
  for (Moment* moment : all) {
    moment->write(next);
    next += moment->size() * sizeof(float);
  }
  for (Optimiser* part : optimiser) part->state().steps = header.steps;
  return header.window;
}

}  // namespace train
