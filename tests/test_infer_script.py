"""Tests of infer.py from its command line, with tiny models and with kills.

Authors
 * The speechbrain_jasco developers, 2026
"""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile as sf
import yaml

from speechbrain_jasco.dataio import (
    PREDICTION_COLUMNS,
    TEXT_COLUMNS,
    read_predictions,
)

TESTS = Path(__file__).resolve().parent
RECIPE = TESTS.parent / "recipes" / "WhatAreTheyDoing"
CASCADE = RECIPE / "hparams" / "infer_cascade.yaml"

SLOW_YAML = """
seed: 0
data_folder: !PLACEHOLDER
download: False
output_folder: !PLACEHOLDER
split: null
limit: null
calls: !PLACEHOLDER
seconds: 0.1
instructions:
    - text: What are they doing?
    - text: Where “are” they?
answerer: !new:test_infer_script.SlowAnswerer
    log: !ref <calls>
    seconds: !ref <seconds>
clips_per_batch: 1
"""


class SlowAnswerer:
    """Logs the clip it is asked about, takes its time, fails one question."""

    def __init__(self, log, seconds):
        self.log = log
        self.seconds = seconds

    def config(self):
        return {"answerer": "SlowAnswerer"}

    def check(self):
        """Nothing to check."""

    def answer(self, clips, questions):
        with open(self.log, "a") as log:
            log.write(f"{clips[0].id}\n")
        time.sleep(self.seconds)
        return [
            "" if clip.id == "3" and "Where" in text else f"{clip.id}\r“{text}”"
            for clip, text in zip(clips, questions, strict=True)
        ]


def write_data(folder, n_clips):
    """A data folder of the project; its second clip is 48 kHz stereo."""
    rows = []
    for number in range(1, n_clips + 1):
        path = folder / "wavs" / f"{number}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        shape, rate_hz = (8000,), 16000
        if number == 2:
            shape, rate_hz = (24000, 2), 48000
        noise = np.random.default_rng(number).uniform(-0.5, 0.5, shape)
        sf.write(path, noise, rate_hz)
        texts = {column: f"{column} {number}" for column in TEXT_COLUMNS}
        audio = f"{{data_folder}}/wavs/{number}.wav"
        rows.append(
            {"id": number, "audio": audio, "n_frames": shape[0], **texts}
        )
    pd.DataFrame(rows).to_csv(folder / "clips.csv", index=False)
    return folder


@pytest.fixture
def tiny(tiny_whisper, tiny_sounds, tiny_llm):
    """Overrides that put tiny models into the cascade."""
    return [
        "--recogniser",
        f"{{source: {tiny_whisper}, max_new_tokens: 5}}",
        "--tagger",
        f"{{source: {tiny_sounds}, top_k: 2}}",
        "--llm_source",
        tiny_llm,
        "--llm",
        "{max_new_tokens: 8}",
    ]


def own_instructions():
    path = RECIPE / "hparams" / "prompts" / "instructions.yaml"
    return [entry["text"] for entry in yaml.safe_load(path.read_text())]


def bytes_of(folder):
    names = ("predictions.csv", "failures.csv", "answers.jsonl")
    return {name: (folder / name).read_bytes() for name in names}


# ----------------------------------------------------------------------------
# The cascade's YAML
# ----------------------------------------------------------------------------


def test_cascade_from_clips_to_predictions(main, tiny, tmp_path):
    data = write_data(tmp_path / "data", n_clips=2)
    out = tmp_path / "out"
    folders = ["--data_folder", data, "--output_folder", out]
    path = main(CASCADE, *folders, *tiny)
    assert Path(path) == out / "predictions.csv"
    table = read_predictions(path)
    assert list(table.columns[:-1]) == PREDICTION_COLUMNS
    assert table["id"].tolist() == ["1"] * 8 + ["2"] * 8
    assert table["prompt"].tolist() == own_instructions() * 2
    assert (table["allm_output"].str.strip() != "").all()
    assert table["audio"][8] == "{data_folder}/wavs/2.wav"
    before = bytes_of(out)
    assert before["failures.csv"].count(b"\n") == 1
    assert (out / "hyperparams.yaml").is_file()

    main(CASCADE, *folders, *tiny)  # nothing is asked again
    assert bytes_of(out) == before

    # One clip now: the first half of the answers, still none asked again.
    main(CASCADE, *folders, *tiny, "--limit", 1)
    assert bytes_of(out)["answers.jsonl"] == before["answers.jsonl"]
    first = (out / "predictions.csv").read_bytes()
    assert before["predictions.csv"].startswith(first)
    assert len(read_predictions(path)) == 8

    # Another option of a part is another system: asked afresh.
    tiny[-1] = "{max_new_tokens: 9}"
    main(CASCADE, *folders, *tiny, "--limit", 1)
    assert bytes_of(out)["answers.jsonl"].count(b"\n") == 3


