// The codec on a machine (compress/cuda/array.h): which kernels, in which order, on what memory.
#pragma once

#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "compress/cuda/bodies.h"
#include "compress/cuda/encode_tiles.h"
#include "compress/cuda/plan.h"
#include "compress/cuda/read_pieces.h"
#include "compress/cuda/scales.h"
#include "compress/cuda/try_tiles.h"
#include "compress/cuda/write_pieces.h"

namespace compress::cuda {

template <class Machine>
class CodecOn : public CudaCodec {
 public:
  template <typename T>
  using Result = common::Result<T>;

  static Result<std::unique_ptr<CudaCodec>> make(Machine machine, const Layout& layout,
                                                 PieceRange range) {
    TRY(PlanTables tables, make_plan(layout, range));
    auto codec = std::make_unique<CodecOn>(std::move(machine), std::move(tables));
    TRY_VOID(codec->bring_plan());
    return std::unique_ptr<CudaCodec>(std::move(codec));
  }

  CodecOn(Machine machine, PlanTables tables)
      : machine_(std::move(machine)), tables_(std::move(tables)), plan_(tables_.plan) {}

  uint64_t value_count() const override { return tables_.value_count; }

  Result<std::unique_ptr<CudaFloats>> floats(uint64_t count) override {
    auto made = std::make_unique<FloatsOn<Machine>>(machine_);
    TRY_VOID(made->make_room(count));
    return std::unique_ptr<CudaFloats>(std::move(made));
  }

  Result<std::vector<uint32_t>> feedback(float* e, float decay, const float* delta) override {
    const Slots slots{nullptr, tables_.value_words_max, tables_.level_words_max};
    TRY_VOID(heads_.make_room(plan_.tile_count));
    TRY_VOID(slots_.make_room(size_t{plan_.tile_count} * (slots.value_words + slots.level_words)));
    TRY_VOID(not_finite_.clear(1));
    EncodeTiles::Args args{plan_, tables_.keep_max, e,     delta,
                           decay, heads_.data(),    slots, not_finite_.data()};
    args.slots.words = slots_.data();
    TRY_VOID(machine_.template launch<EncodeTiles>(plan_.tile_count, args));
    return write(args.slots);
  }

  Result<void> read(uint64_t first, std::span<uint8_t> bytes) const override {
    CHECK(first <= encoded_size_ && bytes.size() <= encoded_size_ - first);
    const auto* const all = reinterpret_cast<const uint8_t*>(encoded_.data());
    return machine_.download(bytes.data(), all + first, bytes.size());
  }

  Result<Judged<std::unique_ptr<CudaBody>>> judge(ByteView bytes,
                                                  std::span<const uint32_t> sizes) override {
    using Answer = Judged<std::unique_ptr<CudaBody>>;
    auto body = std::make_unique<BodyOn<Machine>>(machine_);
    std::vector<uint64_t> first_byte = firsts_of(sizes);
    CHECK(sizes.size() == plan_.piece_count && first_byte.back() == bytes.size());
    TRY_VOID(body->words.clear(words_of(8 * uint64_t{bytes.size()})));
    TRY_VOID(machine_.upload(body->words.data(), bytes.data(), bytes.size()));
    TRY_VOID(first_byte_.set(first_byte));
    TRY_VOID(body->tiles.make_room(plan_.tile_count));
    TRY_VOID(runs_.make_room(tables_.run_count));
    TRY_VOID(trouble_.make_room(plan_.piece_count));
    const ReadPieces::Args args{
        plan_, body->body(), first_byte_.data(), body->tiles.data(), runs_.data(), trouble_.data()};
    TRY_VOID(machine_.template launch<ReadPieces>(
        (plan_.piece_count + ReadPieces::kWarps - 1) / ReadPieces::kWarps, args));
    std::vector<uint32_t> trouble(plan_.piece_count);
    TRY_VOID(trouble_.get(trouble));
    for (const uint32_t here : trouble) {
      if (here != kNoTrouble) return Answer(tl::unexpected(Verdict::kMalformed));
    }
    TRY(body->of_pieces, totals());
    return Answer(std::unique_ptr<CudaBody>(std::move(body)));
  }

