#include "validator/evidence.h"

#include <cmath>
#include <limits>

#include "common/check.h"

namespace validator {
namespace {

using common::ByteReader;
using common::ByteWriter;

constexpr uint32_t kVersion = 1;
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr size_t kSequenceSize = sizeof(uint64_t) + 2 * sizeof(double);

void write(ByteWriter& out, const Losses& losses) {
  CHECK(losses.before.size() == losses.samples.size());
  CHECK(losses.after.size() == losses.samples.size());
  out.number(static_cast<uint32_t>(losses.samples.size()));
  for (size_t i = 0; i < losses.samples.size(); ++i) {
    out.number(losses.samples[i]).number(losses.before[i]).number(losses.after[i]);
  }
}

void write(ByteWriter& out, const Evidence& row) {
  out.number(row.uid.index).raw(row.hotkey.bytes).number(static_cast<uint8_t>(row.verdict));
  out.raw(row.contribution.bytes).number(row.sealed_size);
  write(out, row.common);
  write(out, row.own.trained);
  write(out, row.own.control);
  out.number(row.overlap).number(row.overlap_z).number(row.overlap_with.index);
}

Losses read_losses(ByteReader& in) {
  Losses losses;
  const auto count = in.number<uint32_t>();
  if (in.remaining() / kSequenceSize < count) {
    in.fail();
    return losses;
  }
  for (uint32_t i = 0; i < count; ++i) {
    losses.samples.push_back(in.number<uint64_t>());
    losses.before.push_back(in.number<double>());
    losses.after.push_back(in.number<double>());
    if (!std::isfinite(losses.before.back()) || std::isnan(losses.after.back())) in.fail();
  }
  return losses;
}

Evidence read_row(ByteReader& in) {
  Evidence row;
  row.uid.index = in.number<uint16_t>();
  row.hotkey.bytes = in.array<32>();
  const auto verdict = common::verdict_of(in.number<uint8_t>());
  if (!verdict) in.fail();
  row.verdict = verdict.value_or(Verdict::kMalformed);
  row.contribution.bytes = in.array<32>();
  row.sealed_size = in.number<uint64_t>();
  row.common = read_losses(in);
  row.own.trained = read_losses(in);
  row.own.control = read_losses(in);
  row.overlap = in.number<double>();
  row.overlap_z = in.number<double>();
  row.overlap_with.index = in.number<uint16_t>();
  if (!std::isfinite(row.overlap) || !std::isfinite(row.overlap_z)) in.fail();
  return row;
}

}  // namespace

Gain gain_of(const Losses& losses) {
  CHECK(losses.before.size() == losses.after.size());
  Gain gain{.sequences = static_cast<uint32_t>(losses.before.size())};
  const auto count = static_cast<double>(gain.sequences);
  double sum = 0;
  for (size_t i = 0; i < losses.before.size(); ++i) {
    if (!std::isfinite(losses.after[i])) {
      gain.mean = -kInfinity;
      return gain;
    }
    sum += losses.before[i] - losses.after[i];
  }
  if (gain.sequences == 0) return gain;
  gain.mean = sum / count;
  if (gain.sequences < 2) return gain;
  double squares = 0;
  for (size_t i = 0; i < losses.before.size(); ++i) {
    const double deviation = losses.before[i] - losses.after[i] - gain.mean;
    squares += deviation * deviation;
  }
  gain.error = std::sqrt(squares / (count - 1) / count);
  return gain;
}

double advantage_z(const OwnLosses& own) {
  const Gain trained = gain_of(own.trained);
  const Gain control = gain_of(own.control);
  if (trained.sequences == 0 || control.sequences == 0) return 0;
  if (!std::isfinite(trained.mean) || !std::isfinite(control.mean)) return 0;
  const double difference = trained.mean - control.mean;
  const double error = std::sqrt(trained.error * trained.error + control.error * control.error);
  if (difference == 0) return 0;
  return error > 0 ? difference / error : std::copysign(kInfinity, difference);
}

common::Bytes serialise(const WindowEvidence& evidence) {
  CHECK(evidence.peers.size() <= kEvidencePeersMax);
  ByteWriter out;
  out.number(kVersion).number(evidence.window.index);
  out.raw(evidence.manifest.bytes).raw(evidence.base_root.bytes).raw(evidence.seed_block.bytes);
  out.number(static_cast<uint32_t>(evidence.peers.size()));
  for (const Evidence& row : evidence.peers) write(out, row);
  return std::move(out).bytes();
}

std::optional<WindowEvidence> parse_evidence(common::ByteView bytes) {
  ByteReader in(bytes);
  if (in.number<uint32_t>() != kVersion) return std::nullopt;
  WindowEvidence evidence;
  evidence.window.index = in.number<uint64_t>();
  evidence.manifest.bytes = in.array<32>();
  evidence.base_root.bytes = in.array<32>();
  evidence.seed_block.bytes = in.array<32>();
  const auto count = in.number<uint32_t>();
  if (count > kEvidencePeersMax) return std::nullopt;
  for (uint32_t i = 0; i < count && in.ok(); ++i) {
    Evidence row = read_row(in);
    if (i > 0 && row.uid <= evidence.peers.back().uid) in.fail();
    evidence.peers.push_back(std::move(row));
  }
  if (!in.at_end()) return std::nullopt;
  return evidence;
}

}  // namespace validator
