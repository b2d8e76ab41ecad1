"""WavLLM's ``final.pt`` as ordinary folders.

The published file holds both encoders and the LLM beside the trained parts,
pickled together with objects of fairseq. Cut once, each part is what
transformers reads: in any precision, in 4 bits, over several devices.

    final.pt --> FOLDER/whisper/  Whisper-large-v2's encoder
                 FOLDER/wavlm/    WavLM-base
                 FOLDER/llm/      LLaMA-2-7B-chat, in transformers' layout
                 FOLDER/adapters.safetensors, for ``WavllmCheckpoint``

Run once, offline; ``tokenizer.model`` is the SentencePiece model of LLaMA 2
in WavLLM's repository:

    python -m speechbrain_jasco.integrations.wavllm_conversion \
        final.pt tokenizer.model FOLDER

Authors
 * The speechbrain_jasco developers, 2026
"""

import re
import shutil
import sys
from pathlib import Path

import torch
from huggingface_hub import save_torch_state_dict
from safetensors.torch import load_file, save_file
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    Wav2Vec2FeatureExtractor,
    WavLMConfig,
    WavLMModel,
    WhisperConfig,
    WhisperFeatureExtractor,
)
from transformers.models.whisper.modeling_whisper import WhisperEncoder

from speechbrain_jasco.integrations.checkpoint_file import fault
from speechbrain_jasco.integrations.original_weights import rename, rename_all
from speechbrain_jasco.integrations.tensor_pickle import read_tensors
from speechbrain_jasco.integrations.wavllm_weights import (
    WAVLLM,
    WAVLLM_UNUSED,
    WavllmCheckpoint,
)
from speechbrain_jasco.lobes.models.prompt_scaled_lora import half_split

LLAMA = r"gpt_model\.model_llama\."
BLOCK = LLAMA + r"layers\.(\d+)\."
# Part / name in transformers. WavLM's weight normalisation has an old and a
# new spelling.
PARTS = (
    (r"audio_encoder\.model\.(.*)", r"whisper/\1"),
    (
        r"wavlm_encoder\.model\.(.*)\.weight_g",
        r"wavlm/\1.parametrizations.weight.original0",
    ),
    (
        r"wavlm_encoder\.model\.(.*)\.weight_v",
        r"wavlm/\1.parametrizations.weight.original1",
    ),
    (r"wavlm_encoder\.model\.(.*)", r"wavlm/\1"),
    (LLAMA + r"tok_embeddings\.weight", "llm/model.embed_tokens.weight"),
    (LLAMA + r"norm\.weight", "llm/model.norm.weight"),
    (LLAMA + r"output\.weight", "llm/lm_head.weight"),
    (
        BLOCK + r"attention\.w([qkvo])\.weight",
        r"llm/model.layers.\1.self_attn.\2_proj.weight",
    ),
    (
        BLOCK + r"attention_norm\.weight",
        r"llm/model.layers.\1.input_layernorm.weight",
    ),
    (
        BLOCK + r"ffn_norm\.weight",
        r"llm/model.layers.\1.post_attention_layernorm.weight",
    ),
    *(
        (
            BLOCK + rf"feed_forward\.{theirs}\.weight",
            rf"llm/model.layers.\1.mlp.{ours}_proj.weight",
        )
        for theirs, ours in (("w1", "gate"), ("w2", "down"), ("w3", "up"))
    ),
)


def published_configs():
    """The sizes of the published model.

    Returns
    -------
    dict
        Part -> configuration of transformers.

    Example
    -------
    >>> published_configs()["llm"].rms_norm_eps
    1e-06
    """
    whisper = WhisperConfig(
        d_model=1280,
        encoder_layers=32,
        encoder_attention_heads=20,
        encoder_ffn_dim=5120,
    )
    llm = LlamaConfig(
        rms_norm_eps=1e-6, max_position_embeddings=2048, pad_token_id=0
    )
    return {"whisper": whisper, "wavlm": WavLMConfig(), "llm": llm}


