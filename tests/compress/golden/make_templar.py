#!/usr/bin/env python3
"""Writes templar.txt: what Templar's quantiser and packing make of known numbers, by PyTorch.

    /usr/bin/python3 tests/compress/golden/make_templar.py > tests/compress/golden/templar.txt

Written from the formulas that compress/templar.h names the source of, not from its code,
and checked as it runs against PyTorch's own fp32 sums. Made with PyTorch 1.13, Python 3.11.

Lines are `name words...`, fp32 as the hexadecimal of its bits, bytes as one hexadecimal string.
"""
import math
import struct

import torch

BINS, RANGE = 4, 6


def heavy_tailed(count, seed, row):
    """Cubes of uniform integers, scaled by 2^(0..4) row by row: exact in any language."""
    values, state = [], seed
    for i in range(count):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        number = (state >> 40) % 65536 - 32768
        values.append(number**3 / 2**30 * 2.0 ** (i // row * 7 % 5))
    return torch.tensor(values, dtype=torch.float64).to(torch.float32)


def quantise(v):
    """Elements in fp32; sums without error, rounded once (their order is PyTorch's affair)."""
    n = v.numel()
    mean = torch.tensor(math.fsum(v.tolist()) / n).float()
    c = v - mean
    norm = torch.tensor(math.sqrt(math.fsum(x * x for x in c.tolist()))).float()
    deviation = norm / math.sqrt(n - 1) if n > 1 else torch.tensor(0.0)
    scale = float(RANGE * deviation / BINS)
    if scale == 0 or not math.isfinite(scale):
        scale = 1.0
    q = ((c / scale + BINS // 2).round()).clamp(0, BINS - 1).to(torch.uint8)
    level = torch.zeros(BINS)
    for j in range(BINS):
        of = c[q == j].tolist()
        if of:
            level[j] = math.fsum(of) / len(of)
    check(v, mean, scale, q, level)
    return mean, scale, q, level


def check(v, mean, scale, q, level):
    """PyTorch's own sums, scatter_add among them, give the same but for rounding."""
    c = v - v.mean()
    sums, counts = torch.zeros(BINS), torch.zeros(BINS)
    sums.scatter_add_(0, q.long(), c)
    counts.scatter_add_(0, q.long(), torch.ones_like(c))
    size = float(v.abs().max()) + 1e-30
    assert torch.allclose(v.mean(), mean, atol=1e-5 * size)
    if v.numel() > 1 and scale != 1.0:
        assert abs(float(c.norm() / math.sqrt(v.numel() - 1)) * 1.5 / scale - 1) < 1e-5
    assert torch.allclose(torch.where(counts > 0, sums / counts, sums), level, atol=1e-5 * size)


def pack(indices):
    a, b = indices[0::2], indices[1::2]
    return torch.stack([a & 255, (a >> 8) | ((b & 15) << 4), b >> 4], 1).flatten()


def body(tensor, keep):
    """One matrix whose sides 64 divides, in chunks of 64 x 64; the kept ascending in each."""
    rows, cols = tensor.shape
    chunks = tensor.view(rows // 64, 64, cols // 64, 64).permute(0, 2, 1, 3).reshape(-1, 4096)
    # Stable, so that the lower offset wins a tie; then ascending.
    order = torch.sort(chunks.abs(), dim=1, descending=True, stable=True).indices
    kept = torch.sort(order[:, :keep], dim=1).values
    mean, scale, q, level = quantise(torch.gather(chunks, 1, kept).flatten())
    parameters = struct.pack("<6f", float(mean), scale, *level.tolist())
    return bytes(pack(kept.flatten()).tolist()) + bytes(q.tolist()) + parameters


def words(numbers):
    return " ".join(struct.pack(">f", float(number)).hex() for number in numbers)


def main():
    print("pack", bytes(pack(torch.tensor([1, 4095, 2748, 291])).tolist()).hex())
    examples = {
        "wrong_sign": torch.tensor([4.0, -4, 5, -5, 3, -3, 10, -2]),
        "equal": torch.ones(4),
        "one": torch.tensor([-2.5]),
        "heavy": heavy_tailed(100, 1, 10),
        "light": heavy_tailed(77, 2, 1000),
    }
    for name, values in examples.items():
        mean, scale, q, level = quantise(values)
        print(f"values_{name}", words(values))
        print(f"levels_{name}", words([mean, scale, *level.tolist()]))
        print(f"codes_{name}", bytes(q.tolist()).hex())
        print(f"sent_{name}", words(level[q.long()] + mean))
    for rows, cols, keep, seed in [(128, 64, 64, 3), (64, 192, 16, 4)]:
        values = heavy_tailed(rows * cols, seed, cols).view(rows, cols)
        print(f"body_{rows}_{cols}_{keep}_{seed}", body(values, keep).hex())


main()
