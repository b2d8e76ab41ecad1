"""Tests of the judge that looks on while training.

Authors
 * The speechbrain_jasco developers, 2026
"""

import pytest

from speechbrain_jasco.judging.item import Verdict
from speechbrain_jasco.training.judged import GOLD, JudgedAnswers

ROWS = [
    {**dict.fromkeys(GOLD, "-"), "id": "a", "triple_id": "x", "tgt_text": "X"},
    {**dict.fromkeys(GOLD, "-"), "id": "b", "triple_id": "y", "tgt_text": "Y"},
]
INSTRUCTIONS = [{"text": "What?"}, {"text": "Where?"}]


class Echo:
    """Judges by what is written: "rating orientation"."""

    def judge(self, items, on_verdict):
        self.items = items
        for i, item in enumerate(items):
            rating, orientation = item.prediction.split()
            on_verdict(i, Verdict("ok", int(rating), orientation))


def test_best_mean_and_shares_by_hand():
    judge = Echo()
    answers = [["2 both", "1 audio"], ["2 speech", "1 both"]]
    scores = JudgedAnswers(judge, INSTRUCTIONS).scores(ROWS, answers)
    # Only what leans on both counts: 2 for a, 1 for b.
    assert scores.pop("best_mean") == 1.5
    shares = {"audio_share": 0.25, "both_share": 0.5, "speech_share": 0.25}
    assert scores == pytest.approx(shares)
    last = judge.items[-1]
    assert (last.id, last.question, last.prompt_index) == ("b", "Where?", 1)
    assert (last.tgt_text, last.prediction) == ("Y", "1 both")
