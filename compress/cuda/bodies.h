// What a codec on a machine hands out: numbers, bodies that were judged, trials.
#pragma once

#include <vector>

#include "compress/cuda/array.h"
#include "compress/cuda/located.h"
#include "compress/cuda_codec.h"

namespace compress::cuda {

template <class Machine>
class FloatsOn : public CudaFloats {
 public:
  explicit FloatsOn(Machine& machine) : machine_(&machine), values_(machine) {}
  common::Result<void> make_room(uint64_t count) { return values_.make_room(count); }

  float* data() const override { return values_.data(); }
  uint64_t count() const override { return values_.count(); }
  common::Result<void> set(std::span<const float> values) override {
    CHECK(values.size() == count());
    return values_.set(values);
  }
  common::Result<void> get(std::span<float> values) const override {
    CHECK(values.size() == count());
    return values_.get(values);
  }
  common::Result<void> copy(const CudaFloats& from) override {
    CHECK(from.count() == count());
    return machine_->move(values_.data(), from.data(), count() * sizeof(float));
  }

 private:
  Machine* machine_;
  Array<Machine, float> values_;
};

template <class Machine>
class BodyOn : public CudaBody {
 public:
  explicit BodyOn(Machine& machine) : words(machine), tiles(machine) {}

  std::span<const std::vector<RunSum>> sums() const override { return of_pieces; }
  Words body() const { return {words.data(), words.count()}; }

  Array<Machine, uint32_t> words;
  Array<Machine, LocatedTile> tiles;
  std::vector<std::vector<RunSum>> of_pieces;
};

template <class Machine>
class TrialOn : public CudaTrial {
 public:
  TrialOn(Machine& machine, const BodyOn<Machine>& on, float* at)
      : body(&on), theta(at), scales(machine), before(machine) {}
  ~TrialOn() override { CHECK_MSG(!is_on, "a trial was not taken off"); }

  const BodyOn<Machine>* body;
  float* theta;
  Array<Machine, float> scales;
  Array<Machine, float> before;  // (tiles, keep_max)
  bool is_on = false;
};

}  // namespace compress::cuda