def expected_shapes(configs):
    """What the parts must hold.

    Arguments
    ---------
    configs : dict
        Part -> configuration of transformers.

    Returns
    -------
    dict
        Part / name -> shape.

    Example
    -------
    >>> shapes = expected_shapes(published_configs())
    >>> shapes["llm/model.layers.31.mlp.down_proj.weight"]
    torch.Size([4096, 11008])
    """
    with torch.device("meta"):
        models = {
            "whisper": WhisperEncoder(configs["whisper"]),
            "wavlm": WavLMModel(configs["wavlm"]),
            "llm": LlamaForCausalLM(configs["llm"]),
        }
    return {
        f"{part}/{name}": tensor.shape
        for part, model in models.items()
        for name, tensor in model.state_dict().items()
    }


def read_original(path):
    """Reads the tensors of ``final.pt``.

    Arguments
    ---------
    path : str or Path
        The file, or a safetensors file ``tensor_pickle`` made of it.

    Returns
    -------
    dict
        WavLLM's name -> torch.Tensor.

    Raises
    ------
    ValueError
        If the file is not a checkpoint.
    """
    wrong = fault(path)
    if wrong:
        raise ValueError(
            f"{path}: {wrong}; expected final.pt of the hub repository "
            "v-sjhu/WavLLM (the link in WavLLM's download.sh has expired)"
        )
    is_safe = Path(path).suffix == ".safetensors"
    tensors = load_file(path) if is_safe else read_tensors(path)
    # Activation checkpointing leaves its mark in the names of some versions.
    return {
        name.replace("_checkpoint_wrapped_module.", ""): tensor
        for name, tensor in tensors.items()
    }


def split_parts(tensors, configs, path):
    """Cuts the tensors into parts by transformers' names.

    Arguments
    ---------
    tensors : dict
        WavLLM's name -> torch.Tensor.
    configs : dict
        Part -> configuration of transformers.
    path : str or Path
        Where the tensors are from, for the error.

    Returns
    -------
    parts : dict
        Part -> {name: torch.Tensor}.
    adapters : dict
        The trained parts by WavLLM's names.

    Raises
    ------
    ValueError
        Names every tensor that is missing, not known or of another shape.
    """
    adapters = {n: t for n, t in tensors.items() if rename(n, WAVLLM)}
    others = {n: t for n, t in tensors.items() if n not in adapters}
    expected = expected_shapes(configs)
    found = rename_all(others, PARTS, WAVLLM_UNUSED, expected, path)
    parts = {part: {} for part in configs}
    n_heads = configs["llm"].num_attention_heads
    for name, tensor in found.items():
        part, name = name.split("/")
        if re.search(r"\.[qk]_proj\.weight$", name) and part == "llm":
            tensor = half_split(tensor, n_heads)
        parts[part][name] = tensor
    return parts, adapters


def convert(path, tokenizer, folder, configs=None):
    """Writes the folders.

    Arguments
    ---------
    path : str or Path
        ``final.pt``.
    tokenizer : str or Path
        ``tokenizer.model``, LLaMA 2's.
    folder : str or Path
        Where to write.
    configs : dict, optional
        Sizes other than the published ones.
    """
    configs = configs or published_configs()
    folder = Path(folder)
    parts, adapters = split_parts(read_original(path), configs, path)
    for part, tensors in parts.items():
        (folder / part).mkdir(parents=True, exist_ok=True)
        configs[part].save_pretrained(folder / part)
        save_torch_state_dict(tensors, folder / part)
    WhisperFeatureExtractor(configs["whisper"].num_mel_bins).save_pretrained(
        folder / "whisper"
    )
    # WavLM-base was trained on waveforms as they are.
    Wav2Vec2FeatureExtractor(do_normalize=False).save_pretrained(
        folder / "wavlm"
    )
    shutil.copyfile(tokenizer, folder / "llm" / "tokenizer.model")
    # Last, so that a conversion that was killed is not taken for a whole one.
    adapters = {name: t.contiguous() for name, t in adapters.items()}
    save_file(adapters, folder / "adapters.safetensors")
    WavllmCheckpoint(folder / "adapters.safetensors").check()


def main(argv):
    """Converts one checkpoint.

    Arguments
    ---------
    argv : list of str
        ``final.pt``, ``tokenizer.model``, folder to write.
    """
    if len(argv) != 3:
        raise SystemExit(
            f"got {argv}; expected final.pt, tokenizer.model and a folder"
        )
    convert(*argv)
    print(f"Wrote {argv[2]}")


if __name__ == "__main__":
    main(sys.argv[1:])
