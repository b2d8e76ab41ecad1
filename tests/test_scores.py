"""Metrics against numbers worked out by hand and by brute force.

Authors
 * The speechbrain_jasco developers, 2026
"""

import itertools
import math

import numpy as np
import pandas as pd
import pytest

from speechbrain_jasco.judging.aggregation import Aggregation
from speechbrain_jasco.metrics import bounds, scores
from speechbrain_jasco.metrics.summary import (
    average,
    fill_grid,
    robust_scores,
    robust_tables,
    summarize,
)


def table(rows):
    """Verdicts from (id, status, rating, orientation)."""
    frame = pd.DataFrame(
        rows, columns=["id", "status", "rating", "orientation"]
    )
    frame["prompt_index"] = frame.groupby("id").cumcount()
    return frame


# The worked example of docs/metrics.md: three clips of three prompts.
#   clip a: 2 both, 2 audio, 1 both      gated 2 0 1   best 2   mean 1
#   clip b: 1 speech, 0 neither, unparsed     0 0      best 0   mean 0
#   clip c: 1 both, missing, transport error  1        best 1   mean 1
EXAMPLE = table(
    [
        ("a", "ok", 2, "both"),
        ("a", "ok", 2, "audio"),
        ("a", "ok", 1, "both"),
        ("b", "ok", 1, "speech"),
        ("b", "ok", 0, "neither"),
        ("b", "unparsed", None, None),
        ("c", "ok", 1, "both"),
        ("c", "no_prediction", None, None),
        ("c", "transport_error", None, None),
    ]
)


def test_best_mean_by_hand():
    assert scores.best_mean(EXAMPLE) == (2 + 0 + 1) / 3
    assert scores.best_mean(EXAMPLE, gated=False) == (2 + 1 + 1) / 3


def test_mean_by_hand():
    assert scores.mean_rating(EXAMPLE) == (1 + 0 + 1) / 3
    ungated = (5 / 3 + 0.5 + 1) / 3
    assert scores.mean_rating(EXAMPLE, gated=False) == pytest.approx(ungated)


def test_shares_and_counts_by_hand():
    # audio 1, both 3, speech 1; neither is left out of the shares
    assert scores.dependence(EXAMPLE) == {
        "audio": 1 / 5,
        "both": 3 / 5,
        "speech": 1 / 5,
    }
    assert scores.counts(EXAMPLE) == {
        "audio": 1,
        "both": 3,
        "speech": 1,
        "neither": 1,
        "unparsed": 1,
        "transport_error": 1,
        "missing": 1,
    }


def test_coverage_and_bounds_by_hand():
    assert scores.coverage(EXAMPLE) == 6 / 9
    # worst: b and c keep 0 and 1; best: the failures of b and c are 2 each
    assert bounds.rating_bounds(scores.best_mean, EXAMPLE) == (3 / 3, 6 / 3)
    low, high = bounds.rating_bounds(scores.mean_rating, EXAMPLE)
    assert low == pytest.approx((3 / 3 + 0 / 3 + 1 / 3) / 3)
    assert high == pytest.approx((3 / 3 + 2 / 3 + 5 / 3) / 3)
    assert bounds.share_bounds(EXAMPLE)["both"] == (3 / 8, 6 / 8)


def test_best_of_k_by_hand():
    # a: gated 0 1 2, pairs have maxima 1 2 2; b: 0 0; c: one answer only
    assert scores.best_of_k(EXAMPLE, k_max=3) == pytest.approx(
        [(1 + 0 + 1) / 3, (5 / 3 + 0 + 1) / 3, (2 + 0 + 1) / 3]
    )


@pytest.mark.parametrize("k", range(1, 9))
def test_expected_best_is_the_mean_over_all_subsets(k):
    ratings = np.random.default_rng(k).integers(0, 3, size=8)
    subsets = itertools.combinations(ratings, k)
    brute = np.mean([max(subset) for subset in subsets])
    assert scores.expected_best(ratings, k) == pytest.approx(brute)


