#include "train/sharding/scattered_gradient.h"

#include <algorithm>
#include <utility>

#include "common/check.h"

namespace train::sharding {

using common::Result;

ScatteredGradient::ScatteredGradient(const Shares& shares, float* shard, Backend& backend,
                                     Communicator& communicator)
    : shares_(shares), shard_(shard), backend_(backend), communicator_(communicator) {
  for (const uint64_t size : place_sizes(shares.pieces())) {
    places_.push_back({Buffer<float>(backend)});
    places_.back().values.reserve(size);
  }
}

ScatteredGradient::~ScatteredGradient() {
  const bool busy =
      std::ranges::any_of(places_, [](const Place& place) { return place.leaving.has_value(); });
  if (busy) communicator_.abort({common::Code::kCancelled, "it left in the middle of a step"});
}

Result<float*> ScatteredGradient::open(size_t piece) {
  Place& place = places_[place_of(shares_.pieces(), piece)];
  const bool is_open = place.piece == piece && !place.leaving;
  if (!is_open) {
    TRY_VOID(settle(place));
    CHECK_MSG(place.piece == kNoPiece, "two pieces open in one place");
    backend_.clear(place.values.data(), shares_.pieces()[piece].size * sizeof(float));
    place.piece = piece;
  }
  return place.values.data();
}

Result<void> ScatteredGradient::close(size_t piece) {
  Place& place = places_[place_of(shares_.pieces(), piece)];
  CHECK(place.piece == piece && !place.leaving);
  place.leaving =
      communicator_.begin_reduce_scatter(share(place), place.values.data(), shares_.sizes(piece));
  return {};
}

Result<void> ScatteredGradient::finish() {
  for (Place& place : places_) TRY_VOID(settle(place));
  return {};
}

Result<void> ScatteredGradient::settle(Place& place) {
  if (!place.leaving) return {};
  TRY_VOID(communicator_.wait(*std::exchange(place.leaving, std::nullopt)));
  const int rank = communicator_.rank();
  float* sum = shard_ + shares_.offset(place.piece, rank);
  backend_.combine(sum, 1.0F, sum, 1.0F, share(place), shares_.of(place.piece, rank).size);
  place.piece = kNoPiece;
  return {};
}

float* ScatteredGradient::share(Place& place) const {
  const Range whole = shares_.pieces()[place.piece];
  return place.values.data() + (shares_.of(place.piece, communicator_.rank()).first - whole.first);
}

}  // namespace train::sharding
