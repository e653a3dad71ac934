// What is done to a run of parameters on one thread, in the widest vectors of the machine (Highway
// chooses at run time). Every operation is rounded on its own: the same bits for every width.
#pragma once

#include "train/backend.h"

namespace train::cpu {

// See Backend::adamw and Backend::combine.
void adamw_run(float* theta, float* m, float* v, const float* gradient, int size,
               const AdamwStep& step);
void combine_run(float* out, float a, const float* x, float b, const float* y, int size);
// out = scale * x + keep * out; keep = 0 overwrites, even NaN.
void scale_into_run(float* out, float scale, const float* x, float keep, int size);

}  // namespace train::cpu
