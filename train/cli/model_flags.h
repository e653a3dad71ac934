// Flags that the verbs of `muster model` share, and how they show that they are at work.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "common/verb.h"
#include "train/hf_checkpoint.h"

namespace train::cli {

void add_json_flag(CLI::App& verb);
bool wants_json(const CLI::App& verb);
// --threads; all cores unless given.
void add_threads_flag(CLI::App& verb);
uint32_t threads_of(const CLI::App& verb);
// --out, --dtype, --shard-gb
void add_out_flags(CLI::App& verb);
// `as_stored` if there is no --dtype.
HfWriteOptions write_options_of(const CLI::App& verb, Dtype as_stored);

// One line on a terminal that is written over; nothing elsewhere.
ModelProgress progress_line(const std::string& doing);

// A line of what was written, and what to do with it.
void print_written(const CLI::App& verb, const HfConfig& config, std::span<const float> theta,
                   const HfWriteOptions& options);

// generate and eval.
void add_text_verbs(CLI::App& model, int& exit_code);

}  // namespace train::cli
