// Every number that two nodes must share, in one file (hparams.json), whole: no field has a
// default, an unknown key is an error, and the hash of the canonical text goes into every
// contribution, so that two nodes with different numbers notice at once instead of drifting apart.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "common/hash.h"
#include "common/result.h"
#include "common/window.h"

namespace common {

// One window in blocks, as offsets from its first. 0 < seal < reveal < manifest <
// blocks_per_window.
struct ScheduleParams {
  uint64_t blocks_per_window;
  uint64_t seal_block;           // What is not in the bucket at this block does not count.
  uint64_t reveal_block;         // Keys are out by now; ciphertexts are opened.
  uint64_t manifest_block;       // From here the lead may anchor the manifest,
  uint64_t lead_timeout_blocks;  //   and this many blocks later each the next validator by stake.
  double manifest_quorum;        // Share of permitted stake that must co-sign; 0: the lead alone.
};

// A LLaMA. Source: Touvron et al. 2023, arXiv:2302.13971; grouped-query attention arXiv:2305.13245.
struct ModelParams {
  uint32_t vocabulary;
  uint32_t dim;  // heads * an even head size
  uint32_t layers;
  uint32_t heads;
  uint32_t kv_heads;  // divides heads
  uint32_t hidden;    // of the SwiGLU
  uint32_t sequence_length;
  double rope_theta;
  // Rotary frequencies stretched for longer texts, as LLaMA 3.1 has it: those with fewer than
  // rope_low_frequency turns in rope_original_length positions are divided by rope_factor, those
  // with more than rope_high_frequency stay, between them on a line. A factor of 1 is none of it.
  double rope_factor;
  double rope_low_frequency;
  double rope_high_frequency;
  uint32_t rope_original_length;
  double norm_epsilon;
  bool tied_embeddings;
  // Initial parameters: a given model's, by its Merkle root (train/replica.h); if that is zero,
  Hash initial_theta;
  uint64_t init_seed;  //   Philox by this seed,
  double init_std;     //   normal with this deviation (residual outputs divided by sqrt(2 layers)).
};

// The inner optimiser: at most `steps` steps a window.
struct InnerParams {
  uint32_t steps;
  uint32_t sequences_per_step;
  std::string optimiser;  // "adamw" or "muon"
  // The rate: linear over warmup_windows (the first step already learns), then a cosine that
  // reaches final_ratio * rate at decay_windows. Its time stands still for flat_windows from window
  // flat_window on.
  double learning_rate;
  uint64_t warmup_windows;
  uint64_t decay_windows;
  double final_ratio;
  uint64_t flat_window;
  uint64_t flat_windows;
  // From window anneal_window on (0: never) another schedule, on the data set data.anneal: linear
  // to anneal_ratio * rate over anneal_warmup_steps inner steps, then linear to 0 at window
  // anneal_window + anneal_windows.
  uint64_t anneal_window;
  uint64_t anneal_windows;
  uint64_t anneal_warmup_steps;
  double anneal_ratio;
  double beta1;
  double beta2;
  double epsilon;
  double weight_decay;   // On matrices only.
  double gradient_clip;  // Global norm; 0 is off.
  // Muon, for the layers' matrices; embeddings, vocabulary and vectors are AdamW's.
  double muon_momentum;
  uint32_t muon_iterations;  // Of Newton and Schulz.
  double muon_adamw_ratio;   // The rate of AdamW's part, relative to learning_rate.
};

struct CodecParams {
  std::string name;  // "sparseloco"
  uint32_t tile;     // Values in a tile, at most 4,096: 64 x 64 of a matrix.
  uint32_t
      keep;  // Largest magnitudes kept of a whole tile; of a smaller one its share, rounded up.
  double feedback_decay;  // beta of  e = beta * e + delta
  // A miner trains from theta - e instead of theta: as if nothing of its own were held back. Nobody
  // else knows e, so a miner's inner steps cannot be repeated from public state alone.
  bool look_ahead = false;
};

struct OuterParams {
  double learning_rate;
  std::string divide;  // "contributors" (by all who contribute) or "senders" (of the coordinate)
  std::string rule;    // theta -= rate * G: "average"; theta -= rate * sign(G): "sign" (DeMo)
  double norm_floor;   // Least value of the median norm, relative to the mean norm.
  uint32_t contributors_max;  // The manifest accepts at most so many, the best rated.
};

struct DataParams {
  Hash train;    // BLAKE2b-256 of the training set's manifest.json,
  Hash anneal;   //   of the one that annealing reads (zero where there is none),
  Hash heldout;  //   and of the held-out set's.
  bool document_mask;
};

struct EvaluationParams {
  double step;               // theta - step * clipped update is what is judged.
  uint32_t sequences_min;    // Of each kind (common, own), before anything is decided;
  uint32_t sequences_batch;  //   then so many more at a time,
  uint64_t tokens_max;  //   until the interval excludes zero or so many tokens of a kind were read.
  double confidence_z;  // The interval's half width in standard errors.
  uint32_t contributions_max;  // Judged each window; who waited longest goes first.
};

// Plackett-Luce with forgetting. Sources: Weng & Lin 2011 (JMLR 12); OpenSkill 6.2.
struct RatingParams {
  double mu;
  double sigma;
  double beta;
  double kappa;
  double tau;              // Added to sigma, in quadrature, each window: forgetting.
  double memory;           // Each window mu moves back to its start by 1/memory of the way.
  double advantage_z;      // |z| of the own advantage from which the indicator is +1 or -1.
  double advantage_decay;  // Of its moving average.
  double
      advantage_required;  // Average below which a peer counts as not having trained on its data;
  uint64_t advantage_windows;  //   asked for from this many judged windows on.
};

// Multipliers of a peer's score, each applied once for each new piece of evidence.
struct PenaltyParams {
  double missing;   // Of the multiplier, for a window without a contribution that counts.
  double invalid;   // For a malformed, mis-signed, oversized, wrong-shape or non-finite one.
  double copied;    // For an overlap beyond chance.
  double recovery;  // Each accepted window moves the multiplier to 1 by this share of the way.
  double
      waiver_share;  // If at least this share of peers failed together, nobody is penalised (W14).
  double overlap_z;  // Overlap that is so many deviations above the window's own distribution.
};

struct WeightParams {
  uint64_t windows_per_weights;  // Weights go to the chain every so many windows.
  uint32_t gather_count;         // How many of the best are gathered from,
  double gather_share;           //   and their share of what is not burned.
  double top_ratio;              // Best over last gathered peer, on a straight line between.
  uint32_t reserve_count;        // How many stand by,
  double reserve_decay;          //   each with this much of the one before.
  double exploration_share;  // Spread evenly over all others whose contribution was accepted (W19).
  double burn_share;         // To burn_uid, before anybody.
  Uid burn_uid;
};

struct CheckpointParams {
  uint64_t windows;            // A checkpoint every so many windows,
  uint64_t keep;               //   of which the newest so many are kept.
  uint64_t full_root_windows;  // Every so many windows the state root covers theta itself.
};

struct Hparams {
  uint32_t protocol;  // 1
  uint16_t netuid;
  ScheduleParams schedule;
  ModelParams model;
  InnerParams inner;
  CodecParams codec;
  OuterParams outer;
  DataParams data;
  EvaluationParams evaluation;
  RatingParams rating;
  PenaltyParams penalty;
  WeightParams weights;
  CheckpointParams checkpoint;

  // kInvalidArgument with one sentence that names the field: an unknown key (and the nearest known
  // one), a missing key, a wrong type, a value out of range, or two values that contradict each
  // other.
  static Result<Hparams> parse(std::string_view json);
  static Result<Hparams> load(const std::filesystem::path& file);

  // One text for one set of values: keys sorted, no spaces, numbers in their shortest form that
  // reads back the same. parse(canonical()) is the identity.
  std::string canonical() const;
  // BLAKE2b-256 of the canonical text.
  Hash hash() const;
};

}  // namespace common
