"""The page says what each of its numbers means.

Authors
 * The speechbrain_jasco developers, 2026
"""

import copy
import re
from pathlib import Path

import numpy as np
import pytest
import yaml
from markupsafe import escape
from report_case import run_case

from speechbrain_jasco import reporting
from speechbrain_jasco.metrics.scores import SHARES
from speechbrain_jasco.metrics.variance import study
from speechbrain_jasco.reporting.statistics import statistics_tables
from speechbrain_jasco.reporting.tables import FORMS, results_table

WEB = Path(reporting.__file__).parent / "web"
# Tables for which this evaluation has nothing.
ABSENT = {
    "Noise of the mean, and what to buy next",
    "Naming the sound first instead of the words",
    "Judges and people",
    "Scores corrected by people",
}
# Columns as many as there are prompts or facets, and their one line.
FAMILIES = {
    r"k = \d+": "k = 1, 2, ...",
    r"\d+": "1, 2, ...",
    r"2 x \w+": "2 x clip, ...",
    r"\w+ x [\w ]+": "clip x prompt, ...",
}
# What a row is about, not a number; "measure" says which kind it is.
NAMES = {"system", "judge", "judges", "systems", "score of", "measure"}


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    return run_case(tmp_path_factory.mktemp("case"))


def explained(column, terms):
    """Whether the glossary has a line on a column."""
    of = [t for p, t in FAMILIES.items() if re.fullmatch(p, column)]
    listed = [part for term in terms for part in term.split(", ")]
    return any(name in terms for name in [column, *of]) or column in listed


def test_every_column_of_the_page_is_explained_on_it(case):
    """With probes and people, whose columns are not always there."""
    scores = copy.deepcopy(case[0])
    right = {"verdict": {"value": 0.5, "n": 9, "ci95": [0.2, 0.8]}}
    scores["judge_quality"] = {"mild": dict.fromkeys(FORMS, right)}
    pair = dict.fromkeys(("kappa", "same"), right["verdict"]) | {"n": 9}
    for result in scores["systems"].values():
        result["judges"]["mild"]["corrected"] = {"best_mean": None}
    numbers = dict.fromkeys(("best_mean", "mean", *SHARES), right["verdict"])
    scores["human"] = {
        "agreement": {"mild": {"rating": pair, "orientation": pair}},
        "systems": {"plain": {"people": numbers}},
    }
    scores["order_effect"] = [
        {**row, "system": "plain", "outcome": "score"}
        for row in scores["comparisons"]
    ]
    values = np.random.default_rng(0).normal(size=(6, 8, 2, 2))
    scores["variance"]["systems"]["plain"] = study(values)
    glossary = yaml.safe_load((WEB / "glossary.yaml").read_text())
    tables = statistics_tables(scores)
    assert len(tables) == 9
    tables.append(("Results", results_table(scores).to_dict("records")))
    for title, rows in tables:
        terms = glossary[title]["terms"]
        for column in {name for row in rows for name in row} - NAMES:
            assert explained(column, terms), f"{title}: {column}"
    text = (case[1] / "index.html").read_text(encoding="utf-8")
    for title, entry in glossary.items():
        lines = [str(escape(line)) for line in entry["terms"].values()]
        assert all(line in text for line in lines) == (title not in ABSENT)


def test_the_glossary_names_sections_of_the_docs():
    docs = Path(__file__).parents[1] / "docs" / "metrics.md"
    heads = re.findall("^## (.+)$", docs.read_text("utf-8"), re.M)
    glossary = yaml.safe_load((WEB / "glossary.yaml").read_text())
    for entry in glossary.values():
        assert set(entry) == {"see", "terms"} and entry["terms"]
        assert set(entry["see"]) <= set(heads)
