// An optimiser's state in a file, so that a restart goes on where it was (W43).
#pragma once

#include <filesystem>

#include "common/result.h"
#include "common/window.h"
#include "train/optimiser_parts.h"

namespace train {

// Atomic, versioned, hashed; streamed from the backends' memory in pieces, never a second time in
// memory. `window` is remembered beside it. The bytes are the same on however many machines the
// parts lie. Errors as common::FileWriter's. Cost: the hash's, 0.96 GB/s.
common::Result<void> save_optimiser(const OptimiserParts& optimiser,
                                    const std::filesystem::path& file, common::Window window);

// The same back, and the window. kNotFound; kCorrupt, with a sentence that says what to do, for one
// that is damaged, cut short, of another version, model, optimiser or range: nothing has changed
// then. Everything is checked before the first value is used.
common::Result<common::Window> load_optimiser(const OptimiserParts& optimiser,
                                              const std::filesystem::path& file);

}  // namespace train
