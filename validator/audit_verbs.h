// The verbs that look at scores: audit, scores, explain, export.
#pragma once

namespace CLI {
class App;
}

namespace validator {

// Adds them to `program`; each sets `exit_code` when it has run. All read only, and work while the
// validator runs.
void add_audit_verbs(CLI::App& program, int& exit_code);

}  // namespace validator
