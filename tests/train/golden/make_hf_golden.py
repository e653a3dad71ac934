#!/usr/bin/python3
"""Hugging Face folders, seen from outside: a reader and a writer of safetensors from the format's
description, and LLaMA in plain PyTorch, fp64, as transformers computes it. Writes

  ../data/hf_small/   a small random model: two shards (BF16 and F16), grouped queries, untied,
                      LLaMA 3.1's rotary scaling
  hf_models.json      what PyTorch says about it, and about the folder that Muster makes of
                      stories260K.bin; the rotary frequencies of LLaMA 3.1 8B

Made with Debian 12's python3-torch 1.13.1 by

  muster model import tests/train/data/stories260K.bin --tokenizer tests/train/data/tok512.bin \
      --out FOLDER
  /usr/bin/python3 tests/train/golden/make_hf_golden.py FOLDER
"""
import hashlib
import json
import math
import os
import struct
import sys

import torch

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
HERE = os.path.dirname(os.path.abspath(__file__))
SMALL = os.path.join(HERE, "..", "data", "hf_small")
TYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
NAMES = {v: k for k, v in TYPES.items()}


def read_safetensors(path):
    with open(path, "rb") as file:
        data = file.read()
    size, = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + size])
    header.pop("__metadata__", None)
    body = data[8 + size:]
    out, covered = {}, 0
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        begin, end = entry["data_offsets"]
        assert begin == covered, name
        covered = end
        raw = torch.frombuffer(bytearray(body[begin:end]), dtype=TYPES[entry["dtype"]])
        out[name] = raw.reshape(entry["shape"]).double()
    assert covered == len(body)
    return out


def read_folder(folder):
    with open(os.path.join(folder, "config.json")) as file:
        config = json.load(file)
    index = os.path.join(folder, "model.safetensors.index.json")
    files = ["model.safetensors"]
    if os.path.exists(index):
        with open(index) as file:
            files = sorted(set(json.load(file)["weight_map"].values()))
    tensors = {}
    for name in files:
        tensors.update(read_safetensors(os.path.join(folder, name)))
    return config, tensors


def write_safetensors(path, tensors):
    header, body = {"__metadata__": {"format": "pt"}}, b""
    for name, tensor in tensors.items():
        raw = tensor.contiguous().view(torch.int16).numpy().tobytes()
        header[name] = {"dtype": NAMES[tensor.dtype], "shape": list(tensor.shape),
                        "data_offsets": [len(body), len(body) + len(raw)]}
        body += raw
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + body)


def frequencies(width, theta, scaling):
    """transformers' _compute_llama3_parameters, by wavelength."""
    out = []
    for i in range(0, width, 2):
        inverse = 1.0 / theta ** (i / width)
        if scaling:
            factor, low, high = (scaling[k] for k in ("factor", "low_freq_factor",
                                                      "high_freq_factor"))
            old = scaling["original_max_position_embeddings"]
            wavelength = 2 * math.pi / inverse
            if wavelength > old / low:
                inverse = inverse / factor
            elif wavelength >= old / high:
                smooth = (old / wavelength - low) / (high - low)
                inverse = (1 - smooth) * inverse / factor + smooth * inverse
        out.append(inverse)
    return out


