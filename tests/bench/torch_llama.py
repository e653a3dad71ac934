#!/usr/bin/python3
"""PyTorch's training step on the sizes of train_bench, for comparison: the same LLaMA, the same tokens a step.

Written as a PyTorch user would: nn.Linear, torch's own softmax attention with a causal mask, F.cross_entropy,
torch.optim.AdamW, clip_grad_norm_; bf16 is torch.autocast. Debian's python3-torch is enough. Prints one line of
JSON: tokens/s (median step), the same for a second of CPU time of one thread, seconds of each step, peak memory of the
process, PyTorch's version.

  /usr/bin/python3 tests/bench/torch_llama.py --model s15 --seq 256 --precision fp32 --threads 2
"""

import argparse
import json
import resource
import statistics
import time

import torch
import torch.nn.functional as F
from torch import nn

MODELS = {
    "s15": dict(dim=288, layers=6, heads=6, kv_heads=2, hidden=768, vocabulary=32000),
    "m110": dict(dim=768, layers=12, heads=12, kv_heads=4, hidden=2048, vocabulary=32000),
}
TOKENS_PER_STEP = 4096


class RMSNorm(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(dim))

    def forward(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5) * self.weight


def rotate(x, cosine, sine):
    a, b = x.chunk(2, dim=-1)
    return torch.cat((a * cosine - b * sine, b * cosine + a * sine), dim=-1)


class Layer(nn.Module):
    def __init__(self, dim, heads, kv_heads, hidden):
        super().__init__()
        self.heads, self.kv_heads, self.size = heads, kv_heads, dim // heads
        self.attention_norm, self.mlp_norm = RMSNorm(dim), RMSNorm(dim)
        self.q = nn.Linear(dim, dim, bias=False)
        self.k = nn.Linear(dim, kv_heads * self.size, bias=False)
        self.v = nn.Linear(dim, kv_heads * self.size, bias=False)
        self.o = nn.Linear(dim, dim, bias=False)
        self.gate = nn.Linear(dim, hidden, bias=False)
        self.up = nn.Linear(dim, hidden, bias=False)
        self.down = nn.Linear(hidden, dim, bias=False)

    def forward(self, x, cosine, sine, mask):
        B, T, C = x.shape
        normed = self.attention_norm(x)
        q = rotate(self.q(normed).view(B, T, self.heads, self.size).transpose(1, 2), cosine, sine)
        k = rotate(self.k(normed).view(B, T, self.kv_heads, self.size).transpose(1, 2), cosine, sine)
        v = self.v(normed).view(B, T, self.kv_heads, self.size).transpose(1, 2)
        k = k.repeat_interleave(self.heads // self.kv_heads, dim=1)
        v = v.repeat_interleave(self.heads // self.kv_heads, dim=1)
        scores = q @ k.transpose(-1, -2) / self.size**0.5 + mask
        out = torch.softmax(scores, dim=-1) @ v
        x = x + self.o(out.transpose(1, 2).reshape(B, T, C))
        normed = self.mlp_norm(x)
        return x + self.down(F.silu(self.gate(normed)) * self.up(normed))


class Llama(nn.Module):
    def __init__(self, dim, layers, heads, kv_heads, hidden, vocabulary, seq):
        super().__init__()
        self.embeddings = nn.Embedding(vocabulary, dim)
        self.layers = nn.ModuleList(Layer(dim, heads, kv_heads, hidden) for _ in range(layers))
        self.norm = RMSNorm(dim)
        nn.init.normal_(self.embeddings.weight, std=0.02)
        half = dim // heads // 2
        angles = torch.outer(torch.arange(seq), 10000.0 ** (-torch.arange(half) / half))
        self.register_buffer("cosine", angles.cos())
        self.register_buffer("sine", angles.sin())
        self.register_buffer("mask", torch.full((seq, seq), float("-inf")).triu(1))

    def forward(self, tokens, targets):
        x = self.embeddings(tokens)
        for layer in self.layers:
            x = layer(x, self.cosine, self.sine, self.mask)
        logits = F.linear(self.norm(x), self.embeddings.weight)
        return F.cross_entropy(logits.float().view(-1, logits.shape[-1]), targets.reshape(-1))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=MODELS, default="s15")
    parser.add_argument("--seq", type=int, default=256)
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=3, help="timed steps, after one that is not")
    options = parser.parse_args()

    torch.manual_seed(1)
    torch.set_num_threads(options.threads)
    shape = MODELS[options.model]
    model = Llama(seq=options.seq, **shape)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-4, betas=(0.9, 0.95), weight_decay=0.1)
    B = TOKENS_PER_STEP // options.seq
    seconds, cpu_seconds = [], []
    for step in range(options.steps + 1):
        run = torch.randint(shape["vocabulary"], (B, options.seq + 1))
        begin, cpu_begin = time.perf_counter(), time.process_time()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=options.precision == "bf16"):
            loss = model(run[:, :-1], run[:, 1:])
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        loss.item()
        if step > 0:
            seconds.append(time.perf_counter() - begin)
            cpu_seconds.append(time.process_time() - cpu_begin)
    print(json.dumps({
        "name": f"{options.model}/seq:{options.seq}/{options.precision}/threads:{options.threads}",
        "tokens/s": TOKENS_PER_STEP / statistics.median(seconds),
        "tokens/cpu_s": TOKENS_PER_STEP / statistics.median(cpu_seconds),
        "seconds": [round(s, 3) for s in seconds],
        "peak_rss_MiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "parameters": sum(p.numel() for p in model.parameters()),
        "torch": torch.__version__,
        "threads_used": torch.get_num_threads(),
    }))


if __name__ == "__main__":
    main()
