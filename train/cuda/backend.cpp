#include "train/cuda/backend.h"

#include <utility>

#include "train/cuda/backend_on.h"
#include "train/cuda/card.h"

namespace train {

common::Result<std::unique_ptr<Backend>> make_cuda_backend(int ordinal, Precision precision) {
  TRY(cuda::Card card, cuda::Card::open(ordinal));
  if (precision == Precision::kFp32) {
    return std::make_unique<cuda::BackendOn<cuda::Card, float>>(std::move(card));
  }
  return std::make_unique<cuda::BackendOn<cuda::Card, Bf16>>(std::move(card));
}

}  // namespace train
