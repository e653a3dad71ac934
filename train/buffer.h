// Memory of a backend with an owner.
#pragma once

#include <cstddef>
#include <span>
#include <utility>

#include "common/check.h"
#include "train/backend.h"

namespace train {

// `size` values of T in the machine's memory; grows when asked for more, and then forgets what it
// held. Move only; the backend outlives it.
template <typename T>
class Buffer {
 public:
  explicit Buffer(Backend& backend) : backend_(&backend) {}
  Buffer(Buffer&& other) noexcept
      : backend_(other.backend_),
        data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)) {}
  Buffer& operator=(Buffer&&) = delete;
  ~Buffer() { backend_->release(data_); }

  T* data() { return data_; }
  const T* data() const { return data_; }
  size_t size() const { return size_; }

  // At least `size` values.
  void reserve(size_t size) {
    if (size <= size_) return;
    backend_->release(data_);
    data_ = static_cast<T*>(backend_->allocate(size * sizeof(T)));
    size_ = size;
  }
  void upload(std::span<const T> values) {
    reserve(values.size());
    backend_->upload(data_, values.data(), values.size_bytes());
  }
  void download(std::span<T> values) const {
    CHECK(values.size() <= size_);
    backend_->download(values.data(), data_, values.size_bytes());
  }

 private:
  Backend* backend_;
  T* data_ = nullptr;
  size_t size_ = 0;
};

// `size` activations, in the backend's precision; otherwise as Buffer.
class ActivationBuffer {
 public:
  explicit ActivationBuffer(Backend& backend) : backend_(&backend), bytes_(backend) {}

  Activation* data() { return reinterpret_cast<Activation*>(bytes_.data()); }
  const Activation* data() const { return reinterpret_cast<const Activation*>(bytes_.data()); }
  size_t size() const { return bytes_.size() / backend_->activation_size(); }

  void reserve(size_t size) { bytes_.reserve(size * backend_->activation_size()); }
  void upload(std::span<const float> values) {
    reserve(values.size());
    backend_->upload_activations(data(), values);
  }
  void download(std::span<float> values) const {
    CHECK(values.size() <= size());
    backend_->download_activations(values, data());
  }

 private:
  Backend* backend_;
  Buffer<std::byte> bytes_;
};

}  // namespace train
