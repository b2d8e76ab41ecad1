"""Every number of ``scores.json`` and of the page, found again independently.

Three systems, two judges who judge twice, 8 clips, 4 prompts; answers and
verdicts are missing in every way there is. People and probes: test_human.py,
test_human_sheet.py, test_probes.py.

Authors
 * The speechbrain_jasco developers, 2026
"""

import html
import itertools
import json
import os
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from recomputed_formulas import SHARES, of_clips
from recomputed_judges import RecomputedJudges
from recomputed_tables import entry, groups, half_up, span, statistics

from speechbrain_jasco.dataio import PREDICTION_COLUMNS
from speechbrain_jasco.evaluation import evaluate
from speechbrain_jasco.judging.item import ORIENTATIONS, Verdict
from speechbrain_jasco.metrics.order_effect import swapped_pairs
from speechbrain_jasco.scoring import Scoring

# Single prompts of a few clips: no such answer, or all alike.
pytestmark = [
    pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning"),
    pytest.mark.filterwarnings("ignore:Mean of empty:RuntimeWarning"),
    pytest.mark.filterwarnings("ignore:The BCa"),
]
N_DRAWS = 300
PROMPTS = ["Sound, words?", "Words, sound?", "Sound then words?", "And back?"]
PAIRS = [(0, 1), (2, 3)]
KNOWN = [
    {"text": PROMPTS[place], "first": first, "pair": number}
    for number, pair in enumerate(PAIRS, start=1)
    for place, first in zip(pair, ("audio", "speech"), strict=True)
]


class Chance:
    """A judge by chance that likes one orientation, the second time too."""

    def __init__(self, name, seed, repeats=2):
        self.name, self.repeats = name, repeats
        self.rng = np.random.default_rng(seed)

    def config(self):
        return {"judge": self.name}

    def check(self):
        pass

    def unload(self):
        pass

    def judge(self, items, on_verdict):
        liked = {}
        for i, item in enumerate(items):
            place = (item.system, item.id, item.prompt_index)
            says = self.rng.choice(ORIENTATIONS, p=(0.25, 0.2, 0.45, 0.1))
            ratings = (0.8, 0.1, 0.1) if item.system == "C" else (0.1, 0.3, 0.6)
            drawn = int(self.rng.choice(3, p=ratings)), str(says)
            liked.setdefault(place, drawn)
            verdict = liked[place] if self.rng.random() < 0.7 else drawn
            if item.id in ("1", "2") and self.rng.random() < 0.4:
                failure = ("unparsed", "transport_error")[item.prompt_index % 2]
                on_verdict(i, Verdict(failure))
            else:
                on_verdict(i, Verdict("ok", *verdict))


def evaluated(folder, systems, judges):
    """Evaluate answers of words; returns scores, folder, predictions."""
    rng, paths = np.random.default_rng(0), {}
    for system in systems:
        rows = [
            dict.fromkeys(PREDICTION_COLUMNS, "x")
            | {"id": str(clip), "prompt": prompt}
            | {"allm_output": "word " * int(rng.integers(1, 20))}
            for clip in range(1, 9)
            for prompt in PROMPTS
        ]
        rows[1]["allm_output"] = ""
        if system == "C":
            del rows[6]
        paths[system] = folder / f"{system}.csv"
        pd.DataFrame(rows).to_csv(paths[system], index=False)
    scoring = Scoring(n_draws=N_DRAWS, instructions=[KNOWN])
    evaluate(paths, judges, folder / "out", scoring=scoring)
    scores = json.loads((folder / "out" / "scores.json").read_text())
    return scores, folder / "out", paths


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    judges = [Chance("mild", 1), Chance("strict", 2)]
    return evaluated(tmp_path_factory.mktemp("run"), "ABC", judges)


@pytest.fixture(scope="module")
def found(run):
    _, folder, paths = run
    return RecomputedJudges(folder, paths, N_DRAWS)


@pytest.fixture(scope="module")
def again(found):
    return recompute(found)


def recompute(found, pairs=PAIRS):
    """``scores.json`` without what is no number."""
    entries = {
        (system, row): found.entry(system, row)
        for system in found.systems
        for row in found.rows
    }
    return {
        "systems": {
            system: {
                "judges": {j: entries[system, j] for j in found.judges},
                "panel": entries[system, "panel"],
                "average": entries[system, "average"],
            }
            for system in found.systems
        },
        "comparisons": found.comparisons(),
        "order_effect": found.order_effect(pairs),
        "variance": found.variance(),
        "agreement": found.agreement(entries),
    }


def leaves(value, path=()):
    """Flatten to path -> number or text."""
    if isinstance(value, dict | list | tuple) and value:
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        return {
            place: leaf
            for key, item in pairs
            for place, leaf in leaves(item, (*path, key)).items()
        }
    return {path: value}


def assert_equal(given, expected):
    """Compare at any depth; NaN is null on disk."""
    ours, theirs = leaves(expected), leaves(given)
    assert set(ours) == set(theirs)
    for place, leaf in ours.items():
        if isinstance(leaf, int | float | np.number):
            leaf = None if np.isnan(leaf) else pytest.approx(leaf, abs=1e-6)
        assert theirs[place] == leaf, place


def assert_found(scores, again):
    """Letters are for the page; the panel's rule is a setting."""
    theirs = {
        place: leaf
        for place, leaf in leaves({n: scores[n] for n in again}).items()
        if not {"letters", "rule", "min_valid_judges"} & set(place)
    }
    assert_equal(theirs, leaves(again))


