#include "chain/ledger.h"

#include <algorithm>

namespace chain {

const Neuron* Metagraph::find(const AccountId& hotkey) const {
  for (const Neuron& neuron : neurons) {
    if (neuron.hotkey == hotkey) return &neuron;
  }
  return nullptr;
}

std::vector<Uid> Metagraph::leads() const {
  std::vector<Uid> out;
  for (const Neuron& neuron : neurons) {
    if (neuron.validator_permit) out.push_back(neuron.uid);
  }
  std::sort(out.begin(), out.end(), [this](Uid a, Uid b) {
    const uint64_t stake_a = neurons[a.index].stake_rao;
    const uint64_t stake_b = neurons[b.index].stake_rao;
    return stake_a != stake_b ? stake_a > stake_b : a < b;
  });
  return out;
}

}  // namespace chain
