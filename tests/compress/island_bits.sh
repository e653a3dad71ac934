#!/bin/bash
# Goal: the island's bits do not depend on compiler, optimisation level or instruction set.
# Method: the island, compiled several ways, prints its hash; all must print the one that
# island_test.cpp holds. A control is compiled with fused multiply-add allowed, and must print
# another: so the comparison can fail.
#
# island_bits.sh SOURCE_DIR      exits 77 (skipped) if there is no clang++-16
set -euo pipefail
source_dir=$1
cd "$source_dir"

if ! command -v clang++-16 >/dev/null; then
  echo "skipped: no clang++-16 on this machine"
  exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
launcher=$(command -v ccache || true)

sources=(
  common/{bytes,check,hash,philox}.cpp
  compress/{aggregate,body_format,body_stream,body_sum,clip,codec,error_feedback,layout}.cpp
  compress/{quantise,sparseloco,tile_code,tile_groups,two_levels,update}.cpp
  compress/simd/{gaps,select,split,sum,values}.cpp
  tests/compress/{island,island_bits,support}.cpp
)

# HWY_WANT_AVX3_DL: Highway 1.0 refuses -march=native on a processor that has more than it was
# asked for.
# island_hash COMPILER FLAG...
island_hash() {
  local objects=() object
  for file in "${sources[@]}"; do
    object=$work/$(basename "$file").o
    # shellcheck disable=SC2046
    $launcher "$@" -std=c++20 -DHWY_WANT_AVX3_DL -I. $(pkg-config --cflags libsodium libhwy) -c "$file" -o "$object"
    objects+=("$object")
  done
  # shellcheck disable=SC2046
  "$1" "${objects[@]}" $(pkg-config --libs libsodium libhwy) -o "$work/island"
  "$work/island"
}

wanted=$(grep -oE '"[0-9a-f]{64}"' tests/compress/island_test.cpp | tr -d '"')
echo "$wanted  committed"
failed=0
while read -r way; do
  # shellcheck disable=SC2086
  hash=$(island_hash $way)
  echo "$hash  $way"
  [ "$hash" = "$wanted" ] || failed=1
done <<'WAYS'
g++ -O0 -ffp-contract=off
g++ -O3 -march=native -ffp-contract=off
clang++-16 -O2 -ffp-contract=off
clang++-16 -O3 -march=native -ffp-contract=off
WAYS

if grep -qw fma /proc/cpuinfo 2>/dev/null; then
  hash=$(island_hash g++ -O3 -march=native -ffp-contract=fast)
  echo "$hash  the control: g++ -O3 -march=native -ffp-contract=fast"
  [ "$hash" != "$wanted" ] || { echo "the control gave the same bits"; failed=1; }
fi
exit $failed
