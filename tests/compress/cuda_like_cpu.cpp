#include "tests/compress/cuda_like_cpu.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <span>

#include "common/check.h"
#include "common/philox.h"
#include "compress/sparse_trial.h"
#include "compress/sparseloco.h"
#include "tests/compress/stored.h"

namespace compress::testing {
namespace {

std::unique_ptr<CudaFloats> on_card(CudaCodec& codec, std::span<const float> values) {
  auto made = codec.floats(values.size()).value();
  CHECK(made->set(values).has_value());
  return made;
}

std::vector<float> from_card(const CudaFloats& values) {
  std::vector<float> made(values.count());
  CHECK(values.get(made).has_value());
  return made;
}

// A body's pieces on the card.
std::unique_ptr<CudaBody> judged(CudaCodec& codec, const BodyFormat& format, ByteView body) {
  const PieceTable table = *find_pieces(body, format);
  std::vector<uint32_t> sizes;
  for (size_t i = 0; i < format.pieces().size(); ++i) {
    sizes.push_back(static_cast<uint32_t>(table.size(i)));
  }
  auto made = codec.judge(body.first(body.size() - format.table_size()), sizes).value();
  return made ? std::move(*made) : nullptr;
}

bool same(std::span<const std::vector<RunSum>> a, std::span<const std::vector<RunSum>> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return std::equal(x.begin(), x.end(), y.begin(), y.end(), [](const RunSum& p, const RunSum& q) {
      return p.count == q.count && p.squares == q.squares;
    });
  });
}

}  // namespace

bool feedback_is_the_cpus(CudaCodec& codec, const Layout& layout, const std::vector<float>& e,
                          const std::vector<float>& delta, std::optional<PieceRange> range) {
  constexpr float kDecay = 0.95f;
  const auto format = SparseLoco().format(layout);
  const PieceRange pieces = range.value_or(all_pieces(*format));
  Bytes wanted;
  std::vector<uint32_t> wanted_sizes;
  std::vector<float> left = e;
  const auto encoder = format->encoder();
  for (size_t i = pieces.first; i < pieces.end; ++i) {
    const Piece& piece = format->pieces()[i];
    const size_t before = wanted.size();
    encoder->feedback(i, std::span(left).subspan(piece.first, piece.count), kDecay,
                      std::span(delta).subspan(piece.first, piece.count), wanted);
    wanted_sizes.push_back(static_cast<uint32_t>(wanted.size() - before));
  }
  const uint64_t first = first_value(*format, pieces);
  const uint64_t count = value_count(*format, pieces);
  CHECK(codec.value_count() == count);
  const auto card_e = on_card(codec, std::span(e).subspan(first, count));
  const auto card_delta = on_card(codec, std::span(delta).subspan(first, count));
  const auto sizes = codec.feedback(card_e->data(), kDecay, card_delta->data()).value();
  Bytes made(wanted.size());
  if (sizes != wanted_sizes) return false;
  // In two ranges, the second from an odd byte on.
  const size_t half = made.size() / 2 | 1;
  CHECK(codec.read(half, std::span(made).subspan(half)).has_value());
  CHECK(codec.read(0, std::span(made).first(half)).has_value());
  return made == wanted && same_bits(from_card(*card_e), std::span(left).subspan(first, count));
}

std::optional<Verdict> judges_as_the_cpu(CudaCodec& codec, const Layout& layout, ByteView body) {
  const auto format = SparseLoco().format(layout);
  const common::MemorySource source(body);
  const auto stored = *StoredBody::open(source, 0, body.size(), *format);
  CHECK(stored.has_value());
  const auto wanted = *judge_pieces(*stored, *format, all_pieces(*format), 1);
  const auto made = judged(codec, *format, body);
  if (wanted.has_value() != (made != nullptr)) return std::nullopt;
  if (!wanted) return wanted.error();
  if (!same(*wanted, made->sums())) return std::nullopt;
  return Verdict::kAccepted;
}

bool sums_are_the_cpus(CudaCodec& codec, const Layout& layout, size_t miners,
                       const std::string& divide, const std::string& rule) {
  constexpr float kRate = 0.7f;
  const SparseLoco cpu;
  const auto format = cpu.format(layout);
  const Peers peers(cpu, *format, miners, 100);
  common::OuterParams params = outer_params(divide, 0.8);
  params.rule = rule;
  const std::vector<float> theta = gaussian(layout.parameter_count(), 7);
  std::vector<float> wanted = theta;
  CHECK(outer_step(wanted, peers.on_disk(), *format, params, kRate, all_pieces(*format), 1));
  std::vector<float> wanted_G = aggregate(peers.in_memory(), layout, params);
  if (rule == "sign") {
    for (float& value : wanted_G) value = static_cast<float>((value > 0) - (value < 0));
  }

  std::vector<std::unique_ptr<CudaBody>> bodies;
  std::vector<CudaContributor> contributors;
  for (size_t p = 0; p < miners; ++p) {
    bodies.push_back(judged(codec, *format, peers.bodies[p]));
    contributors.push_back(
        {Peers::uid_of(p), Peers::weight_of(p), bodies.back().get(), &peers.stored[p]->sums()});
  }
  const auto card_theta = on_card(codec, theta);
  const auto card_G = on_card(codec, std::vector<float>(theta.size(), NAN));
  CHECK(codec.outer_step(contributors, params, kRate, card_theta->data()));
  CHECK(codec.aggregate(contributors, params, card_G->data()));
  return same_bits(from_card(*card_theta), wanted) && same_bits(from_card(*card_G), wanted_G);
}

bool trial_is_the_cpus(CudaCodec& codec, const Layout& layout, uint64_t seed) {
  const SparseLoco cpu;
  const auto format = cpu.format(layout);
  const Bytes body = cpu.encode(gaussian(layout.parameter_count(), seed), layout);
  const Stored stored(body, *format);
  const std::vector<float> theta = gaussian(layout.parameter_count(), seed + 1);
  std::vector<float> scale;
  for (size_t t = 0; t < layout.tensors().size(); ++t) {
    scale.push_back(0.3f / static_cast<float>(t + 1));
  }
  std::vector<float> wanted = theta;
  auto on_cpu = SparseTrial::put_on(wanted, stored.body(), *format, scale, 1).value();

  const auto on_card_body = judged(codec, *format, body);
  const auto card = on_card(codec, theta);
  auto trial = codec.put_on(*on_card_body, scale, card->data()).value();
  const bool put_on = same_bits(from_card(*card), wanted) && !same_bits(wanted, theta);
  CHECK(on_cpu.take_off().has_value());
  CHECK(codec.take_off(std::move(trial)).has_value());
  return put_on && same_bits(from_card(*card), theta);
}

void forget_a_trial(CudaCodec& codec, const Layout& layout) {
  const auto format = SparseLoco().format(layout);
  const Bytes body = SparseLoco().encode(gaussian(layout.parameter_count(), 1), layout);
  const auto on_card_body = judged(codec, *format, body);
  const auto card = on_card(codec, gaussian(layout.parameter_count(), 2));
  const std::vector<float> scale(layout.tensors().size(), 1.0f);
  codec.put_on(*on_card_body, scale, card->data()).value().reset();
}

}  // namespace compress::testing
