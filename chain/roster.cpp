#include "chain/roster.h"

#include <algorithm>

#include "common/check.h"

namespace chain {
namespace {

using common::Role;

constexpr std::string_view kMinerTag = "muster-miner:";
constexpr std::string_view kValidatorTag = "muster-validator:";
constexpr std::string_view kAnchorTag = "muster-anchor:";
static_assert(kBucketAddressMax + kValidatorTag.size() <= 512);  // A commitment field's limit.

Bytes anchor_field(const Anchor& anchor) {
  common::ByteWriter out;
  out.raw(common::view_of(kAnchorTag)).number(anchor.window.index).raw(anchor.manifest.bytes);
  return std::move(out).bytes();
}

// The rest of a field that begins with `tag`.
std::optional<common::ByteView> after_tag(const Bytes& field, std::string_view tag) {
  const common::ByteView view = field;
  if (!common::text_of(view).starts_with(tag)) return std::nullopt;
  return view.subspan(tag.size());
}

// Visible ASCII: what a stranger commits ends in logs and on terminals.
bool is_address(std::string_view text) {
  return text.size() <= kBucketAddressMax &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7F; });
}

std::optional<Bucket> read_bucket(const Bytes& field) {
  for (const auto& [role, tag] :
       {std::pair{Role::kMiner, kMinerTag}, std::pair{Role::kValidator, kValidatorTag}}) {
    const auto address = after_tag(field, tag);
    if (address && is_address(common::text_of(*address))) {
      return Bucket{role, std::string(common::text_of(*address))};
    }
  }
  return std::nullopt;
}

std::optional<Anchor> read_anchor(const Bytes& field) {
  const auto rest = after_tag(field, kAnchorTag);
  if (!rest) return std::nullopt;
  common::ByteReader in(*rest);
  Anchor anchor;
  anchor.window.index = in.number<uint64_t>();
  anchor.manifest.bytes = in.array<32>();
  if (!in.at_end()) return std::nullopt;
  return anchor;
}

}  // namespace

std::vector<Bytes> announcement(const Bucket& bucket, const std::optional<Anchor>& anchor) {
  CHECK(bucket.role != Role::kNone && is_address(bucket.address));
  const std::string_view tag = bucket.role == Role::kMiner ? kMinerTag : kValidatorTag;
  const std::string text = std::string(tag) + bucket.address;
  std::vector<Bytes> fields = {Bytes(text.begin(), text.end())};
  if (anchor) fields.push_back(anchor_field(*anchor));
  return fields;
}

std::optional<Announcement> read_announcement(const Commitment& commitment) {
  if (commitment.fields.empty() || commitment.fields.size() > 2) return std::nullopt;
  auto bucket = read_bucket(commitment.fields[0]);
  if (!bucket) return std::nullopt;
  Announcement announced{.hotkey = commitment.hotkey,
                         .block = commitment.block,
                         .bucket = std::move(*bucket),
                         .anchor = std::nullopt};
  if (commitment.fields.size() == 2) {
    announced.anchor = read_anchor(commitment.fields[1]);
    if (!announced.anchor) return std::nullopt;
  }
  return announced;
}

std::optional<size_t> Roster::rank(const AccountId& hotkey) const {
  for (size_t i = 0; i < voters.size(); ++i) {
    if (voters[i].hotkey == hotkey) return i;
  }
  return std::nullopt;
}

namespace {

Result<std::vector<Announcement>> read_announcements(Ledger& ledger,
                                                     std::optional<BlockNumber> at) {
  TRY(const std::vector<Commitment> commitments, ledger.commitments(at));
  std::vector<Announcement> announcements;
  for (const Commitment& commitment : commitments) {
    if (auto announced = read_announcement(commitment)) {
      announcements.push_back(std::move(*announced));
    }
  }
  return announcements;
}

}  // namespace

Result<void> announce_bucket(Ledger& ledger, const Keypair& hotkey, const Bucket& bucket) {
  if (!is_address(bucket.address)) {
    return common::Error{common::Code::kInvalidArgument, "the bucket's address should be at most " +
                                                             std::to_string(kBucketAddressMax) +
                                                             " bytes of visible ASCII"};
  }
  TRY(const std::vector<Announcement> announcements, read_announcements(ledger, std::nullopt));
  std::optional<Anchor> anchor;
  for (const Announcement& announced : announcements) {
    if (announced.hotkey != hotkey.account()) continue;
    if (announced.bucket == bucket) return {};
    anchor = announced.anchor;
  }
  return ledger.commit(hotkey, announcement(bucket, anchor));
}

