"""Tests of the conversion CTranslate2 -> Whisper.

The tiny file is written here by a writer of its own; under the marker
``weights`` the converted starter models hear clips of known words.

Authors
 * The speechbrain_jasco developers, 2026
"""

import csv
import json
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_whisper import random_whisper, write_tokenizer
from transformers import (
    WhisperForConditionalGeneration,
    WhisperProcessor,
)

from speechbrain_jasco import starter
from speechbrain_jasco.dataio import read_audio
from speechbrain_jasco.integrations import ctranslate2_whisper
from speechbrain_jasco.integrations.whisper_asr import WhisperRecogniser

DEMO = Path(__file__).parent / "samples" / "demo"


def name_blocks(block, decoder):
    """CTranslate2's names of one HF block's tensors, fused as it does."""
    own = block.self_attn
    linears = {
        "self_attention/linear_0": [own.q_proj, own.k_proj, own.v_proj],
        "self_attention/linear_1": [own.out_proj],
        "ffn/linear_0": [block.fc1],
        "ffn/linear_1": [block.fc2],
    }
    norms = {
        "self_attention/layer_norm": block.self_attn_layer_norm,
        "ffn/layer_norm": block.final_layer_norm,
    }
    if decoder:
        cross = block.encoder_attn
        linears["attention/linear_0"] = [cross.q_proj]
        linears["attention/linear_1"] = [cross.k_proj, cross.v_proj]
        linears["attention/linear_2"] = [cross.out_proj]
        norms["attention/layer_norm"] = block.encoder_attn_layer_norm
    named = {}
    for name, parts in linears.items():
        named[f"{name}/weight"] = torch.cat([part.weight for part in parts])
        biases = [
            torch.zeros(len(part.weight)) if part.bias is None else part.bias
            for part in parts
        ]
        named[f"{name}/bias"] = torch.cat(biases)
    for name, norm in norms.items():
        named[f"{name}/gamma"], named[f"{name}/beta"] = norm.weight, norm.bias
    return named


def name_model(model):
    """CTranslate2's names and float16 values of a whole HF Whisper."""
    named = {}
    for side in ("encoder", "decoder"):
        half = getattr(model.model, side)
        for i, block in enumerate(half.layers):
            blocks = name_blocks(block, side == "decoder")
            named |= {f"{side}/layer_{i}/{n}": x for n, x in blocks.items()}
        named[f"{side}/layer_norm/gamma"] = half.layer_norm.weight
        named[f"{side}/layer_norm/beta"] = half.layer_norm.bias
        named[f"{side}/position_encodings/encodings"] = (
            half.embed_positions.weight
        )
    for conv in ("conv1", "conv2"):
        layer = getattr(model.model.encoder, conv)
        named[f"encoder/{conv}/weight"] = layer.weight
        named[f"encoder/{conv}/bias"] = layer.bias
    named["decoder/embeddings/weight"] = model.model.decoder.embed_tokens.weight
    arrays = {
        n: x.detach().numpy().astype(np.float16) for n, x in named.items()
    }
    for side in ("encoder", "decoder"):
        heads = getattr(model.config, f"{side}_attention_heads")
        arrays[f"{side}/num_heads"] = np.array(heads, np.int16)
        arrays[f"{side}/pre_norm"] = np.array(1, np.int8)
    return arrays


def write_model_bin(path, arrays, spec="WhisperSpec", version=6):
    """Write the binary by its published layout."""
    ids = {"float32": 0, "int8": 1, "int16": 2, "int32": 3, "float16": 4}

    def text(string):
        return struct.pack("<H", len(string) + 1) + string.encode() + b"\0"

    out = [struct.pack("<I", version), text(spec)]
    out.append(struct.pack("<II", 3, len(arrays)))
    for name, array in sorted(arrays.items()):
        out += [text(name), struct.pack("<B", array.ndim)]
        out += [struct.pack("<I", size) for size in array.shape]
        out.append(struct.pack("<BI", ids[array.dtype.name], array.nbytes))
        out.append(array.tobytes())
    out.append(struct.pack("<I", 1))
    out.append(text("decoder/projection/weight"))
    out.append(text("decoder/embeddings/weight"))
    path.write_bytes(b"".join(out))


@pytest.fixture
def published(tmp_path):
    """Write what a distribution holds; returns (model, token ids, files)."""

    def write(vocabulary):
        names = ("model.bin", "config.json", "tokenizer.json")
        files = {name: tmp_path / name for name in names}
        ids = write_tokenizer(files["tokenizer.json"], vocabulary)
        model = random_whisper(
            vocabulary, ids, max_source_positions=20, max_target_positions=12
        )
        write_model_bin(files["model.bin"], name_model(model))
        config = {
            "alignment_heads": [[1, 0], [1, 2]],
            "lang_ids": [ids["<|en|>"], ids["<|fr|>"]],
            "suppress_ids": [1, 2, 7],
            "suppress_ids_begin": [3, ids["<|endoftext|>"]],
        }
        files["config.json"].write_text(json.dumps(config))
        (tmp_path / "out").mkdir()
        return model, ids, files, tmp_path / "out"

    return write


