// What every Substrate client asks a runtime for: its version, metadata, nonces and fees.
#include <algorithm>

#include "chain/embedded/apis.h"
#include "chain/embedded/balances.h"
#include "chain/embedded/rows.h"
#include "chain/embedded/state.h"

namespace chain::embedded {

namespace {

struct NoInputs {
  static constexpr std::string_view kNames = "";
};
struct VersionInput {
  static constexpr std::string_view kNames = "version";
  uint32_t version = 0;
};
struct AccountInput {
  static constexpr std::string_view kNames = "account";
  AccountId account;
};
struct ExtrinsicInput {
  static constexpr std::string_view kNames = "uxt len";
  ExtrinsicBytes uxt;
  uint32_t len = 0;
};
struct CallInput {
  static constexpr std::string_view kNames = "call len";
  RawCall call;
  uint32_t len = 0;
};
struct WeightInput {
  static constexpr std::string_view kNames = "weight";
  RuntimeWeight weight;
};
struct LengthInput {
  static constexpr std::string_view kNames = "length";
  uint32_t length = 0;
};

struct OpaqueMetadata {
  static constexpr std::string_view kPath = "sp_core::OpaqueMetadata";
  static constexpr std::string_view kNames = "";
  Bytes bytes;
};
struct RuntimeDispatchInfo {
  static constexpr std::string_view kPath =
      "pallet_transaction_payment::types::RuntimeDispatchInfo";
  static constexpr std::string_view kNames = "weight class partial_fee";
  RuntimeWeight weight;
  DispatchClass dispatch_class = DispatchClass::kNormal;
  uint64_t partial_fee = 0;
};
struct InclusionFee {
  static constexpr std::string_view kPath = "pallet_transaction_payment::types::InclusionFee";
  static constexpr std::string_view kNames = "base_fee len_fee adjusted_weight_fee";
  uint64_t base_fee = 0;
  uint64_t len_fee = 0;
  uint64_t adjusted_weight_fee = 0;
};
struct FeeDetails {
  static constexpr std::string_view kPath = "pallet_transaction_payment::types::FeeDetails";
  static constexpr std::string_view kNames = "inclusion_fee tip";
  std::optional<InclusionFee> inclusion_fee;
  uint64_t tip = 0;
};

RuntimeVersion version(const ApiContext&, const NoInputs&) { return runtime_version(); }

OpaqueMetadata metadata(const ApiContext&, const NoInputs&) { return {*metadata_bytes(14)}; }
std::optional<OpaqueMetadata> metadata_at_version(const ApiContext&, const VersionInput& input) {
  const Bytes* bytes = metadata_bytes(input.version);
  if (bytes == nullptr) return std::nullopt;
  return OpaqueMetadata{*bytes};
}
std::vector<uint32_t> metadata_versions(const ApiContext&, const NoInputs&) { return {14, 15}; }

uint32_t account_nonce(const ApiContext& context, const AccountInput& input) {
  return account_info(context.storage, input.account).nonce;
}

// Of a call, or nothing for what is none: then it costs nothing, for it cannot be sent either.
std::optional<DispatchEventInfo> info_of(ByteView call) {
  const auto found = find_call(call);
  if (!found) return std::nullopt;
  return dispatch_info(*found);
}
RuntimeDispatchInfo dispatch_info_of(ByteView call, uint32_t size_bytes) {
  const DispatchEventInfo info = info_of(call).value_or(DispatchEventInfo{});
  return {info.weight, info.dispatch_class, fee_rao(info, size_bytes)};
}
FeeDetails fee_details_of(ByteView call, uint32_t size_bytes, uint64_t tip) {
  const DispatchEventInfo info = info_of(call).value_or(DispatchEventInfo{});
  if (info.pays_fee == Pays::kNo) return {std::nullopt, tip};
  const uint64_t base = kBaseRefTime / 2000;
  return {InclusionFee{base, size_bytes, info.weight.ref_time / 2000 - base}, tip};
}
substrate::Extrinsic extrinsic_of(const ExtrinsicBytes& bytes) {
  auto extrinsic = substrate::decode_extrinsic(bytes.bytes);
  return extrinsic ? *std::move(extrinsic) : substrate::Extrinsic{};
}

RuntimeDispatchInfo query_info(const ApiContext&, const ExtrinsicInput& input) {
  return dispatch_info_of(extrinsic_of(input.uxt).call, input.len);
}
FeeDetails query_fee_details(const ApiContext&, const ExtrinsicInput& input) {
  const auto extrinsic = extrinsic_of(input.uxt);
  const uint64_t tip = extrinsic.signer ? extrinsic.signer->extra.tip : 0;
  return fee_details_of(extrinsic.call, input.len, tip);
}
RuntimeDispatchInfo query_call_info(const ApiContext&, const CallInput& input) {
  return dispatch_info_of(input.call.bytes, input.len);
}
FeeDetails query_call_fee_details(const ApiContext&, const CallInput& input) {
  return fee_details_of(input.call.bytes, input.len, 0);
}
uint64_t weight_to_fee(const ApiContext&, const WeightInput& input) {
  return input.weight.ref_time / 2000;
}
uint64_t length_to_fee(const ApiContext&, const LengthInput& input) { return input.length; }

}  // namespace

std::vector<ApiRow> core_apis() {
  constexpr auto kPayment = "TransactionPaymentApi";
  constexpr auto kCallPayment = "TransactionPaymentCallApi";
  return {
      api<version>("Core", "version"),
      api<metadata>("Metadata", "metadata"),
      api<metadata_at_version>("Metadata", "metadata_at_version"),
      api<metadata_versions>("Metadata", "metadata_versions"),
      api<account_nonce>("AccountNonceApi", "account_nonce"),
      api<query_info>(kPayment, "query_info"),
      api<query_fee_details>(kPayment, "query_fee_details"),
      api<weight_to_fee>(kPayment, "query_weight_to_fee"),
      api<length_to_fee>(kPayment, "query_length_to_fee"),
      api<query_call_info>(kCallPayment, "query_call_info"),
      api<query_call_fee_details>(kCallPayment, "query_call_fee_details"),
      api<weight_to_fee>(kCallPayment, "query_weight_to_fee"),
      api<length_to_fee>(kCallPayment, "query_length_to_fee"),
  };
}

const std::vector<ApiRow>& runtime_apis() {
  static const std::vector<ApiRow> rows = [] {
    std::vector<ApiRow> all = core_apis();
    for (ApiRow& row : subnet_apis()) all.push_back(std::move(row));
    return all;
  }();
  return rows;
}

const ApiRow* find_api(std::string_view name) {
  for (const ApiRow& row : runtime_apis()) {
    if (name.size() == row.api.size() + 1 + row.method.size() && name.starts_with(row.api) &&
        name[row.api.size()] == '_' && name.ends_with(row.method)) {
      return &row;
    }
  }
  return nullptr;
}

}  // namespace chain::embedded
