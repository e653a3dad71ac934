// Launches of all kernels but attention's.
#include "train/cuda/gate_kernels.h"
#include "train/cuda/launch.h"
#include "train/cuda/loss_kernels.h"
#include "train/cuda/parameter_kernels.h"
#include "train/cuda/row_kernels.h"
#include "train/cuda/table_kernels.h"

namespace train::cuda {

#define LAUNCHES(...) \
  template void Card::launch<__VA_ARGS__>(int64_t, const typename __VA_ARGS__::Args&)
#define LAUNCHES_BOTH(Kernel) \
  LAUNCHES(Kernel<float>);    \
  LAUNCHES(Kernel<Bf16>)

LAUNCHES_BOTH(RmsnormForward);
LAUNCHES_BOTH(RmsnormBackward);
LAUNCHES(AddRows);
LAUNCHES_BOTH(Rope);
LAUNCHES_BOTH(SwigluForward);
LAUNCHES_BOTH(SwigluBackward);
LAUNCHES(Convert<Bf16, float>);
LAUNCHES(Convert<float, Bf16>);
LAUNCHES_BOTH(EmbeddingForward);
LAUNCHES_BOTH(EmbeddingBackward);
LAUNCHES(CountDigits);
LAUNCHES(PlaceDigits);
LAUNCHES(MoveByDigit);
LAUNCHES_BOTH(SoftmaxLoss);
LAUNCHES(SquareSums);
LAUNCHES(SumOfSums);
LAUNCHES_BOTH(FindNotFinite);
LAUNCHES(Combine);
LAUNCHES(Adamw);

}  // namespace train::cuda
