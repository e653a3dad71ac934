// AdminUtils: hyperparameters, set by root or by the subnet's owner.
#include <algorithm>
#include <limits>

#include "chain/embedded/items.h"
#include "chain/embedded/registration.h"
#include "chain/embedded/rows.h"
#include "chain/embedded/yuma.h"

namespace chain::embedded {
namespace {

// A name as a template argument.
template <size_t N>
struct Name {
  char text[N]{};
  consteval Name(const char (&from)[N]) { std::copy_n(from, N, text); }  // NOLINT: as a literal.
};

enum class Who { kOwner, kRoot };

constexpr size_t kNetuidWord = 7;  // "netuid "
template <Name kName>
consteval auto netuid_and() {
  std::array<char, kNetuidWord + sizeof(kName.text) - 1> words{};
  std::copy_n("netuid ", kNetuidWord, words.begin());
  std::copy_n(kName.text, sizeof(kName.text) - 1, words.begin() + kNetuidWord);
  return words;
}
template <Name kName>
constexpr auto kWords = netuid_and<kName>();

// One value of one subnet, and one of all.
template <Name kName, typename T>
struct SubnetArgs {
  static constexpr std::string_view kNames{kWords<kName>.data(), kWords<kName>.size()};
  uint16_t netuid = 0;
  T value{};
};
template <Name kName, typename T>
struct GlobalArgs {
  static constexpr std::string_view kNames{kName.text, sizeof(kName.text) - 1};
  T value{};
};

Outcome check_right(const Storage& storage, const Origin& origin, uint16_t netuid, Who who) {
  if (!get_number<bool>(storage, items::kNetworksAdded.key(netuid))) {
    return refuse(AdminError::kSubnetDoesNotExist);
  }
  if (origin.root) return {};
  const bool owns =
      origin.account && origin.account == get_account(storage, items::kSubnetOwner.key(netuid));
  if (who == Who::kRoot || !owns) return bad_origin();
  return {};
}

template <typename T>
using Bound = Outcome (*)(const Storage&, uint16_t netuid, const T&);

template <Name kName, typename T, const SubnetMap& kItem, Who kWho, Bound<T> kBound>
Outcome set_of_subnet(const Context& context, const Origin& origin,
                      const SubnetArgs<kName, T>& call) {
  if (auto error = check_right(context.storage, origin, call.netuid, kWho)) return error;
  if constexpr (kBound != nullptr) {
    if (auto error = kBound(context.storage, call.netuid, call.value)) return error;
  }
  context.storage.put(kItem.key(call.netuid), encoded(call.value));
  return {};
}
template <Name kName, typename T, const PlainItem& kItem, Bound<T> kBound>
Outcome set_global(const Context& context, const Origin& origin, const GlobalArgs<kName, T>& call) {
  if (!origin.root) return bad_origin();
  if constexpr (kBound != nullptr) {
    if (auto error = kBound(context.storage, 0, call.value)) return error;
  }
  context.storage.put(kItem.key(), encoded(call.value));
  return {};
}

constexpr Cost kCost{20'000'000, kFree};

template <Name kName, typename T, const SubnetMap& kItem, Who kWho = Who::kOwner,
          Bound<T> kBound = nullptr>
CallRow one(uint8_t index, std::string_view name) {
  return call<set_of_subnet<kName, T, kItem, kWho, kBound>>(
      index, name, kCost,
      kWho == Who::kOwner ? "For the subnet's owner, or root." : "For root only.");
}
template <Name kName, typename T, const PlainItem& kItem, Bound<T> kBound = nullptr>
CallRow all(uint8_t index, std::string_view name) {
  return call<set_global<kName, T, kItem, kBound>>(index, name, kCost, "For root only.");
}

Outcome out_of_bounds(bool is_out) {
  return is_out ? refuse(AdminError::kValueNotInBounds) : Outcome{};
}
Outcome some_tempo(const Storage&, uint16_t, const uint16_t& tempo) {
  return out_of_bounds(tempo == 0);
}
Outcome below_max_burn(const Storage& storage, uint16_t netuid, const uint64_t& burn_rao) {
  return out_of_bounds(burn_rao > get_number<uint64_t>(storage, items::kMaxBurn.key(netuid)));
}
Outcome above_min_burn(const Storage& storage, uint16_t netuid, const uint64_t& burn_rao) {
  return out_of_bounds(burn_rao < get_number<uint64_t>(storage, items::kMinBurn.key(netuid)));
}
Outcome a_millionth(const Storage&, uint16_t, const uint64_t& share) {
  return share > 1'000'000 ? refuse(AdminError::kBondsMovingAverageMaxReached) : Outcome{};
}
Outcome enough_uids(const Storage& storage, uint16_t netuid, const uint16_t& count) {
  if (count < neuron_count(storage, netuid)) {
    return refuse(AdminError::kMaxAllowedUIdsLessThanCurrentUIds);
  }
  return out_of_bounds(count == 0 || count > kEpochNeuronsMax);
}
Outcome at_most_uids(const Storage& storage, uint16_t netuid, const uint16_t& count) {
  return count > get_number<uint16_t>(storage, items::kMaxAllowedUids.key(netuid))
             ? refuse(AdminError::kMaxValidatorsLargerThanMaxUIds)
             : Outcome{};
}
Outcome reveal_epochs(const Storage&, uint16_t, const uint64_t& epochs) {
  if (epochs == 0) return refuse(SubtensorError::kRevealPeriodTooSmall);
  return epochs > 100 ? refuse(SubtensorError::kRevealPeriodTooLarge) : Outcome{};
}
Outcome some_slots(const Storage&, uint16_t, const uint16_t& count) {
  return out_of_bounds(count == 0 || count > 1'024);
}

struct AlphaValues {
  static constexpr std::string_view kNames = "netuid alpha_low alpha_high";
  uint16_t netuid = 0;
  uint16_t alpha_low = 0;
  uint16_t alpha_high = 0;
};
Outcome set_alpha_values(const Context& context, const Origin& origin, const AlphaValues& call) {
  if (auto error = check_right(context.storage, origin, call.netuid, Who::kOwner)) return error;
  if (call.alpha_low > call.alpha_high) return refuse(AdminError::kValueNotInBounds);
  context.storage.put(items::kAlphaValues.key(call.netuid),
                      Encoder().number(call.alpha_low).number(call.alpha_high).done());
  return {};
}

using CutoffArgs = SubnetArgs<"activity_cutoff", uint16_t>;
// In blocks; stored as thousandths of the tempo, rounded up.
Outcome set_activity_cutoff(const Context& context, const Origin& origin, const CutoffArgs& call) {
  Storage& storage = context.storage;
  if (auto error = check_right(storage, origin, call.netuid, Who::kOwner)) return error;
  const auto tempo = get_number<uint16_t>(storage, items::kTempo.key(call.netuid));
  put_number(storage, items::kActivityCutoff.key(call.netuid), call.value);
  put_number(storage, items::kActivityCutoffFactorMilli.key(call.netuid),
             static_cast<uint32_t>((uint64_t{call.value} * 1000 + tempo - 1) / tempo));
  return {};
}

std::vector<CallRow> subnet_calls() {
  using namespace substrate::storage;  // NOLINT: their names.
  return {
      one<"serving_rate_limit", uint64_t, kServingRateLimit>(3, "sudo_set_serving_rate_limit"),
      one<"weights_version_key", uint64_t, kWeightsVersionKey>(6, "sudo_set_weights_version_key"),
      one<"weights_set_rate_limit", uint64_t, kWeightsSetRateLimit, Who::kRoot>(
          7, "sudo_set_weights_set_rate_limit"),
      one<"immunity_period", uint16_t, kImmunityPeriod>(13, "sudo_set_immunity_period"),
      one<"min_allowed_weights", uint16_t, kMinAllowedWeights>(14, "sudo_set_min_allowed_weights"),
      one<"max_allowed_uids", uint16_t, kMaxAllowedUids, Who::kOwner, enough_uids>(
          15, "sudo_set_max_allowed_uids"),
      one<"kappa", uint16_t, kKappa, Who::kRoot>(16, "sudo_set_kappa"),
      one<"rho", uint16_t, kRho>(17, "sudo_set_rho"),
      call<set_activity_cutoff>(18, "sudo_set_activity_cutoff", kCost,
                                "For the subnet's owner, or root. In blocks."),
      one<"registration_allowed", bool, kRegistrationAllowed, Who::kRoot>(
          19, "sudo_set_network_registration_allowed"),
      one<"min_burn", uint64_t, kMinBurn, Who::kOwner, below_max_burn>(22, "sudo_set_min_burn"),
      one<"max_burn", uint64_t, kMaxBurn, Who::kOwner, above_min_burn>(23, "sudo_set_max_burn"),
      one<"max_allowed_validators", uint16_t, kMaxAllowedValidators, Who::kRoot, at_most_uids>(
          25, "sudo_set_max_allowed_validators"),
      one<"bonds_moving_average", uint64_t, kBondsMovingAverage, Who::kOwner, a_millionth>(
          26, "sudo_set_bonds_moving_average"),
      one<"tempo", uint16_t, kTempo, Who::kRoot, some_tempo>(30, "sudo_set_tempo"),
      one<"enabled", bool, kCommitRevealEnabled>(49, "sudo_set_commit_reveal_weights_enabled"),
      one<"enabled", bool, kLiquidAlphaOn>(50, "sudo_set_liquid_alpha_enabled"),
      call<set_alpha_values>(51, "sudo_set_alpha_values", kCost,
                             "For the subnet's owner, or root. Shares of 65,535."),
      one<"interval", uint64_t, kRevealPeriodEpochs, Who::kOwner, reveal_epochs>(
          57, "sudo_set_commit_reveal_weights_interval"),
      one<"bonds_penalty", uint16_t, kBondsPenalty>(60, "sudo_set_bonds_penalty"),
      one<"toggle", bool, kTransferToggle>(61, "sudo_set_toggle_transfer"),
      one<"hotkey", AccountId, kSubnetOwnerHotkey>(64, "sudo_set_subnet_owner_hotkey"),
      one<"subtoken_enabled", bool, kSubtokenEnabled, Who::kRoot>(66, "sudo_set_subtoken_enabled"),
      one<"steepness", int16_t, kAlphaSigmoidSteepness>(68, "sudo_set_alpha_sigmoid_steepness"),
      one<"enabled", bool, kYuma3On>(69, "sudo_set_yuma3_enabled"),
      one<"immune_neurons", uint16_t, kImmuneOwnerUidsLimit>(72,
                                                             "sudo_set_owner_immune_neuron_limit"),
      one<"recycle_or_burn", RecycleOrBurn, kRecycleOrBurn>(80, "sudo_set_recycle_or_burn"),
      one<"min", uint16_t, kMinNonImmuneUids, Who::kRoot>(84, "sudo_set_min_non_immune_uids"),
      one<"burn_half_life", uint16_t, kBurnHalfLife>(89, "sudo_set_burn_half_life"),
      one<"burn_increase_mult", FixedU128, kBurnIncreaseMult>(90, "sudo_set_burn_increase_mult"),
      one<"enabled", bool, kOwnerCutEnabled, Who::kRoot>(92, "sudo_set_owner_cut_enabled"),
  };
}

}  // namespace

PalletTable admin_utils_pallet() {
  PalletTable table{"AdminUtils", kAdminUtilsPallet};
  table.calls = subnet_calls();
  for (CallRow& row : std::vector<CallRow>{
           all<"subnet_owner_cut", uint16_t, kSubnetOwnerCut>(28, "sudo_set_subnet_owner_cut"),
           all<"rate_limit", uint64_t, kNetworkRateLimit>(29, "sudo_set_network_rate_limit"),
           all<"lock_cost", uint64_t, kNetworkMinLockCost>(36, "sudo_set_network_min_lock_cost"),
           all<"max_subnets", uint16_t, kSubnetLimit, some_slots>(37, "sudo_set_subnet_limit"),
           all<"interval", uint64_t, kLockReductionInterval>(38,
                                                             "sudo_set_lock_reduction_interval"),
           all<"min_stake", uint64_t, kStakeThreshold>(42, "sudo_set_stake_threshold"),
           all<"take", uint16_t, kMinDelegateTake>(46, "sudo_set_min_delegate_take"),
           all<"version", uint16_t, kCommitRevealVersion>(71, "sudo_set_commit_reveal_version"),
       }) {
    table.calls.push_back(std::move(row));
  }
  std::sort(table.calls.begin(), table.calls.end(),
            [](const CallRow& a, const CallRow& b) { return a.index < b.index; });
  table.errors = {MUSTER_ADMIN_UTILS_ERRORS(MUSTER_ERROR_ROW)};
  return table;
}

}  // namespace chain::embedded
