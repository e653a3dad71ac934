// Scores on disk: one atomic, synced, hash-chained RocksDB batch a window, so that an auditor sees
// everything or nothing, and a changed byte breaks the chain.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/hparams.h"
#include "common/result.h"
#include "validator/evidence.h"
#include "validator/scoreboard.h"
#include "validator/weights.h"

namespace validator {

// One window, as stored.
struct Record {
  WindowEvidence evidence;
  Scoreboard board;            // After it.
  std::vector<Share> weights;  // After it.
  Hash previous;               // Chain: hash of the record before; zero for the first.
  Hash hash;                   // See hash_of.
};

// BLAKE2b-256 over previous, hparams hash, evidence, board, weights: what the score report signs.
Hash hash_of(const Record& record, const Hash& hparams_hash);

class ScoreStore {
 public:
  enum class Mode { kReadWrite, kReadOnly };

  // kAlreadyExists if another process has it open for writing (read-only opens are always possible,
  // and see what was stored by then); kNotFound if there is none to read; kConflict if it was
  // written under other hparams; kCorrupt if its version is unknown, or, for writing, if there is
  // no going on from its last record.
  static common::Result<ScoreStore> open(const std::filesystem::path& folder,
                                         const common::Hparams& hparams, Mode mode);
  ScoreStore(ScoreStore&&) noexcept;
  ScoreStore& operator=(ScoreStore&&) noexcept;
  ~ScoreStore();

  // The board to go on from: empty before the first window.
  const Scoreboard& board() const;
  // Computes the record from the evidence and writes it; on return it is on the disk.
  // Pre: evidence.window is after board().window, or the store is empty.
  common::Result<Record> append(const WindowEvidence& evidence);
  // kNotFound; kCorrupt if its bytes are not what was written.
  common::Result<Record> read(Window window) const;
  // First and last window stored; nothing for an empty store.
  std::optional<std::pair<Window, Window>> range() const;
  // All windows stored, ascending: those sat out are missing. kCorrupt if the database cannot be
  // read.
  common::Result<std::vector<Window>> windows() const;
  // What is wrong with the database beside its records, a sentence each: entries that no ScoreStore
  // wrote, a last record that is not the one noted as the last.
  std::vector<std::string> troubles() const;

 private:
  struct Impl;
  explicit ScoreStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace validator
