"""``build_data.py`` as a user runs it, and the other scripts on what it built.

Authors
 * The speechbrain_jasco developers, 2026
"""

import csv
import re
from pathlib import Path

import pandas as pd
import pytest
from test_yaml import load

from speechbrain_jasco import starter
from speechbrain_jasco.building.supplies import PARTS
from speechbrain_jasco.dataio import read_predictions

RECIPE = Path(__file__).resolve().parents[1] / "recipes" / "WhatAreTheyDoing"
BUILD = RECIPE / "hparams" / "build_data.yaml"
CASCADE = RECIPE / "hparams" / "infer_cascade.yaml"
JUDGE = RECIPE / "hparams" / "judge_openai.yaml"
SPLITS = "{train: [ann, bob, kid], valid: [ann, bob], test: [eve, tom]}"


@pytest.fixture
def run(run_script):
    return run_script


def quick_yaml(folder):
    """The YAML with voices and sounds that cost nothing, and fewer clips."""
    text = BUILD.read_text(encoding="utf-8")
    sounds = sorted(pd.read_csv(RECIPE / "triples" / "sounds.csv")["sound_id"])
    bank = f"!new:tiny_build.NoiseBank\n    sounds: [{', '.join(sounds)}]"
    for name, value in [
        ("bank", f"{bank}\n    seconds: 3.0"),
        ("voice_splits", SPLITS),
        (
            "speakers",
            "!new:speechbrain_jasco.building.speakers.JoinedSpeakers\n"
            "    speakers:\n        - !new:tiny_build.CodeSpeaker {}",
        ),
        (
            "speech",
            "!new:speechbrain_jasco.building.speech.SpeechMaker\n"
            "    speakers: !ref <speakers>\n"
            "    recogniser: !new:tiny_build.CodeRecogniser {}\n"
            "    max_wer: 0.25\n    cache_folder: !ref <cache_folder>",
        ),
    ]:
        block = rf"^{name}:.*\n(?:[ #].*\n|\n(?=[ ]))*"
        text, n = re.subn(block, f"{name}: {value}\n", text, flags=re.M)
        assert n == 1, name
    path = folder / "quick.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def built(run, tmp_path):
    """A small build of the committed triples."""
    argv = ["--preset", "small", "--output_folder", tmp_path / "built"]
    argv += ["--cache_folder", tmp_path / "cache"]
    argv += ["--parallel", "{backend: loky, n_jobs: 1}", "--webdataset", "True"]
    manifest = run("build_data", quick_yaml(tmp_path), *argv)
    assert manifest == tmp_path / "built" / "clips.csv"
    return tmp_path / "built"


def test_small_preset_then_infer_and_evaluate(
    run, built, tmp_path, tiny_whisper, tiny_sounds, tiny_llm, scripted_server
):
    """Manifest, card and shards; then questions and verdicts on one split."""
    with open(built / "clips.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["split"] for row in rows} == set(PARTS)
    assert len(rows) == 4 * 6 + 12 + 6
    for name in ("DATASET_CARD.md", "dataset_card.png", "failures.csv"):
        assert (built / name).is_file()
    assert len(list((built / "shards").glob("*.tar"))) == len(PARTS)

    out = tmp_path / "infer"
    argv = [CASCADE, "--data_folder", built, "--output_folder", out]
    argv += ["--recogniser", f"{{source: {tiny_whisper}, max_new_tokens: 5}}"]
    argv += ["--tagger", f"{{source: {tiny_sounds}, top_k: 2}}"]
    argv += ["--llm_source", tiny_llm, "--llm", "{max_new_tokens: 8}"]
    path = run("infer", *argv, "--split", "test_unseen", "--limit", 2)
    predictions = read_predictions(path)
    unseen = [row for row in rows if row["split"] == "test_unseen"]
    assert list(predictions["id"].unique()) == [r["id"] for r in unseen[:2]]
    assert predictions["tgt_text"][0] == unseen[0]["tgt_text"]

    reply = "Reason: so.\nRating: 2\nOrientation: both"
    server = scripted_server(lambda n_call, request: (200, {}, reply))
    scores = run(
        "evaluate",
        JUDGE,
        *("--predictions", path, "--output_folder", tmp_path / "judged"),
        *("--base_url", server.url, "--model", "scripted"),
    )
    assert scores["dataset"]["n_clips"] == 2
    (system,) = scores["systems"].values()
    (judge,) = system["judges"].values()
    assert judge["best_mean"] == 2.0 and judge["coverage"] == 1.0


@pytest.mark.parametrize(
    "split, message",
    [
        (None, r"clips of \['hearing', 'test_open'\] are for hearing"),
        ("test_open", "are for hearing"),
        ("dev", "got the split 'dev'; expected one of"),
    ],
)
def test_splits_without_a_behaviour_are_refused(
    run, built, tmp_path, split, message
):
    """By one message, not by one per clip."""
    prepare = __import__("what_are_they_doing_prepare")
    with pytest.raises(ValueError, match=message):
        prepare.prepare_what_are_they_doing(built, tmp_path, split=split)


def test_an_unknown_preset_is_named(run, tmp_path):
    """Before anything is done."""
    argv = [quick_yaml(tmp_path), "--output_folder", tmp_path / "out"]
    with pytest.raises(ValueError, match="expected one of default, small"):
        run("build_data", *argv, "--preset", "huge")


def test_the_yaml_names_voices_that_exist_and_can_be_told_apart():
    """At least four speakers, at least two of them for the test alone."""
    hparams = load("build_data.yaml")
    voices = {voice.name: voice for voice in hparams["speakers"].voices()}
    speakers = {
        part: {voices[name].speaker for name in names}
        for part, names in hparams["voice_splits"].items()
    }
    assert len(set().union(*speakers.values())) >= 4
    assert len(speakers["test"]) >= 2
    assert not speakers["test"] & (speakers["train"] | speakers["valid"])
    for names in hparams["voice_splits"].values():
        assert {voices[n].gender for n in names} == {"female", "male"}
    assert all(voice.licence != "unknown" for voice in voices.values())


@pytest.mark.weights
@pytest.mark.slow
def test_small_preset_with_the_real_voices(run, tmp_path):
    """As README says it; fewer than one line in twenty fails."""
    for module in ("hibari", "piper", "py_nanotts"):
        pytest.importorskip(module, reason='pip install -e ".[tts]"')
    if not starter.is_ready("kokoro-82m"):
        pytest.skip("needs python -m speechbrain_jasco.starter kokoro-82m")
    argv = [BUILD, "--preset", "small", "--output_folder", tmp_path / "out"]
    run("build_data", *argv, "--cache_folder", tmp_path / "cache")
    with open(tmp_path / "out" / "clips.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) >= 0.95 * 42