  Result<void> aggregate(std::span<const CudaContributor> contributors,
                         const common::OuterParams& params, float* G) override {
    if (contributors.empty()) return machine_.clear(G, value_count() * sizeof(float));
    SumTiles::Args args;
    args.G = G;
    return sum_up(contributors, params, args);
  }

  Result<void> outer_step(std::span<const CudaContributor> contributors,
                          const common::OuterParams& params, float learning_rate,
                          float* theta) override {
    if (contributors.empty()) return {};
    SumTiles::Args args;
    args.theta = theta;
    args.rate = learning_rate;
    return sum_up(contributors, params, args);
  }

  Result<std::unique_ptr<CudaTrial>> put_on(const CudaBody& body, std::span<const float> scale,
                                            float* theta) override {
    CHECK(scale.size() == tensor_count());
    auto trial = std::make_unique<TrialOn<Machine>>(
        machine_, static_cast<const BodyOn<Machine>&>(body), theta);
    TRY_VOID(trial->scales.set(scale));
    TRY_VOID(trial->before.make_room(size_t{plan_.tile_count} * tables_.keep_max));
    TRY_VOID(launch(*trial, false));
    trial->is_on = true;
    return std::unique_ptr<CudaTrial>(std::move(trial));
  }

  Result<void> take_off(std::unique_ptr<CudaTrial> trial) override {
    auto& on = static_cast<TrialOn<Machine>&>(*trial);
    CHECK(on.is_on);
    on.is_on = false;
    return launch(on, true);
  }

 private:
  Result<void> bring_plan() {
    TRY_VOID(tensors_.set(tables_.tensors));
    TRY_VOID(tensor_at_.set(tables_.tensor_at));
    TRY_VOID(pieces_.set(tables_.pieces));
    plan_.tensors = tensors_.data();
    plan_.tensor_at = tensor_at_.data();
    plan_.pieces = pieces_.data();
    return {};
  }

  UnpackSizes unpack_sizes() const {
    return {tables_.keep_max, tables_.value_words_max, tables_.level_words_max};
  }
  size_t tensor_count() const { return tables_.tensors.size() - 1; }

  // The tiles' bits to pieces; the sizes of these.
  Result<std::vector<uint32_t>> write(const Slots& slots) {
    TRY_VOID(places_.make_room(plan_.tile_count));
    TRY_VOID(piece_heads_.make_room(plan_.piece_count));
    TRY_VOID(machine_.template launch<MeasurePieces>(
        plan_.piece_count,
        MeasurePieces::Args{plan_, heads_.data(), places_.data(), piece_heads_.data()}));
    std::vector<PieceHead> heads(plan_.piece_count);
    TRY_VOID(piece_heads_.get(heads));
    uint32_t not_finite = 0;
    TRY_VOID(not_finite_.get({&not_finite, 1}));
    CHECK_MSG(not_finite == 0, "NaN or infinity in our own update");
    std::vector<uint32_t> sizes;
    for (const PieceHead& head : heads) sizes.push_back(head.size);
    const std::vector<uint64_t> first_byte = firsts_of(sizes);
    encoded_size_ = first_byte.back();
    TRY_VOID(first_byte_.set(first_byte));
    // A word more, for who writes the last bits may touch the next.
    TRY_VOID(encoded_.clear(words_of(8 * encoded_size_) + 1));
    TRY_VOID(machine_.template launch<WritePieces>(
        plan_.piece_count * WritePieces::kBlocksOfPiece,
        WritePieces::Args{plan_, heads_.data(), slots, places_.data(), piece_heads_.data(),
                          first_byte_.data(), encoded_.data()}));
    TRY_VOID(machine_.finish());
    return sizes;
  }

