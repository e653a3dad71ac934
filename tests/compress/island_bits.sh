#!/bin/bash
# Goal: the island's bits do not depend on compiler, optimisation level or instruction set.
# Method: the island, compiled several ways, prints a root for each codec; all must print what
# golden/island.txt holds. A control is compiled with fused multiply-add allowed, and must print
# others: so the comparison can fail.
#
# island_bits.sh SOURCE_DIR         exits 77 (skipped) if there is no clang++-16
# island_bits.sh SOURCE_DIR write   writes golden/island.txt instead, after the format of a codec was
#                                   changed; look at which lines differ
set -euo pipefail
source_dir=$1
cd "$source_dir"
golden=tests/compress/golden/island.txt

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
launcher=$(command -v ccache || true)

sources=(
  common/{byte_source,bytes,check,hash,philox,store/file_ops}.cpp
  compress/{aggregate,band,body_format,body_stream,body_sum,clip,codec,dct,demo,dense}.cpp
  compress/{error_feedback,layout,make_codec,outer_step,pack12,quantise,sparseloco,templar}.cpp
  compress/{tile_code,tile_groups,topk,two_levels,update}.cpp
  compress/simd/*.cpp
  tests/compress/{island,island_bits,support}.cpp
)

libraries=(libsodium libhwy fmt)

# HWY_WANT_AVX3_DL: Highway 1.0 refuses -march=native on a processor that has more than it was
# asked for.
# island_roots COMPILER FLAG...; without an optimiser only with the best instruction set.
island_roots() {
  local brief=()
  case " $* " in *" -O0 "* | *" -O1 "*) brief=(brief) ;; esac
  local objects=() object
  for file in "${sources[@]}"; do
    object=$work/$(dirname "$file" | tr / _)_$(basename "$file").o
    # shellcheck disable=SC2046
    $launcher "$@" -std=c++20 -DHWY_WANT_AVX3_DL -I. $(pkg-config --cflags "${libraries[@]}") -c "$file" -o "$object"
    objects+=("$object")
  done
  # shellcheck disable=SC2046
  "$1" "${objects[@]}" $(pkg-config --libs "${libraries[@]}") -pthread -o "$work/island"
  "$work/island" "${brief[@]}"
}

if [ "${2:-}" = write ]; then
  island_roots g++ -O2 -ffp-contract=off >"$work/roots"
  {
    echo "# State roots of the island (tests/compress/island.h), one a codec. Written by"
    echo "# tests/compress/island_bits.sh . write"
    cat "$work/roots"
  } >"$golden"
  exit
fi

if ! command -v clang++-16 >/dev/null; then
  echo "skipped: no clang++-16 on this machine"
  exit 77
fi
wanted=$(grep -v '^#' "$golden")
echo "$wanted"
failed=0
while read -r way; do
  # shellcheck disable=SC2086
  roots=$(island_roots $way) || failed=1
  if [ "$roots" = "$wanted" ]; then
    echo "as committed: $way"
  else
    echo "$roots"
    echo "not as committed: $way"
    failed=1
  fi
done <<'WAYS'
g++ -O0 -ffp-contract=off
g++ -O1 -ffp-contract=off
g++ -O3 -march=native -ffp-contract=off
clang++-16 -O0 -ffp-contract=off
clang++-16 -O2 -ffp-contract=off
clang++-16 -O3 -march=native -ffp-contract=off
WAYS

# With threads and targets alike it prints roots, else which were not: either way others.
if grep -qw fma /proc/cpuinfo 2>/dev/null; then
  roots=$(island_roots g++ -O3 -march=native -ffp-contract=fast) || true
  echo "$roots"
  echo "the control: g++ -O3 -march=native -ffp-contract=fast"
  [ "$roots" != "$wanted" ] || { echo "the control gave the same bits"; failed=1; }
fi
exit $failed
