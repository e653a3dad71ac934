#!/usr/bin/env python3
"""Writes demo.txt: some windows of DeMo and of DisTrO between two miners, by PyTorch in fp64.

    /usr/bin/python3 tests/compress/golden/make_demo.py > tests/compress/golden/demo.txt

The transform is torch.fft's, not a sum of cosines. Made with PyTorch 1.13, Python 3.11.

Lines are `name words...`: sorted indices of what was sent, momenta at every 97th parameter, signs
of the step at every 7th (+, -, and ? where the aggregate is too near zero to tell).
"""
import torch

ROWS, COLS = 128, 64  # Two tiles of 64 x 64, and a vector of 64.
SIZE = ROWS * COLS + 64
WINDOWS, MINERS = 3, 2


def delta(window, miner):
    values, state = [], 1 + 10 * window + miner
    for i in range(SIZE):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        number = (state >> 40) % 65536 - 32768
        values.append(number**3 / 2**45 * 2.0 ** (i // 64 * 7 % 5))
    return torch.tensor(values, dtype=torch.float64).to(torch.float32).double()


def dct(x):
    """DCT-II of the last dimension, orthonormal, by an FFT of the mirrored values."""
    n = x.shape[-1]
    mirrored = torch.fft.fft(torch.cat([x, x.flip(-1)], -1))[..., :n]
    turn = torch.exp(-0.5j * torch.pi * torch.arange(n, dtype=torch.float64) / n)
    y = (mirrored * turn).real / 2 * (2 / n) ** 0.5
    y[..., 0] /= 2**0.5
    return y


def inverse(y):
    """By solving for it: the inverse of the matrix that dct is."""
    n = y.shape[-1]
    return y @ torch.linalg.inv(dct(torch.eye(n, dtype=torch.float64)))


def both(x, transform):
    """Tiles of 64 x 64 of the matrix, and the vector; flat to flat."""
    tiles = x[: ROWS * COLS].view(-1, 64, 64)
    tiles = transform(transform(tiles).transpose(1, 2)).transpose(1, 2)
    return torch.cat([tiles.flatten(), transform(x[ROWS * COLS :])])


def largest(coefficients, keep):
    mask = torch.zeros_like(coefficients)
    for first, size in [(0, 4096), (4096, 4096), (8192, 64)]:
        of = coefficients[first : first + size]
        count = -(-size * keep // 4096)
        mask[first + of.abs().topk(count).indices] = 1
    return mask


def run(name, keep, decay, signs):
    momenta = [torch.zeros(SIZE, dtype=torch.float64) for _ in range(MINERS)]
    for window in range(WINDOWS):
        mean = torch.zeros(SIZE, dtype=torch.float64)
        for miner in range(MINERS):
            momentum = decay * momenta[miner] + delta(window, miner)
            coefficients = both(momentum, dct)
            mask = largest(coefficients, keep)
            momenta[miner] = momentum - both(coefficients * mask, inverse)
            sent = coefficients.sign() if signs else coefficients.bfloat16().double()
            mean += sent * mask / MINERS
            indices = mask.nonzero().flatten().tolist()
            print(f"{name}_sent_{window}_{miner}", *indices)
            print(f"{name}_momentum_{window}_{miner}",
                  *[f"{x:.9g}" for x in momenta[miner][::97].tolist()])
        step = both(mean, inverse)
        near = step.abs() < 1e-5 * step.abs().max()
        marks = ["?" if n else "+" if x > 0 else "-" for x, n in zip(step.tolist(), near.tolist())]
        print(f"{name}_step_{window}", "".join(marks[::7]))


run("demo", 32, float(torch.tensor(0.999)), False)
run("distro", 4, float(torch.tensor(0.995)), True)
