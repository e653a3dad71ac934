#include "compress/contribution.h"

#include <algorithm>
#include <array>
#include <utility>

namespace compress {
namespace {

// Bytes that open a contribution and no other signed thing, so that no signature serves for two.
constexpr std::string_view kMagic = "muster-c";
constexpr uint32_t kVersion = 2;
constexpr uint64_t kHeaderSize = 8 + 4 + 2 + 2 + 8 + 4 * 32 + 4 + 8;
constexpr uint64_t kAroundBody = kHeaderSize + kSignatureSize;

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

// A header that says something, whoever said it.
Judged<ContributionHeader> parse_header(ByteView bytes, uint32_t steps_max) {
  common::ByteReader in(bytes);
  const ContributionHeader header = read_header(in);
  if (!in.at_end() || header.version != kVersion || header.steps == 0 || header.steps > steps_max ||
      header.token_count < header.steps) {
    return tl::unexpected(Verdict::kMalformed);
  }
  return header;
}

// What is wrong with a well-formed header and its signature.
Verdict judge(const ContributionHeader& header, const Hash& digest,
              const common::Signature& signature, const Expected& expected) {
  if (!common::verify(header.hotkey, digest.bytes, signature)) return Verdict::kBadSignature;
  if (!is_for(header, expected)) return Verdict::kWrongWindow;
  if (header.hparams_hash != expected.hparams_hash) return Verdict::kWrongHparams;
  if (header.base_root != expected.base_root) return Verdict::kWrongBase;
  return Verdict::kAccepted;
}

// Of all but the signature.
common::Result<Hash> digest_of(const common::ByteSource& source, uint32_t threads) {
  TRY(const std::vector<Hash> leaves, common::tree_leaves(source, threads));
  return common::tree_hash_of_first(source.size() - kSignatureSize, leaves, source);
}

Judged<Examined> refused(Verdict verdict) { return tl::unexpected(verdict); }

}  // namespace

common::Result<void> write_contribution(
    const ContributionHeader& header, const common::Keypair& hotkey, common::ByteSink& sink,
    const Digest& digest,
    const std::function<common::Result<void>(common::ByteSink&)>& write_body) {
  CHECK(header.version == kVersion);
  CHECK(header.hotkey == hotkey.account());
  common::ByteWriter out;
  write_header(out, header);
  TRY_VOID(sink.append(out.bytes()));
  TRY_VOID(write_body(sink));
  return sink.append(hotkey.sign(digest().bytes));
}

common::Result<void> DigestSink::append(ByteView bytes) {
  hasher_.update(bytes);
  return sink_.append(bytes);
}

common::Result<Judged<Examined>> examine(const common::ByteSource& source, const BodyFormat& format,
                                         const Expected& expected, uint32_t threads,
                                         std::optional<Hash> digest) {
  if (source.size() > contribution_size_max(format)) return refused(Verdict::kOversized);
  if (source.size() < kAroundBody) return refused(Verdict::kMalformed);
  std::array<uint8_t, kHeaderSize> head;
  TRY_VOID(source.read(0, head));
  const auto header = parse_header(head, expected.steps_max);
  if (!header) return refused(header.error());

  common::Signature signature;
  TRY_VOID(source.read(source.size() - kSignatureSize, signature));
  if (!digest) {
    TRY(digest, digest_of(source, threads));
  }
  const Verdict verdict = judge(*header, *digest, signature, expected);
  if (verdict != Verdict::kAccepted) return refused(verdict);

  TRY(auto body, StoredBody::open(source, kHeaderSize, source.size() - kAroundBody, format));
  if (!body) return refused(body.error());
  TRY(auto sums, judge_body(*body, format, threads));
  if (!sums) return refused(sums.error());
  return Judged<Examined>(Examined{*header, *std::move(body), *std::move(sums)});
}

uint64_t contribution_size_max(const BodyFormat& format) { return kAroundBody + format.size_max(); }

uint64_t contribution_size_max(const Codec& codec, const Layout& layout) {
  return kAroundBody + codec.body_size_max(layout);
}

Bytes serialise(const Contribution& contribution, const common::Keypair& hotkey) {
  common::MemorySink memory;
  DigestSink sink(memory);
  const auto written = write_contribution(
      contribution.header, hotkey, sink, [&] { return sink.digest(); },
      [&](common::ByteSink& out) { return out.append(contribution.body); });
  CHECK(written.has_value());
  return std::move(memory).bytes();
}

Judged<Contribution> parse_contribution(ByteView bytes, uint64_t size_max,
                                        const Expected& expected) {
  if (bytes.size() > size_max) return tl::unexpected(Verdict::kOversized);
  if (bytes.size() < kAroundBody) return tl::unexpected(Verdict::kMalformed);
  const auto header = parse_header(bytes.first(kHeaderSize), expected.steps_max);
  if (!header) return tl::unexpected(header.error());
  common::Signature signature;
  std::ranges::copy(bytes.last(kSignatureSize), signature.begin());
  const ByteView signed_part = bytes.first(bytes.size() - kSignatureSize);
  const Verdict verdict = judge(*header, common::tree_hash(signed_part), signature, expected);
  if (verdict != Verdict::kAccepted) return tl::unexpected(verdict);
  const ByteView body = signed_part.subspan(kHeaderSize);
  return Contribution{*header, Bytes(body.begin(), body.end())};
}

}  // namespace compress
