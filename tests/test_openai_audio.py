"""Audio over HTTP: what the server hears, and what its failures become.

Authors
 * The speechbrain_jasco developers, 2026
"""

import base64
import io
import logging
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

from speechbrain_jasco.dataio import read_clips, read_predictions
from speechbrain_jasco.inference import ask
from speechbrain_jasco.integrations.openai_audio import (
    OpenAIAudio,
    encoded_clip,
)
from speechbrain_jasco.integrations.openai_generator import OpenAIGenerator

ROOT = Path(__file__).resolve().parents[1]
RECIPE = ROOT / "recipes" / "WhatAreTheyDoing"
DEMO = ROOT / "tests" / "samples" / "demo"
CLIPS = read_clips(DEMO / "clips.csv", DEMO)[:2]
KEY = "sk-0123456789-abcdefghij"


def heard(request):
    """Samples and question of a request."""
    sound, text = request["messages"][-1]["content"]
    assert sound["type"] == "input_audio" and text["type"] == "text"
    assert sound["input_audio"]["format"] == "wav"
    data = base64.b64decode(sound["input_audio"]["data"], validate=True)
    samples, rate_hz = sf.read(io.BytesIO(data), dtype="int16")
    assert rate_hz == 16000 and samples.ndim == 1
    return samples, text["text"]


def echo(n_call, request):
    samples, question = heard(request)
    return 200, {}, f"{len(samples)} {question}"


@pytest.fixture
def infer(main, tmp_path):
    """``infer.main`` with infer_openai.yaml on two demo clips."""
    out = tmp_path / "out"
    fixed = ["--data_folder", DEMO, "--output_folder", out, "--limit", 2]

    def run(*overrides):
        main("hparams/infer_openai.yaml", *fixed, *overrides)
        return out

    return run


def test_the_server_hears_the_very_samples(infer, scripted_server):
    server = scripted_server(echo)
    out = infer("--model", "scripted", "--base_url", server.url)
    table = read_predictions(out / "predictions.csv")
    assert len(table) == len(server.requests) == 16
    wavs = {c.id: sf.read(c.path, dtype="int16")[0] for c in CLIPS}
    for row in table.itertuples():
        assert row.allm_output == f"{len(wavs[row.id])} {row.prompt}"
    for request in server.requests:
        samples, _ = heard(request)
        assert any(np.array_equal(samples, wav) for wav in wavs.values())
        assert request["temperature"] == 0 and request["max_tokens"] == 256


def test_loud_stereo_of_another_rate_is_sent_mono_at_16_khz(tmp_path):
    path = tmp_path / "loud.wav"
    wav = np.full((4800, 2), 1.5, dtype="float32")
    sf.write(path, wav, 48000, subtype="FLOAT")
    data = base64.b64decode(encoded_clip(path))
    samples, rate_hz = sf.read(io.BytesIO(data), dtype="int16")
    assert (rate_hz, samples.shape) == (16000, (1600,))
    assert samples[800] == 32767  # clipped, not wrapped around


def test_one_bad_reply_costs_one_answer_and_no_second_request(
    scripted_server,
):
    def refuse_one(n_call, request):
        _, question = heard(request)
        if question == "bad":
            return 400, {}, {"error": {"message": "audio too long"}}
        return echo(n_call, request)

    server = scripted_server(refuse_one)
    answerer = OpenAIAudio(OpenAIGenerator("scripted", server.url))
    questions = ["good", "bad", "fine"]
    pairs = [(clip, text) for clip in CLIPS for text in questions]
    answers = ask(answerer, pairs)
    assert len(server.requests) == 6
    assert [bool(a["text"]) for a in answers] == [True, False, True] * 2
    assert "audio too long" in answers[1]["reason"]
    # Asked again, everything is asked again.
    assert ask(answerer, pairs[:1])[0]["text"]
    assert len(server.requests) == 7


def test_failures_come_with_their_reason_and_are_retried(
    infer, scripted_server
):
    broken = True

    def reply(n_call, request):
        if broken and "Step 1" in heard(request)[1]:
            return 400, {}, {"error": {"message": "no steps today"}}
        return echo(n_call, request)

    server = scripted_server(reply)
    argv = ["--model", "scripted", "--base_url", server.url]
    failures = pd.read_csv(infer(*argv) / "failures.csv")
    assert len(failures) == 4
    assert failures["reason"].str.contains("no steps today").all()
    broken = False
    out = infer(*argv)
    assert pd.read_csv(out / "failures.csv").empty
    assert len(read_predictions(out / "predictions.csv")) == 16


def test_the_key_is_sent_and_stands_nowhere(
    infer, scripted_server, monkeypatch, caplog
):
    monkeypatch.setenv("JASCO_TEST_KEY", KEY)

    def leak(n_call, request):
        if n_call == 3:
            return 400, {}, {"error": {"message": f"bad key {KEY}"}}
        return echo(n_call, request)

    server = scripted_server(leak)
    argv = ["--model", "scripted", "--base_url", server.url]
    with caplog.at_level(logging.DEBUG, logger="speechbrain_jasco"):
        out = infer(*argv, "--api_key_env", "JASCO_TEST_KEY")
    failures = (out / "failures.csv").read_text()
    assert "bad key ***" in failures
    assert KEY not in caplog.text
    for path in out.rglob("*"):
        if path.is_file():
            assert KEY.encode() not in path.read_bytes(), path


def test_a_dead_server_is_told_at_the_start(infer):
    with pytest.raises(ConnectionError, match="Start the server"):
        once = "{generator: {max_retries: 0}}"
        infer("--base_url", "http://127.0.0.1:9/v1", "--answerer", once)
