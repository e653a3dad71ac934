#!/usr/bin/env python3
"""Muster's training step beside PyTorch's on this machine: the table of the whitepaper.

Runs train_bench and torch_llama.py in turn, one row a process (so that each one's peak memory is its own), ROUNDS
times each, and prints the medians and their ratio: of tokens a second of the wall clock, and of tokens a second of CPU
time, which other work on the machine disturbs less (waiting threads sleep here and spin there, so on two threads it
favours us a little). PyTorch is Debian's python3-torch, on OpenBLAS's OpenMP flavour, its fastest configuration there.

  tests/bench/compare_training.py build/release/bin/train_bench --rounds 3 --models s15 m110
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
TORCH_ENVIRONMENT = {
    "LD_LIBRARY_PATH": "/usr/lib/x86_64-linux-gnu/openblas-openmp",
}


def run_muster(program, row):
    command = [program, f"--benchmark_filter=^{row}/process_time", "--benchmark_format=json"]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["benchmarks"]
    if len(found) != 1 or found[0].get("error_occurred"):
        sys.exit(f"{row}: train_bench gave {found}")
    row = found[0]
    cpu_rate = row["tokens/s"] * row["real_time"] / row["cpu_time"]
    return row["tokens/s"], cpu_rate, row["peak_MiB"]


def run_torch(row):
    model, seq, precision, threads = row.split("/")
    command = ["/usr/bin/python3", str(HERE / "torch_llama.py"), "--model", model, "--seq", seq.split(":")[1],
               "--precision", precision, "--threads", threads.split(":")[1], "--steps", "2"]
    environment = os.environ | TORCH_ENVIRONMENT | {"OMP_NUM_THREADS": threads.split(":")[1]}
    out = json.loads(subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout)
    return out["tokens/s"], out["tokens/cpu_s"], out["peak_rss_MiB"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("train_bench")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--models", nargs="+", default=["s15", "m110"])
    parser.add_argument("--threads", nargs="+", default=["2"])
    options = parser.parse_args()

    print("| row | Muster tokens/s | PyTorch | ratio | Muster tokens/CPU s | PyTorch | ratio | Muster MiB | PyTorch |")
    print("| --- |" + " --- |" * 8)
    rows = [f"{model}/seq:{seq}/{precision}/threads:{threads}" for model in options.models for seq in (256, 1024)
            for precision in ("fp32", "bf16") for threads in options.threads]
    for row in rows:
        pairs = [(run_muster(options.train_bench, row), run_torch(row)) for _ in range(options.rounds)]
        medians = [[statistics.median(pair[side][i] for pair in pairs) for side in (0, 1)] for i in range(3)]
        cells = [f"{ours:,.0f} | {theirs:,.0f} | {ours / theirs:.2f}" for ours, theirs in medians[:2]]
        print(f"| {row} | {cells[0]} | {cells[1]} | {medians[2][0]:,.0f} | {medians[2][1]:,.0f} |", flush=True)


if __name__ == "__main__":
    main()
