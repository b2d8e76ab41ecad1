"""Scores as ratios over clips against the plain definitions and brute force.

Authors
 * The speechbrain_jasco developers, 2026
"""

import itertools

import numpy as np
import pandas as pd
import pytest
from simulated import simulate

from speechbrain_jasco.judging.item import ORIENTATIONS
from speechbrain_jasco.metrics import scores
from speechbrain_jasco.metrics.bootstrap import divide
from speechbrain_jasco.metrics.cube import make_cube
from speechbrain_jasco.metrics.measures import best_of_k, by_judge, clip_sums
from speechbrain_jasco.metrics.order_effect import (
    OUTCOMES,
    describe_prompts,
    order_sums,
    prompt_sha256,
    swapped_pairs,
)


def as_table(cube, system, judge):
    """The verdict table that a cube was made of."""
    rows = []
    shape = cube.ratings.shape
    for c, p in itertools.product(range(shape[2]), range(shape[3])):
        rating = cube.ratings[system, judge, c, p]
        code = cube.orientations[system, judge, c, p]
        ok = not np.isnan(rating)
        rows.append(
            {
                "id": cube.ids[c],
                "prompt_index": p,
                "status": "ok" if ok else "unparsed",
                "rating": int(rating) if ok else None,
                "orientation": ORIENTATIONS[code] if ok else None,
            }
        )
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def cube():
    return simulate(np.random.default_rng(0), 2, n_clips=25, missing=0.3)


def test_a_cube_holds_what_the_tables_say(cube):
    tables = {
        (system, judge): as_table(cube, s, j).sample(frac=1, random_state=0)
        for s, system in enumerate(cube.systems)
        for j, judge in enumerate(cube.judges)
    }
    made = make_cube(tables, cube.ids)
    assert made.systems == cube.systems and made.judges == cube.judges
    assert np.array_equal(made.ratings, cube.ratings, equal_nan=True)
    assert np.array_equal(made.orientations, cube.orientations)
    turned = made.of(cube.judges[::-1])
    assert np.array_equal(
        turned.ratings[:, 0], cube.ratings[:, 1], equal_nan=True
    )


def test_every_score_equals_its_plain_definition(cube):
    sums = clip_sums(cube)
    values = {n: divide(a.sum(-1), b.sum(-1)) for n, (a, b) in sums.items()}
    for s, j in itertools.product(range(2), range(2)):
        table = as_table(cube, s, j)
        plain = {
            "best_mean": scores.best_mean(table),
            "mean": scores.mean_rating(table),
            "best_mean_ungated": scores.best_mean(table, gated=False),
            "mean_ungated": scores.mean_rating(table, gated=False),
            **scores.dependence(table),
        }
        for gated, suffix in ((True, ""), (False, "_ungated")):
            curve = scores.best_of_k(table, gated=gated)
            for k, value in enumerate(curve, start=1):
                plain[f"best_of_{k}{suffix}"] = value
        for p in range(8):
            part = table[table["prompt_index"] == p]
            plain[f"mean@{p}"] = scores.scored(part).mean()
            plain[f"both@{p}"] = scores.dependence(part)["both"]
        assert plain.keys() == values.keys()
        for name, value in plain.items():
            assert values[name][s, j] == pytest.approx(value), name


def test_best_of_k_is_the_mean_over_all_subsets():
    rng = np.random.default_rng(1)
    values = rng.integers(0, 3, size=(40, 8)).astype(float)
    values[rng.random(values.shape) < 0.2] = np.nan
    values[0] = np.nan
    curve = best_of_k(values)
    for clip, row in enumerate(values):
        there = row[~np.isnan(row)]
        for k in range(1, 9):
            subsets = list(itertools.combinations(there, min(k, len(there))))
            brute = np.mean([max(s) for s in subsets]) if len(there) else np.nan
            assert curve[clip, k - 1] == pytest.approx(brute, nan_ok=True)


def test_best_of_k_is_the_closed_form_of_the_literature():
    """sum over t of 1 - C(n - c_t, k) / C(n, k), c_t prompts with t or more."""
    from math import comb

    values = np.array([[0, 1, 1, 2, 0, 0, 2, 0]], dtype=float)
    at_least = {1: 4, 2: 2}
    for k in range(1, 9):
        form = sum(1 - comb(8 - c, k) / comb(8, k) for c in at_least.values())
        assert best_of_k(values)[0, k - 1] == pytest.approx(form)


def test_the_average_of_judges_leaves_the_panel_out():
    values = np.array([[1.0], [2.0], [9.0]])
    statistic = by_judge(values, np.ones((3, 1)), 2)
    assert statistic(np.ones((1, 1)))[:, 0].tolist() == [1, 2, 9, 1.5]


KNOWN = [
    {"text": "Sound, words?", "first": "audio", "pair": 1},
    {"text": "Words, sound?", "first": "speech", "pair": 1},
    {"sha256": prompt_sha256("Other?"), "first": "audio", "pair": 2},
]


def test_prompts_are_known_by_text_or_hash():
    texts = {2: "Words, sound?", 0: " Sound, words?\n", 1: "Other?", 3: "New?"}
    prompts = describe_prompts(texts, KNOWN)
    assert [p["index"] for p in prompts] == [0, 1, 2, 3]
    firsts = [prompt["first"] for prompt in prompts]
    assert firsts == ["audio", "audio", "speech", None]
    assert swapped_pairs(prompts) == [(0, 2)]  # the other's partner lacks


@pytest.mark.official
def test_the_authors_eight_are_four_pairs(official_folder):
    import re

    import yaml

    root = official_folder / "evaluation" / "example.csv"
    texts = pd.read_csv(root, dtype=str)["prompt"].unique()
    here = __file__.rsplit("/tests/", 1)[0]
    path = f"{here}/hparams/prompts/official_instructions.yaml"
    with open(path, encoding="utf-8") as fin:
        known = yaml.safe_load(fin)
    prompts = describe_prompts(dict(enumerate(texts)), known)
    assert swapped_pairs(prompts) == [(0, 1), (3, 2), (5, 4), (6, 7)]
    for prompt in prompts:
        audio = re.search("audio sound|What sound", prompt["text"]).start()
        speech = re.search("spoken text|speaker say", prompt["text"]).start()
        assert prompt["first"] == ("audio" if audio < speech else "speech")


def test_the_order_effect_by_hand():
    """Two clips, one pair; the second clip has no verdict on one answer."""
    table = pd.DataFrame(
        {
            "id": ["a", "a", "b", "b"],
            "prompt_index": [0, 1, 0, 1],
            "status": ["ok", "ok", "ok", "unparsed"],
            "rating": [2, 1, 2, None],
            "orientation": ["both", "audio", "both", None],
        }
    )
    top, bottom = order_sums(
        make_cube({("S", "J"): table}, ["a", "b"]), [(0, 1)]
    )
    effect = dict(zip(OUTCOMES, top[:, 0, 0, 0].tolist(), strict=True))
    assert effect == {
        **{"score": 2, "rating": 1},
        **{"audio": -1, "speech": 0, "both": 1, "neither": 0},
    }
    assert bottom[0, 0, 0].tolist() == [1, 0] and (top[:, 0, 0, 1] == 0).all()