Result<void> anchor_manifest(Ledger& ledger, const Keypair& hotkey, const Anchor& anchor) {
  TRY(const std::vector<Announcement> announcements, read_announcements(ledger, std::nullopt));
  for (const Announcement& announced : announcements) {
    if (announced.hotkey == hotkey.account()) {
      return ledger.commit(hotkey, announcement(announced.bucket, anchor));
    }
  }
  return common::Error{common::Code::kNotFound, "our bucket is not announced on the chain"};
}

Result<Roster> read_roster(Ledger& ledger, common::Window window,
                           const common::ScheduleParams& schedule) {
  Roster roster;
  TRY(roster.metagraph, ledger.metagraph(window.first_block(schedule.blocks_per_window)));
  TRY(const std::vector<Announcement> announcements, read_announcements(ledger, std::nullopt));
  for (const Neuron& neuron : roster.metagraph.neurons) {
    common::PeerAddress peer{neuron.uid, neuron.hotkey, Role::kNone, {}};
    for (const Announcement& announced : announcements) {
      if (announced.hotkey != neuron.hotkey) continue;
      peer.role = announced.bucket.role;
      peer.bucket = announced.bucket.address;
    }
    roster.peers.push_back(std::move(peer));
  }
  for (const Uid uid : roster.metagraph.leads()) {
    const Neuron& neuron = roster.metagraph.neurons[uid.index];
    roster.voters.push_back({uid, neuron.hotkey, neuron.stake_rao});
  }
  return roster;
}

Result<std::optional<Anchored>> find_anchor(Ledger& ledger, const Roster& roster,
                                            common::Window window,
                                            const common::ScheduleParams& schedule) {
  TRY(const std::vector<Announcement> announcements, read_announcements(ledger, std::nullopt));
  return anchored(announcements, roster.metagraph, window, schedule);
}

// A commitment is replaced by the same hotkey's next, and nobody may anchor a later window before
// this one is over: so the last block of a window shows its anchor, for as long as the node keeps
// that block's state.
Result<std::optional<Anchored>> past_anchor(Ledger& ledger, common::Window window,
                                            const common::ScheduleParams& schedule) {
  const BlockNumber first = window.first_block(schedule.blocks_per_window);
  const BlockNumber last{window.next().first_block(schedule.blocks_per_window).index - 1};
  TRY(const Metagraph metagraph, ledger.metagraph(first));
  TRY(const std::vector<Announcement> announcements, read_announcements(ledger, last));
  return anchored(announcements, metagraph, window, schedule);
}

Result<std::optional<Anchored>> wait_for_anchor(Ledger& ledger, BlockClock& blocks,
                                                const Roster& roster, common::Window window,
                                                const common::ScheduleParams& schedule) {
  const BlockNumber end = window.next().first_block(schedule.blocks_per_window);
  BlockNumber next = entitled_from(0, window, schedule);
  while (true) {
    TRY(const Block head, blocks.wait_for(next));
    if (head.number >= end) return past_anchor(ledger, window, schedule);
    TRY(const std::optional<Anchored> found, find_anchor(ledger, roster, window, schedule));
    if (found) return found;
    next = BlockNumber{head.number.index + 1};
  }
}

BlockNumber entitled_from(size_t rank, common::Window window,
                          const common::ScheduleParams& schedule) {
  return window.block_at(schedule.manifest_block + rank * schedule.lead_timeout_blocks,
                         schedule.blocks_per_window);
}

std::optional<Anchored> anchored(std::span<const Announcement> announcements,
                                 const Metagraph& at_first_block, common::Window window,
                                 const common::ScheduleParams& schedule) {
  const std::vector<Uid> leads = at_first_block.leads();
  const BlockNumber end = window.next().first_block(schedule.blocks_per_window);
  std::optional<Anchored> first;
  for (size_t rank = 0; rank < leads.size(); ++rank) {
    const AccountId& hotkey = at_first_block.neurons[leads[rank].index].hotkey;
    const auto found = std::find_if(
        announcements.begin(), announcements.end(), [&](const Announcement& announced) {
          return announced.hotkey == hotkey && announced.anchor &&
                 announced.anchor->window == window && announced.block < end &&
                 announced.block >= entitled_from(rank, window, schedule);
        });
    if (found == announcements.end()) continue;
    if (!first || found->block < first->block) first = {leads[rank], *found->anchor, found->block};
  }
  return first;
}

}  // namespace chain
