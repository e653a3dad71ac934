#include "chain/embedded/state.h"

#include <algorithm>
#include <set>

#include "chain/embedded/balances.h"
#include "chain/embedded/emission.h"
#include "chain/embedded/items.h"

namespace chain::embedded {
namespace {

using common::Code;
using common::Error;
using substrate::Encoder;

constexpr uint64_t kBlockHashCount = 2'400;  // So old may an era's birth be.

// Not Bittensor's: where the chain's name lives.
Bytes chain_name_key() {
  const auto text = common::view_of(":muster:chain");
  return {text.begin(), text.end()};
}

tl::unexpected<Refusal> refused(Invalid kind) { return tl::unexpected(Refusal{kind, 0}); }

Hash root_of(const std::vector<Bytes>& extrinsics) {
  std::vector<Hash> leaves;
  for (const Bytes& bytes : extrinsics) leaves.push_back(substrate::extrinsic_hash(bytes));
  return common::merkle_root(leaves);
}

Bytes timestamp_extrinsic(Instant time) {
  const substrate::SetTimestamp call{static_cast<uint64_t>(time.unix_ms)};
  return substrate::encode_extrinsic({std::nullopt, substrate::encode_call(call)});
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
  block.header.extrinsics_root = root_of({});
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

Validity State::validate(ByteView bytes) const {
  const auto extrinsic = substrate::decode_extrinsic(bytes);
  if (!extrinsic) return refused(Invalid::kMalformed);
  const auto call = substrate::decode_call(extrinsic->call);
  if (!call) {
    const bool unknown = call.error().code == Code::kNotFound;
    return refused(unknown ? Invalid::kCall : Invalid::kMalformed);
  }
  if (!extrinsic->signer) return refused(Invalid::kCall);
  if (std::holds_alternative<substrate::SetTimestamp>(*call)) {
    return refused(Invalid::kBadMandatory);
  }
  const auto& signer = *extrinsic->signer;
  const uint64_t next = uint64_t{head().header.number} + 1;
  const uint64_t birth = signer.extra.era.birth(next);
  if (next - birth > kBlockHashCount && birth != 0) return refused(Invalid::kAncientBirthBlock);
  const auto birth_hash = birth < next ? block_hash(birth) : std::nullopt;
  if (!birth_hash) return refused(Invalid::kAncientBirthBlock);
  if (!substrate::signature_holds(
          *extrinsic, {kSpecVersion, kTransactionVersion, genesis_hash_, *birth_hash})) {
    return refused(Invalid::kBadProof);
  }
  const uint32_t nonce = account_info(storage_, signer.account).nonce;
  if (signer.extra.nonce < nonce) return refused(Invalid::kStale);
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
  const auto call = substrate::decode_call(extrinsic->call);
  apply_call(context, *extrinsic, *call, bytes.size());
  return std::nullopt;
}

void State::apply_call(const Context& context, const substrate::Extrinsic& extrinsic,
                       const substrate::Call& call, size_t size_bytes) {
  const AccountId& origin = extrinsic.signer->account;
  AccountInfo info = account_info(storage_, origin);
  ++info.nonce;
  put_account_info(storage_, origin, info);
  const substrate::DispatchInfo cost = dispatch_info(call);
  const uint64_t tip = extrinsic.signer->extra.tip;
  const uint64_t paid_rao = fee_rao(cost, size_bytes) + tip;
  if (paid_rao > 0) {
    withdraw(storage_, origin, paid_rao);
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
    context.emit(substrate::OtherEvent{
        kPaymentPallet, 0, Encoder().account(origin).number(paid_rao).number(tip).done()});
  }
  if (outcome) {
    context.emit(substrate::ExtrinsicFailed{*outcome, cost});
  } else {
    context.emit(substrate::ExtrinsicSuccess{cost});
  }
}

State::Made State::advance(Instant time, const Hash& entropy, std::span<const Bytes> extrinsics) {
  CHECK(time > head().time);
  std::vector<substrate::EventRecord> events;
  Context context{storage_, uint64_t{head().header.number} + 1, events};
  begin_block(context);

  SealedBlock block;
  block.time = time;
  block.extrinsics.push_back(timestamp_extrinsic(time));
  put_number(storage_, items::kNow.key(), static_cast<uint64_t>(time.unix_ms));
  context.extrinsic = 0;
  context.emit(substrate::ExtrinsicSuccess{dispatch_info(substrate::SetTimestamp{})});

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
  storage_.put(items::kEvents.key(), substrate::encode_events(events));
  put_number(storage_, items::kEventCount.key(), static_cast<uint32_t>(events.size()));

  block.changes = storage_.take_changes();
  block.header.parent = head().hash;
  block.header.number = static_cast<uint32_t>(context.block);
  block.header.state_root = next_state_root(head().header.state_root, block.changes);
  block.header.extrinsics_root = root_of(block.extrinsics);
  block.header.digest = make_digest(time, entropy);
  block.hash = header_hash(block.header);
  remember(std::move(block));
  return {head(), std::move(refused)};
}

}  // namespace chain::embedded
