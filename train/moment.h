// One of an optimiser's memories of gradients past: values on its machine, or in the host's memory,
// from where they come to the machine for each step and go back.
#pragma once

#include <cstddef>
#include <cstdint>

#include "train/backend.h"
#include "train/buffer.h"

namespace train {

enum class MomentHome : uint8_t { kMachine, kHost };

// Move only; the backend outlives it.
class Moment {
 public:
  // `size` zeros.
  Moment(Backend& backend, uint64_t size, MomentHome home);
  Moment(Moment&& other) noexcept;
  Moment& operator=(Moment&&) = delete;
  ~Moment();

  uint64_t size() const { return size_; }
  void clear();
  // Values [first, first + count), to memory of ours; all of them, from there.
  void read(void* out, uint64_t first, uint64_t count) const;
  void write(const void* values);

  // Where they are on the machine for a step: at home there, or copied to `room`, which is on the
  // machine and as large. `send` takes back what the step has made of them.
  float* bring(float* room);
  void send(const float* room);

 private:
  Backend* backend_;
  uint64_t size_;
  Buffer<float> there_;   // Empty where home is the host,
  void* here_ = nullptr;  //   and null where it is the machine.
};

}  // namespace train
