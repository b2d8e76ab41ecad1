"""Scores corrected by people: unbiased whatever the judge, and no worse.

Authors
 * The speechbrain_jasco developers, 2026
"""

import numpy as np
import pytest
from simulated import simulate

from speechbrain_jasco.metrics.bootstrap import interval, resample_counts
from speechbrain_jasco.metrics.human import (
    MIN_CLIPS,
    corrected,
    moments,
    powered_mean,
    powered_share,
)
from speechbrain_jasco.metrics.scores import SHARES

COUNTS = resample_counts(80, 400)


def judged_by_both(rng, kind, n_rated=50):
    """Scores of 80 clips x 8 prompts by people and by a judge of a kind.

    People rate one prompt each of ``n_rated`` clips, as the sheet has it.
    """
    ease = rng.normal(size=(80, 1))
    latent = ease + rng.normal(size=(80, 8))
    people = (latent > 0).astype(float) + (latent > 1)
    if kind == "generous":  # sees it right and gives more
        judge = (latent > -0.8).astype(float) + (latent > 0.3)
    else:
        judge = rng.integers(0, 3, size=(80, 8)).astype(float)
    asked = np.full((80, 8), np.nan)
    clips = rng.permutation(80)[:n_rated]
    prompts = rng.integers(0, 8, n_rated)
    asked[clips, prompts] = people[clips, prompts]
    return judge, asked


TRUTH = 0.5 + 0.23975  # P(N(0, 2) > 0) + P(N(0, 2) > 1)


@pytest.mark.parametrize("kind", ["generous", "random"])
def test_intervals_cover_whatever_the_judge_is_worth(kind):
    """1000 evaluations; plain judges are 0.25 and more away from the truth."""
    rng = np.random.default_rng(1)
    ends, alone, plain = [], [], []
    for _ in range(1000):
        judge, people = judged_by_both(rng, kind)
        sums = moments(judge, people)
        ends.append(interval(powered_mean(sums), COUNTS).ends)
        alone.append(interval(powered_mean(sums, 0), COUNTS).ends)
        plain.append(judge.mean())
    ends, alone = np.array(ends), np.array(alone)
    covered = (ends[:, 0] <= TRUTH) & (TRUTH <= ends[:, 1])
    assert 0.93 <= covered.mean() <= 0.97, covered.mean()
    width = np.ptp(ends, axis=1).mean() / np.ptp(alone, axis=1).mean()
    assert width < (0.85 if kind == "generous" else 1.03)
    assert abs(np.mean(plain) - TRUTH) > 0.25


def test_a_judge_that_is_right_needs_few_people():
    rng = np.random.default_rng(0)
    _, people = judged_by_both(rng, "random", 20)
    judge = rng.integers(0, 3, size=(80, 8)).astype(float)
    people = np.where(np.isnan(people), np.nan, judge)
    found = powered_mean(moments(judge, people), power=1)
    assert found(np.ones((1, 80)))[0] == pytest.approx(judge.mean())


def test_a_constant_judge_adds_nothing():
    people = judged_by_both(np.random.default_rng(0), "random")[1]
    sums = moments(np.ones((80, 8)), people)
    value = powered_mean(sums)(np.ones((1, 80)))[0]
    assert value == pytest.approx(np.nanmean(people))


def test_shares_are_corrected_too():
    """A judge that says both of half of what rests on the sound alone."""
    rng = np.random.default_rng(2)
    truth = rng.choice(
        ["audio", "both", "speech"], (4000, 8), p=[0.5, 0.2, 0.3]
    )
    said = np.where(
        (truth == "audio") & (rng.random(truth.shape) < 0.5), "both", truth
    )
    asked = np.zeros(truth.shape, bool)
    asked[:, 0] = True
    sums = {
        name: moments(
            (said == name).astype(float), np.where(asked, truth == name, np.nan)
        )
        for name in SHARES
    }
    for name in SHARES:
        share = powered_share(sums, name)(np.ones((1, 4000)))[0]
        assert share == pytest.approx((truth == name).mean(), abs=0.02)
    assert (said == "both").mean() > 0.4


def values_of(cube):
    return {"score": cube.scores[0, 0]} | {
        name: cube.says(name)[0, 0] for name in SHARES
    }


def test_best_mean_needs_clips_that_people_rated_throughout():
    cube = simulate(np.random.default_rng(3), 1, n_judges=1)
    judge = values_of(cube)
    asked = np.zeros((80, 8), bool)
    asked[:MIN_CLIPS, :] = True
    people = {n: np.where(asked, v, np.nan) for n, v in judge.items()}
    found = corrected(judge, people, COUNTS)
    # People say what the judge says: nothing to correct.
    best = judge["score"].max(axis=1).mean()
    low, high = found["best_mean"]["ci95"]
    assert low <= best <= high
    people["score"][0, 0] = np.nan  # one answer short: nine whole clips
    assert corrected(judge, people, COUNTS)["best_mean"] is None
    assert corrected(judge, people, COUNTS)["mean"] is not None
    asked[:MIN_CLIPS, :] = False
    nobody = {n: np.where(asked, v, np.nan) for n, v in judge.items()}
    assert set(corrected(judge, nobody, COUNTS).values()) == {None}
