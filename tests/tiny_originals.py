"""SALMONN, LTU-AS and WavLLM as their authors publish them, but tiny and
random: files in the original formats, and how infer.py is told of them.

Authors
 * The speechbrain_jasco developers, 2026
"""

import original_checkpoints as original
import torch
from hyperpyyaml import load_hyperpyyaml
from test_beats import CFG
from tiny_systems import LLAMA, VOCABULARY, write_llama_tokenizer
from tiny_whisper import write_english_folder
from transformers import (
    GenerationConfig,
    LlamaConfig,
    LlamaForCausalLM,
    WavLMConfig,
    WhisperConfig,
)
from transformers.models.whisper.modeling_whisper import WhisperEncoder

from speechbrain_jasco.integrations.wavllm_conversion import convert
from speechbrain_jasco.lobes.models.beats import BeatsModel

WHISPER = {
    "d_model": 16,
    "encoder_layers": 3,
    "encoder_attention_heads": 2,
    "encoder_ffn_dim": 32,
    "init_std": 0.2,
}
WAVLM = {
    "hidden_size": 12,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "conv_dim": [8] * 7,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 2,
}
SALMONN = {"whisper": 16, "beats": 16, "width": 8, "llm": 32, "n_blocks": 2}
LTU_AS = {"whisper": 16, "llm": 32, "n_blocks": 2}
WAVLLM = {
    "whisper": 16,
    "wavlm": 12,
    "convs": (12, 8),
    "width": 10,
    "bottleneck": 6,
    "out": 14,
    "n_layers": 3,
    "llm": 32,
    "n_blocks": 2,
    "rank": 3,
    "hidden": 8,
    "vocabulary": VOCABULARY,
    "inner": 64,
}


def write_whisper(folder):
    torch.manual_seed(1)
    encoder = WhisperEncoder(WhisperConfig(**WHISPER))
    encoder.save_pretrained(folder)
    return str(folder)


def write_beats(path):
    torch.manual_seed(2)
    weights = BeatsModel(CFG).state_dict()
    weights = {k: v + 0.1 * torch.randn_like(v) for k, v in weights.items()}
    torch.save({"cfg": CFG, "model": weights}, path)
    return str(path)


def write_vicuna(folder):
    """With a way to decode that nobody asked for, as Vicuna has."""
    torch.manual_seed(3)
    write_llama_tokenizer(folder)
    model = LlamaForCausalLM(LlamaConfig(**LLAMA))
    model.generation_config = GenerationConfig(
        do_sample=True, temperature=0.9, top_p=0.6, eos_token_id=2
    )
    model.save_pretrained(folder)
    return str(folder)


def write_salmonn(folder):
    """(overrides of infer_salmonn.yaml, tensors of the checkpoint)."""
    torch.manual_seed(4)
    tensors = original.random_tensors(original.salmonn_shapes(**SALMONN))
    extras = original.random_tensors(original.salmonn_extras(8))
    training = {"optimizer": {"step": 9}, "config": {"lr": 1}, "epoch": 3}
    path = folder / "salmonn_7b_v0.pth"
    torch.save({"model": {**tensors, **extras}, **training}, path)
    overrides = {
        "whisper_source": write_whisper(folder / "whisper"),
        "beats_source": write_beats(folder / "beats.pt"),
        "llm_source": write_vicuna(folder / "vicuna"),
        "llm_width": 32,
        "checkpoint_file": str(path),
        "model": {
            "fusion": {"stream_widths": [16, 16], "width": 8, "n_heads": 2}
        },
    }
    return overrides, tensors


def write_ltu_as(folder):
    """(overrides of infer_ltu_as.yaml, tensors of the checkpoint)."""
    torch.manual_seed(5)
    tensors = original.random_tensors(original.ltu_as_shapes(**LTU_AS))
    path = folder / "ltuas_long_noqa_a6.bin"
    torch.save(tensors, path)
    asr = folder / "asr"
    asr.mkdir()
    write_english_folder(asr)
    overrides = {
        "whisper_source": write_whisper(folder / "whisper"),
        "asr_source": str(asr),
        "llm_source": write_vicuna(folder / "vicuna"),
        "checkpoint_file": str(path),
        "model": {"fusion": {"width": 16, "llm_width": 32}},
        "recogniser": {"max_new_tokens": 12},
    }
    return overrides, tensors


class FairseqConfig:
    """Stands for what fairseq pickles beside the weights."""

    def __init__(self):
        self.task = {"llama_2": True}


def wavllm_configs():
    llama = {k: v for k, v in LLAMA.items() if k != "model_type"}
    return {
        "whisper": WhisperConfig(**WHISPER),
        "wavlm": WavLMConfig(**WAVLM),
        "llm": LlamaConfig(rms_norm_eps=1e-6, **llama),
    }


def wavllm_tensors():
    """All of ``final.pt``, with the marks of activation checkpointing."""
    torch.manual_seed(6)
    configs = wavllm_configs()
    frozen, trained = original.wavllm_llama_shapes(WAVLLM)
    shapes = original.wavllm_encoder_shapes(
        configs["whisper"], configs["wavlm"]
    )
    shapes |= frozen | trained | original.wavllm_adapter_shapes(WAVLLM)
    shapes |= original.linear("audio_proj", 32, 14)
    return original.random_tensors(shapes)


def write_wavllm(folder):
    """(overrides of infer_wavllm.yaml, tensors of the checkpoint)."""
    tensors = wavllm_tensors()
    marked = {
        name.replace("layers.1.", "layers.1._checkpoint_wrapped_module."): t
        for name, t in tensors.items()
    }
    torch.save({"model": marked, "cfg": FairseqConfig()}, folder / "final.pt")
    write_llama_tokenizer(folder / "tokenizer")
    convert(
        folder / "final.pt",
        folder / "tokenizer" / "tokenizer.model",
        folder / "wavllm",
        wavllm_configs(),
    )
    sizes = {"width": 10, "bottleneck": 6, "out_width": 14}
    overrides = {
        "model_folder": str(folder / "wavllm"),
        "model": {
            "whisper_branch": {"in_width": 16, "conv_widths": [12], **sizes},
            "wavlm_branch": {
                "in_width": 12,
                "conv_widths": [8],
                "n_layers": 3,
                **sizes,
            },
            "fusion": {"llm_width": 32},
            "llm": {"adapter": {"rank": 3, "hidden": 8}},
        },
    }
    return overrides, tensors


WRITERS = {
    "salmonn": write_salmonn,
    "ltu_as": write_ltu_as,
    "wavllm": write_wavllm,
}


def load_answerer(hparams, name, overrides, decoding):
    """The answerer of a YAML with tiny parts and another way to decode."""
    overrides = {**overrides, "answerer": {"decoding": decoding}}
    path = hparams / f"infer_{name}.yaml"
    with path.open(encoding="utf-8") as fin:
        return load_hyperpyyaml(fin, overrides)["answerer"]
