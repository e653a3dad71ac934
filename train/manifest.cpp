#include "train/manifest.h"

#include <cmath>

#include "common/check.h"

namespace train {
namespace {

using common::ByteReader;
using common::Bytes;
using common::ByteView;
using common::ByteWriter;
using common::Hash;
using common::Verdict;

constexpr uint32_t kMagic = 0x314D534D;  // "MSM1"

void write_entry(ByteWriter& out, const ManifestEntry& entry) {
  out.number(entry.uid.index)
      .raw(entry.hotkey.bytes)
      .number(static_cast<uint8_t>(entry.verdict))
      .raw(entry.plain_digest.bytes)
      .number(entry.plain_size)
      .number(entry.weight);
}

// What an entry may say. -0 is refused: it equals 0, but has other bytes.
bool valid(const ManifestEntry& entry) {
  if (!std::isfinite(entry.weight) || std::signbit(entry.weight) || entry.weight > 1.0F) {
    return false;
  }
  if (entry.verdict == Verdict::kAccepted) {
    return entry.plain_digest != Hash{} && entry.plain_size > 0;
  }
  return entry.plain_digest == Hash{} && entry.plain_size == 0 && entry.weight == 0.0F;
}

bool valid(const std::vector<ManifestEntry>& entries) {
  if (entries.size() > kManifestEntriesMax) return false;
  for (size_t i = 0; i < entries.size(); ++i) {
    if (!valid(entries[i]) || (i > 0 && entries[i].uid <= entries[i - 1].uid)) return false;
  }
  return true;
}

ManifestEntry read_entry(ByteReader& in) {
  ManifestEntry entry;
  entry.uid.index = in.number<uint16_t>();
  entry.hotkey.bytes = in.array<32>();
  const auto verdict = common::verdict_of(in.number<uint8_t>());
  entry.plain_digest.bytes = in.array<32>();
  entry.plain_size = in.number<uint64_t>();
  entry.weight = in.number<float>();
  if (!verdict) in.fail();
  if (verdict) entry.verdict = *verdict;
  return entry;
}

Bytes unsigned_text(const Manifest& manifest) {
  CHECK(manifest.entries.size() <= kManifestEntriesMax);
  ByteWriter out;
  out.number(kMagic)
      .number(manifest.netuid)
      .number(manifest.window.index)
      .raw(manifest.hparams_hash.bytes)
      .raw(manifest.base_root.bytes)
      .number(manifest.lead.index)
      .raw(manifest.lead_hotkey.bytes)
      .number(static_cast<uint32_t>(manifest.entries.size()));
  for (const ManifestEntry& entry : manifest.entries) write_entry(out, entry);
  return std::move(out).bytes();
}

bool read_entries(ByteReader& in, Manifest& manifest) {
  const auto count = in.number<uint32_t>();
  if (count > kManifestEntriesMax) return false;
  for (uint32_t i = 0; i < count && in.ok(); ++i) {
    manifest.entries.push_back(read_entry(in));
  }
  return in.ok() && valid(manifest.entries);
}

}  // namespace

std::vector<ManifestEntry> Manifest::counting() const {
  std::vector<ManifestEntry> counting;
  for (const ManifestEntry& entry : entries) {
    if (entry.verdict == Verdict::kAccepted && entry.weight > 0.0F) counting.push_back(entry);
  }
  return counting;
}

Hash Manifest::hash() const { return common::blake2b_256(unsigned_text(*this)); }

Bytes sign(const Manifest& manifest, const common::Keypair& lead) {
  CHECK(lead.account() == manifest.lead_hotkey);
  CHECK(valid(manifest.entries));  // Or nobody could open it.
  ByteWriter out;
  out.raw(unsigned_text(manifest)).raw(lead.sign(manifest.hash().bytes));
  return std::move(out).bytes();
}

std::optional<Manifest> open_manifest(ByteView bytes) {
  if (bytes.size() > kManifestSizeMax) return std::nullopt;
  ByteReader in(bytes);
  Manifest manifest;
  if (in.number<uint32_t>() != kMagic) return std::nullopt;
  manifest.netuid = in.number<uint16_t>();
  manifest.window.index = in.number<uint64_t>();
  manifest.hparams_hash.bytes = in.array<32>();
  manifest.base_root.bytes = in.array<32>();
  manifest.lead.index = in.number<uint16_t>();
  manifest.lead_hotkey.bytes = in.array<32>();
  if (!read_entries(in, manifest)) return std::nullopt;
  const common::Signature signature = in.array<64>();
  if (!in.at_end()) return std::nullopt;
  if (!common::verify(manifest.lead_hotkey, manifest.hash().bytes, signature)) return std::nullopt;
  return manifest;
}

}  // namespace train
