// Goal: no text crashes the readers of config.json and of the index of shards, and what they accept
// has a layout and reads back from our own writing. Method: read, lay out, write, read.
#include <cstddef>
#include <cstdint>

#include "common/bytes.h"
#include "common/check.h"
#include "train/hf_config.h"
#include "train/model.h"
#include "train/model_files/shard_index.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = common::text_of({data, size});
  if (const auto config = train::HfConfig::parse(text)) {
    const common::CodecParams codec{
        .name = "sparseloco", .tile = 4096, .keep = 64, .feedback_decay = 0};
    CHECK(train::parameter_layout(config->model, codec).parameter_count() > 0);
    const auto again = train::HfConfig::parse(config->config_text());
    CHECK(again.has_value() && again->config_text() == config->config_text());
  }
  if (const auto index = train::ShardIndex::parse(text)) {
    const auto again = train::ShardIndex::parse(index->text());
    CHECK(again.has_value() && again->file_of == index->file_of);
  }
  return 0;
}
