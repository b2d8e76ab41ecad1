"""infer.py with a tiny model of every preset, and what it says without one.

Authors
 * The speechbrain_jasco developers, 2026
"""

from pathlib import Path

import pytest
from hyperpyyaml import load_hyperpyyaml
from safetensors.torch import load_file, save_file
from tiny_native import FAMILIES, write_family

from speechbrain_jasco.dataio import read_predictions
from speechbrain_jasco.integrations.native_audio import NativeAudioModel

ROOT = Path(__file__).resolve().parents[1]
RECIPE = ROOT / "recipes" / "WhatAreTheyDoing"
DEMO = ROOT / "tests" / "samples" / "demo"
ANY = "hparams/infer_transformers.yaml"
PAPER = "hparams/infer_qwen2_audio.yaml"


@pytest.fixture
def infer(main, tmp_path):
    """``infer.main`` on the demo clips."""
    out = tmp_path / "out"
    folders = ["--data_folder", DEMO, "--output_folder", out]

    def run(yaml_file, *overrides):
        main(yaml_file, *folders, *overrides)
        return out

    return run


@pytest.mark.parametrize("name", FAMILIES)
def test_every_preset_from_clips_to_predictions(infer, name, tmp_path):
    folder = write_family(name, tmp_path / "model")
    preset = f"!include:models/{name}.yaml"
    overrides = ["--preset", preset, "--source", folder, "--limit", 2]
    short = ["--decoding", "{max_new_tokens: 3}", "--dtype", "float32"]
    out = infer(ANY, *overrides, *short)
    table = read_predictions(out / "predictions.csv")
    assert table["id"].tolist() == ["1"] * 8 + ["2"] * 8
    assert (out / "failures.csv").read_text().count("\n") == 1
    assert (table["allm_output"].str.strip() != "").all()
    assert table["allm_output"].nunique() > 2


def test_the_papers_yaml_samples_and_repeats(infer, tmp_path):
    folder = write_family("qwen2_audio", tmp_path / "model")
    overrides = ["--source", folder, "--limit", 1]
    short = ["--decoding", "{max_new_tokens: 4}"]
    out = infer(PAPER, *overrides, *short)
    before = (out / "predictions.csv").read_bytes()
    (out / "answers.jsonl").unlink()
    infer(PAPER, *overrides, *short)
    assert (out / "predictions.csv").read_bytes() == before
    infer(PAPER, *overrides, *short, "--seed", 5)
    assert (out / "predictions.csv").read_bytes() != before


def test_the_papers_decoding():
    with (RECIPE / PAPER).open(encoding="utf-8") as fin:
        answerer = load_hyperpyyaml(fin)["answerer"]
    assert answerer.config()["decoding"] == {
        "max_new_tokens": 256,
        "do_sample": True,
        "num_beams": 1,
        "temperature": 0.7,
        "top_p": 0.5,
        "top_k": 20,
        "repetition_penalty": 1.1,
    }


@pytest.mark.parametrize("name", FAMILIES)
def test_absent_weights_are_one_error(infer, name, tmp_path):
    preset = f"!include:models/{name}.yaml"
    with pytest.raises(ValueError, match="cannot be used. Missing: .*hf down"):
        infer(ANY, "--preset", preset)
    assert not (tmp_path / "out" / "answers.jsonl").exists()


def test_a_folder_without_weights_is_named(tmp_path):
    folder = write_family("qwen2_audio", tmp_path)
    (folder / "model.safetensors").unlink()
    model = NativeAudioModel(str(folder), "Qwen2AudioForConditionalGeneration")
    with pytest.raises(ValueError, match=r"the weights, .*safetensors"):
        model.check()
    model = NativeAudioModel(str(folder), "Qwen9AudioModel")
    with pytest.raises(ValueError, match="class Qwen9AudioModel.*the weights"):
        model.check()


def test_a_checkpoint_that_does_not_fill_the_model_is_refused(tmp_path):
    folder = write_family("qwen2_audio", tmp_path)
    path = folder / "model.safetensors"
    weights = load_file(path)
    name = next(name for name in weights if "projector" in name)
    del weights[name]
    save_file(weights, path, metadata={"format": "pt"})
    model = NativeAudioModel(str(folder), "Qwen2AudioForConditionalGeneration")
    with pytest.raises(ValueError, match=r"missing_keys.*projector"):
        model.load()


def test_options_are_checked_before_anything_is_read(tmp_path):
    with pytest.raises(ValueError, match="quantization '2bit'"):
        NativeAudioModel("x", "y", quantization="2bit")
    model = NativeAudioModel("x", "y", quantization="4bit")
    with pytest.raises(RuntimeError, match="bitsandbytes|GPU"):
        model.check()