@torch.no_grad()
def test_whisper_has_the_same_weights_and_logits(published):
    model, _, files, folder = published(300)
    ctranslate2_whisper.convert(files, folder)
    back = WhisperForConditionalGeneration.from_pretrained(folder).eval()
    assert back.dtype == torch.float32
    model.half().float()  # the file holds float16
    state, expected = back.state_dict(), model.state_dict()
    assert state.keys() == expected.keys()
    for name, tensor in expected.items():
        assert torch.equal(state[name], tensor), name
    inputs = {
        "input_features": torch.randn(2, 80, 40),
        "decoder_input_ids": torch.randint(300, (2, 5)),
    }
    assert torch.equal(back(**inputs).logits, model(**inputs).logits)


def test_whisper_english_only(published):
    _, ids, files, folder = published(300)
    ctranslate2_whisper.convert(files, folder)
    model = WhisperForConditionalGeneration.from_pretrained(folder)
    options = model.generation_config
    assert options.is_multilingual is False
    assert options.suppress_tokens == [1, 2, 7]
    assert options.begin_suppress_tokens == [3, ids["<|endoftext|>"]]
    assert options.alignment_heads == [[1, 0], [1, 2]]
    assert options.no_timestamps_token_id == ids["<|notimestamps|>"]
    assert options.decoder_start_token_id == ids["<|startoftranscript|>"]
    assert options.eos_token_id == options.pad_token_id == ids["<|endoftext|>"]
    processor = WhisperProcessor.from_pretrained(folder)
    assert processor.feature_extractor.feature_size == 80
    text = "Hé, it's 5 o'clock."
    spelt = processor.tokenizer(text, add_special_tokens=False).input_ids
    spelt = [ids["<|startoftranscript|>"], *spelt, ids["<|endoftext|>"]]
    assert processor.decode(spelt, skip_special_tokens=True) == text


def test_whisper_multilingual(published):
    _, ids, files, folder = published(51865)
    ctranslate2_whisper.convert(files, folder)
    model = WhisperForConditionalGeneration.from_pretrained(folder)
    options = model.generation_config
    assert options.is_multilingual is True
    assert options.lang_to_id == {k: ids[k] for k in ("<|en|>", "<|fr|>")}
    assert options.task_to_id == {
        "transcribe": ids["<|transcribe|>"],
        "translate": ids["<|translate|>"],
    }


@pytest.mark.parametrize(
    "changes, complaint",
    [
        ({"spec": "TransformerSpec"}, "TransformerSpec"),
        ({"version": 5}, "binary version 5"),
    ],
)
def test_whisper_refuses_another_kind_of_file(published, changes, complaint):
    model, _, files, folder = published(300)
    write_model_bin(files["model.bin"], name_model(model), **changes)
    with pytest.raises(ValueError, match=complaint):
        ctranslate2_whisper.convert(files, folder)


def test_whisper_refuses_a_file_cut_short_anywhere(published):
    _, _, files, _ = published(300)
    path = files["model.bin"]
    whole = path.read_bytes()
    for length in (0, 3, 5, 17, 30, 60, len(whole) // 2, len(whole) - 3000):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match="cut short"):
            ctranslate2_whisper.read_variables(path)


def test_whisper_refuses_a_key_bias_and_integers(published):
    model, _, files, _ = published(300)
    arrays = name_model(model)
    fused = "encoder/layer_0/self_attention/linear_0/bias"
    arrays[fused][16] = 0.5  # queries 0..15, keys 16..31
    with pytest.raises(ValueError, match="bias for the keys"):
        ctranslate2_whisper.state_dict(arrays)
    arrays["encoder/conv1/weight"] = np.zeros((16, 80, 3), np.int8)
    with pytest.raises(ValueError, match="integer weights"):
        ctranslate2_whisper.state_dict(arrays)


@pytest.mark.weights
@pytest.mark.parametrize("name", ["whisper-tiny.en", "whisper-base"])
def test_whisper_hears_the_demo_clips(name):
    """Measured: 3 of 74 words wrong with tiny.en, none with base."""
    jiwer = pytest.importorskip("jiwer")
    if not starter.is_ready(name):
        pytest.skip(f"python -m speechbrain_jasco.starter {name}")
    with open(DEMO / "clips.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    paths = [row["audio"].replace("{data_folder}", str(DEMO)) for row in rows]
    wavs = [read_audio(path) for path in paths]
    heard = WhisperRecogniser(f"starter:{name}").transcribe(wavs)
    plain = jiwer.Compose(
        [jiwer.ToLowerCase(), jiwer.RemovePunctuation(), jiwer.Strip()]
    )
    spoken = [plain(row["spoken_text"]) for row in rows]
    assert jiwer.wer(spoken, [plain(text) for text in heard]) <= 0.1
