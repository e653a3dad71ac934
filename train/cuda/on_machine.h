// A backend's machine (train/cuda/room.h), for what works beside the backend: a Backend may be cast
// to it.
#pragma once

namespace train::cuda {

template <class Machine>
class OnMachine {
 public:
  virtual ~OnMachine() = default;
  virtual Machine& machine() = 0;
};

}  // namespace train::cuda
