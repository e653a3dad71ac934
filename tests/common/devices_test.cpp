// Goal: what names one or several devices is read one way, and anything else is refused in words.
// Method: every spelling, and mistakes one by one.
#include "common/devices.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace common {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string trouble_with(std::string_view text) {
  const auto devices = parse_devices(text);
  if (devices) return "";
  EXPECT_EQ(devices.error().code, Code::kInvalidArgument);
  return devices.error().message;
}

TEST(Devices, OneIsItself) {
  EXPECT_THAT(*parse_devices("cpu"), ElementsAre("cpu"));
  EXPECT_THAT(*parse_devices("cpu:12"), ElementsAre("cpu:12"));
  EXPECT_THAT(*parse_devices("cuda:3"), ElementsAre("cuda:3"));
  EXPECT_THAT(*parse_devices("cuda"), ElementsAre("cuda:0"));
}

TEST(Devices, SeveralStandInTheOrderGiven) {
  EXPECT_THAT(*parse_devices("cuda:4,cuda:0-2"),
              ElementsAre("cuda:4", "cuda:0", "cuda:1", "cuda:2"));
  EXPECT_THAT(*parse_devices("cuda:7-7"), ElementsAre("cuda:7"));
  EXPECT_THAT(*parse_devices("cpu:2,cpu:2"), ElementsAre("cpu:2", "cpu:2"));
  EXPECT_EQ(parse_devices("cuda:0-63")->size(), kDevicesMax);
}

TEST(Devices, AnythingElseIsRefusedWithWhatItShouldBe) {
  for (const char* text : {"",
                           ",",
                           "cpu,",
                           ",cpu",
                           "gpu",
                           "cpu:",
                           "cpu:0",
                           "cpu:1025",
                           "cpu:-1",
                           "cpu:1-2",
                           "cuda:",
                           "cuda:x",
                           "cuda:-1",
                           "cuda:1 ",
                           " cuda:1",
                           "cuda:2-1",
                           "cuda:0-",
                           "cuda:0-1-2",
                           "cuda:99999999999999999999",
                           "cuda:0;cuda:1",
                           "CUDA:0"}) {
    EXPECT_THAT(trouble_with(text), HasSubstr("should be cpu, cpu:THREADS, cuda:NUMBER")) << text;
  }
  EXPECT_EQ(trouble_with("cuda:0-2,cuda:1"), "should name cuda:1 once");
  EXPECT_EQ(trouble_with("cpu,cuda:0"), "should be all CPUs or all GPUs");
  EXPECT_EQ(trouble_with("cuda:0-64"), "should be 64 at most");
}

}  // namespace
}  // namespace common
