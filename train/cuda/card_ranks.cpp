#include "train/card_ranks.h"

#include <string>
#include <utility>
#include <vector>

#include "common/check.h"
#include "train/cuda/card.h"
#include "train/cuda/nccl_library.h"
#include "train/cuda/nccl_ranks_on.h"
#include "train/cuda/on_machine.h"
#include "train/cuda/side_stream.h"

namespace train {
namespace {

using common::Code;
using common::Error;
using common::Result;
using cuda::Card;
using cuda::SideStream;

// By rank; each another one.
Result<std::vector<Card*>> cards_of(std::span<Backend* const> backends) {
  std::vector<Card*> cards;
  for (Backend* const backend : backends) {
    const std::string rank = "rank " + std::to_string(cards.size());
    auto* const on = dynamic_cast<cuda::OnMachine<Card>*>(backend);
    if (on == nullptr) {
      return Error{Code::kInvalidArgument, rank + " works on " + backend->name() +
                                               ": ranks that talk by NCCL need a card each, " +
                                               "cuda:0, cuda:1 and so on"};
    }
    for (size_t other = 0; other < cards.size(); ++other) {
      if (cards[other]->name() != on->machine().name()) continue;
      return Error{Code::kInvalidArgument, rank + " works on " + backend->name() + ", as rank " +
                                               std::to_string(other) +
                                               " does: ranks that talk by NCCL need a card each"};
    }
    cards.push_back(&on->machine());
  }
  return cards;
}

}  // namespace

Result<std::unique_ptr<Ranks>> make_card_ranks(std::span<Backend* const> backends,
                                               common::milliseconds deadline) {
  CHECK(!backends.empty());
  TRY(const std::vector<Card*> cards, cards_of(backends));
  TRY(const cuda::NcclLibrary nccl, cuda::NcclLibrary::open());
  std::vector<SideStream> streams;
  for (Card* const card : cards) {
    TRY(SideStream stream, SideStream::make(*card));
    streams.push_back(std::move(stream));
  }
  for (const SideStream& mine : streams) {
    for (const SideStream& other : streams) {
      if (&other != &mine) TRY_VOID(mine.open_to(other));
    }
  }
  return cuda::NcclRanksOn<SideStream, cuda::NcclLibrary>::make(nccl, std::move(streams), backends,
                                                                deadline);
}

}  // namespace train
