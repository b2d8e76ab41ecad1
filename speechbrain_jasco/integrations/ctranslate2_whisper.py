"""Whisper as a CTranslate2 ``model.bin`` -> Hugging Face folder.

This is the form in which faster-whisper models are published. The weights keep
the file's own type (float16), which halves the folder; ``config.json`` says
float32, so ``from_pretrained`` widens them unless told otherwise.

The names are those that OpenNMT/CTranslate2
python/ctranslate2/converters/transformers.py@e496f9c gives, read backwards.

Authors
 * The speechbrain_jasco developers, 2026
"""

import json
from pathlib import Path

import numpy as np
import torch
from transformers import (
    GenerationConfig,
    WhisperConfig,
    WhisperFeatureExtractor,
    WhisperForConditionalGeneration,
    WhisperTokenizer,
)

from speechbrain_jasco.integrations.ctranslate2_file import read_variables

# openai/whisper whisper/model.py: an English-only vocabulary is one smaller.
MULTILINGUAL_VOCABULARY = 51865

# Each linear layer of a block and what it holds, stacked on the first axis.
ENCODER_LINEARS = {
    "self_attention/linear_0": (
        "self_attn.q_proj",
        "self_attn.k_proj",
        "self_attn.v_proj",
    ),
    "self_attention/linear_1": ("self_attn.out_proj",),
    "ffn/linear_0": ("fc1",),
    "ffn/linear_1": ("fc2",),
}
DECODER_LINEARS = {
    **ENCODER_LINEARS,
    "attention/linear_0": ("encoder_attn.q_proj",),
    "attention/linear_1": ("encoder_attn.k_proj", "encoder_attn.v_proj"),
    "attention/linear_2": ("encoder_attn.out_proj",),
}
ENCODER_NORMS = {
    "self_attention/layer_norm": "self_attn_layer_norm",
    "ffn/layer_norm": "final_layer_norm",
}
DECODER_NORMS = {
    **ENCODER_NORMS,
    "attention/layer_norm": "encoder_attn_layer_norm",
}


def convert(files, folder):
    """Convert one model.

    Arguments
    ---------
    files : dict
        Paths of ``model.bin``, ``config.json`` and ``tokenizer.json``.
    folder : str or Path
        Existing folder for config, generation config, safetensors, tokenizer
        and front end.

    Raises
    ------
    ValueError
        If the file is of another kind.
    """
    variables = read_variables(files["model.bin"])
    tokenizer = WhisperTokenizer(
        tokenizer_file=str(files["tokenizer.json"]), pad_token="<|endoftext|>"
    )
    published = json.loads(Path(files["config.json"]).read_text("utf-8"))
    config = model_config(variables, tokenizer)
    config.begin_suppress_tokens = published["suppress_ids_begin"]
    model = WhisperForConditionalGeneration(config)
    model.load_state_dict(state_dict(variables))
    model.to(torch.from_numpy(variables["decoder/embeddings/weight"]).dtype)
    model.generation_config = generation_config(config, tokenizer, published)
    model.save_pretrained(folder)
    config.dtype = "float32"
    config.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    WhisperFeatureExtractor(feature_size=config.num_mel_bins).save_pretrained(
        folder
    )


def state_dict(variables):
    """Rename and split the weights.

    Arguments
    ---------
    variables : dict
        From ``read_variables``.

    Returns
    -------
    dict
        The ``state_dict`` of ``WhisperForConditionalGeneration``.

    Raises
    ------
    ValueError
        If the weights are quantised to integers.
    """
    if variables["encoder/conv1/weight"].dtype.kind != "f":
        raise ValueError(
            "got integer weights; expected a float16 or float32 model.bin."
        )
    state = {
        "model.encoder.conv1.weight": variables["encoder/conv1/weight"],
        "model.encoder.conv1.bias": variables["encoder/conv1/bias"],
        "model.encoder.conv2.weight": variables["encoder/conv2/weight"],
        "model.encoder.conv2.bias": variables["encoder/conv2/bias"],
        "model.decoder.embed_tokens.weight": variables[
            "decoder/embeddings/weight"
        ],
        "proj_out.weight": variables["decoder/embeddings/weight"],
    }
    sides = (
        ("encoder", ENCODER_LINEARS, ENCODER_NORMS),
        ("decoder", DECODER_LINEARS, DECODER_NORMS),
    )
    for side, linears, norms in sides:
        state[f"model.{side}.embed_positions.weight"] = variables[
            f"{side}/position_encodings/encodings"
        ]
        add_norm(
            state, variables, f"{side}/layer_norm", f"model.{side}.layer_norm"
        )
        for layer in range(count_layers(variables, side)):
            old, new = f"{side}/layer_{layer}", f"model.{side}.layers.{layer}"
            for name, parts in linears.items():
                parts = [f"{new}.{part}" for part in parts]
                add_linear(state, variables, f"{old}/{name}", parts)
            for name, part in norms.items():
                add_norm(state, variables, f"{old}/{name}", f"{new}.{part}")
    return {name: torch.from_numpy(array) for name, array in state.items()}


