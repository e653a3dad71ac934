// Products of matrices on a card, by cuBLASLt. The library (half a gigabyte) is opened when the
// first card is, so that programs start without it and run where it is not.
//
// A product of some shape is planned once, by cuBLASLt's own choice and not by the clock: so the
// same calls give the same bits, in every process. Ways of splitting sums that end in whatever
// order blocks finish are left out.
#pragma once

#include <cuda_runtime_api.h>

#include <memory>

#include "common/result.h"
#include "train/cuda/product.h"

namespace train::cuda {

class MatrixProducts {
 public:
  // On the current card. kUnavailable: no cuBLASLt, or one that does not start.
  static common::Result<std::unique_ptr<MatrixProducts>> make(cudaStream_t stream);
  ~MatrixProducts();

  // kUnavailable: cuBLASLt refused; with the product's shape and its word for it.
  common::Result<void> multiply(const Product& product);

 private:
  struct Impl;

 public:
  explicit MatrixProducts(std::unique_ptr<Impl> impl);

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace train::cuda
