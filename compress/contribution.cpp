#include "compress/contribution.h"

#include <utility>

namespace compress {
namespace {

// Bytes that open a contribution and no other signed thing, so that no signature serves for two.
constexpr std::string_view kMagic = "muster-c";
constexpr uint32_t kVersion = 1;
constexpr uint64_t kHeaderSize = 8 + 4 + 2 + 2 + 8 + 4 * 32 + 4 + 8;
constexpr uint64_t kAroundBody = kHeaderSize + sizeof(uint64_t) + sizeof(common::Signature);

void write_header(common::ByteWriter& out, const ContributionHeader& header) {
  out.raw(common::view_of(kMagic)).number(header.version);
  out.number(header.netuid).number(header.uid.index).number(header.window.index);
  out.raw(header.hotkey.bytes).raw(header.hparams_hash.bytes);
  out.raw(header.base_root.bytes).raw(header.receipt_root.bytes);
  out.number(header.steps).number(header.token_count);
}

ContributionHeader read_header(common::ByteReader& in) {
  ContributionHeader header;
  if (common::text_of(in.raw(kMagic.size())) != kMagic) in.fail();
  header.version = in.number<uint32_t>();
  header.netuid = in.number<uint16_t>();
  header.uid.index = in.number<uint16_t>();
  header.window.index = in.number<uint64_t>();
  header.hotkey.bytes = in.array<32>();
  header.hparams_hash.bytes = in.array<32>();
  header.base_root.bytes = in.array<32>();
  header.receipt_root.bytes = in.array<32>();
  header.steps = in.number<uint32_t>();
  header.token_count = in.number<uint64_t>();
  return header;
}

bool is_for(const ContributionHeader& header, const Expected& expected) {
  return header.netuid == expected.netuid && header.uid == expected.uid &&
         header.window == expected.window && header.hotkey == expected.hotkey;
}

}  // namespace

Bytes serialise(const Contribution& contribution, const common::Keypair& hotkey) {
  CHECK(contribution.header.version == kVersion);
  CHECK(contribution.header.hotkey == hotkey.account());
  common::ByteWriter out;
  write_header(out, contribution.header);
  out.number(uint64_t{contribution.body.size()}).raw(contribution.body);
  out.raw(hotkey.sign(common::blake2b_256(out.bytes()).bytes));
  return std::move(out).bytes();
}

uint64_t contribution_size_max(const Codec& codec, const Layout& layout) {
  return kAroundBody + codec.body_size_max(layout);
}

Judged<Contribution> parse_contribution(ByteView bytes, uint64_t size_max,
                                        const Expected& expected) {
  if (bytes.size() > size_max) return tl::unexpected(Verdict::kOversized);
  common::ByteReader in(bytes);
  const ContributionHeader header = read_header(in);
  const auto body_size = in.number<uint64_t>();
  if (!in.ok() || header.version != kVersion) return tl::unexpected(Verdict::kMalformed);
  if (header.steps == 0 || header.steps > expected.steps_max || header.token_count < header.steps) {
    return tl::unexpected(Verdict::kMalformed);
  }
  const ByteView body = in.raw(body_size);
  const ByteView signed_part = bytes.first(bytes.size() - in.remaining());
  const common::Signature signature = in.array<sizeof(common::Signature)>();
  if (!in.at_end()) return tl::unexpected(Verdict::kMalformed);

  if (!common::verify(header.hotkey, common::blake2b_256(signed_part).bytes, signature)) {
    return tl::unexpected(Verdict::kBadSignature);
  }
  if (!is_for(header, expected)) return tl::unexpected(Verdict::kWrongWindow);
  if (header.hparams_hash != expected.hparams_hash) {
    return tl::unexpected(Verdict::kWrongHparams);
  }
  if (header.base_root != expected.base_root) return tl::unexpected(Verdict::kWrongBase);
  return Contribution{header, Bytes(body.begin(), body.end())};
}

}  // namespace compress
