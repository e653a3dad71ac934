#include "train/optimiser.h"

#include <algorithm>
#include <cmath>

#include "common/check.h"
#include "train/adamw.h"
#include "train/muon.h"

namespace train {
namespace {

constexpr uint64_t kAlignment = 16;  // Values of fp32 in 64 bytes.

common::Hash hash_of(const compress::Layout& layout) {
  common::Hasher hasher;
  for (const compress::Tensor& tensor : layout.tensors()) {
    hasher.number(uint64_t{tensor.name.size()}).update(common::view_of(tensor.name));
    hasher.number(tensor.rows).number(tensor.cols);
  }
  return hasher.finish();
}

// The place nearest to `wanted` where the array may be cut.
uint64_t cut_near(const compress::Layout& layout, uint64_t wanted, bool between_tensors) {
  if (!between_tensors) return wanted / kAlignment * kAlignment;
  uint64_t best = 0;
  const auto distance = [wanted](uint64_t at) { return at < wanted ? wanted - at : at - wanted; };
  for (const compress::Tensor& tensor : layout.tensors()) {
    const uint64_t end = tensor.offset + tensor.size();
    if (distance(end) < distance(best)) best = end;
  }
  return best;
}

}  // namespace

std::vector<ParameterRange> split_parameters(const compress::Layout& layout,
                                             std::string_view optimiser, uint32_t parts) {
  CHECK(parts > 0);
  const uint64_t count = layout.parameter_count();
  std::vector<ParameterRange> ranges;
  uint64_t first = 0;
  for (uint32_t part = 1; part <= parts; ++part) {
    // Divided first: a product of parameters and parts could be too large.
    const uint64_t wanted = count / parts * part + count % parts * part / parts;
    const uint64_t end = part == parts ? count : cut_near(layout, wanted, optimiser == kMuonKind);
    ranges.push_back({first, end - first});
    first = end;
  }
  return ranges;
}

uint64_t moment_room_size(std::span<const uint64_t> sizes) {
  uint64_t room = 0;
  for (const uint64_t size : sizes) room += (size + kAlignment - 1) / kAlignment * kAlignment;
  return room;
}

double gradient_norm(Backend& backend, const float* gradient, uint64_t size) {
  return std::sqrt(backend.sum_of_squares(gradient, size));
}

Optimiser::Optimiser(const compress::Layout& layout, const common::InnerParams& params,
                     Backend& backend, ParameterRange range, Buffer<float>* room)
    : params_(params),
      backend_(backend),
      range_(range),
      room_(room),
      layout_hash_(hash_of(layout)) {
  CHECK(range.first <= layout.parameter_count() &&
        range.size <= layout.parameter_count() - range.first);
}

void Optimiser::add_moment(uint64_t size) {
  const MomentHome home = room_ == nullptr ? MomentHome::kMachine : MomentHome::kHost;
  state_.moments.emplace_back(backend_, size, home);
}

void Optimiser::reset() {
  state_.steps = 0;
  for (Moment& moment : state_.moments) moment.clear();
}

// In the room, side by side; null for those that are at home on the machine.
std::vector<float*> Optimiser::places() {
  std::vector<float*> places(state_.moments.size());
  if (room_ == nullptr) return places;
  std::vector<uint64_t> sizes;
  for (const Moment& moment : state_.moments) sizes.push_back(moment.size());
  room_->reserve(moment_room_size(sizes));
  for (size_t i = 0; i < places.size(); ++i) {
    places[i] = room_->data() + moment_room_size(std::span(sizes).first(i));
  }
  return places;
}

void Optimiser::step(float* theta, const float* gradient, double rate, double norm) {
  CHECK_MSG(std::isfinite(norm), "the gradient is not finite");
  ++state_.steps;
  const bool clips = params_.gradient_clip > 0 && norm > params_.gradient_clip;
  std::vector<float*> moments = places();
  for (size_t i = 0; i < moments.size(); ++i) moments[i] = state_.moments[i].bring(moments[i]);
  move(theta, gradient, moments, rate,
       clips ? static_cast<float>(params_.gradient_clip / norm) : 1.0F);
  for (size_t i = 0; i < moments.size(); ++i) state_.moments[i].send(moments[i]);
}

ParameterRange whole(const compress::Layout& layout) { return {0, layout.parameter_count()}; }

std::unique_ptr<Optimiser> make_optimiser(const compress::Layout& layout,
                                          const common::InnerParams& params, Backend& backend,
                                          ParameterRange range, Buffer<float>* room) {
  if (params.optimiser == kMuonKind) {
    return std::make_unique<Muon>(layout, params, backend, range, room);
  }
  CHECK_MSG(params.optimiser == kAdamwKind, "hparams were parsed");
  return std::make_unique<AdamW>(layout, params, backend, range, room);
}

std::unique_ptr<Optimiser> make_optimiser(const compress::Layout& layout,
                                          const common::InnerParams& params, Backend& backend) {
  return make_optimiser(layout, params, backend, whole(layout));
}

}  // namespace train
