#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "train/communicator.h"

namespace train {

using common::Error;
using common::Result;

Result<void> Ranks::run(const std::function<Result<void>(Communicator&)>& work) {
  std::mutex mutex;
  std::optional<Error> first;
  {
    std::vector<std::jthread> threads;
    for (int rank = 0; rank < count(); ++rank) {
      threads.emplace_back([&work, &mutex, &first, &communicator = (*this)[rank]] {
        const Result<void> result = work(communicator);
        if (result) return;
        {
          const std::lock_guard lock(mutex);
          if (!first) first = result.error();
        }
        communicator.abort(result.error());
      });
    }
  }
  if (first) return *first;
  return {};
}

}  // namespace train
