// What a processor's multipliers do when nothing has to be fetched: the ceiling of its products.
#pragma once

#include "train/cpu/tiles.h"

namespace bench {

// GFLOP/s of one thread, from registers alone, of the instruction that `kernel` is made of; of fp32
// multiply-adds in the widest vectors of the machine for "portable". The best of many runs of 0.1
// ms or so, in time of the thread.
double register_peak(const train::cpu::TileKernel& kernel);

}  // namespace bench
