#include "chain/substrate/event_layout.h"

#include <span>

namespace chain::substrate {
namespace {

// By the number of the event in its pallet. "?": one that we cannot step over.
constexpr std::string_view kSystem[] = {"i", "di", "", "A", "A", "AA", "A1", "Ad"};
constexpr std::string_view kBalances[] = {"A8", "A8", "AA8", "A8", "A8", "A8", "AA81", "A8",
                                          "A8", "A8", "A8",  "A8", "A8", "A8", "A",    "8",
                                          "8",  "A8", "A8",  "A8", "A8", "88"};
constexpr std::string_view kTransactionPayment[] = {"A88"};
constexpr std::string_view kSubtensorModule[] = {
    "22",   "2",  "AA8828", "AA8828", "AA2A28", "22", "22A",  "22",   "22",   "22",   "22",
    "28",   "22", "22",     "22",     "22",     "22", "22",   "22",   "22",   "28",   "22",
    "28",   "22", "28",     "22",     "21",     "22", "2A",   "2A",   "AA2",  "2",    "28",
    "28",   "28", "28",     "28",     "28",     "28", "1",    "8",    "8",    "8",    "2",
    "2",    "2",  "22",     "2",      "A2",     "r",  "21",   "21",   "22",   "28",   "8",
    "28",   "A8", "2",      "8",      "8",      "8",  "8",    "2",    "8",    "AA2",  "AA2",
    "AAA",  "2",  "2",      "AA",     "A",      "AA", "A",    "AA8",  "A",    "A28c", "A2c",
    "A",    "2",  "2",      "A24",    "4",      "4",  "4",    "A2A",  "A2A",  "A2A",  "A2h",
    "kA",   "",   "2d",     "AAA228", "AA228",  "21", "2A",   "28",   "AA82", "AA82", "2At8",
    "2A",   "28", "21",     "AAA2",   "A42o",   "A2", "2v",   "2",    "A2A8", "2A",   "2AAA8",
    "2q",   "22", "A2A",    "22",     "A",      "?",  "2",    "28",   "2",    "28",   "4A8",
    "2A88", "A",  "A288",   "22",     "2G",     "A1", "AA28", "AA28", "AAA2", "24",   "2A8",
    "288",  "28", "2AA",    "A21",    "A1"};
constexpr std::string_view kUtility[] = {"4d", "", "", "", "d", "r", "", "d"};
constexpr std::string_view kSudo[] = {"r", "OA", "", "r"};
constexpr std::string_view kMultisig[] = {"AAA", "A8AA", "A8AAr", "A8AA", "AA88"};
constexpr std::string_view kProxy[] = {"r", "AA12", "AA12", "AAA", "AA14", "AA14", "A188", "AA1"};
constexpr std::string_view kCommitments[] = {"2A", "2A8", "2A"};
constexpr std::string_view kAdminUtils[] = {"11", "21", "21", "22", "2G", "21"};
constexpr std::string_view kSafeMode[] = {"4", "4", "?", "A8", "A8", "A8", "", ""};
constexpr std::string_view kDrand[] = {"", "q", "8"};
constexpr std::string_view kCrowdloan[] = {"4A48", "4A8", "4A8", "4",  "4", "4",
                                           "4",    "48",  "44",  "48", "4p"};
constexpr std::string_view kSwap[] = {"22"};
constexpr std::string_view kMevShield[] = {"AA", "4A", "4", "4d", "4", "4",
                                           "4",  "4",  "8", "4",  "8", "4"};

struct Pallet {
  uint8_t index;
  std::span<const std::string_view> layouts;
};
constexpr Pallet kPallets[] = {
    {0, kSystem},       {5, kBalances},    {6, kTransactionPayment}, {7, kSubtensorModule},
    {11, kUtility},     {12, kSudo},       {13, kMultisig},          {16, kProxy},
    {18, kCommitments}, {19, kAdminUtils}, {20, kSafeMode},          {26, kDrand},
    {27, kCrowdloan},   {28, kSwap},       {30, kMevShield},
};

constexpr size_t kVectorMax = 1 << 16;

size_t size_of(char field) {
  switch (field) {
    case '1':
      return 1;
    case '2':
      return 2;
    case '4':
    case 'o':
      return 4;
    case '8':
    case 'p':
    case 'q':
      return 8;
    case 'G':
      return 16;
    case 't':
      return 20;
    case 'c':
      return 40;
    default:
      return 32;  // A, O, h
  }
}

// The kinds of DispatchError that carry more: a module's error, or one byte.
void skip_error(Decoder& in) {
  constexpr size_t kModuleErrorSize = 5;
  switch (in.number<uint8_t>()) {
    case 3:
      in.raw(kModuleErrorSize);
      return;
    case 7:
    case 8:
    case 9:
    case 14:
      in.number<uint8_t>();
      return;
    default:
      return;
  }
}

void skip_field(Decoder& in, char field) {
  switch (field) {
    case 'v':
      in.bytes(kVectorMax);
      return;
    case 'q':
    case 'h':
    case 'c':
      in.raw(in.count(kVectorMax, size_of(field)) * size_of(field));
      return;
    case 'k':
      for (size_t left = in.count(kVectorMax, 1); left > 0; --left) in.compact<uint16_t>();
      return;
    case 'o':
    case 'p':
    case 'O':
      if (in.number<bool>()) in.raw(size_of(field));
      return;
    case 'd':
      skip_error(in);
      return;
    case 'r':
      if (in.number<bool>()) skip_error(in);
      return;
    case 'i':  // Weight, class, whether a fee is paid.
      in.compact<uint64_t>();
      in.compact<uint64_t>();
      in.raw(2);
      return;
    default:
      in.raw(size_of(field));
  }
}

}  // namespace

std::optional<std::string_view> event_layout(uint8_t pallet, uint8_t variant) {
  for (const Pallet& known : kPallets) {
    if (known.index != pallet || variant >= known.layouts.size()) continue;
    const std::string_view layout = known.layouts[variant];
    if (layout != "?") return layout;
  }
  return std::nullopt;
}

void skip_fields(Decoder& in, std::string_view layout) {
  for (const char field : layout) skip_field(in, field);
}

}  // namespace chain::substrate
