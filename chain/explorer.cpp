#include "chain/explorer.h"

#include "chain/substrate/failover.h"
#include "chain/substrate/forms.h"
#include "chain/substrate/networks.h"
#include "chain/substrate/similar.h"
#include "chain/substrate/submitter.h"

namespace chain {

using common::Code;
using common::Error;
using namespace substrate;  // NOLINT: this door opens to that room.

struct Explorer::Parts {
  Parts(std::unique_ptr<Transport> transport, common::Clock& its_clock, const RpcOptions& options)
      : clock(its_clock),
        rpc(std::move(transport), its_clock, options),
        chain(rpc),
        submitter(chain, its_clock) {}

  Result<View> at(std::optional<BlockNumber> number) {
    return number ? chain.block(*number) : chain.head();
  }

  common::Clock& clock;
  RpcClient rpc;
  ChainReader chain;
  Submitter submitter;
};

namespace {

constexpr common::milliseconds kPoll{2'000};
constexpr size_t kEntriesMax = 1 << 17;
constexpr size_t kValuesAtOnce = 1'000;

Event event_of(const Happening& happening) {
  return {happening.extrinsic, happening.pallet, happening.name, happening.json()};
}

ExtrinsicView extrinsic_of(const Metadata& metadata, uint32_t index, const Bytes& bytes,
                           const std::vector<Happening>& happenings) {
  ExtrinsicView out;
  out.index = index;
  out.hash = extrinsic_hash(bytes);
  auto read = read_extrinsic(metadata, bytes);
  if (read) {
    out.signer = std::move(read->signer);
    out.extra = std::move(read->extra);
    out.pallet = std::move(read->pallet);
    out.call = std::move(read->call);
    out.arguments = std::move(read->arguments);
  } else {
    out.failure = read.error().message;
  }
  std::vector<Happening> own;
  for (const Happening& one : happenings) {
    if (one.extrinsic == index) own.push_back(one);
  }
  if (const Value* error = failure_of(own)) out.failure = explain_dispatch(metadata, *error);
  return out;
}

// Arguments of a runtime's function, by name or in order.
Result<Bytes> encode_inputs(const Metadata& metadata, const ApiMethod& method,
                            const Json& arguments) {
  Encoder out;
  const size_t count = method.inputs.size();
  const bool right = arguments.is_null()                             ? count == 0
                     : arguments.is_array() || arguments.is_object() ? arguments.size() == count
                                                                     : false;
  for (size_t i = 0; i < count; ++i) {
    const Field& input = method.inputs[i];
    const bool by_name = arguments.is_object() && arguments.contains(input.name);
    if (!right || (arguments.is_object() && !by_name)) {
      return Error{Code::kInvalidArgument, method.name + " takes " + std::to_string(count) +
                                               " arguments; give '" + input.name + "', a " +
                                               type_text(metadata, input.type)};
    }
    TRY(const Bytes bytes,
        encode_value(metadata, input.type, by_name ? arguments[input.name] : arguments[i],
                     input.name));
    out.raw(bytes);
  }
  if (!right) return Error{Code::kInvalidArgument, method.name + " takes no arguments"};
  return std::move(out).done();
}

// Until a block may have been made: what it is, is asked for. False if told to stop.
bool wait_for_news(Transport& transport, common::Clock& clock, SubscriptionId& heads) {
  if (heads == 0 && transport.subscribes()) {
    const auto made = transport.subscribe({"chain_subscribeNewHeads"}, "chain_unsubscribeNewHeads");
    const auto* subscription = made ? std::get_if<SubscriptionId>(&*made) : nullptr;
    if (subscription != nullptr) heads = *subscription;
  }
  if (heads == 0) return clock.sleep(kPoll);
  const auto news = transport.next(heads, kPoll);
  const bool ended =
      !news && news.error().code != Code::kTimeout && news.error().code != Code::kUnavailable;
  if (ended) heads = 0;
  return !clock.stop_requested();
}

SubmitOptions submit_options(const CallOptions& options) {
  return {options.tip_rao, options.era_blocks, options.finalized};
}

Result<void> check_options(const CallOptions& options) {
  const uint32_t era = options.era_blocks;
  if (era >= 4 && era <= 2048 && (era & (era - 1)) == 0) return {};
  return Error{Code::kInvalidArgument,
               "an era is a power of two from 4 to 2048 blocks, not " + std::to_string(era)};
}

}  // namespace

Explorer::Explorer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Explorer::Explorer(Explorer&&) noexcept = default;
Explorer& Explorer::operator=(Explorer&&) noexcept = default;
Explorer::~Explorer() = default;

Result<Explorer> open_explorer(std::string_view endpoint, common::Clock& clock) {
  TRY(Endpoints endpoints, parse_endpoints(endpoint));
  const RpcOptions options;
  auto transport =
      std::make_unique<Failover>(std::move(endpoints.urls), endpoints.genesis, clock, options);
  auto parts = std::make_unique<Explorer::Parts>(std::move(transport), clock, options);
  auto head = parts->chain.head();
  if (!head) return common::within("opening the chain", head.error());
  return Explorer(std::move(parts));
}

Result<Forms> Explorer::forms() {
  TRY(const View at, parts_->chain.head());
  return forms_of(*at.runtime);
}

Result<Json> Explorer::storage(std::string_view pallet, std::string_view item, const Json& keys,
                               std::optional<BlockNumber> number) {
  TRY(const View at, parts_->at(number));
  TRY(const Stored stored, find_stored(at.metadata(), pallet, item));
  const size_t wanted = stored.item->hashers.size();
  if (keys.is_array() && keys.size() < wanted) {
    return Error{Code::kInvalidArgument,
                 stored.name() + " has " + std::to_string(wanted) + " keys: give all, or list it"};
  }
  TRY(const Bytes key, stored_key(at.metadata(), stored, keys));
  TRY(const auto bytes, parts_->chain.value(key, at.block.hash));
  TRY(const auto value, read_stored(at.metadata(), stored, bytes));
  return value ? value->json() : Json();
}

Result<std::vector<StorageEntry>> Explorer::entries(std::string_view pallet, std::string_view item,
                                                    const Json& keys,
                                                    std::optional<BlockNumber> number,
                                                    size_t count_max) {
  TRY(const View at, parts_->at(number));
  const Metadata& metadata = at.metadata();
  TRY(const Stored stored, find_stored(metadata, pallet, item));
  TRY(const Bytes prefix, stored_key(metadata, stored, keys));
  TRY(const std::vector<Bytes> raw,
      parts_->chain.keys(prefix, at.block.hash, std::min(count_max, kEntriesMax)));
  std::vector<StorageEntry> out;
  for (size_t first = 0; first < raw.size(); first += kValuesAtOnce) {
    const auto some = std::span(raw).subspan(first, std::min(kValuesAtOnce, raw.size() - first));
    TRY(const auto values, parts_->chain.values(some, at.block.hash));
    for (size_t i = 0; i < some.size(); ++i) {
      TRY(const auto parts, read_stored_key(metadata, stored, some[i]));
      TRY(const auto value, read_stored(metadata, stored, values[i]));
      StorageEntry entry{Json::array(), value ? value->json() : Json()};
      for (const auto& part : parts) entry.keys.push_back(part ? part->json() : Json());
      out.push_back(std::move(entry));
    }
  }
  return out;
}

Result<Json> Explorer::constant(std::string_view pallet_name, std::string_view name) {
  TRY(const View at, parts_->chain.head());
  const Metadata& metadata = at.metadata();
  const Constant* constant = metadata.constant(pallet_name, name);
  if (constant == nullptr) {
    const Pallet* pallet = metadata.pallet(pallet_name);
    return Error{Code::kNotFound, "this chain has no constant " + std::string(pallet_name) + "." +
                                      std::string(name) +
                                      (pallet ? similar_names(pallet->constants, name)
                                              : similar_names(metadata.pallets, pallet_name))};
  }
  TRY(const Value value, decode_value(metadata, constant->type, constant->value, name));
  return value.json();
}

Result<Json> Explorer::api(std::string_view api_name, std::string_view method_name,
                           const Json& arguments, std::optional<BlockNumber> number) {
  TRY(const View at, parts_->at(number));
  const Metadata& metadata = at.metadata();
  const ApiMethod* method = metadata.api(api_name, method_name);
  const std::string whole = std::string(api_name) + "_" + std::string(method_name);
  if (method == nullptr) {
    return Error{Code::kNotFound, "this chain describes no function " + whole +
                                      similar_names(metadata.apis, api_name)};
  }
  TRY(const Bytes inputs, encode_inputs(metadata, *method, arguments));
  TRY(const Bytes answer, parts_->chain.call(whole, inputs, at.block.hash));
  TRY(const Value value, decode_value(metadata, method->output, answer, whole));
  return value.json();
}

Result<std::vector<Event>> Explorer::events(std::optional<BlockNumber> number) {
  TRY(const View at, parts_->at(number));
  TRY(const auto happenings, parts_->chain.happenings(at));
  std::vector<Event> out;
  for (const Happening& one : happenings) out.push_back(event_of(one));
  return out;
}

Result<BlockView> Explorer::block(std::optional<BlockNumber> number) {
  TRY(const View at, parts_->at(number));
  TRY(const Header header, parts_->chain.header(at.block.hash));
  TRY(const std::vector<Bytes> extrinsics, parts_->chain.extrinsics(at.block.hash));
  TRY(const auto happenings, parts_->chain.happenings(at));
  BlockView out{at.block, header.parent, {}, {}};
  for (uint32_t i = 0; i < extrinsics.size(); ++i) {
    out.extrinsics.push_back(extrinsic_of(at.metadata(), i, extrinsics[i], happenings));
  }
  for (const Happening& one : happenings) out.events.push_back(event_of(one));
  return out;
}

Result<Explorer::Found> Explorer::extrinsic(const Hash& hash, uint64_t blocks) {
  TRY(const View head, parts_->chain.head());
  Hash at = head.block.hash;
  for (uint64_t i = 0; i < blocks; ++i) {
    TRY(const Header header, parts_->chain.header(at));
    TRY(const std::vector<Bytes> extrinsics, parts_->chain.extrinsics(at));
    for (uint32_t index = 0; index < extrinsics.size(); ++index) {
      if (extrinsic_hash(extrinsics[index]) != hash) continue;
      TRY(const View view, parts_->chain.view(header));
      TRY(const auto happenings, parts_->chain.happenings(view));
      Found found{
          view.block, extrinsic_of(view.metadata(), index, extrinsics[index], happenings), {}};
      for (const Happening& one : happenings) {
        if (one.extrinsic == index) found.events.push_back(event_of(one));
      }
      return found;
    }
    if (header.number.index == 0) break;
    at = header.parent;
  }
  return Error{Code::kNotFound, "no extrinsic 0x" + hash.hex() + " in the last " +
                                    std::to_string(blocks) + " blocks"};
}

Result<CallPlan> Explorer::plan(const Keypair& key, std::string_view pallet, std::string_view call,
                                const Json& arguments, const CallOptions& options) {
  TRY_VOID(check_options(options));
  const NamedCall named{std::string(pallet), std::string(call), arguments};
  TRY(const Bytes signed_bytes, parts_->submitter.sign(key, named, submit_options(options)));
  TRY(const View at, parts_->chain.head());
  TRY(const ReadExtrinsic read, read_extrinsic(at.metadata(), signed_bytes));
  TRY(const Json fee, parts_->rpc.read("payment_queryInfo", Json::array({hex0x(signed_bytes)})));
  CallPlan out{read.pallet, read.call, read.arguments, {}, 0};
  TRY(out.bytes, encode_call(at.metadata(), pallet, call, arguments));
  // "partialFee" is text, or a number in old nodes.
  const auto found = fee.is_object() ? fee.find("partialFee") : fee.end();
  if (!fee.is_object() || found == fee.end()) {
    return Error{Code::kCorrupt, "the node's answer is no fee"};
  }
  const std::string text = found->is_string() ? found->get<std::string>() : found->dump();
  const bool digits = !text.empty() && text.size() <= 19 &&
                      text.find_first_not_of("0123456789") == std::string::npos;
  if (!digits) return Error{Code::kCorrupt, "the node's answer is no fee"};
  out.fee_rao = std::stoull(text) + options.tip_rao;
  return out;
}

Result<CallReceipt> Explorer::send(const Keypair& key, std::string_view pallet,
                                   std::string_view call, const Json& arguments,
                                   const CallOptions& options) {
  TRY_VOID(check_options(options));
  const NamedCall named{std::string(pallet), std::string(call), arguments};
  TRY(const Outcome outcome, parts_->submitter.submit(key, named, submit_options(options)));
  CallReceipt out{outcome.extrinsic, outcome.at.block, outcome.finalized, {}};
  for (const Happening& one : outcome.events) out.events.push_back(event_of(one));
  return out;
}

Result<void> Explorer::watch(const std::function<bool(const Block&)>& on_block) {
  Transport& transport = parts_->rpc.transport();
  SubscriptionId heads = 0;  // None.
  std::optional<Hash> last;
  std::optional<Error> trouble;
  bool more = true;
  while (more && !trouble) {
    const auto head = parts_->chain.head();
    if (!head && head.error().code != Code::kUnavailable && head.error().code != Code::kTimeout) {
      trouble = head.error();
    } else if (head && head->block.hash != last) {
      last = head->block.hash;
      more = on_block(head->block);
    }
    if (more && !trouble && !wait_for_news(transport, parts_->clock, heads)) {
      trouble = Error{Code::kCancelled, "told to stop"};
    }
  }
  if (heads != 0) transport.unsubscribe(heads);
  if (trouble) return *trouble;
  return {};
}

}  // namespace chain
