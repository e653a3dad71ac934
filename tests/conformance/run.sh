#!/bin/sh
# run.sh PATH_OF_MUSTER PATH_OF_CLIENT: runs the checks; exit code 77, and a sentence, where they cannot run.
here=$(cd "$(dirname "$0")" && pwd)
skip() {
  echo "skipped: $1"
  exit 77
}
command -v node >/dev/null 2>&1 || skip "there is no node on this machine (install nodejs 18 or newer)"
major=$(node -p 'process.versions.node.split(".")[0]')
[ "$major" -ge 18 ] || skip "node is of version $major; polkadot-js wants 18 or newer"
[ -f "$here/node_modules/.package-lock.json" ] ||
  skip "polkadot-js is not installed: run 'npm ci' in tests/conformance (it needs the npm registry)"
for program in "$1" "$2"; do
  [ -x "$program" ] || skip "there is no program '$program': build muster and conformance_client first"
done
exec node "$here/run.mjs" "$1" "$2"
