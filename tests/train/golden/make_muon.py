#!/usr/bin/python3
"""Writes muon.json: five steps of Muon, in fp64 and another way than ours: where we multiply
matrices, this takes the singular values apart (torch.linalg.svd) and bends each by the polynomial.
Embeddings, vocabulary and vectors are torch.optim.AdamW's.

Made with Debian 12's python3-torch 1.13.1 by   /usr/bin/python3 tests/train/golden/make_muon.py
"""
import json
import os

import torch

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)

INNER = dict(learning_rate=0.02, beta1=0.9, beta2=0.95, epsilon=1e-8, weight_decay=0.1,
             gradient_clip=1.0, muon_momentum=0.95, muon_iterations=5, muon_adamw_ratio=0.2)
STEPS = 5
AT = "model.layers.0."
SHAPES = [("model.embed_tokens.weight", (13, 8)), (AT + "self_attn.q_proj.weight", (8, 8)),
          (AT + "self_attn.k_proj.weight", (4, 8)), (AT + "mlp.gate_proj.weight", (12, 8)),
          (AT + "mlp.down_proj.weight", (8, 12)), (AT + "input_layernorm.weight", (8,)),
          ("lm_head.weight", (13, 8))]


def mixed(i):
    """A hash of 32 bits; the test has the same."""
    i &= 0xFFFFFFFF
    i = (i ^ (i >> 16)) * 0x7FEB352D & 0xFFFFFFFF
    i = (i ^ (i >> 15)) * 0x846CA68B & 0xFFFFFFFF
    return i ^ (i >> 16)


def drawn(first, shape):
    count = torch.Size(shape).numel()
    values = torch.tensor([mixed(i) / 2**32 - 0.5 for i in range(first, first + count)])
    return values.float().double().reshape(shape)


def bent(value):
    for _ in range(INNER["muon_iterations"]):
        value = 3.4445 * value - 4.7750 * value**3 + 2.0315 * value**5
    return value


def orthogonal(matrix):
    u, s, vt = torch.linalg.svd(matrix, full_matrices=False)
    return u @ torch.diag(bent(s / s.square().sum().sqrt())) @ vt


def main():
    theta, first = {}, 0
    for name, shape in SHAPES:
        theta[name] = drawn(first, shape).requires_grad_()
        first += theta[name].numel()
    is_muons = {n: n.startswith("model.layers.") and p.dim() == 2 for n, p in theta.items()}
    others = [p for n, p in theta.items() if not is_muons[n]]
    adamw = torch.optim.AdamW(
        [dict(params=[p for p in others if p.dim() == 2], weight_decay=INNER["weight_decay"]),
         dict(params=[p for p in others if p.dim() == 1], weight_decay=0.0)],
        lr=INNER["learning_rate"] * INNER["muon_adamw_ratio"],
        betas=(INNER["beta1"], INNER["beta2"]), eps=INNER["epsilon"])
    momentum = {n: torch.zeros_like(p) for n, p in theta.items()}
    norms = []
    for step in range(STEPS):
        at = 1000003 * (step + 1)
        for p in theta.values():
            p.grad = drawn(at, p.shape)
            at += p.numel()
        norms.append(torch.nn.utils.clip_grad_norm_(list(theta.values()),
                                                    INNER["gradient_clip"]).item())
        adamw.step()
        with torch.no_grad():
            for name, p in theta.items():
                if not is_muons[name]:
                    continue
                mu, rate = INNER["muon_momentum"], INNER["learning_rate"]
                momentum[name] = mu * momentum[name] + p.grad
                update = orthogonal(p.grad + mu * momentum[name])
                p *= 1 - rate * INNER["weight_decay"]
                p -= rate * 0.2 * max(p.shape)**0.5 * update
    golden = dict(made_by=f"make_muon.py, torch {torch.__version__}", inner=INNER, norms=norms,
                  tensors=[dict(name=n, rows=p.shape[0] if p.dim() == 2 else 1, cols=p.shape[-1],
                                after=p.flatten().tolist()) for n, p in theta.items()])
    folder = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(folder, "muon.json"), "w", encoding="utf-8") as file:
        lines = [f" {json.dumps(key)}: {json.dumps(value)}" for key, value in golden.items()]
        file.write("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