@pytest.fixture
def random_verdicts():
    rng = np.random.default_rng(0)
    rows = [
        (str(clip), "ok", rng.integers(3), rng.choice(scores.SHARES))
        for clip in range(20)
        for _ in range(8)
    ]
    return table(rows)


def test_row_order_changes_nothing(random_verdicts):
    shuffled = random_verdicts.sample(frac=1, random_state=1)
    before, after = summarize(random_verdicts), summarize(shuffled)
    assert after["counts"] == before["counts"]
    assert after["best_mean"] == pytest.approx(before["best_mean"])
    assert after["best_of_k"] == pytest.approx(before["best_of_k"])


def test_ends_of_the_best_of_k_curve(random_verdicts):
    curve = scores.best_of_k(random_verdicts)
    assert curve[0] == pytest.approx(scores.mean_rating(random_verdicts))
    assert curve[-1] == pytest.approx(scores.best_mean(random_verdicts))
    assert curve == sorted(curve)


def test_counts_add_up(random_verdicts):
    for verdicts in (random_verdicts, EXAMPLE):
        assert sum(scores.counts(verdicts).values()) == len(verdicts)


def test_bounds_hold_whatever_is_missing(random_verdicts):
    truth = scores.best_mean(random_verdicts)
    rng = np.random.default_rng(2)
    for _ in range(20):
        lost = random_verdicts.copy()
        lost.loc[rng.random(len(lost)) < 0.4, "status"] = "unparsed"
        low, high = bounds.rating_bounds(scores.best_mean, lost)
        assert low <= truth <= high
        assert low <= scores.best_mean(lost) <= high


def test_nothing_scored_is_nan_not_zero():
    empty = table([("a", "unparsed", None, None)])
    assert math.isnan(scores.best_mean(empty))
    assert math.isnan(scores.dependence(empty)["both"])
    assert bounds.rating_bounds(scores.best_mean, empty) == (0, 2)


def test_gate_only_lowers(random_verdicts):
    gated = scores.best_mean(random_verdicts)
    assert gated <= scores.best_mean(random_verdicts, gated=False)


def test_absent_answers_count_as_missing():
    verdicts = EXAMPLE[EXAMPLE["id"] != "b"].drop(index=0)
    full = fill_grid(verdicts, ["a", "b", "c"], 3)
    assert len(full) == 9
    assert scores.counts(full)["missing"] == 1 + 1 + 3
    assert scores.coverage(full) == 3 / 9


def test_average_counts_judges_alike(random_verdicts):
    one, two = summarize(random_verdicts), summarize(EXAMPLE)
    both = average({"one": one, "two": two})
    assert both["best_mean"] == (one["best_mean"] + two["best_mean"]) / 2
    assert sum(both["dependence"].values()) == pytest.approx(1)


def test_expected_ratings_are_averaged_where_a_judge_has_them():
    # Clip a: (1.5 + 0.5) / 2 = 1; clip b: 0.2, its other verdict failed.
    rows = [("a", "ok", 2, "both"), ("a", "ok", 0, "audio")]
    rows += [("b", "ok", 0, "both"), ("b", "unparsed", None, None)]
    frame = table(rows).assign(expected_rating=[1.5, 0.5, 0.2, None])
    result = summarize(frame)
    assert result["mean_expected"] == pytest.approx(0.6)
    assert result["mean_ungated"] == pytest.approx(0.5)  # the labels: 1 and 0
    without = table(rows).assign(expected_rating=None)
    for other in (table(rows), without):
        assert "mean_expected" not in summarize(other)


def test_the_panel_has_no_expected_rating_of_its_first_judge():
    verdicts = {
        ("S", judge): table([("a", "ok", 1, "both")]).assign(
            expected_rating=[expected]
        )
        for judge, expected in (("one", 1.25), ("two", None))
    }
    tables = robust_tables(verdicts, ["a"], Aggregation())
    entry = robust_scores(tables, Aggregation())["S"]
    assert entry["judges"]["one"]["mean_expected"] == 1.25
    assert "mean_expected" not in entry["panel"]
