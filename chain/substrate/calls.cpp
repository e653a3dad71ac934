#include "chain/substrate/calls.h"

#include <utility>

namespace chain::substrate {
namespace {

using common::Code;
using common::Error;

constexpr uint8_t kAddressId = 0x00;  // MultiAddress::Id
constexpr uint8_t kRawLast = 129;     // Data::Raw128
constexpr size_t kRawSizeMax = 128;
constexpr size_t kTimelockSizeMax = 1024;
constexpr size_t kDigestSize = 32;

// Arguments of each call, in the chain's order.
void put(Encoder& out, const Remark& call) { out.bytes(call.text); }
void put(Encoder& out, const SetTimestamp& call) { out.compact(call.now_ms); }
void put(Encoder& out, const TransferAllowDeath& call) {
  out.number(kAddressId).account(call.to).compact(call.amount_rao);
}
void put(Encoder& out, const TransferKeepAlive& call) {
  out.number(kAddressId).account(call.to).compact(call.amount_rao);
}
void put(Encoder& out, const SetWeights& call) {
  out.number(call.netuid).numbers(call.uids).numbers(call.values).number(call.version_key);
}
void put(Encoder& out, const AddStake& call) {
  out.account(call.hotkey).number(call.netuid).number(call.amount_rao);
}
void put(Encoder& out, const RemoveStake& call) {
  out.account(call.hotkey).number(call.netuid).number(call.amount_rao);
}
void put(Encoder& out, const ServeAxon& call) {
  out.number(call.netuid).number(call.version).number128(call.ip).number(call.port);
  out.number(call.ip_type).number(call.protocol);
  out.number(call.placeholder1).number(call.placeholder2);
}
void put(Encoder& out, const BurnedRegister& call) { out.number(call.netuid).account(call.hotkey); }
void put(Encoder& out, const SetCommitment& call) {
  out.number(call.netuid).sequence(call.fields, encode_data);
}

AccountId take_address(Decoder& in) {
  if (in.number<uint8_t>() != kAddressId) in.fail();
  return in.account();
}

void take(Decoder& in, Remark& call) {
  const ByteView text = in.bytes(kRemarkSizeMax);
  call.text.assign(text.begin(), text.end());
}
void take(Decoder& in, SetTimestamp& call) { call.now_ms = in.compact<uint64_t>(); }
void take(Decoder& in, TransferAllowDeath& call) {
  call.to = take_address(in);
  call.amount_rao = in.compact<uint64_t>();
}
void take(Decoder& in, TransferKeepAlive& call) {
  call.to = take_address(in);
  call.amount_rao = in.compact<uint64_t>();
}
void take(Decoder& in, SetWeights& call) {
  call.netuid = in.number<uint16_t>();
  call.uids = in.numbers<uint16_t>(kWeightsMax);
  call.values = in.numbers<uint16_t>(kWeightsMax);
  call.version_key = in.number<uint64_t>();
}
void take(Decoder& in, AddStake& call) {
  call.hotkey = in.account();
  call.netuid = in.number<uint16_t>();
  call.amount_rao = in.number<uint64_t>();
}
void take(Decoder& in, RemoveStake& call) {
  call.hotkey = in.account();
  call.netuid = in.number<uint16_t>();
  call.amount_rao = in.number<uint64_t>();
}
void take(Decoder& in, ServeAxon& call) {
  call.netuid = in.number<uint16_t>();
  call.version = in.number<uint32_t>();
  call.ip = in.number128();
  call.port = in.number<uint16_t>();
  call.ip_type = in.number<uint8_t>();
  call.protocol = in.number<uint8_t>();
  call.placeholder1 = in.number<uint8_t>();
  call.placeholder2 = in.number<uint8_t>();
}
void take(Decoder& in, BurnedRegister& call) {
  call.netuid = in.number<uint16_t>();
  call.hotkey = in.account();
}
void take(Decoder& in, SetCommitment& call) {
  call.netuid = in.number<uint16_t>();
  call.fields = in.sequence(kCommitmentFieldsMax, 1, decode_data);
}

// Reads the alternative of `Call` at index `at`, or a later one.
template <size_t I = 0>
Call take_alternative(Decoder& in, size_t at) {
  if constexpr (I + 1 < std::variant_size_v<Call>) {
    if (at != I) return take_alternative<I + 1>(in, at);
  }
  std::variant_alternative_t<I, Call> call;
  take(in, call);
  return call;
}

constexpr std::array<std::string_view, std::variant_size_v<Call>> kNames = {
    "System.remark",
    "Timestamp.set",
    "Balances.transfer_allow_death",
    "Balances.transfer_keep_alive",
    "SubtensorModule.set_weights",
    "SubtensorModule.add_stake",
    "SubtensorModule.remove_stake",
    "SubtensorModule.serve_axon",
    "SubtensorModule.burned_register",
    "Commitments.set_commitment",
};

}  // namespace

Data Data::of(ByteView bytes) {
  CHECK(bytes.size() <= kDataSizeMax);
  return {bytes.size() <= kRawSizeMax ? DataKind::kRaw : DataKind::kBigRaw,
          Bytes(bytes.begin(), bytes.end())};
}

void encode_data(Encoder& out, const Data& data) {
  switch (data.kind) {
    case DataKind::kRaw:
      CHECK(data.bytes.size() <= kRawSizeMax);
      out.number(static_cast<uint8_t>(1 + data.bytes.size())).raw(data.bytes);
      return;
    case DataKind::kBlakeTwo256:
    case DataKind::kSha256:
    case DataKind::kKeccak256:
    case DataKind::kShaThree256:
      CHECK(data.bytes.size() == kDigestSize);
      out.number(static_cast<uint8_t>(data.kind)).raw(data.bytes);
      return;
    case DataKind::kTimelock:
      out.number(static_cast<uint8_t>(data.kind)).bytes(data.bytes).number(data.reveal_round);
      return;
    case DataKind::kBigRaw:
      out.number(static_cast<uint8_t>(data.kind)).bytes(data.bytes);
      return;
    case DataKind::kNone:
    case DataKind::kResetBonds:
      out.number(static_cast<uint8_t>(data.kind));
      return;
  }
}

Data decode_data(Decoder& in) {
  const auto tag = in.number<uint8_t>();
  Data out;
  ByteView bytes;
  if (tag >= 1 && tag <= kRawLast) {
    out.kind = DataKind::kRaw;
    bytes = in.raw(tag - 1u);
  } else {
    out.kind = static_cast<DataKind>(tag);
    switch (out.kind) {
      case DataKind::kNone:
      case DataKind::kResetBonds:
        break;
      case DataKind::kBlakeTwo256:
      case DataKind::kSha256:
      case DataKind::kKeccak256:
      case DataKind::kShaThree256:
        bytes = in.raw(kDigestSize);
        break;
      case DataKind::kTimelock:
        bytes = in.bytes(kTimelockSizeMax);
        out.reveal_round = in.number<uint64_t>();
        break;
      case DataKind::kBigRaw:
        bytes = in.bytes(kDataSizeMax);
        break;
      default:
        in.fail();
    }
  }
  if (!in.ok()) return {};
  out.bytes.assign(bytes.begin(), bytes.end());
  return out;
}

Bytes encode_call(const Call& call, const CallIndices& indices) {
  const CallIndex index = indices.of[call.index()];
  Encoder out;
  out.number(index.pallet).number(index.call);
  std::visit([&out](const auto& typed) { put(out, typed); }, call);
  return std::move(out).done();
}

Result<Call> decode_call(ByteView bytes, const CallIndices& indices) {
  Decoder in(bytes);
  const auto pallet = in.number<uint8_t>();
  const CallIndex index{pallet, in.number<uint8_t>()};
  if (!in.ok()) return Error{Code::kInvalidArgument, "call: it ends before its two numbers"};
  for (size_t i = 0; i < indices.of.size(); ++i) {
    if (indices.of[i] != index) continue;
    Call call = take_alternative(in, i);
    if (in.at_end()) return call;
    const char* trouble = in.ok() ? ": bytes are left over" : ": its arguments are malformed";
    return Error{Code::kInvalidArgument, std::string(kNames[i]) + trouble};
  }
  return Error{Code::kNotFound, "call " + std::to_string(index.pallet) + "." +
                                    std::to_string(index.call) + " is not known here"};
}

std::string_view name(const Call& call) { return kNames[call.index()]; }

}  // namespace chain::substrate
