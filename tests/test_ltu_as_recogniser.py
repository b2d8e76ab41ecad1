"""What LTU-AS takes out of a transcript, and what it leaves.

Authors
 * The speechbrain_jasco developers, 2026
"""

import itertools

import pytest
import torch

from speechbrain_jasco.integrations.ltu_as_recogniser import (
    LtuAsRecogniser,
    clean_transcript,
)
from speechbrain_jasco.integrations.whisper_asr import WhisperRecogniser

SPELLINGS = [
    f"{begin}{end}"
    for begin, end in itertools.product(
        (
            "thanks for watching",
            "Thanks for watching",
            "THANKS FOR WATCHING",
            "thank you for watching",
            "Thank you for watching",
            "THANK YOU FOR WATCHING",
        ),
        ("", ".", "!"),
    )
]


@pytest.mark.parametrize("thanks", SPELLINGS)
def test_the_18_spellings_go(thanks):
    assert len(set(SPELLINGS)) == 18
    assert clean_transcript(thanks) == ""
    assert clean_transcript(f"  Hold on. {thanks}") == "Hold on. "


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Thanks.",
        "Thank you.",
        "Thanks For Watching",
        "thanks for  watching",
        "tHANKS FOR WATCHING",
        "Is anyone watching?",
    ],
)
def test_the_rest_stays(text):
    assert clean_transcript(text) == text


def test_no_mark_is_left_over():
    """ "...watching." goes as a whole; tried shortest first it would leave
    its full stop."""
    text = "Thanks for watching. Thank you for watching!"
    assert clean_transcript(text) == " "
    assert clean_transcript("Thanks for watching?") == "?"


def test_a_recogniser_cleans_what_whisper_says(monkeypatch, tiny_whisper):
    said = iter([" Hold on.", "Thanks for watching!"])
    monkeypatch.setattr(
        WhisperRecogniser, "transcribe", lambda self, wavs: list(said)
    )
    recogniser = LtuAsRecogniser(str(tiny_whisper))
    recogniser.check()
    assert recogniser.transcribe([torch.ones(9)] * 2) == ["Hold on.", ""]


def test_check_says_what_is_missing(tmp_path):
    with pytest.raises(ValueError, match="expected a Whisper"):
        LtuAsRecogniser(str(tmp_path)).check()
