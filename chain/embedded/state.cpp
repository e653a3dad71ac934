#include "chain/embedded/state.h"

#include <algorithm>
#include <set>

#include "chain/embedded/balances.h"
#include "chain/embedded/consistency.h"
#include "chain/embedded/drand.h"
#include "chain/embedded/emission.h"
#include "chain/embedded/items.h"

namespace chain::embedded {
namespace {

using common::Code;
using common::Error;
using substrate::Encoder;

constexpr size_t kVerifiedMax = 1 << 14;

// Not Bittensor's: where the chain's name lives.
Bytes chain_name_key() {
  const auto text = common::view_of(":muster:chain");
  return {text.begin(), text.end()};
}

tl::unexpected<Refusal> refused(Invalid kind) { return tl::unexpected(Refusal{kind, 0}); }

Bytes timestamp_extrinsic(Instant time) {
  const calls::SetTime call{{static_cast<uint64_t>(time.unix_ms)}};
  Encoder out;
  out.number(kTimestampPallet).number(uint8_t{0}).raw(encoded(call));
  return substrate::encode_extrinsic({std::nullopt, std::move(out).done()});
}

}  // namespace

State State::from_genesis(const Genesis& genesis) {
  State state;
  state.storage_ = genesis_storage(genesis);
  state.storage_.put(chain_name_key(), Encoder().text(genesis.chain).done());
  SealedBlock block;
  block.time = genesis.time;
  Storage all_new(Storage::Entries{});
  for (const auto& [key, value] : state.storage_.entries()) all_new.put(key, value);
  block.changes = all_new.take_changes();
  state.storage_.take_changes();
  block.header.state_root = next_state_root(Hash{}, block.changes);
  block.header.extrinsics_root = common::merkle_root({});
  block.hash = header_hash(block.header);
  state.genesis_hash_ = block.hash;
  state.remember(std::move(block));
  return state;
}

Result<State> State::resume(Storage storage, std::deque<SealedBlock> recent) {
  State state;
  state.storage_ = std::move(storage);
  for (SealedBlock& block : recent) {
    if (!state.recent_.empty() && state.head().hash != block.header.parent) {
      return Error{Code::kCorrupt, "block " + std::to_string(block.header.number) +
                                       " does not follow the one before it"};
    }
    state.remember(std::move(block));
  }
  if (state.recent_.empty()) return Error{Code::kCorrupt, "there are no blocks"};
  const auto number = get_number<uint32_t>(state.storage_, items::kNumber.key());
  if (number != state.head().header.number) {
    return Error{Code::kCorrupt, "the state is of block " + std::to_string(number) +
                                     ", the head is " + std::to_string(state.head().header.number)};
  }
  const SealedBlock& oldest = state.recent_.front();
  if (oldest.header.number == 0) {
    state.genesis_hash_ = oldest.hash;
  } else {
    const Bytes* first = state.storage_.find(items::kBlockHash.key(0));
    const auto hash = first == nullptr ? std::nullopt : Hash::from_bytes(*first);
    if (!hash) return Error{Code::kCorrupt, "the genesis hash is not there"};
    state.genesis_hash_ = *hash;
  }
  return state;
}

void State::remember(SealedBlock block) {
  numbers_[block.hash] = block.header.number;
  recent_.push_back(std::move(block));
  if (recent_.size() > kHistoryBlocks) {
    numbers_.erase(recent_.front().hash);
    recent_.pop_front();
  }
}

std::string State::chain() const {
  const Bytes* value = storage_.find(chain_name_key());
  CHECK(value != nullptr);
  return substrate::Decoder(*value).text(value->size());
}

const SealedBlock* State::recent(uint64_t number) const {
  if (number < oldest_number() || number > head().header.number) return nullptr;
  return &recent_[number - oldest_number()];
}

const SealedBlock* State::recent(const Hash& hash) const {
  const auto found = numbers_.find(hash);
  return found == numbers_.end() ? nullptr : recent(found->second);
}

std::optional<Bytes> State::value_at(const Bytes& key, uint64_t number) const {
  CHECK(recent(number) != nullptr);
  // The first later block that touched the key knows what was there before.
  for (uint64_t later = number + 1; later <= head().header.number; ++later) {
    const ChangeSet& changes = recent(later)->changes;
    const auto at = std::lower_bound(
        changes.begin(), changes.end(), key,
        [](const Change& change, const Bytes& wanted) { return KeyOrder()(change.key, wanted); });
    if (at != changes.end() && at->key == key) return at->before;
  }
  const Bytes* value = storage_.find(key);
  if (value == nullptr) return std::nullopt;
  return *value;
}

std::vector<Bytes> State::keys_at(ByteView prefix, const std::optional<Bytes>& start,
                                  size_t count_max, uint64_t number) const {
  CHECK(recent(number) != nullptr);
  std::set<Bytes, KeyOrder> touched;
  for (uint64_t later = number + 1; later <= head().header.number; ++later) {
    for (const Change& change : recent(later)->changes) {
      if (starts_with(change.key, prefix) && (!start || KeyOrder()(*start, change.key))) {
        touched.insert(change.key);
      }
    }
  }
  // So many more than asked for may have been added since.
  std::set<Bytes, KeyOrder> keys;
  for (Bytes& key : keys_under(storage_.entries(), prefix, start, count_max + touched.size())) {
    keys.insert(std::move(key));
  }
  for (const Bytes& key : touched) {
    if (value_at(key, number)) {
      keys.insert(key);
    } else {
      keys.erase(key);
    }
  }
  std::vector<Bytes> out(keys.begin(), keys.end());
  if (out.size() > count_max) out.resize(count_max);
  return out;
}

std::optional<Hash> State::block_hash(uint64_t number) const {
  if (number == 0) return genesis_hash_;
  if (number == head().header.number) return head().hash;
  const Bytes* value = storage_.find(items::kBlockHash.key(static_cast<uint32_t>(number)));
  return value == nullptr ? std::nullopt : Hash::from_bytes(*value);
}

Storage State::storage_at(uint64_t number) const {
  CHECK(recent(number) != nullptr);
  if (number == head().header.number) return storage_;
  Storage::Entries entries = storage_.entries();
  for (uint64_t later = head().header.number; later > number; --later) {
    for (const Change& change : recent(later)->changes) {
      if (change.before) {
        entries[change.key] = *change.before;
      } else {
        entries.erase(change.key);
      }
    }
  }
  return Storage(std::move(entries));
}

Result<void> State::set_storage(
    const std::vector<std::pair<Bytes, std::optional<Bytes>>>& entries) {
  const size_t mark = storage_.mark();
  for (const auto& [key, value] : entries) {
    if (value) {
      storage_.put(key, *value);
    } else {
      storage_.erase(key);
    }
  }
  if (const auto fault = storage_fault(storage_, mark)) {
    storage_.roll_back(mark);
    return Error{Code::kInvalidArgument, *fault};
  }
  return {};
}

bool State::signature_holds(const substrate::Extrinsic& extrinsic, ByteView bytes,
                            const Hash& birth_hash) const {
  const Hash name = common::Hasher().update(bytes).update(birth_hash.bytes).finish();
  if (verified_.contains(name)) return true;
  if (!substrate::signature_holds(extrinsic,
                                  {kSpecVersion, kTransactionVersion, genesis_hash_, birth_hash})) {
    return false;
  }
  if (verified_.size() >= kVerifiedMax) verified_.clear();
  verified_.insert(name);
  return true;
}

// Nobody signed it, and so it must vouch for itself: the beacon's pulses do. It waits under its own
// name.
Validity State::validate_bare(ByteView bytes, const FoundCall& call) const {
  if (call.pallet.index == kTimestampPallet) return refused(Invalid::kCall);
  const bool pulses = call.pallet.index == kDrandPallet && call.row.index == 0;
  if (!pulses) return refused(Invalid::kUnknown);
  Decoder args(call.args);
  if (!pulses_hold(storage_, take<calls::WritePulse>(args))) return refused(Invalid::kBadProof);
  Admission admission;
  admission.account.bytes = substrate::extrinsic_hash(bytes).bytes;
  admission.death = substrate::Era::immortal().death(0);
  return admission;
}

Validity State::validate(ByteView bytes) const {
  const auto extrinsic = substrate::decode_extrinsic(bytes);
  if (!extrinsic) return refused(Invalid::kMalformed);
  const auto call = find_call(extrinsic->call);
  if (!call) return refused(call.error());
  if (!extrinsic->signer) return validate_bare(bytes, *call);
  if (call->row.cost.dispatch_class == DispatchClass::kMandatory) {
    return refused(Invalid::kBadMandatory);
  }
  const auto& signer = *extrinsic->signer;
  const uint64_t next = uint64_t{head().header.number} + 1;
  const uint64_t birth = signer.extra.era.birth(next);
  if (next - birth > kBlockHashCount && birth != 0) return refused(Invalid::kAncientBirthBlock);
  const auto birth_hash = birth < next ? block_hash(birth) : std::nullopt;
  if (!birth_hash) return refused(Invalid::kAncientBirthBlock);
  // The cheap refusals go first: a signature takes a hundred times as long.
  const uint32_t nonce = account_info(storage_, signer.account).nonce;
  if (signer.extra.nonce < nonce) return refused(Invalid::kStale);
  if (!signature_holds(*extrinsic, bytes, *birth_hash)) return refused(Invalid::kBadProof);
  const uint64_t fee = fee_rao(dispatch_info(*call), bytes.size());
  const uint64_t tip = signer.extra.tip;
  if (fee + tip < fee || (fee + tip > 0 && !can_withdraw(storage_, signer.account, fee + tip))) {
    return refused(Invalid::kPayment);
  }
  if (const auto custom = pool_check(storage_, next, signer.account, *call)) {
    return tl::unexpected(*custom);
  }
  return Admission{signer.account, signer.extra.nonce, signer.extra.nonce - nonce,
                   signer.extra.era.death(next), tip};
}

void State::begin_block(const Context& context) const {
  Storage& storage = context.storage;
  const auto number = static_cast<uint32_t>(context.block);
  put_number(storage, items::kNumber.key(), number);
  storage.put(items::kParentHash.key(), Encoder().hash(head().hash).done());
  storage.put(items::kBlockHash.key(number - 1), Encoder().hash(head().hash).done());
  if (number - 1 > kBlockHashCount) {  // Genesis's stays.
    storage.erase(items::kBlockHash.key(static_cast<uint32_t>(number - 1 - kBlockHashCount)));
  }
  run_block_step(context);
}

std::optional<Refusal> State::apply(Context& context, const Bytes& bytes) {
  const Validity validity = validate(bytes);
  if (!validity) return validity.error();
  if (validity->ahead > 0) return Refusal{Invalid::kFuture, 0};
  const auto extrinsic = substrate::decode_extrinsic(bytes);
  apply_call(context, *extrinsic, *find_call(extrinsic->call), bytes.size());
  return std::nullopt;
}

void State::apply_call(const Context& context, const substrate::Extrinsic& extrinsic,
                       const FoundCall& call, size_t size_bytes) {
  Origin origin;
  uint64_t paid_rao = 0;
  uint64_t tip_rao = 0;
  const DispatchEventInfo cost = dispatch_info(call);
  if (extrinsic.signer) {
    origin.account = extrinsic.signer->account;
    AccountInfo info = account_info(storage_, *origin.account);
    ++info.nonce;
    put_account_info(storage_, *origin.account, info);
    tip_rao = extrinsic.signer->extra.tip;
    paid_rao = fee_rao(cost, size_bytes) + tip_rao;
  }
  if (paid_rao > 0) {
    withdraw(storage_, *origin.account, paid_rao);
    burn_issuance(storage_, paid_rao);
  }
  const size_t mark = storage_.mark();
  const size_t events = context.events.size();
  const Outcome outcome = dispatch(context, origin, call);
  if (outcome) {
    storage_.roll_back(mark);
    context.events.resize(events);
  }
  if (paid_rao > 0) {
    context.emit(events::TransactionFeePaid{*origin.account, paid_rao, tip_rao});
  }
  if (outcome) {
    context.emit(events::ExtrinsicFailed{*outcome, cost});
  } else {
    context.emit(events::ExtrinsicSuccess{cost});
  }
}

State::Made State::advance(Instant time, const Hash& entropy, std::span<const Bytes> extrinsics) {
  CHECK(time > head().time);
  std::vector<EventRecord> events;
  Context context{storage_, uint64_t{head().header.number} + 1, events};
  begin_block(context);

  SealedBlock block;
  block.time = time;
  block.extrinsics.push_back(timestamp_extrinsic(time));
  put_number(storage_, items::kNow.key(), static_cast<uint64_t>(time.unix_ms));
  context.extrinsic = 0;
  const DispatchEventInfo cost{{{kBaseRefTime}, {0}}, DispatchClass::kMandatory, Pays::kYes};
  context.emit(events::ExtrinsicSuccess{cost});

  std::vector<std::optional<Refusal>> refused;
  size_t size_bytes = 0;
  for (const Bytes& bytes : extrinsics) {
    if (block.extrinsics.size() >= kBlockExtrinsicsMax ||
        size_bytes + bytes.size() > kBlockBytesMax) {
      refused.emplace_back(Refusal{Invalid::kExhaustsResources, 0});
      continue;
    }
    context.extrinsic = static_cast<uint32_t>(block.extrinsics.size());
    refused.push_back(apply(context, bytes));
    if (refused.back()) continue;
    size_bytes += bytes.size();
    block.extrinsics.push_back(bytes);
  }
  storage_.put(items::kEvents.key(), encode_events(events));
  put_number(storage_, items::kEventCount.key(), static_cast<uint32_t>(events.size()));

  block.changes = storage_.take_changes();
  block.header.parent = head().hash;
  block.header.number = static_cast<uint32_t>(context.block);
  block.header.state_root = next_state_root(head().header.state_root, block.changes);
  for (const Bytes& bytes : block.extrinsics) {
    block.extrinsic_hashes.push_back(substrate::extrinsic_hash(bytes));
  }
  block.header.extrinsics_root = common::merkle_root(block.extrinsic_hashes);
  block.header.digest = make_digest(time, entropy);
  block.hash = header_hash(block.header);
  remember(std::move(block));
  return {head(), std::move(refused)};
}

}  // namespace chain::embedded
