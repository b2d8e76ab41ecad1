"""SALMONN, LTU-AS and WavLLM written down once more, one line after another,
from the tensors of their checkpoints by the original names.

No lobe of the project, no peft, no cache, no batch: frames in, greedy answer
out. The rulers of tests/test_original_systems.py.

Authors
 * The speechbrain_jasco developers, 2026
"""

import meta_llama
import torch
from torch.nn import functional as F
from transformers import Blip2QFormerConfig, Blip2QFormerModel

END = 2
# Halves of characters: what a text shows of them is not unique.
BYTES = list(range(3, 259))


def linear(w, name, x):
    return F.linear(x, w[f"{name}.weight"], w.get(f"{name}.bias"))


def norm(w, name, x):
    weight, bias = w[f"{name}.weight"], w[f"{name}.bias"]
    return F.layer_norm(x, x.shape[-1:], weight, bias)


def salmonn_tokens(w, speech, sounds, n_heads):
    """Frames [1500, D1], [T, D2] -> audio tokens [88, D]; the Q-Former is
    transformers'."""
    sounds = norm(w, "ln_audio", sounds)
    sounds = F.pad(sounds, (0, 0, 0, len(speech) - len(sounds)))
    x = torch.cat([norm(w, "ln_speech", speech), sounds], dim=1)
    windows = torch.stack([x[i : i + 17] for i in range(0, 1496, 17)])
    width = w["speech_query_tokens"].shape[2]
    model = Blip2QFormerModel(
        Blip2QFormerConfig(
            hidden_size=width,
            num_hidden_layers=2,
            num_attention_heads=n_heads,
            intermediate_size=4 * width,
            cross_attention_frequency=1,
            encoder_hidden_size=x.shape[1],
            use_qformer_text_input=False,
            layer_norm_eps=1e-12,
        )
    ).eval()
    root = "speech_Qformer.bert."
    model.load_state_dict(
        {
            name[len(root) :]
            .replace(".self.", ".attention.")
            .replace("embeddings.LayerNorm", "layernorm"): tensor
            for name, tensor in w.items()
            if name.startswith(root)
        }
    )
    found = model(
        query_embeds=w["speech_query_tokens"].expand(len(windows), -1, -1),
        encoder_hidden_states=windows,
    ).last_hidden_state
    return linear(w, "speech_llama_proj", found[:, 0])


def whisper_block(w, name, x, n_heads):
    """A block of openai-whisper on [..., T, D]."""
    y = norm(w, f"{name}.attn_ln", x)
    q, k, v = (
        linear(w, f"{name}.attn.{part}", y)
        .unflatten(-1, (n_heads, -1))
        .transpose(-2, -3)
        for part in ("query", "key", "value")
    )
    weights = (q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5).softmax(dim=-1)
    heard = (weights @ v).transpose(-2, -3).flatten(-2)
    x = x + linear(w, f"{name}.attn.out", heard)
    y = linear(w, f"{name}.mlp.0", norm(w, f"{name}.mlp_ln", x))
    return x + linear(w, f"{name}.mlp.2", F.gelu(y))


def ltu_as_tokens(w, frames):
    """Frames of all layers [25, L, D] -> audio tokens [25, D_llm]."""
    w = {k.replace("base_model.model.model.", ""): v for k, v in w.items()}
    x = frames.transpose(0, 1)  # [L, 25, D]
    x = whisper_block(w, "audio_encoder.time_tr", x, 1).transpose(0, 1)
    x = whisper_block(w, "audio_encoder.layer_tr", x, 8).mean(dim=1)
    return linear(w, "audio_proj.1", F.layer_norm(x, x.shape[-1:]))


def wavllm_branch(w, name, x):
    """Frames [T, D] -> [T / 4, out]."""
    for n in (0, 1):
        conv = f"{name}.subsample.conv_layers.{n}"
        weight, bias = w[f"{conv}.weight"], w[f"{conv}.bias"]
        x = F.glu(F.conv1d(x.T[None], weight, bias, 2, 1)[0], dim=0).T
    y = F.gelu(linear(w, f"{name}.adapter.down_layer", x))
    y = linear(w, f"{name}.adapter.up_layer", y)
    x = norm(w, f"{name}.adapter.layer_norm", y) + x
    return linear(w, f"{name}.projector", x)


def wavllm_tokens(w, whisper, wavlm):
    """Frames [T, D1], states [T', L, D2] -> audio tokens [N, D_llm]."""
    shares = w["wavlm_encoder.output_weights"].softmax(dim=0)
    wavlm = sum(share * wavlm[:, i] for i, share in enumerate(shares))
    parts = [
        wavllm_branch(w, "audio_encoder", whisper),
        wavllm_branch(w, "wavlm_encoder", wavlm),
    ]
    length = min(len(part) for part in parts)
    x = torch.cat([part[:length] for part in parts], dim=1)
    return linear(w, "wavlm_audio_proj", x)


def add_lora(model, w, root, scale):
    """Adds LoRA to the weights of a LLaMA: W + scale * B A."""
    for n, block in enumerate(model.model.layers):
        for letter in "qv":
            layer = getattr(block.self_attn, f"{letter}_proj")
            name = f"{root}.layers.{n}.self_attn.{letter}_proj"
            down = w[f"{name}.lora_A.default.weight"]
            up = w[f"{name}.lora_B.default.weight"]
            layer.weight += scale * up @ down
    return model


def greedy(logits, n_new, prompt=(), penalty=1.0, at_least_one=False):
    """New tokens of ``logits(new) -> [V]``; a penalty is on the prompt too."""
    new = []
    while len(new) < n_new:
        scores = logits(new).clone()
        seen = torch.tensor([*prompt, *new]).long().unique()
        old = scores[seen]
        scores[seen] = torch.where(old > 0, old / penalty, old * penalty)
        scores[BYTES] = -torch.inf
        if at_least_one and not new:
            scores[END] = -torch.inf
        new.append(int(scores.argmax()))
        if new[-1] == END:
            break
    return new


def llama_logits(model, before, audio, after):
    """Next-token logits of a LLaMA of transformers behind a prompt."""

    def logits(new):
        embed = model.model.embed_tokens
        ids = torch.tensor([*after, *new])
        x = torch.cat([embed(torch.tensor(before).long()), audio, embed(ids)])
        return model(inputs_embeds=x[None]).logits[0, -1]

    return logits


def wavllm_logits(w, before, audio, after, question, sizes):
    """Next-token logits of WavLLM behind a prompt; sizes: blocks, heads."""
    root = "gpt_model.model_llama."
    w = {k.replace(root, ""): v for k, v in w.items() if k.startswith(root)}
    scale = meta_llama.prompt_scale(w, torch.tensor(question), *sizes)

    def logits(new):
        table = w["tok_embeddings.weight"]
        after_and_new = table[torch.tensor([*after, *new])]
        x = torch.cat([table[torch.tensor(before)], audio, after_and_new])
        x = meta_llama.run_blocks(w, x, *sizes, scale)[-1]
        x = F.rms_norm(x, x.shape, w["norm.weight"], meta_llama.EPS)
        return x @ w["output.weight"].T

    return logits