def add_linear(state, variables, old, parts):
    """Split a linear layer into equal parts; key projections have no bias."""
    weights = np.split(variables[f"{old}/weight"], len(parts))
    biases = np.split(variables[f"{old}/bias"], len(parts))
    for index, part in enumerate(parts):
        state[f"{part}.weight"] = weights[index]
        if not part.endswith("k_proj"):
            state[f"{part}.bias"] = biases[index]
        elif biases[index].any():
            raise ValueError(
                f"{old}: got a bias for the keys; expected zeros, since "
                "Whisper's key projections have none."
            )


def add_norm(state, variables, old, new):
    """Rename a layer normalisation."""
    state[f"{new}.weight"] = variables[f"{old}/gamma"]
    state[f"{new}.bias"] = variables[f"{old}/beta"]


def count_layers(variables, side):
    """Number of blocks of the encoder or decoder (int)."""
    prefix = f"{side}/layer_"
    names = (name for name in variables if name.startswith(prefix))
    blocks = {name[len(prefix) :].partition("/")[0] for name in names}
    return len(blocks - {"norm"})


def model_config(variables, tokenizer):
    """Read all sizes off the weights, all ids off the tokenizer.

    Arguments
    ---------
    variables : dict
        From ``read_variables``.
    tokenizer : WhisperTokenizer
        The published tokenizer.

    Returns
    -------
    WhisperConfig
    """
    width, n_mels, _ = variables["encoder/conv1/weight"].shape
    end = tokenizer.convert_tokens_to_ids("<|endoftext|>")
    sizes = {}
    for side in ("encoder", "decoder"):
        hidden = variables[f"{side}/layer_0/ffn/linear_0/weight"]
        sizes[f"{side}_ffn_dim"] = hidden.shape[0]
        sizes[f"{side}_layers"] = count_layers(variables, side)
        sizes[f"{side}_attention_heads"] = int(variables[f"{side}/num_heads"])
    return WhisperConfig(
        vocab_size=len(variables["decoder/embeddings/weight"]),
        num_mel_bins=n_mels,
        d_model=width,
        max_source_positions=len(
            variables["encoder/position_encodings/encodings"]
        ),
        max_target_positions=len(
            variables["decoder/position_encodings/encodings"]
        ),
        bos_token_id=end,
        eos_token_id=end,
        pad_token_id=end,
        decoder_start_token_id=tokenizer.convert_tokens_to_ids(
            "<|startoftranscript|>"
        ),
        **sizes,
    )


def generation_config(config, tokenizer, published):
    """What ``generate`` needs to know.

    Arguments
    ---------
    config : WhisperConfig
        The model's.
    tokenizer : WhisperTokenizer
        The published tokenizer.
    published : dict
        The published ``config.json``.

    Returns
    -------
    GenerationConfig
    """
    number = tokenizer.convert_tokens_to_ids
    multilingual = config.vocab_size >= MULTILINGUAL_VOCABULARY
    languages = {}
    if multilingual:
        languages = {
            "lang_to_id": {
                tokenizer.convert_ids_to_tokens(index): index
                for index in published["lang_ids"]
            },
            "task_to_id": {
                task: number(f"<|{task}|>")
                for task in ("transcribe", "translate")
            },
        }
    return GenerationConfig(
        bos_token_id=config.bos_token_id,
        eos_token_id=config.eos_token_id,
        pad_token_id=config.pad_token_id,
        decoder_start_token_id=config.decoder_start_token_id,
        max_length=config.max_target_positions,
        suppress_tokens=published["suppress_ids"],
        begin_suppress_tokens=published["suppress_ids_begin"],
        alignment_heads=published["alignment_heads"],
        no_timestamps_token_id=number("<|notimestamps|>"),
        return_timestamps=False,
        is_multilingual=multilingual,
        **languages,
    )
