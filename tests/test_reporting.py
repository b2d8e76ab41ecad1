"""Tables and figures.

Authors
 * The speechbrain_jasco developers, 2026
"""

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from table_two import TABLE_II

from speechbrain_jasco.evaluation import write_report
from speechbrain_jasco.judging.panel import VERDICT_COLUMNS
from speechbrain_jasco.reporting.statistics import statistics_text
from speechbrain_jasco.reporting.tables import (
    half_up,
    markdown,
    results_table,
)
from speechbrain_jasco.scoring import score


@pytest.mark.parametrize("system", TABLE_II)
def test_table_two_is_rounded_half_up(system):
    totals, printed, average = TABLE_II[system]
    assert [half_up(total / 80) for total in totals] == printed
    assert half_up(sum(totals) / 240) == average


def judged(system, rating, orientation):
    """Verdicts of two clips with 8 equal answers each."""
    rows = [
        (system, "j", clip, i, "ok", rating, orientation)
        for clip in "ab"
        for i in range(8)
    ]
    return pd.DataFrame(rows, columns=VERDICT_COLUMNS)


@pytest.fixture
def scores():
    hostile = "<b>|`x`|</b> $a_b$"
    predictions = pd.DataFrame(
        {
            "id": ["a"] * 8 + ["b"] * 8,
            "prompt_index": list(range(8)) * 2,
            "prompt": [f"Prompt {p}?" for p in range(8)] * 2,
            "allm_output": "They wait.",
            **dict.fromkeys(
                ["audio_sound", "spoken_text", "target_keywords", "tgt_text"],
                "x",
            ),
        }
    )
    verdicts = {
        ("A", "j"): judged("A", 2, "both"),
        ("A", hostile): judged("A", 0, "neither"),
        ("B", "j"): judged("B", 1, "audio"),
        ("B", hostile): judged("B", 1, "both"),
    }
    return score({"A": predictions, "B": predictions}, verdicts, ["a", "b"])


def test_table_has_a_row_per_system_and_judge_average_and_panel(scores):
    table = results_table(scores)
    assert table["system"].tolist() == ["A"] * 4 + ["B"] * 4
    # The panel's ties go to the lower rating and to what claims less.
    assert table["Best-Mean"].tolist() == [
        *("2.00", "0.00", "1.00", "0.00"),
        *("0.00", "1.00", "0.50", "0.00"),
    ]
    # only "neither": there is no share to give, and no average of it
    assert table["both %"].tolist()[:3] == ["100", "n/a", "n/a"]


def test_hostile_names_stay_in_their_cell(scores):
    lines = markdown(results_table(scores)).splitlines()
    columns = {line.replace("\\|", "").count("|") for line in lines}
    assert len(columns) == 1
    assert len({len(line) for line in lines}) == 1  # aligned


def test_hostile_names_stay_in_the_cells_of_all_tables(scores):
    tables = statistics_text(scores).split("\n\n## ")[1:]
    assert len(tables) >= 4
    for table in tables:
        _, _, *lines = table.splitlines()
        assert len({line.replace("\\|", "").count("|") for line in lines}) == 1


def test_report_files(scores, tmp_path):
    write_report(scores, tmp_path, "Weak judges.")
    assert (tmp_path / "table.md").read_text().endswith("\n\nWeak judges.\n")
    assert "NaN" not in (tmp_path / "scores.json").read_text()
    picture = plt.imread(tmp_path / "dependence.png")
    colours = {tuple(pixel[:3]) for row in picture for pixel in row}
    assert (1.0, 1.0, 1.0) in colours and len(colours) > 10
    assert picture.shape[1] > 300
