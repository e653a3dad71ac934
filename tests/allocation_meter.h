// How much memory is asked for while something is done: for tests of what strangers can make us
// allocate.
//
// A test program that links allocation_meter.cpp counts all that comes from `operator new`, of
// every thread and of any size, before the system is asked for it: so a request that the system
// refuses, or would lend without backing it, counts as well. What libraries take from malloc
// themselves does not.
#pragma once

#include <cstdint>

namespace tests {

// What was asked for since it was made. One at a time.
class AllocationMeter {
 public:
  AllocationMeter();
  AllocationMeter(const AllocationMeter&) = delete;
  AllocationMeter& operator=(const AllocationMeter&) = delete;

  // The most bytes that were held at once, beyond those that were held before.
  uint64_t peak() const;
  // The largest single request.
  uint64_t largest() const;
  uint64_t count() const;

 private:
  uint64_t held_before_;
  uint64_t count_before_;
};

}  // namespace tests
