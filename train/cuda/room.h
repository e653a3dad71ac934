// Memory of a machine that is kept from call to call.
//
// A `Machine` is a card, or what stands for one in the tests. It carries out in order
//   allocate, release, upload, download, clear, allocate_host, release_host   as train::Backend's
//   launch<Kernel>(blocks, args)                    Kernel::run for each block (train/cuda/both.h)
//   multiply(product)                               (train/cuda/product.h)
// and knows its name(), memory_bytes(), positions_at_once() and logits_at_once(): how many values
// of fp32 the loss over the vocabulary may keep at once.
#pragma once

#include <cstddef>
#include <utility>

namespace train::cuda {

// Grows when asked for more, and then forgets what it held.
template <class Machine>
class Room {
 public:
  explicit Room(Machine& machine) : machine_(machine) {}
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;
  ~Room() { machine_.release(data_); }

  template <typename T>
  T* of(size_t count) {
    const size_t size_bytes = count * sizeof(T);
    if (size_bytes > size_bytes_) {
      machine_.release(std::exchange(data_, nullptr));
      data_ = machine_.allocate(size_bytes);
      size_bytes_ = size_bytes;
    }
    return static_cast<T*>(data_);
  }

 private:
  Machine& machine_;
  void* data_ = nullptr;
  size_t size_bytes_ = 0;
};

}  // namespace train::cuda