  // Of what was just judged: [piece][run].
  Result<std::vector<std::vector<RunSum>>> totals() {
    std::vector<RunTotal> runs(tables_.run_count);
    TRY_VOID(runs_.get(runs));
    std::vector<std::vector<RunSum>> sums(plan_.piece_count);
    for (uint32_t i = 0; i < plan_.piece_count; ++i) {
      const uint32_t first = tables_.pieces[i].first_run;
      const uint32_t end =
          i + 1 < plan_.piece_count ? tables_.pieces[i + 1].first_run : tables_.run_count;
      for (uint32_t r = first; r < end; ++r) sums[i].push_back({runs[r].count, runs[r].squares});
    }
    return sums;
  }

  Result<void> sum_up(std::span<const CudaContributor> contributors,
                      const common::OuterParams& params, SumTiles::Args& args) {
    const bool by_senders = params.divide == "senders";
    CHECK(by_senders || params.divide == "contributors");
    CHECK(params.rule == "sign" || params.rule == "average");
    CHECK(contributors.size() <= UINT16_MAX);
    const std::vector<CudaContributor> ordered = in_order(contributors);
    const std::vector<float> scales = scales_of(ordered, params.norm_floor);
    CHECK(scales.size() == ordered.size() * tensor_count());
    std::vector<SumSource> sources;
    for (const CudaContributor& contributor : ordered) {
      const auto& body = static_cast<const BodyOn<Machine>&>(*contributor.body);
      sources.push_back({body.body(), body.tiles.data()});
    }
    const std::vector<float> shares = shares_of(ordered.size());
    TRY_VOID(scales_.set(scales));
    TRY_VOID(shares_.set(shares));
    TRY_VOID(sources_.set(sources));
    args.plan = plan_;
    args.sizes = unpack_sizes();
    args.sources = sources_.data();
    args.source_count = static_cast<uint32_t>(sources.size());
    args.scales = scales_.data();
    args.tensor_count = static_cast<uint32_t>(tensor_count());
    args.direction = {shares.back(), by_senders ? shares_.data() : nullptr,
                      params.rule == "sign" ? 1u : 0u};
    TRY_VOID(machine_.template launch<SumTiles>(plan_.tile_count, args));
    return machine_.finish();
  }

  Result<void> launch(TrialOn<Machine>& trial, bool takes_off) {
    const TryTiles::Args args{plan_,
                              unpack_sizes(),
                              {trial.body->body(), trial.body->tiles.data()},
                              trial.scales.data(),
                              trial.theta,
                              trial.before.data(),
                              takes_off ? 1u : 0u};
    const uint32_t blocks = (plan_.tile_count + TryTiles::kWarps - 1) / TryTiles::kWarps;
    TRY_VOID(machine_.template launch<TryTiles>(blocks, args));
    return machine_.finish();
  }

  Machine machine_;
  PlanTables tables_;
  Plan plan_;
  Array<Machine, TensorPlan> tensors_{machine_};
  Array<Machine, uint32_t> tensor_at_{machine_};
  Array<Machine, PiecePlan> pieces_{machine_};
  // Of the encoder; kept for the next time.
  Array<Machine, CodedHead> heads_{machine_};
  Array<Machine, uint32_t> slots_{machine_};
  Array<Machine, TilePlace> places_{machine_};
  Array<Machine, PieceHead> piece_heads_{machine_};
  Array<Machine, uint32_t> not_finite_{machine_};
  Array<Machine, uint32_t> encoded_{machine_};
  uint64_t encoded_size_ = 0;
  // Of encoder and reader,
  Array<Machine, uint64_t> first_byte_{machine_};
  Array<Machine, RunTotal> runs_{machine_};
  Array<Machine, uint32_t> trouble_{machine_};
  // and of sums.
  Array<Machine, SumSource> sources_{machine_};
  Array<Machine, float> scales_{machine_};
  Array<Machine, float> shares_{machine_};
};

}  // namespace compress::cuda
