#include "train/communicator.h"

#include <array>
#include <utility>

namespace train {
namespace {

using common::Result;
using Kind = Collective::Kind;

std::vector<size_t> bytes_of(std::span<const size_t> sizes) {
  std::vector<size_t> bytes;
  bytes.reserve(sizes.size());
  for (const size_t size : sizes) bytes.push_back(size * sizeof(float));
  return bytes;
}

}  // namespace

bool Collective::agrees_with(const Collective& other) const {
  return kind == other.kind && root == other.root && sizes_bytes == other.sizes_bytes;
}

std::string Collective::describe() const {
  constexpr std::array kNames = {"all_reduce", "reduce_scatter", "all_gather", "broadcast",
                                 "barrier"};
  std::string text = kNames[static_cast<size_t>(kind)];
  for (size_t i = 0; i < sizes_bytes.size(); ++i) {
    text += (i == 0 ? " of " : ", ") + std::to_string(sizes_bytes[i]);
  }
  if (!sizes_bytes.empty()) text += " bytes";
  if (kind == Kind::kBroadcast) text += " from rank " + std::to_string(root);
  return text;
}

Communicator::Pending Communicator::begin_all_reduce(std::span<float> values) {
  return begin({Kind::kAllReduce, values.data(), values.data(), {values.size_bytes()}});
}

Communicator::Pending Communicator::begin_reduce_scatter(float* mine, const float* all,
                                                         std::span<const size_t> sizes) {
  return begin({Kind::kReduceScatter, all, mine, bytes_of(sizes)});
}

Communicator::Pending Communicator::begin_all_gather(float* all, const float* mine,
                                                     std::span<const size_t> sizes) {
  return begin({Kind::kAllGather, mine, all, bytes_of(sizes)});
}

Communicator::Pending Communicator::begin_all_gather_bytes(void* all, const void* mine,
                                                           std::span<const size_t> sizes_bytes) {
  return begin({Kind::kAllGather, mine, all, {sizes_bytes.begin(), sizes_bytes.end()}});
}

Communicator::Pending Communicator::begin_broadcast(void* bytes, size_t size_bytes, int root) {
  return begin({Kind::kBroadcast, bytes, bytes, {size_bytes}, root});
}

Result<void> Communicator::all_reduce(std::span<float> values) {
  return wait(begin_all_reduce(values));
}

Result<void> Communicator::reduce_scatter(float* mine, const float* all,
                                          std::span<const size_t> sizes) {
  return wait(begin_reduce_scatter(mine, all, sizes));
}

Result<void> Communicator::all_gather(float* all, const float* mine,
                                      std::span<const size_t> sizes) {
  return wait(begin_all_gather(all, mine, sizes));
}

Result<void> Communicator::all_gather_bytes(void* all, const void* mine,
                                            std::span<const size_t> sizes_bytes) {
  return wait(begin_all_gather_bytes(all, mine, sizes_bytes));
}

Result<void> Communicator::broadcast(void* bytes, size_t size_bytes, int root) {
  return wait(begin_broadcast(bytes, size_bytes, root));
}

Result<void> Communicator::barrier() { return wait(begin({})); }

Result<std::vector<double>> Communicator::all_numbers(double mine) {
  std::vector<double> all(static_cast<size_t>(ranks()));
  const std::vector<size_t> sizes(all.size(), sizeof(double));
  TRY_VOID(all_gather_bytes(all.data(), &mine, sizes));
  return all;
}

}  // namespace train
