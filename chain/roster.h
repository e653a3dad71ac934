// What neurons say on the chain about themselves: where their bucket is, and, of a lead validator,
// which manifest counts. Fields of the hotkey's one commitment, so that no other registry is
// needed.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "chain/block_clock.h"
#include "chain/ledger.h"
#include "common/hparams.h"
#include "common/peer.h"

namespace chain {

// "The manifest of this window has this hash", by the hotkey that committed it.
struct Anchor {
  common::Window window;
  Hash manifest;
  auto operator<=>(const Anchor&) const = default;
};

// Where a neuron's objects lie, and what it does.
struct Bucket {
  common::Role role = common::Role::kNone;
  std::string address;  // At most kBucketAddressMax bytes of visible ASCII.
  bool operator==(const Bucket&) const = default;
};
inline constexpr size_t kBucketAddressMax = 480;

// The fields of a commitment: the bucket first, then the anchor if there is one.
std::vector<Bytes> announcement(const Bucket& bucket, const std::optional<Anchor>& anchor);

// Commits the bucket unless it already stands there; an anchor that stands is kept.
// kInvalidArgument for an address that is too long or has blanks.
Result<void> announce_bucket(Ledger& ledger, const Keypair& hotkey, const Bucket& bucket);

// Commits the anchor, and again the bucket that stands there.
Result<void> anchor_manifest(Ledger& ledger, const Keypair& hotkey, const Anchor& anchor);

struct Announcement {
  AccountId hotkey;
  BlockNumber block;  // When it was committed.
  Bucket bucket;
  std::optional<Anchor> anchor;
};
// Nothing for a commitment that is not ours; strangers commit what they like.
std::optional<Announcement> read_announcement(const Commitment& commitment);

// An anchor that counts.
struct Anchored {
  Uid lead;
  Anchor anchor;
  BlockNumber block;
};

// The first anchor of `window` on the chain, by block, then by the order of `leads`: made within
// the window, by a validator of `leads` that was entitled by then: number r in the order from
// manifest_block + r * lead_timeout_blocks on. `leads` is the metagraph's as it was at the window's
// first block.
std::optional<Anchored> anchored(std::span<const Announcement> announcements,
                                 const Metagraph& at_first_block, common::Window window,
                                 const common::ScheduleParams& schedule);

// The subnet at the first block of a window, as its nodes see it.
struct Roster {
  Metagraph metagraph;                     // At the window's first block.
  std::vector<common::PeerAddress> peers;  // Every neuron, by uid.
  std::vector<common::Voter>
      voters;  // Validators with a permit, most stake first: the order of leads.

  // How many leads come before this hotkey; nothing for one that is no lead.
  std::optional<size_t> rank(const AccountId& hotkey) const;
};
// Two or three round trips.  Pre: the window has begun.
Result<Roster> read_roster(Ledger& ledger, common::Window window,
                           const common::ScheduleParams& schedule);

// The anchor of `window` as the chain has it now; nothing if there is none yet.
Result<std::optional<Anchored>> find_anchor(Ledger& ledger, const Roster& roster,
                                            common::Window window,
                                            const common::ScheduleParams& schedule);

// The same for a window that is over. kNotFound if the node no longer has the state of that time.
Result<std::optional<Anchored>> past_anchor(Ledger& ledger, common::Window window,
                                            const common::ScheduleParams& schedule);

// `past_anchor` as a function of the window, in whatever shape {uid, hash} the asker has: the
// training floor's, which does not know the chain. `ledger` and `schedule` outlive it.
template <typename Shape>
auto anchor_lookup(Ledger& ledger, const common::ScheduleParams& schedule) {
  return [&ledger, &schedule](common::Window window) -> Result<std::optional<Shape>> {
    TRY(const std::optional<Anchored> found, past_anchor(ledger, window, schedule));
    if (!found) return std::optional<Shape>();
    return std::optional<Shape>(Shape{found->lead, found->anchor.manifest});
  };
}

// Waits on `blocks` until `window` has an anchor or is over; nothing then: a null window.
Result<std::optional<Anchored>> wait_for_anchor(Ledger& ledger, BlockClock& blocks,
                                                const Roster& roster, common::Window window,
                                                const common::ScheduleParams& schedule);

// The first block at which number `rank` among the leads may anchor.
BlockNumber entitled_from(size_t rank, common::Window window,
                          const common::ScheduleParams& schedule);

}  // namespace chain
