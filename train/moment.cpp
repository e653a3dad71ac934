#include "train/moment.h"

#include <cstring>
#include <utility>

#include "common/check.h"

namespace train {

Moment::Moment(Backend& backend, uint64_t size, MomentHome home)
    : backend_(&backend), size_(size), there_(backend) {
  if (home == MomentHome::kMachine) {
    there_.reserve(size);
  } else {
    here_ = backend.allocate_host(size * sizeof(float));
  }
  clear();
}

Moment::Moment(Moment&& other) noexcept
    : backend_(other.backend_),
      size_(std::exchange(other.size_, 0)),
      there_(std::move(other.there_)),
      here_(std::exchange(other.here_, nullptr)) {}

Moment::~Moment() {
  if (here_ != nullptr) backend_->release_host(here_);
}

void Moment::clear() {
  if (size_ == 0) return;
  if (here_ != nullptr) {
    std::memset(here_, 0, size_ * sizeof(float));
  } else {
    backend_->clear(there_.data(), size_ * sizeof(float));
  }
}

void Moment::read(void* out, uint64_t first, uint64_t count) const {
  CHECK(first <= size_ && count <= size_ - first);
  if (count == 0) return;
  if (here_ != nullptr) {
    std::memcpy(out, static_cast<const float*>(here_) + first, count * sizeof(float));
  } else {
    backend_->download(out, there_.data() + first, count * sizeof(float));
  }
}

void Moment::write(const void* values) {
  if (size_ == 0) return;
  if (here_ != nullptr) {
    std::memcpy(here_, values, size_ * sizeof(float));
  } else {
    backend_->upload(there_.data(), values, size_ * sizeof(float));
  }
}

float* Moment::bring(float* room) {
  if (here_ == nullptr) return there_.data();
  if (size_ > 0) backend_->upload(room, here_, size_ * sizeof(float));
  return room;
}

void Moment::send(const float* room) {
  if (here_ != nullptr && size_ > 0) backend_->download(here_, room, size_ * sizeof(float));
}

}  // namespace train
