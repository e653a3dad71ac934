#include <curl/curl.h>

#include <mutex>

#include "chain/substrate/transport.h"

namespace chain::substrate {
namespace {

using common::Code;
using common::Error;

struct CurlDeleter {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

struct Body {
  std::string text;
  size_t size_max;
  bool too_long = false;
};

// libcurl's write callback: returning less than it was given ends the transfer.
size_t collect(char* data, size_t, size_t size, void* into) {
  auto& body = *static_cast<Body*>(into);
  if (size > body.size_max - body.text.size()) {
    body.too_long = true;
    return 0;
  }
  body.text.append(data, size);
  return size;
}

bool is_local(std::string_view url) {
  const std::string_view host = url.substr(url.find("://") + 3);
  return host.starts_with("127.") || host.starts_with("localhost") || host.starts_with("[::1]");
}

// One connection to one URL.
class Connection final : public BodyTransport {
 public:
  Connection(std::string url, const RpcOptions& options)
      : url_(std::move(url)), options_(options), handle_(curl_easy_init()) {
    CHECK(handle_ != nullptr);
    headers_.reset(curl_slist_append(nullptr, "Content-Type: application/json"));
    // Without this libcurl asks before it sends a long body, and waits a second for the answer.
    headers_.reset(curl_slist_append(headers_.release(), "Expect:"));
    curl_easy_setopt(handle_.get(), CURLOPT_URL, url_.c_str());
    curl_easy_setopt(handle_.get(), CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(handle_.get(), CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle_.get(), CURLOPT_HTTPHEADER, headers_.get());
    curl_easy_setopt(handle_.get(), CURLOPT_CONNECTTIMEOUT_MS,
                     static_cast<long>(options_.connect_timeout.count()));
    curl_easy_setopt(handle_.get(), CURLOPT_TIMEOUT_MS,
                     static_cast<long>(options_.timeout.count()));
    curl_easy_setopt(handle_.get(), CURLOPT_WRITEFUNCTION, collect);
    if (is_local(url_)) curl_easy_setopt(handle_.get(), CURLOPT_PROXY, "");
  }

  Result<std::string> post(const std::string& request) override {
    Body body{{}, options_.response_size_max};
    curl_easy_setopt(handle_.get(), CURLOPT_WRITEDATA, &body);
    curl_easy_setopt(handle_.get(), CURLOPT_POSTFIELDS, request.data());
    curl_easy_setopt(handle_.get(), CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request.size()));
    const CURLcode outcome = curl_easy_perform(handle_.get());
    if (body.too_long) {
      return Error{Code::kExhausted, url_ + " answered with more than " +
                                         std::to_string(options_.response_size_max) + " bytes"};
    }
    if (outcome == CURLE_OPERATION_TIMEDOUT) {
      return Error{Code::kTimeout, url_ + " did not answer in time"};
    }
    if (outcome != CURLE_OK) {
      return Error{Code::kUnavailable, url_ + ": " + curl_easy_strerror(outcome)};
    }
    long status = 0;
    curl_easy_getinfo(handle_.get(), CURLINFO_RESPONSE_CODE, &status);
    if (status == 200) return std::move(body.text);
    const bool again = status == 429 || status >= 500;
    return Error{again ? Code::kUnavailable : Code::kRefused,
                 url_ + " answered HTTP " + std::to_string(status)};
  }

 private:
  std::string url_;
  RpcOptions options_;
  std::unique_ptr<CURL, CurlDeleter> handle_;
  std::unique_ptr<curl_slist, CurlDeleter> headers_;
};

}  // namespace

Result<std::unique_ptr<BodyTransport>> http_transport(std::string_view url,
                                                      const RpcOptions& options) {
  if (!url.starts_with("http://") && !url.starts_with("https://")) {
    return Error{Code::kInvalidArgument,
                 std::string(url) + " should start with http://, https://, ws:// or wss://"};
  }
  static std::once_flag once;
  std::call_once(once, [] { CHECK(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK); });
  return std::make_unique<Connection>(std::string(url), options);
}

}  // namespace chain::substrate
