#!/usr/bin/python3
"""Writes llama.json: what PyTorch says about a small LLaMA. Plain torch operations in fp64, LLaMA
as in Hugging Face's transformers; AdamW and clipping are torch's own.

Made with Debian 12's python3-torch 1.13.1 by   /usr/bin/python3 tests/train/golden/make_golden.py
"""
import json
import os

import torch

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)

MODEL = dict(vocabulary=97, dim=32, layers=2, heads=4, kv_heads=2, hidden=48, sequence_length=16,
             rope_theta=10000.0, norm_epsilon=1e-5)
ADAMW = dict(learning_rate=3e-3, beta1=0.9, beta2=0.95, epsilon=1e-8, weight_decay=0.1,
             gradient_clip=1.0)
B = 3
END_OF_DOCUMENT = 0


def mixed(i):
    """A hash of 32 bits; the test has the same."""
    i &= 0xFFFFFFFF
    i = (i ^ (i >> 16)) * 0x7FEB352D & 0xFFFFFFFF
    i = (i ^ (i >> 15)) * 0x846CA68B & 0xFFFFFFFF
    return i ^ (i >> 16)


def shapes(tied):
    m = MODEL
    kv = m["dim"] // m["heads"] * m["kv_heads"]
    out = [("model.embed_tokens.weight", (m["vocabulary"], m["dim"]))]
    for i in range(m["layers"]):
        at = f"model.layers.{i}."
        out += [(at + "self_attn.q_proj.weight", (m["dim"], m["dim"])),
                (at + "self_attn.k_proj.weight", (kv, m["dim"])),
                (at + "self_attn.v_proj.weight", (kv, m["dim"])),
                (at + "self_attn.o_proj.weight", (m["dim"], m["dim"])),
                (at + "mlp.gate_proj.weight", (m["hidden"], m["dim"])),
                (at + "mlp.up_proj.weight", (m["hidden"], m["dim"])),
                (at + "mlp.down_proj.weight", (m["dim"], m["hidden"])),
                (at + "input_layernorm.weight", (m["dim"],)),
                (at + "post_attention_layernorm.weight", (m["dim"],))]
    out.append(("model.norm.weight", (m["dim"],)))
    if not tied:
        out.append(("lm_head.weight", (m["vocabulary"], m["dim"])))
    return out


def parameters(tied):
    theta, first = {}, 0
    for name, shape in shapes(tied):
        count = torch.Size(shape).numel()
        values = torch.tensor([mixed(i) / 2**32 - 0.5 for i in range(first, first + count)])
        values = 1 + 0.5 * values if len(shape) == 1 else 0.8 * values
        theta[name] = values.float().double().reshape(shape).requires_grad_()
        first += count
    return theta


def tokens():
    T = MODEL["sequence_length"]
    drawn = lambda b, t: mixed(1000003 + b * (T + 1) + t) % MODEL["vocabulary"]
    return [[END_OF_DOCUMENT if (t + 2 * b) % 7 == 5 else drawn(b, t) for t in range(T + 1)]
            for b in range(B)]