def test_every_number_of_the_scores(run, again):
    assert len(leaves(again)) > 2000
    assert_found(run[0], again)
    rest = {"mode", "versions", "scoring", "prompts", "judges", "remark"}
    counted = {"dataset", "human", "judge_quality"}
    assert set(run[0]) - set(again) == rest | counted
    assert run[0]["dataset"]["n_clips"] == 8
    assert run[0]["human"] is None and run[0]["judge_quality"] == {}


def test_one_system_one_judge(tmp_path):
    scores, *files = evaluated(tmp_path, "A", [Chance("mild", 1, repeats=1)])
    found = RecomputedJudges(*files, N_DRAWS)
    assert_found(scores, recompute(found))
    assert scores["comparisons"] == [] and scores["agreement"]["pairs"] == []


@pytest.mark.slow
def test_every_number_of_an_evaluation():
    """By hand: JASCO_EVALUATION=DIR JASCO_PREDICTIONS='{"NAME": "FILE"}'."""
    if "JASCO_EVALUATION" not in os.environ:
        pytest.skip("no evaluation named in $JASCO_EVALUATION")
    folder = Path(os.environ["JASCO_EVALUATION"])
    paths = json.loads(os.environ["JASCO_PREDICTIONS"])
    scores = json.loads((folder / "scores.json").read_text())
    draws = scores["scoring"]["n_draws"], scores["scoring"]["seed"]
    prompts = next(iter(scores["prompts"].values()))
    found = RecomputedJudges(folder, paths, *draws)
    assert_found(scores, recompute(found, swapped_pairs(prompts)))


def tables_of(page):
    """Title -> rows of a page's tables, each a dict of cells."""
    found = {}
    parts = re.split(r"<table class=\"numbers\">", page)
    for before, part in itertools.pairwise(parts):
        titles = re.findall(r"aria-label=\"([^\"]+)\"", before)
        part = part.split("</table>")[0]
        header = re.findall(r"<th scope=\"col\">(.*?)</th>", part)
        cells = re.findall(r"<bdi>(.*?)</bdi>", part)
        rows = np.reshape(
            [html.unescape(cell) for cell in cells], (-1, len(header))
        )
        found[titles[-1]] = [
            dict(zip(header, row, strict=True)) for row in rows.tolist()
        ]
    return found


@pytest.fixture(scope="module")
def page(run):
    return (run[1] / "report" / "index.html").read_text(encoding="utf-8")


def test_every_number_of_the_results(page, again, found):
    rows = iter(tables_of(page)["Results"])
    letters = {row: groups(again, row) for row in found.rows}
    assert any(len(set(names.values())) > 1 for names in letters.values())
    for system in found.systems:
        for row in [*found.judges, "average", "panel"]:
            numbers = entry(again, system, row)
            expected = {
                "system": system,
                "judge": "panel, majority" if row == "panel" else row,
                "Best-Mean": half_up(numbers["best_mean"]),
                "95 %": span(numbers["ci95"]["best_mean"]),
                "group": letters[row][system],
                "mean": half_up(numbers["mean"]),
                **{
                    f"{name} %": half_up(100 * share, 0)
                    for name, share in numbers["dependence"].items()
                },
                "95 % of both": span(numbers["ci95"]["both"], 100, 0),
                **dict.fromkeys(("neither", "coverage %", "bounds"), ""),
            }
            if row != "average":
                expected |= {
                    "neither": str(numbers["counts"]["neither"]),
                    "coverage %": half_up(100 * numbers["coverage"], 0),
                    "bounds": span(numbers["bounds"]["best_mean"]),
                }
            assert next(rows) == expected
    assert next(rows, None) is None


def test_every_number_of_the_statistics(page, again):
    shown = tables_of(page)
    del shown["Results"]
    assert shown == statistics(again)


def test_every_number_of_the_figures_and_the_map(page, again, found):
    script = page.split('<script type="application/json" id="data">')[1]
    data = json.loads(script.split("</script>")[0])
    assert set(data["charts"]) == set(found.rows)
    for row, chart in data["charts"].items():
        for system, drawn in zip(found.systems, chart, strict=True):
            numbers = entry(again, system, row)
            ends = numbers["ci95"]
            expected = {
                "dependence": list(numbers["dependence"].values()),
                "dependence_ci": [ends[name] for name in SHARES],
                "best_of_k": numbers["best_of_k"],
                "best_of_k_ungated": numbers["best_of_k_ungated"],
                "best_of_k_ci": ends["best_of_k"],
                "best_of_k_ungated_ci": ends["best_of_k_ungated"],
            }
            assert_equal(drawn, expected)
    for s, system in enumerate(found.systems):
        for j, judge in enumerate(found.judges):
            best = of_clips(max, found.grid(system, judge, "score"))
            assert_equal(data["best"][s][j], best.tolist())
            table = found.table.loc[system, judge]
            for (clip, prompt), row in table.iterrows():
                verdict = data["verdicts"][s][j][found.ids.index(clip)][prompt]
                rating = None if np.isnan(row["rating"]) else row["rating"]
                says = row["says"] if row["status"] == "ok" else None
                assert (verdict or ["no_prediction", None, None])[:3] == [
                    row["status"],
                    rating,
                    says,
                ]
