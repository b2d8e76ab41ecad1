"""A folder of a trained model answers as infer.py does.

Authors
 * The speechbrain_jasco developers, 2026
"""

import os
import shutil

import pytest
import torch
import yaml
from hyperpyyaml import load_hyperpyyaml, resolve_references
from infer_systems import (
    HPARAMS,
    QUICK,
    demo_clips,
    run,
    set_some_vocabulary,
)
from safetensors.torch import load_file
from tiny_systems import randomize

from speechbrain_jasco import precision
from speechbrain_jasco.integrations.audio_reasoner import (
    AudioReasoner,
    save_pretrained,
)

SHORT = {"answerer": {"decoding": QUICK}}
CPU = {"device": "cpu"}


@pytest.fixture(scope="module")
def parts(tiny_whisper, tiny_aisfx, tiny_llm):
    """Overrides that put tiny models into baseline.yaml; the last one is not
    at the top level."""
    return {
        "whisper_source": str(tiny_whisper),
        "sounds_source": str(tiny_aisfx),
        "stream_widths": [16, 8],
        "llm_source": str(tiny_llm),
        "llm_width": 32,
        "dtype": "float32",
        "model": {"fusion": {"width": 16, "n_heads": 2}},
    }


@pytest.fixture(scope="module")
def trained(parts, tmp_path_factory):
    """Folder and model of a training that has set its weights at random."""
    folder = tmp_path_factory.mktemp("trained")
    with (HPARAMS / "baseline.yaml").open(encoding="utf-8") as fin:
        model = load_hyperpyyaml(fin, parts)["model"]["audio_llm"]
    with (HPARAMS / "baseline.yaml").open(encoding="utf-8") as fin:
        # As SpeechBrain writes it when an experiment begins.
        text = resolve_references(fin, parts).getvalue()
    (folder / "hyperparams.yaml").write_text(text)
    torch.manual_seed(0)
    set_some_vocabulary(model.readout)
    model.load()
    randomize(model)
    interface = HPARAMS / "pretrained" / "hyperparams.yaml"
    save_pretrained(
        model, folder / "hyperparams.yaml", interface, folder / "pretrained"
    )
    return folder / "pretrained", model


def test_the_folder_is_the_model_and_nothing_else(trained):
    folder, model = trained
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["hyperparams.yaml", "model.safetensors"]
    state = load_file(folder / "model.safetensors")
    assert {w.dtype for w in state.values()} == {torch.float16, torch.int32}
    text = (folder / "hyperparams.yaml").read_text()
    top = [
        line.split(":")[0] for line in text.splitlines() if line[:1].islower()
    ]
    expected = ["pretrained_path", "model", "answerer", "modules", "pretrainer"]
    assert top == expected
    assert "include" not in text
    # No head of a section of the training's YAML, but its remarks.
    assert "\n#" not in text[text.index("\nmodel:") :]
    assert "# 3 tokens per second" in text
    reasoner = AudioReasoner.from_hparams(folder, run_opts=CPU)
    assert not any(p.requires_grad for p in reasoner.parameters())
    ours = reasoner.mods["audio_llm"].state_dict()
    for name, tensor in model.trainable_state().items():
        kept = tensor if tensor.dtype == torch.int32 else tensor.half()
        assert torch.equal(ours[name], kept.to(ours[name])), name


def test_an_emulated_type_is_told_with_what_to_do(trained, monkeypatch, caplog):
    """What the warning says to give is given, and it is gone."""
    times = {torch.bfloat16: 2.0, torch.float32: 0.1}
    monkeypatch.setattr(precision, "product_seconds", times.__getitem__)
    folder, _ = trained

    def load(dtype):
        caplog.clear()
        overrides = {"model": {"llm": {"dtype": dtype}}}
        reasoner = AudioReasoner.from_hparams(
            folder, overrides=overrides, run_opts=CPU
        )
        said = [r.getMessage() for r in caplog.records if "emul" in r.msg]
        return reasoner.mods["audio_llm"].llm.model.dtype, said

    dtype, (said,) = load("bfloat16")
    assert dtype == torch.bfloat16
    assert 'overrides={"model": {"llm": {"dtype": "float32"}}}' in said
    assert load("float32") == (torch.float32, [])


def test_answers_as_infer_does(trained, parts, main, tmp_path):
    folder, _ = trained
    shared = {k: v for k, v in parts.items() if k != "dtype"}
    options = {**shared, "checkpoint_file": folder / "model.safetensors"}
    options["answerer"] = {"decoding": QUICK}
    expected = run(main, "infer_baseline.yaml", options, tmp_path / "infer")
    assert expected[0] != expected[1]
    with (HPARAMS / "prompts" / "instructions.yaml").open() as fin:
        questions = [entry["text"] for entry in yaml.safe_load(fin)]
    reasoner = AudioReasoner.from_hparams(
        str(folder), overrides=SHORT, run_opts=CPU
    )
    for clip, answers in zip(demo_clips(2), expected, strict=True):
        assert reasoner.answer(clip.path, questions) == answers
        assert reasoner.answer(str(clip.path), questions[0]) == answers[0]


def test_a_path_in_the_current_folder(trained, monkeypatch, tmp_path):
    folder, _ = trained
    shutil.copy(demo_clips(1)[0].path, tmp_path / "clip.wav")
    reasoner = AudioReasoner.from_hparams(folder, overrides=SHORT, run_opts=CPU)
    expected = reasoner.answer(demo_clips(1)[0].path, "What?")
    monkeypatch.chdir(tmp_path)
    assert reasoner("clip.wav", "What?") == expected
    monkeypatch.setattr(
        "huggingface_hub.hf_hub_download", lambda **asked: asked["filename"]
    )
    assert reasoner("someone/clips/clip.wav", "What?") == expected
    assert os.listdir(tmp_path) == ["clip.wav"]


def test_by_hub_name(trained, monkeypatch, tmp_path):
    """The two files are asked for, by their names, and nothing else."""
    folder, _ = trained
    asked = []

    def download(repo_id, filename, **kwargs):
        asked.append((repo_id, filename))
        return str(folder / filename)

    monkeypatch.setattr("huggingface_hub.hf_hub_download", download)
    reasoner = AudioReasoner.from_hparams(
        "someone/jasco-baseline",
        savedir=tmp_path / "here",
        overrides=SHORT,
        run_opts=CPU,
    )
    assert asked == [
        ("someone/jasco-baseline", "hyperparams.yaml"),
        ("someone/jasco-baseline", "model.safetensors"),
    ]
    local = AudioReasoner.from_hparams(folder, run_opts=CPU, overrides=SHORT)
    path = demo_clips(1)[0].path
    assert reasoner.answer(path, "Where?") == local.answer(path, "Where?")


def test_weights_of_another_model_are_refused(trained, tmp_path):
    folder, _ = trained
    other = shutil.copytree(folder, tmp_path / "other")
    more = {"model": {"fusion": {"n_layers": 3}}}
    with pytest.raises(ValueError, match="missing: fusion.qformer.layers.2"):
        AudioReasoner.from_hparams(other, overrides=more, run_opts=CPU)
    (other / "model.safetensors").unlink()
    with pytest.raises(ValueError, match="model.safetensors"):
        AudioReasoner.from_hparams(other, run_opts=CPU)
