#include "tests/validator/support.h"

#include "common/check.h"
#include "common/philox.h"

namespace validator {

common::Hparams tiny_hparams() {
  const auto hparams = common::Hparams::load(MUSTER_SOURCE_DIR "/tests/data/hparams.json");
  CHECK(hparams.has_value());
  return *hparams;
}

common::AccountId account(uint8_t number) {
  common::AccountId id;
  id.bytes.fill(number);
  return id;
}

Hash digest(uint64_t number) { return common::Hasher().number(number).finish(); }

Losses losses(double mean, double spread, size_t count) {
  Losses losses;
  for (size_t i = 0; i < count; ++i) {
    losses.samples.push_back(i);
    losses.before.push_back(4.0);
    losses.after.push_back(4.0 - mean - (i % 2 == 0 ? spread : -spread));
  }
  return losses;
}

Evidence judged(uint16_t uid, double common, double own, double spread) {
  Evidence row{.uid = {uid}, .hotkey = account(static_cast<uint8_t>(uid + 1))};
  row.contribution = digest(uid);
  row.sealed_size = 1000;
  row.common = losses(common, spread);
  row.own = {losses(own, spread), losses(common, spread)};
  row.overlap_with = row.uid;
  return row;
}

Evidence failed(uint16_t uid, Verdict verdict) {
  return {.uid = {uid}, .hotkey = account(static_cast<uint8_t>(uid + 1)), .verdict = verdict};
}

WindowEvidence window_of(uint64_t index, std::vector<Evidence> rows) {
  return {.window = {index},
          .manifest = digest(index),
          .base_root = digest(index + 1000),
          .seed_block = digest(index + 2000),
          .peers = std::move(rows)};
}

WindowEvidence random_window(uint64_t index, uint16_t peers, uint64_t seed) {
  common::Philox random(common::Hasher().number(seed).number(index).finish());
  std::vector<Evidence> rows;
  for (uint16_t uid = 0; uid < peers; ++uid) {
    if (random.below(8) == 0) {
      rows.push_back(failed(uid, Verdict::kMissing));
    } else {
      const double gain = 0.05 + 0.001 * uid + 0.005 * random.normal();
      rows.push_back(judged(uid, gain, gain + 0.01 * random.unit(), 0.01));
    }
  }
  return window_of(index, std::move(rows));
}

}  // namespace validator