def rotate(x):
    """Hugging Face's apply_rotary_pos_emb: pairs (i, i + half).  x (B, heads, T, D)"""
    T, D = x.shape[2], x.shape[3]
    inverse = MODEL["rope_theta"] ** (-torch.arange(0, D, 2) / D)
    angle = torch.outer(torch.arange(T).double(), inverse)
    angle = torch.cat([angle, angle], dim=-1)
    turned = torch.cat([-x[..., D // 2:], x[..., :D // 2]], dim=-1)
    return x * angle.cos() + turned * angle.sin()


def norm(x, weight):
    return weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + MODEL["norm_epsilon"]))


def attention(x, theta, at, mask):
    H, K = MODEL["heads"], MODEL["kv_heads"]
    batch, T, C = x.shape
    heads = lambda name, n: (x @ theta[at + name].T).view(batch, T, n, C // H).transpose(1, 2)
    q = rotate(heads("q_proj.weight", H))
    k = rotate(heads("k_proj.weight", K))
    v = heads("v_proj.weight", K)
    k, v = k.repeat_interleave(H // K, dim=1), v.repeat_interleave(H // K, dim=1)
    scores = q @ k.transpose(2, 3) / (C // H) ** 0.5
    scores = scores.masked_fill(~mask[:, None], float("-inf"))
    out = (scores.softmax(-1) @ v).transpose(1, 2).reshape(batch, T, C)
    return out @ theta[at + "o_proj.weight"].T


def losses(theta, runs, document_mask):
    """(B, T)"""
    runs = torch.tensor(runs)
    x, target = runs[:, :-1], runs[:, 1:]
    ended = (x == END_OF_DOCUMENT).long()
    document = ended.cumsum(1) - ended  # The end belongs to its own document.
    mask = torch.ones(x.shape[1], x.shape[1]).tril().bool().expand(B, -1, -1)
    if document_mask:
        mask = mask & (document[:, :, None] == document[:, None, :])
    h = theta["model.embed_tokens.weight"][x]
    for i in range(MODEL["layers"]):
        at = f"model.layers.{i}."
        n = norm(h, theta[at + "input_layernorm.weight"])
        h = h + attention(n, theta, at + "self_attn.", mask)
        n = norm(h, theta[at + "post_attention_layernorm.weight"])
        gate = torch.nn.functional.silu(n @ theta[at + "mlp.gate_proj.weight"].T)
        up = n @ theta[at + "mlp.up_proj.weight"].T
        h = h + (gate * up) @ theta[at + "mlp.down_proj.weight"].T
    head = theta.get("lm_head.weight", theta["model.embed_tokens.weight"])
    logits = norm(h, theta["model.norm.weight"]) @ head.T
    return torch.nn.functional.cross_entropy(logits.transpose(1, 2), target, reduction="none")


def case(tied, document_mask):
    theta, runs = parameters(tied), tokens()
    matrices = [p for p in theta.values() if p.dim() == 2]
    vectors = [p for p in theta.values() if p.dim() == 1]
    optimiser = torch.optim.AdamW(
        [dict(params=matrices, weight_decay=ADAMW["weight_decay"]),
         dict(params=vectors, weight_decay=0.0)],
        lr=ADAMW["learning_rate"], betas=(ADAMW["beta1"], ADAMW["beta2"]), eps=ADAMW["epsilon"])
    result = dict(tied_embeddings=tied, document_mask=document_mask, step_losses=[], tensors=[])
    for step in range(20):
        optimiser.zero_grad()
        each = losses(theta, runs, document_mask)
        each.mean().backward()
        if step == 0:
            result["sequence_losses"] = each.mean(1).tolist()
            gradient = torch.cat([p.grad.flatten() for p in theta.values()])
            result["gradient_norm"] = gradient.norm().item()
            result["tensors"] = [dict(name=name, size=p.numel(), norm=p.grad.norm().item(),
                                      first=p.grad.flatten()[:3].tolist())
                                 for name, p in theta.items()]
        result["step_losses"].append(each.mean().item())
        torch.nn.utils.clip_grad_norm_(list(theta.values()), ADAMW["gradient_clip"])
        optimiser.step()
    return result


if __name__ == "__main__":
    golden = dict(made_by=f"make_golden.py, torch {torch.__version__}", model=MODEL, adamw=ADAMW,
                  runs=tokens(), end_of_document=END_OF_DOCUMENT,
                  cases=[case(tied, mask) for tied in (True, False) for mask in (True, False)])
    folder = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(folder, "llama.json"), "w", encoding="utf-8") as file:
        lines = [f" {json.dumps(key)}: {json.dumps(value)}" for key, value in golden.items()]
        file.write("{\n" + ",\n".join(lines) + "\n}\n")
