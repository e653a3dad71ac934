// What moves parameters by their gradients, and what it remembers of gradients past.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "common/hash.h"
#include "common/hparams.h"
#include "compress/layout.h"
#include "train/backend.h"
#include "train/buffer.h"
#include "train/moment.h"

namespace train {

// Parameters [first, first + size) of the flat array: all of them, or what one of several machines
// keeps.
struct ParameterRange {
  uint64_t first = 0;
  uint64_t size = 0;
  uint64_t end() const { return first + size; }
  bool operator==(const ParameterRange&) const = default;
};

// `parts` ranges, one after the other, that make up the whole, of sizes as equal as may be: for
// "adamw" cut at multiples of 16 values, for "muon", which needs matrices whole, between tensors.
// Some are empty where there are more parts than pieces.
std::vector<ParameterRange> split_parameters(const compress::Layout& layout,
                                             std::string_view optimiser, uint32_t parts);

// The L2 norm of a whole gradient in the backend's memory. Of a gradient in parts it is the square
// root of the sum over parts of Backend::sum_of_squares. Not finite if a value is not.
double gradient_norm(Backend& backend, const float* gradient, uint64_t size);

// Values that moments of these sizes take side by side, each from a multiple of 64 bytes on.
uint64_t moment_room_size(std::span<const uint64_t> sizes);

// What must survive a restart (W43). The number of moments and their sizes follow from layout,
// optimiser and range.
struct OptimiserState {
  uint64_t steps = 0;  // Taken so far.
  std::vector<Moment> moments;
};

class Optimiser {
 public:
  virtual ~Optimiser() = default;
  Optimiser(const Optimiser&) = delete;
  Optimiser& operator=(const Optimiser&) = delete;

  // As hparams.inner.optimiser and the state's file say it: "adamw", "muon".
  virtual std::string_view kind() const = 0;

  // One step with the whole gradient clipped to the global norm `gradient_clip` (0: not at all).
  //   theta, gradient (range().size)   in the backend's memory: the range's values alone
  //   norm                             of the whole model's gradient, before clipping; one that is
  //                                    not finite is a bug (CHECK): whoever has it must stop
  void step(float* theta, const float* gradient, double rate, double norm);

  // As if no step had been taken.
  void reset();

  Backend& backend() const { return backend_; }
  const ParameterRange& range() const { return range_; }
  // Of the tensors' names and shapes: two models with one number of parameters are not one.
  const common::Hash& layout_hash() const { return layout_hash_; }
  const OptimiserState& state() const { return state_; }
  OptimiserState& state() { return state_; }

 protected:
  // `backend` and `room` (make_optimiser) outlive it.  Pre: the range lies within the layout.
  Optimiser(const compress::Layout& layout, const common::InnerParams& params, Backend& backend,
            ParameterRange range, Buffer<float>* room);

  // The step itself, the gradient to be taken `gradient_scale` times; state().steps counts it
  // already. moments  where each is for this step
  virtual void move(float* theta, const float* gradient, std::span<float* const> moments,
                    double rate, float gradient_scale) = 0;

  void add_moment(uint64_t size);
  const common::InnerParams& params() const { return params_; }

 private:
  std::vector<float*> places();

  common::InnerParams params_;
  Backend& backend_;
  ParameterRange range_;
  Buffer<float>* room_;
  common::Hash layout_hash_;
  OptimiserState state_;
};

ParameterRange whole(const compress::Layout& layout);

// The one that `params` names, for a range (split_parameters) or for all. With a `room`, which is
// of the same backend and may be shared by optimisers that take turns, moments live in host memory
// and come there for each step: the room grows to the largest's, moment_room_size values.
std::unique_ptr<Optimiser> make_optimiser(const compress::Layout& layout,
                                          const common::InnerParams& params, Backend& backend,
                                          ParameterRange range, Buffer<float>* room = nullptr);
std::unique_ptr<Optimiser> make_optimiser(const compress::Layout& layout,
                                          const common::InnerParams& params, Backend& backend);

}  // namespace train