def logits_of(config, w, tokens):
    heads, kv = config["num_attention_heads"], config["num_key_value_heads"]
    width = config["hidden_size"] // heads
    T = len(tokens)
    rates = torch.tensor(frequencies(width, config["rope_theta"], config.get("rope_scaling")))
    angles = torch.outer(torch.arange(T, dtype=torch.float64), rates)
    cos, sin = (torch.cat([f(angles)] * 2, dim=-1) for f in (torch.cos, torch.sin))

    def norm(x, weight):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + config["rms_norm_eps"]) * weight

    def turn(x):
        rotated = torch.cat([-x[..., width // 2:], x[..., :width // 2]], dim=-1)
        return x * cos + rotated * sin

    def split(x, count):
        return x.view(T, count, width).transpose(0, 1)

    mask = torch.full((T, T), float("-inf")).triu(1)
    x = w["model.embed_tokens.weight"][torch.tensor(tokens)]
    for i in range(config["num_hidden_layers"]):
        at = f"model.layers.{i}."
        h = norm(x, w[at + "input_layernorm.weight"])
        q = turn(split(h @ w[at + "self_attn.q_proj.weight"].T, heads))
        k = turn(split(h @ w[at + "self_attn.k_proj.weight"].T, kv))
        v = split(h @ w[at + "self_attn.v_proj.weight"].T, kv)
        k, v = (t.repeat_interleave(heads // kv, dim=0) for t in (k, v))
        p = torch.softmax(q @ k.transpose(1, 2) / math.sqrt(width) + mask, dim=-1)
        o = (p @ v).transpose(0, 1).reshape(T, heads * width)
        x = x + o @ w[at + "self_attn.o_proj.weight"].T
        h = norm(x, w[at + "post_attention_layernorm.weight"])
        gate, up = (h @ w[at + f"mlp.{n}_proj.weight"].T for n in ("gate", "up"))
        x = x + (torch.nn.functional.silu(gate) * up) @ w[at + "mlp.down_proj.weight"].T
    x = norm(x, w["model.norm.weight"])
    head = "model.embed_tokens" if config["tie_word_embeddings"] else "lm_head"
    return x @ w[head + ".weight"].T


def verdict(folder, tokens):
    config, tensors = read_folder(folder)
    logits = logits_of(config, tensors, tokens)
    nll = torch.nn.functional.cross_entropy(logits[:-1], torch.tensor(tokens[1:]), reduction="none")
    return {"tokens": tokens, "nll": nll.tolist(), "last_logits": logits[-1].tolist()}


def make_small():
    config = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": 40,
              "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2,
              "num_attention_heads": 4, "num_key_value_heads": 2, "hidden_act": "silu",
              "max_position_embeddings": 64, "rms_norm_eps": 1e-5, "rope_theta": 500.0,
              "rope_scaling": {"factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                               "original_max_position_embeddings": 40, "rope_type": "llama3"},
              "tie_word_embeddings": False, "torch_dtype": "bfloat16", "bos_token_id": 1,
              "eos_token_id": [2, 3], "attention_bias": False, "mlp_bias": False,
              "transformers_version": "4.43.0"}
    torch.manual_seed(3)
    C, F, V, kv = 32, 48, 40, 16

    def matrix(dtype, *shape):
        return (torch.randn(shape) * 0.2).to(dtype)

    def vector(dtype):
        return (1 + 0.3 * torch.randn(C)).to(dtype)

    shards = [{"model.embed_tokens.weight": matrix(torch.bfloat16, V, C)}, {}]
    for i, dtype in enumerate((torch.bfloat16, torch.float16)):
        at = f"model.layers.{i}."
        for name, shape in (("self_attn.q_proj", (C, C)), ("self_attn.k_proj", (kv, C)),
                            ("self_attn.v_proj", (kv, C)), ("self_attn.o_proj", (C, C)),
                            ("mlp.gate_proj", (F, C)), ("mlp.up_proj", (F, C)),
                            ("mlp.down_proj", (C, F))):
            shards[i][at + name + ".weight"] = matrix(dtype, *shape)
        for name in ("input_layernorm", "post_attention_layernorm"):
            shards[i][at + name + ".weight"] = vector(dtype)
    shards[1]["model.norm.weight"] = vector(torch.float16)
    shards[1]["lm_head.weight"] = matrix(torch.float16, V, C)
    os.makedirs(SMALL, exist_ok=True)
    where = {}
    for i, shard in enumerate(shards):
        name = f"model-{i + 1:05}-of-00002.safetensors"
        write_safetensors(os.path.join(SMALL, name), shard)
        where.update({tensor: name for tensor in shard})
    total = sum(2 * t.numel() for shard in shards for t in shard.values())
    with open(os.path.join(SMALL, "model.safetensors.index.json"), "w") as file:
        json.dump({"metadata": {"total_size": total}, "weight_map": where}, file, indent=1)
    with open(os.path.join(SMALL, "config.json"), "w") as file:
        json.dump(config, file, indent=1)


def main():
    stories = sys.argv[1]
    make_small()
    golden = {"small": verdict(SMALL, [1] + [(7 * i * i + 3 * i) % 37 + 3 for i in range(47)])}
    # "Once upon a time, there was a little girl named Lily." and on, by the model's tokenizer.
    tokens = [1, 403, 407, 261, 378, 432, 383, 285, 261, 376, 298, 315, 421, 395, 317, 426]
    tokens += [(11 * i * i + 5 * i) % 500 + 3 for i in range(200)]
    golden["stories260K"] = verdict(stories, tokens)
    with open(os.path.join(stories, "model.safetensors"), "rb") as file:
        golden["stories260K"]["file_hash"] = hashlib.blake2b(file.read(), digest_size=32).hexdigest()
    scaling = {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
               "original_max_position_embeddings": 8192}
    golden["llama31_frequencies"] = frequencies(128, 500000.0, scaling)
    with open(os.path.join(HERE, "hf_models.json"), "w") as file:
        json.dump(golden, file)
        file.write("\n")


main()
