#include "common/result.h"

namespace common {

std::string_view name(Code code) {
  switch (code) {
    case Code::kInvalidArgument:
      return "invalid argument";
    case Code::kNotFound:
      return "not found";
    case Code::kAlreadyExists:
      return "already exists";
    case Code::kUnavailable:
      return "unavailable";
    case Code::kTimeout:
      return "timeout";
    case Code::kPermission:
      return "not permitted";
    case Code::kCorrupt:
      return "corrupt";
    case Code::kExhausted:
      return "limit reached";
    case Code::kIo:
      return "input/output error";
    case Code::kRefused:
      return "refused";
    case Code::kCancelled:
      return "cancelled";
    case Code::kConflict:
      return "conflict";
  }
  return "unknown";
}

Error within(std::string_view context, Error error) {
  error.message = std::string(context) + ": " + error.message;
  return error;
}

}  // namespace common
