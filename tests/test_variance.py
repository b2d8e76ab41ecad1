"""Variance components against planted ones, and errors against repetitions.

Authors
 * The speechbrain_jasco developers, 2026
"""

from itertools import combinations

import numpy as np
import pytest
from simulated import simulate

from speechbrain_jasco.metrics.instruments import stack_repeats, variance_of
from speechbrain_jasco.metrics.variance import (
    FACETS,
    components,
    error_of_mean,
    study,
    what_to_buy,
)

PLANTED = {
    "clip": 0.30,
    "prompt": 0.05,
    "judge": 0.10,
    "clip x prompt": 0.20,
    "clip x judge": 0.08,
    "prompt x judge": 0.02,
    "clip x prompt x judge": 0.15,
    "repeat": 0.25,
}


def draw(rng, shape, planted=PLANTED):
    """A crossed design [clips, prompts, judges, repeats] of known variances."""
    values = np.zeros(shape)
    for name, variance in planted.items():
        sizes = [
            n if name == "repeat" or facet in name.split(" x ") else 1
            for facet, n in zip(FACETS, shape, strict=False)
        ]
        sizes.append(shape[-1] if name == "repeat" else 1)
        values = values + rng.normal(scale=np.sqrt(variance), size=sizes)
    return values


@pytest.mark.parametrize("n_repeats", [1, 3])
def test_planted_components_are_recovered(n_repeats):
    """Means of 300 estimates, which are unbiased."""
    rng = np.random.default_rng(0)
    shape = (20, 8, 4, n_repeats)
    found = [components(draw(rng, shape)) for _ in range(300)]
    expected = dict(PLANTED)
    if n_repeats == 1:
        together = expected.pop("repeat") + expected.pop(
            "clip x prompt x judge"
        )
        expected["residual"] = together
    assert found[0].keys() == expected.keys()
    for name, variance in expected.items():
        estimates = np.array([one[name] for one in found])
        error = estimates.std() / np.sqrt(300)
        assert abs(estimates.mean() - variance) < 4 * error, name
        assert error < 0.02


def test_two_way_by_the_textbooks_mean_squares():
    """Clips in rows, prompts in columns, no repeats."""
    values = np.random.default_rng(1).normal(size=(6, 4))
    rows, columns = values.mean(1), values.mean(0)
    rest = values - rows[:, None] - columns + values.mean()
    square = (rest**2).sum() / 15
    found = components(values[..., None], ("clip", "prompt"))
    assert found == pytest.approx(
        {
            "clip": rows.var(ddof=1) - square / 4,
            "prompt": columns.var(ddof=1) - square / 6,
            "residual": square,
        }
    )


def test_a_facet_with_one_level_is_left_out():
    values = draw(np.random.default_rng(2), (10, 8, 1, 1))
    assert set(components(values)) == {"clip", "prompt", "residual"}
    found = study(values)
    assert found["n"] == {"clip": 10, "prompt": 8}
    assert {row["facet"] for row in found["buy"]} == {"clip", "prompt"}


@pytest.mark.parametrize("n_repeats", [1, 2])
def test_the_error_is_that_of_repeating_everything(n_repeats):
    """New clips, prompts and judges each time: the spread of the mean."""
    rng = np.random.default_rng(3)
    shape = (15, 4, 3, n_repeats)
    means = [draw(rng, shape).mean() for _ in range(4000)]
    sizes = dict(zip((*FACETS, "repeat"), shape, strict=True))
    expected = error_of_mean(PLANTED, sizes)
    assert np.std(means) == pytest.approx(expected, rel=0.04)
    # Negative estimates are noise about 0, not a negative error.
    assert error_of_mean({"clip": -1.0, "residual": 1.0}, {"clip": 4}) == 0.5


def test_what_to_buy_is_what_lessens_the_error_most():
    sizes = {"clip": 80, "prompt": 8, "judge": 3}
    rows = what_to_buy({"judge": 1.0, "clip": 0.5, "residual": 0.1}, sizes)
    assert rows[0]["facet"] == "judge"
    now = error_of_mean({"judge": 1.0, "clip": 0.5, "residual": 0.1}, sizes)
    assert rows[0]["doubled"] < rows[-1]["doubled"] < now
    assert rows[0]["unlimited"] == pytest.approx(np.sqrt(0.5 / 80))


def test_clips_with_a_gap_are_left_out():
    values = draw(np.random.default_rng(4), (12, 8, 3, 1))
    gaps = values.copy()
    gaps[3, 2, 1], gaps[7, 0, 0] = np.nan, np.nan
    whole = study(np.delete(values, [3, 7], axis=0))
    found = study(gaps)
    assert found["components"] == whole["components"]
    assert found["n_complete"] == 10 and found["n"]["clip"] == 12
    assert found["error"] < whole["error"]  # the mean is of twelve clips
    assert study(np.full((5, 8, 3, 1), np.nan)) is None


def test_of_systems_and_their_difference():
    """What two systems share (a judge's strictness) leaves the difference."""
    cube = simulate(np.random.default_rng(5), 3, n_clips=40)
    prompts = {s: [{"text": p} for p in range(8)] for s in cube.systems}
    found = variance_of(cube, {}, prompts)
    assert list(found["systems"]) == cube.systems
    scores = cube.scores.transpose(0, 2, 3, 1)[..., None]
    clip = [components(a - b)["clip"] for a, b in combinations(scores, 2)]
    difference = found["difference"]
    assert difference["components"]["clip"] == pytest.approx(np.mean(clip))
    assert set(difference["n"]) == {"clip", "prompt", "judge"}
    other = {**prompts, "0": [{"text": f"other {p}"} for p in range(8)]}
    assert variance_of(cube, {}, other)["difference"] is None
    single = variance_of(cube.of(["judge 0"]), {}, prompts)
    assert set(single["difference"]["n"]) == {"clip", "prompt"}


def test_as_many_repeats_as_every_judge_has():
    from test_measures import as_table

    rng = np.random.default_rng(6)
    runs = [simulate(rng, 1, n_clips=5) for _ in range(3)]
    repeats = {
        ("0", judge): [as_table(run, 0, j) for run in runs[: 3 - j]]
        for j, judge in enumerate(runs[0].judges)
    }
    stacked = stack_repeats(runs[0], repeats)
    assert stacked.shape == (1, 5, 8, 2, 2)
    for r in range(2):
        expected = runs[r].scores[0].transpose(1, 2, 0)
        assert (stacked[0, ..., r] == expected).all()
