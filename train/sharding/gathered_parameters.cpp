#include "train/sharding/gathered_parameters.h"

#include <algorithm>
#include <utility>

namespace train::sharding {

using common::Result;

GatheredParameters::GatheredParameters(const Shares& shares, const float* shard, Backend& backend,
                                       Communicator& communicator)
    : shares_(shares), shard_(shard), communicator_(communicator) {
  for (const uint64_t size : place_sizes(shares.pieces())) {
    places_.push_back({Buffer<float>(backend)});
    places_.back().values.reserve(size);
  }
}

GatheredParameters::~GatheredParameters() {
  const bool busy =
      std::ranges::any_of(places_, [](const Place& place) { return place.arriving.has_value(); });
  if (busy) communicator_.abort({common::Code::kCancelled, "it left in the middle of a step"});
}

Result<ParameterSource::Piece> GatheredParameters::get(size_t piece, size_t next) {
  TRY_VOID(fetch(piece));
  const bool fits = next != kNoPiece && &place_for(next) != &place_for(piece);
  if (fits) TRY_VOID(fetch(next));
  Place& place = place_for(piece);
  TRY_VOID(arrive(place));
  return Piece{place.values.data(), place_of(shares_.pieces(), piece), place.fill};
}

Result<void> GatheredParameters::forget() {
  for (Place& place : places_) {
    TRY_VOID(arrive(place));
    place.piece = kNoPiece;
  }
  return {};
}

Result<void> GatheredParameters::fetch(size_t piece) {
  Place& place = place_for(piece);
  if (place.piece == piece) return {};
  TRY_VOID(arrive(place));
  place.piece = piece;
  ++place.fill;
  place.arriving = communicator_.begin_all_gather(
      place.values.data(), shard_ + shares_.offset(piece, communicator_.rank()),
      shares_.sizes(piece));
  return {};
}

Result<void> GatheredParameters::arrive(Place& place) {
  if (!place.arriving) return {};
  return communicator_.wait(*std::exchange(place.arriving, std::nullopt));
}

}  // namespace train::sharding
