// One run of the quality study: a method and every number that it depends on.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "common/hparams.h"
#include "common/result.h"

namespace bench {

// All runs: sequences of 128 tokens, a vocabulary of 4,096, documents masked from each other; the
// inner rate rises over the first sixteenth of the run and then falls along a cosine to final_ratio
// of it at the end, in tokens the same for every method.
struct QualitySettings {
  // adamw, muon one process, no exchange; a step reads what all `miners` read in one
  // dense       deltas in bf16, averaged; with outer_momentum it is DiLoCo
  // topk        the largest of each tile in fp32, with error feedback: sparse, but not quantised
  // mask        of each tile the same places for all miners, in turn, sign and two magnitudes
  // sparseloco, templar
  // dct         demo's codec on deltas
  // demo, distro  momentum residual of gradients, DCT, signs: no inner optimiser, steps is 1
  std::string method = "sparseloco";
  std::string model = "1m";  // or "5m": see model_of
  uint64_t tokens = 3'932'160;
  uint64_t seed = 1;  // Of the samples and of the first parameters.

  uint32_t miners = 4;
  uint32_t steps = 15;     // Inner steps a window: H.
  uint32_t sequences = 8;  // Of each miner a step.
  double inner_rate = 0.004;
  double final_ratio = 0.1;
  double beta1 = 0.9;
  double beta2 = 0.95;
  double weight_decay = 0.1;

  uint32_t keep = 64;  // Of 4,096.
  double feedback_decay = 0.95;
  std::string divide = "contributors";
  double outer_rate = 1;
  double outer_momentum = 0;  // Nesterov's.
  double outer_warmup = 0;    // Share of the run in which the outer rate rises on a line from 0,
  double outer_tail = 0;      //   and of its end in which it goes on a line
  double outer_end = 1;       //   to so much of itself.
  // Of miners' inner steps: adamw or muon, which takes AdamW's rates (train/muon.h; embeddings,
  // vocabulary and vectors at muon_ratio of them).
  std::string inner_optimiser = "adamw";
  double muon_ratio = 1;
  // What a miner may do on its own, unseen by others; 0 is the protocol. How much of its residual
  // it adds to the parameters that it trains from:
  double look_ahead = 0;
  // and how much of the outer step it takes off its residual, down to zero, where both agree in
  // direction: what others have sent need not be sent again.
  double forget = 0;
  // and of what it sends a part: a = smooth * a + (1 - smooth) * e is encoded instead of e, and
  // what was sent leaves both.
  double smooth = 0;

  // A key that is none, or a wrong type or name, is an error.
  static common::Result<QualitySettings> parse(const nlohmann::json& object);
  // Every field, but for those of Muon where it is not used: what identifies a run.
  nlohmann::json to_json() const;

  bool exchanges() const { return method != "adamw" && method != "muon"; }
  bool by_muon() const { return method == "muon" || inner_optimiser == "muon"; }
  bool by_signs() const { return method == "demo" || method == "distro"; }
  uint64_t window_tokens() const;
  uint64_t windows() const;
  // As the protocol has them; what the study does not use is zero.
  common::Hparams hparams() const;
  // Of a window's outer step.
  double outer_rate_at(uint64_t window) const;
};

inline constexpr uint32_t kQualitySequenceLength = 128;
inline constexpr uint32_t kQualityVocabulary = 4096;

// An object whose values may be lists stands for every combination of their elements, the last key
// turning fastest.
std::vector<nlohmann::json> combinations(const nlohmann::ordered_json& object);

}  // namespace bench
