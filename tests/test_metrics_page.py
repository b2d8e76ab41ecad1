"""The worked examples of docs/metrics.md (the first one: test_scores.py).

Authors
 * The speechbrain_jasco developers, 2026
"""

import numpy as np
import pytest

from speechbrain_jasco.metrics.bootstrap import (
    interval,
    ratio,
    resample_counts,
)
from speechbrain_jasco.metrics.comparison import (
    detectable,
    draw_flips,
    holm,
    sign_flip_test,
)
from speechbrain_jasco.metrics.human import Sums, powered_mean
from speechbrain_jasco.metrics.reliability import (
    ORDINAL,
    cohen_kappa,
    coincidences,
    confusion,
    krippendorff_alpha,
    one_hot,
)
from speechbrain_jasco.metrics.variance import conclude

COUNTS = resample_counts(80, 10_000)


def of_clips(*values):
    """Mean over 80 clips with its interval, from (value, clips)."""
    clips = np.concatenate([np.full(n, value) for value, n in values])
    return interval(ratio(clips, np.ones(80)), COUNTS)


def test_intervals():
    half = of_clips((0.0, 40), (2.0, 40))
    assert half.error == pytest.approx(1.006 / np.sqrt(80), abs=0.001)
    assert half.ends == pytest.approx([0.78, 1.23], abs=0.01)
    lucky = of_clips((0.0, 70), (1.0, 6), (2.0, 4))
    assert lucky.value == 0.175
    assert lucky.ends == pytest.approx([0.09, 0.33], abs=0.01)
    plain = lucky.value + 1.96 * lucky.error * np.array([-1, 1])
    assert plain == pytest.approx([0.07, 0.28], abs=0.005)


def test_comparisons():
    differences = np.array([[1.0, 1, 0, 2, 1]])
    flips = draw_flips(5, 10_000)
    p = sign_flip_test(differences, np.ones((1, 5)), 1, flips)
    assert p[0] == 4 / 32
    assert holm(np.array([0.01, 0.04, 0.03])) == pytest.approx(
        [0.03, 0.06, 0.06]
    )
    assert detectable(0.85 / np.sqrt(80)) == pytest.approx(0.27, abs=0.005)


def test_what_to_buy():
    found = conclude(
        {"clip": 2.0, "prompt": 0.5, "residual": 0.0}, (2, 2, 1, 1)
    )
    doubled = {row["facet"]: row["doubled"] for row in found["buy"]}
    assert found["error"] == pytest.approx(1.12, abs=0.005)
    assert doubled["clip"] == pytest.approx(0.87, abs=0.005)
    assert doubled["prompt"] == pytest.approx(1.06, abs=0.005)


def test_agreement():
    ratings = np.array([[0, 1, 2, 2, 0], [0, 1, 2, 1, 1]], dtype=float)
    levels = np.array([0.0, 1.0, 2.0])
    marks = one_hot(ratings[:, None], levels)
    table = confusion(*marks)[0]
    assert cohen_kappa(table, levels) == pytest.approx(1 - 2 / 6)
    alpha = krippendorff_alpha(coincidences(marks)[0], ORDINAL)
    assert alpha == pytest.approx(0.70)
    assert np.trace(table) / 5 == 0.6


def test_people():
    """One clip that stands for all: 640 answers, 80 of them rated."""
    judged = np.array([[640, 1.4 * 640]])
    rated = np.array([[80, 1.5 * 80, 1.1 * 80, 0, 0]])
    one = np.ones((1, 1))
    for power, expected in ((1, 1.0), (0.5, 1.05), (0, 1.1)):
        found = powered_mean(Sums(judged, rated), power)(one)
        assert found[0] == pytest.approx(expected)
