"""Every system of an infer_*.yaml answers, at tiny size, through infer.py.

Authors
 * The speechbrain_jasco developers, 2026
"""

import pytest
from infer_systems import (
    QUICK,
    demo_clips,
    export_random_weights,
    load_yaml,
    run,
)

from speechbrain_jasco.integrations.whisper_asr import WhisperRecogniser


@pytest.fixture(scope="module")
def baseline(tiny_whisper, tiny_aisfx, tiny_llm, tmp_path_factory):
    """Overrides that make the baseline tiny, random weights included."""
    overrides = {
        "whisper_source": str(tiny_whisper),
        "sounds_source": str(tiny_aisfx),
        "stream_widths": [16, 8],
        "llm_source": str(tiny_llm),
        "llm_width": 32,
        "answerer": {"decoding": QUICK},
    }
    path = tmp_path_factory.mktemp("baseline") / "trained.safetensors"
    export_random_weights("infer_baseline.yaml", overrides, path)
    return {**overrides, "checkpoint_file": str(path)}


def test_baseline_from_clips_to_predictions(main, baseline, tmp_path):
    answers = run(main, "infer_baseline.yaml", baseline, tmp_path)
    assert answers[0] != answers[1]  # it hears the clip
    assert len(set(answers[0])) > 1  # and reads the question
    hparams = load_yaml("infer_baseline.yaml", baseline)
    questions = [entry["text"] for entry in hparams["instructions"]]
    for clip, texts in zip(demo_clips(2), answers, strict=True):
        for question, text in zip(questions, texts, strict=True):
            alone = hparams["answerer"].answer([clip], [question])
            assert alone == [text]


def test_baseline_with_a_recogniser(main, baseline, tmp_path, monkeypatch):
    """It is read where it says something and the tokens allow that."""
    said = ["ABC"]  # of its vocabulary
    monkeypatch.setattr(
        WhisperRecogniser, "transcribe", lambda self, wavs: said * len(wavs)
    )
    option = f"{{recogniser: !ref <recogniser>, decoding: {QUICK}}}"

    def answers(folder, tolerance, answerer=option):
        changes = {"answerer": answerer}
        changes["model"] = {"readout": {"tolerance": tolerance}}
        options = {**baseline, **changes}
        return run(main, "infer_baseline.yaml", options, tmp_path / folder)

    alone = answers("alone", 0.0, {"decoding": QUICK})
    assert answers("believed", 1e9) != alone
    assert answers("not believed", -1e9) == alone
    said = [""]
    assert answers("silent", 1e9) == alone


def test_baseline_without_training(main, baseline, tmp_path):
    for changes, expected in (
        ({"checkpoint_file": "null"}, "Train them with train.py"),
        ({"checkpoint_file": "none.safetensors"}, "got 'none.safetensors'"),
        ({"sounds_source": str(tmp_path)}, "no aiSFX in"),
        ({"whisper_source": "no/whisper"}, "expected a Whisper"),
        ({"llm_source": "no/llm"}, "no LLM in 'no/llm'"),
    ):
        with pytest.raises(ValueError, match=expected):
            run(main, "infer_baseline.yaml", {**baseline, **changes}, tmp_path)