@pytest.mark.official
def test_official_folder_brings_its_own_instructions(
    main, tiny, official_folder, tmp_path
):
    argv = ["--data_folder", official_folder, "--output_folder", tmp_path]
    path = main(CASCADE, *argv, *tiny, "--limit", 1)
    official = pd.read_csv(
        official_folder / "evaluation" / "example.csv", dtype=str
    )
    got = pd.read_csv(path, dtype=str)
    assert len(got) == 8 and not set(got["prompt"]) & set(own_instructions())
    columns = [name for name in PREDICTION_COLUMNS if name != "allm_output"]
    assert got[columns].equals(official[columns][:8])


def test_official_like_folder(main, tmp_path):
    data = write_data(tmp_path / "data", n_clips=2)
    prompts = pd.DataFrame({"prompt": [f"Prompt {i}?" for i in range(8)]})
    rows = pd.read_csv(data / "clips.csv", dtype=str).merge(
        prompts, how="cross"
    )
    rows = rows.assign(with_speech="True", allm_output="x")[PREDICTION_COLUMNS]
    (data / "clips.csv").unlink()
    (data / "evaluation").mkdir()
    rows.to_csv(data / "evaluation" / "example.csv", index=False)
    table = read_predictions(main(*slow_argv(tmp_path, data, tmp_path / "out")))
    columns = [name for name in PREDICTION_COLUMNS if name != "allm_output"]
    assert table[columns].to_dict("records") == rows[columns].to_dict("records")


def test_bad_input_is_told_before_a_model_is_loaded(main, tmp_path):
    out = ["--output_folder", tmp_path / "out"]
    with pytest.raises(FileNotFoundError, match="has neither"):
        main(CASCADE, *out, "--data_folder", tmp_path / "none")
    data = write_data(tmp_path / "data", n_clips=2)
    (data / "wavs" / "2.wav").write_bytes(b"")
    with pytest.raises(
        ValueError, match=r"clips.csv, row 2: .*2.wav: not readable"
    ):
        main(CASCADE, *out, "--data_folder", data)
    with pytest.raises(KeyError, match="limits"):
        main(CASCADE, *out, "--limits", 1)


@pytest.mark.parametrize("limit, n_rows", [(1, 2), (2, 4), (99, 8)])
def test_limit(main, tmp_path, limit, n_rows):
    data = write_data(tmp_path / "data", n_clips=4)
    argv = slow_argv(tmp_path, data, tmp_path / "out", "--limit", limit)
    assert len(pd.read_csv(main(*argv))) == n_rows


def test_limit_of_nothing(main, tmp_path):
    data = write_data(tmp_path / "data", n_clips=1)
    with pytest.raises(ValueError, match="got 0 clips"):
        main(*slow_argv(tmp_path, data, tmp_path / "out", "--limit", 0))


# ----------------------------------------------------------------------------
# Kills
# ----------------------------------------------------------------------------


def slow_argv(tmp_path, data, out, *more):
    """Command line that runs the slow answerer."""
    yaml_file = tmp_path / "slow.yaml"
    yaml_file.write_text(SLOW_YAML, encoding="utf-8")
    argv = [yaml_file, "--data_folder", data, "--output_folder", out]
    argv += ["--calls", tmp_path / f"{out.name}.log", *more]
    return [str(argument) for argument in argv]


def test_killed_script_ends_like_an_uninterrupted_one(tmp_path):
    """Five kills and more, from the start-up to the last answers."""
    n_clips = 16
    data = write_data(tmp_path / "data", n_clips)
    path = os.pathsep.join([str(TESTS), str(TESTS.parent)])
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}

    def start(out):
        argv = slow_argv(tmp_path, data, tmp_path / out, "--seconds", 0.2)
        return subprocess.Popen(
            [sys.executable, "infer.py", *argv],
            cwd=RECIPE,
            env=environment,
            stderr=subprocess.DEVNULL,
        )

    began = time.monotonic()
    assert start("whole").wait(timeout=120) == 0
    duration = time.monotonic() - began
    log = tmp_path / "killed.log"
    generator = random.Random(0)
    n_kills = 0
    # A start-up, the answers one after another; 0 is anywhere at all.
    for wait_for in (0, 1, 3, 6, 9, 0):
        process = start("killed")
        while wait_for and process.poll() is None:
            if log.exists() and log.read_text().count("\n") >= wait_for:
                break
            time.sleep(0.01)
        longest = 0.6 if wait_for else duration
        time.sleep(generator.uniform(0, longest))
        process.kill()
        n_kills += process.wait() != 0
    assert n_kills >= 5
    process = start("killed")
    assert process.wait(timeout=120) == 0
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    for name in ("predictions.csv", "failures.csv"):
        assert (killed / name).read_bytes() == (whole / name).read_bytes()
    table = read_predictions(killed / "predictions.csv")
    assert len(table) == 2 * n_clips
    assert table["allm_output"][0] == "1\r“What are they doing?”"
    assert table["allm_output"][5] == ""
    # Only the clip under way at a kill, and the one that fails, came again.
    asked = [name for name in log.read_text().split() if name != "3"]
    assert len(set(asked)) == n_clips - 1
    assert len(asked) <= n_clips - 1 + n_kills
