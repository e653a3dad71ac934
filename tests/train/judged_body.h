// A codec's body in memory, judged: what a contribution is to whoever applies or tries it.
#pragma once

#include <optional>
#include <utility>

#include "common/byte_source.h"
#include "common/check.h"
#include "compress/body_stream.h"
#include "compress/outer_step.h"

namespace train {

// Stays where it is: what was judged points into it.
class JudgedBody {
 public:
  JudgedBody(const compress::BodyFormat& format, common::Bytes bytes)
      : bytes_(std::move(bytes)), source_(bytes_) {
    auto opened = compress::StoredBody::open(source_, 0, bytes_.size(), format);
    CHECK(opened.has_value() && opened->has_value());
    body_ = std::move(**opened);
    auto judged = compress::judge_body(*body_, format, 1);
    CHECK(judged.has_value() && judged->has_value());
    sums_ = std::move(**judged);
  }
  JudgedBody(const JudgedBody&) = delete;
  JudgedBody& operator=(const JudgedBody&) = delete;

  const common::Bytes& bytes() const { return bytes_; }
  const compress::StoredBody& body() const { return *body_; }
  const compress::BodySums& sums() const { return sums_; }
  compress::StoredContributor by(common::Uid uid, double weight = 1.0) const {
    return {uid, weight, &*body_, &sums_};
  }

 private:
  common::Bytes bytes_;
  common::MemorySource source_;
  std::optional<compress::StoredBody> body_;
  compress::BodySums sums_;
};

}  // namespace train
