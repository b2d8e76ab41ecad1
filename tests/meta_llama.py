"""A LLaMA in Meta's layout with WavLLM's LoRA, one line after another.

It is the ruler of tests/test_prompt_scaled_lora.py and writes the weights of
synthetic WavLLM checkpoints: names and shapes of the original, arithmetic of
the paper, rotary positions as products of complex numbers, no cache, no batch.

Authors
 * The speechbrain_jasco developers, 2026
"""

import torch
from torch.nn.functional import gelu, rms_norm, silu

EPS = 1e-6


def random_weights(sizes, n_layers):
    """Weights by WavLLM's names below ``gpt_model.model_llama``.

    sizes: vocab, width, inner, rank, hidden.
    """
    vocab, width, inner, rank, hidden = sizes
    shapes = {
        "tok_embeddings.weight": (vocab, width),
        "norm.weight": (width,),
        "output.weight": (vocab, width),
        "scale_fc_1.weight": (hidden, width),
        "scale_fc_1.bias": (hidden,),
        "scale_fc_2.weight": (width, hidden),
        "scale_fc_2.bias": (width,),
        "scale_weight_attention.weight": (1, width),
        "scale_weight_attention.bias": (1,),
    }
    for n in range(n_layers):
        block = f"layers.{n}"
        for letter in "qkvo":
            name = f"{block}.attention.w{letter}"
            shapes[f"{name}.weight"] = (width, width)
            shapes[f"{name}_lora_A"] = (width, rank)
            shapes[f"{name}_lora_B"] = (rank, width)
        shapes[f"{block}.feed_forward.w1.weight"] = (inner, width)
        shapes[f"{block}.feed_forward.w2.weight"] = (width, inner)
        shapes[f"{block}.feed_forward.w3.weight"] = (inner, width)
        shapes[f"{block}.attention_norm.weight"] = (width,)
        shapes[f"{block}.ffn_norm.weight"] = (width,)
    weights = {name: 0.2 * torch.randn(s) for name, s in shapes.items()}
    for name in weights:
        if name.endswith("norm.weight"):
            weights[name] += 1.0
    return weights


def turn(x):
    """Turns neighbouring pairs of [T, heads, d] by position times frequency."""
    n_steps, _, d = x.shape
    pairs = torch.view_as_complex(x.reshape(*x.shape[:2], d // 2, 2))
    frequency = 10000.0 ** (-torch.arange(0, d, 2) / d)
    angle = torch.arange(n_steps)[:, None] * frequency
    turned = pairs * torch.exp(1j * angle)[:, None]
    return torch.view_as_real(turned).reshape(x.shape)


def run_blocks(w, x, n_layers, n_heads, scale=None):
    """All blocks on [T, D]; without ``scale`` [D] the LoRA is off."""
    n_steps, width = x.shape

    def linear(block, letter, x):
        name = f"layers.{block}.attention.w{letter}"
        y = x @ w[f"{name}.weight"].T
        if scale is not None:
            y = y + scale * (x @ w[f"{name}_lora_A"] @ w[f"{name}_lora_B"])
        return y

    for n in range(n_layers):
        y = rms_norm(x, (width,), w[f"layers.{n}.attention_norm.weight"], EPS)
        q, k, v = (
            linear(n, letter, y).reshape(n_steps, n_heads, -1)
            for letter in "qkv"
        )
        scores = torch.einsum("qhd,khd->hqk", turn(q), turn(k))
        scores = scores / (width // n_heads) ** 0.5
        future = torch.ones(n_steps, n_steps, dtype=torch.bool).triu(1)
        weights = scores.masked_fill(future, -torch.inf).softmax(dim=-1)
        heard = torch.einsum("hqk,khd->qhd", weights, v)
        x = x + linear(n, "o", heard.reshape(n_steps, width))
        y = rms_norm(x, (width,), w[f"layers.{n}.ffn_norm.weight"], EPS)
        w1, w2, w3 = (
            w[f"layers.{n}.feed_forward.w{i}.weight"].T for i in (1, 2, 3)
        )
        x = x + (silu(y @ w1) * (y @ w3)) @ w2
    return x


def prompt_scale(w, ids, n_layers, n_heads):
    """The scale [D] of a question, as WavLLM computes it."""
    x = run_blocks(w, w["tok_embeddings.weight"][ids], n_layers, n_heads)
    x = gelu(x @ w["scale_fc_1.weight"].T + w["scale_fc_1.bias"])
    x = x @ w["scale_fc_2.weight"].T + w["scale_fc_2.bias"]
    bias = w["scale_weight_attention.bias"]
    over_time = (x @ w["scale_weight_attention.weight"].T + bias).softmax(0)
    return torch.relu((x * over_time).sum(dim=0)).clamp(max=3)


def logits(w, ids, scale, n_layers, n_heads):
    """Logits [T, vocab] of a text under a scale."""
    x = w["tok_embeddings.weight"][ids]
    x = run_blocks(w, x, n_layers, n_heads, scale)
    width = x.shape[1]
    return rms_norm(x, (width,), w["norm.weight"], EPS) @ w["output.weight"].T
