// Memory of a machine: a card, or what stands for one in the tests.
//
// A `Machine` has allocate, release, upload, download, move and clear (of bytes; they wait), and
// launch<Kernel>(blocks, args) and finish, all in the order in which they are called.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "common/check.h"
#include "common/result.h"

namespace compress::cuda {

// Ts of a machine, which outlives them.
template <class Machine, typename T>
class Array {
 public:
  explicit Array(Machine& machine) : machine_(&machine) {}
  Array(Array&& other) noexcept
      : machine_(other.machine_),
        data_(std::exchange(other.data_, nullptr)),
        count_(std::exchange(other.count_, 0)) {}
  Array& operator=(Array&&) = delete;
  ~Array() { machine_->release(data_); }

  T* data() const { return data_; }
  size_t count() const { return count_; }

  // Room for so many at least; those that were there are lost if it grows.
  common::Result<void> make_room(size_t count) {
    if (count <= count_) return {};
    machine_->release(std::exchange(data_, nullptr));
    count_ = 0;
    TRY(void* const room, machine_->allocate(count * sizeof(T)));
    data_ = static_cast<T*>(room);
    count_ = count;
    return {};
  }
  common::Result<void> clear(size_t count) {
    if (count == 0) return {};
    TRY_VOID(make_room(count));
    return machine_->clear(data_, count * sizeof(T));
  }
  common::Result<void> set(std::span<const T> values) {
    TRY_VOID(make_room(values.size()));
    if (values.empty()) return {};
    return machine_->upload(data_, values.data(), values.size_bytes());
  }
  common::Result<void> get(std::span<T> values) const {
    CHECK(values.size() <= count_);
    if (values.empty()) return {};
    return machine_->download(values.data(), data_, values.size_bytes());
  }

 private:
  Machine* machine_;
  T* data_ = nullptr;
  size_t count_ = 0;
};

}  // namespace compress::cuda
