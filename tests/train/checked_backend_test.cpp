// Goal: the checked backend names the first operation that made NaN or
//   infinity out of numbers, where it stood, and what was given some from outside.
// Method: operations one by one, with inputs that are fine, with inputs that overflow,
//   and with inputs that are spoilt already.
#include "train/checked_backend.h"

#include <gtest/gtest.h>

#include "tests/train/operations.h"

namespace train {
namespace {

class Checked : public Operations {
 protected:
  void SetUp() override {
    Operations::SetUp();
    if (backend_ != nullptr) checked_ = std::make_unique<CheckedBackend>(*backend_);
  }
  std::string trouble() const { return checked_->first_trouble().value_or("none"); }

  // Of 5 positions of 8 values: two operations that are fine, then one with this `scale`.
  void two_norms_and_a_swiglu(double scale) {
    const auto x = put_activations(values(40));
    const auto weight = ones(8);
    auto out = activation_room(40);
    auto rstd = room(5);
    checked_->set_label("layers.0");
    checked_->rmsnorm_forward(out.data(), rstd.data(), x.data(), weight.data(), 5, 8, 1e-5F);
    checked_->set_label("layers.1");
    checked_->rmsnorm_forward(out.data(), rstd.data(), x.data(), weight.data(), 5, 8, 1e-5F);
    const auto gate_up = put_activations(Values(40, scale));
    checked_->swiglu_forward(out.data(), gate_up.data(), 5, 4);
  }

  std::unique_ptr<CheckedBackend> checked_;
};

TEST_P(Checked, SaysNothingWhereEverythingIsFinite) {
  two_norms_and_a_swiglu(1.0);
  EXPECT_EQ(trouble(), "none");
}

TEST_P(Checked, NamesTheOperationItsPlaceAndItsNumber) {
  two_norms_and_a_swiglu(1e30);  // Finite; but its square is not.
  EXPECT_EQ(trouble(), "layers.1: swiglu_forward (the 3rd operation) made NaN or infinity");
}

TEST_P(Checked, SaysSoIfWhatCameFromOutsideWasSpoilt) {
  two_norms_and_a_swiglu(std::nan(""));
  EXPECT_EQ(trouble(), "layers.1: swiglu_forward (the 3rd operation) was given NaN or infinity");
}

TEST_P(Checked, KeepsTheFirstOfManyTroubles) {
  two_norms_and_a_swiglu(1e30);
  checked_->set_label("");
  auto out = activation_room(1);
  checked_->swiglu_forward(out.data(), activation_room(2).data(), 1, 1);
  EXPECT_EQ(trouble(), "layers.1: swiglu_forward (the 3rd operation) made NaN or infinity");
}

// A row of the table that no token names may hold anything.
TEST_P(Checked, LooksOnlyAtTheRowsOfTokensThatCome) {
  Values table(6 * 3, 1.0);
  table[4] = std::nan("");  // Of token 1.
  const auto table_in = put(table);
  auto out = activation_room(2 * 3);
  const auto others = put(std::vector<uint32_t>{5, 0});
  checked_->embedding_forward(out.data(), others.data(), table_in.data(), 2, 3);
  EXPECT_EQ(trouble(), "none");
  const auto it = put(std::vector<uint32_t>{5, 1});
  checked_->embedding_forward(out.data(), it.data(), table_in.data(), 2, 3);
  EXPECT_EQ(trouble(), "embedding_forward (the 2nd operation) was given NaN or infinity");
}

TEST_P(Checked, SeesWeightsGradientsAndParameters) {
  const Matrix weight = matrix(Values(6, 1e30), 2, 3);
  const auto x = put_activations(Values(12, 1e30));
  auto out = activation_room(8);
  checked_->linear_forward(out.data(), nullptr, x.data(), weight.weight, 4);
  EXPECT_EQ(trouble(), "linear_forward (the 1st operation) made NaN or infinity");

  CheckedBackend second(*backend_);
  auto d_weight = ones(6);
  auto d_x = activation_room(12);
  second.linear_backward(d_x.data(), d_weight.data(), put_activations(Values(8, 1.0)).data(),
                         put_activations(Values(12, 1.0)).data(), weight.weight, 4);
  EXPECT_FALSE(second.first_trouble().has_value());
  second.linear_backward(d_x.data(), d_weight.data(), put_activations(Values(8, 1e30)).data(),
                         x.data(), weight.weight, 4);
  EXPECT_EQ(second.first_trouble(), "linear_backward (the 2nd operation) made NaN or infinity");

  CheckedBackend third(*backend_);
  auto sum = ones(6);
  third.combine(sum.data(), 1e30F, put(Values(6, 1e30)).data(), 0, sum.data(), 6);
  EXPECT_EQ(third.first_trouble(), "combine (the 1st operation) made NaN or infinity");
}

// A gradient of zero is asked for by a null d_x, and what no loss has need not be finite.
TEST_P(Checked, ALossWithoutAGradientIsLookedAtAlone) {
  const Matrix weight = matrix(values(5 * 3), 5, 3);
  const auto x = put_activations(values(6));
  auto losses = room(2);
  const auto target = put(std::vector<uint32_t>{4, kNoTarget});
  checked_->vocabulary_loss(losses.data(), nullptr, nullptr, x.data(), weight.weight, target.data(),
                            2, 0.0F);
  EXPECT_EQ(trouble(), "none");
}

TEST_P(Checked, IsTheSameMachine) {
  EXPECT_EQ(checked_->name(), backend_->name());
  EXPECT_EQ(checked_->precision(), backend_->precision());
  EXPECT_EQ(checked_->unified_memory(), backend_->unified_memory());
  EXPECT_EQ(checked_->positions_at_once(), backend_->positions_at_once());
  EXPECT_EQ(checked_->packed_size(65, 33), backend_->packed_size(65, 33));
  const Values x = values(100);
  EXPECT_EQ(checked_->sum_of_squares(put(x).data(), 100),
            backend_->sum_of_squares(put(x).data(), 100));
}

MUSTER_EVERY_PRECISION(Checked);

}  // namespace
}  // namespace train
