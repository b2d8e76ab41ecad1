"""The report: its page without a browser, its files.

Authors
 * The speechbrain_jasco developers, 2026
"""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import matplotlib.pyplot as plt
import pandas as pd
import pytest
import yaml
from huggingface_hub.repocard_data import model_index_to_eval_results
from report_case import HOSTILE, ScriptedJudge, run_case, run_paper_case

from speechbrain_jasco import reporting
from speechbrain_jasco.evaluation import evaluate
from speechbrain_jasco.judging.saved import SavedPanel
from speechbrain_jasco.reporting.files import (
    latex_table,
    scores_table,
)
from speechbrain_jasco.reporting.page import SCRIPTS, render, script_json
from speechbrain_jasco.reporting.page_data import shorten
from speechbrain_jasco.reporting.published import (
    OFFICIAL_SHA256,
    published_rows,
)
from speechbrain_jasco.reporting.tables import half_up, no_formula
from speechbrain_jasco.scoring import Scoring, _dataset_sha256

WEB = Path(reporting.__file__).parent / "web"


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    return run_case(tmp_path_factory.mktemp("case"))


class Page(HTMLParser):
    """Tags, attributes and the results table of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.rows, self.inside = [], [], [], []
        self.scripts = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]
        self.inside.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th") and self.rows:
            self.rows[-1].append("")
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag):
        if tag in self.inside:
            del self.inside[len(self.inside) - 1 - self.inside[::-1].index(tag)]

    def handle_data(self, text):
        if {"td", "th"} & set(self.inside) and self.rows:
            self.rows[-1][-1] += text
        if "script" in self.inside:
            self.scripts[-1] += text


def read(folder):
    return (folder / "index.html").read_text(encoding="utf-8")


def test_hostile_texts_add_no_tag_and_no_handler(case):
    page = Page(read(case[1]))
    assert page.tags.count("script") == 2
    for tag in ("img", "iframe", "svg", "b", "i", "object", "embed"):
        assert tag not in page.tags
    assert not [name for name in page.attributes if name.startswith("on")]
    assert "style" not in page.attributes  # the policy would refuse it


def test_policy_allows_own_script_only(case):
    (policy,) = re.findall(
        r'Content-Security-Policy" content="([^"]+)"', read(case[1])
    )
    assert "default-src &#39;none&#39;" in policy
    assert "unsafe" not in policy and "http" not in policy


def test_the_page_names_no_address(case):
    assert not re.findall(r'(?:src|href)="(?!#|data:)', read(case[1]))


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_json_in_a_script_stays_the_text(text):
    written = script_json([text])
    assert "<" not in written and written.isascii()
    assert json.loads(written) == [text]


def test_long_texts_are_cut_and_say_so(case):
    data = json.loads(Page(read(case[1])).scripts[0])
    texts = [t for s in data["answers"] for c in s for t in c if t]
    assert max(map(len, texts)) < 1600
    assert any("98500 more characters" in text for text in texts)
    assert shorten("abc", 3) == "abc"


def test_every_number_of_the_table_is_in_the_verdicts(case):
    """Independent: verdicts.jsonl, a few lines of pandas, half-up."""
    scores, folder, _, _ = case
    lines = (folder.parent / "verdicts.jsonl").read_text().splitlines()
    table = pd.DataFrame(map(json.loads, lines))
    table = table[table["status"] == "ok"]
    gated = table["rating"].where(table["orientation"] == "both", 0)
    table = table.assign(gated=gated)
    page = Page(read(folder))
    header, *rows = page.rows
    found = {
        tuple(row[:2]): dict(zip(header, row, strict=True))
        for row in rows[: 2 * 4]
    }
    for (system, judge), part in table.groupby(["system", "judge"]):
        row = found[system, judge]
        by_clip = part.groupby("id")["gated"]  # every clip counts alike
        assert row["Best-Mean"] == half_up(float(by_clip.max().mean()))
        assert row["mean"] == half_up(float(by_clip.mean().mean()))
        share = part["orientation"].value_counts()
        share = share / share.drop("neither").sum()
        for name in ("audio", "both", "speech"):
            assert row[f"{name} %"] == half_up(100 * float(share[name]), 0)


def test_heat_map_is_the_best_gated_rating(case):
    folder = case[1]
    data = json.loads(Page(read(folder)).scripts[0])
    for s, system in enumerate(data["verdicts"]):
        for j, judge in enumerate(system):
            for c, prompts in enumerate(judge):
                ok = [v for v in prompts if v[0] == "ok"]
                best = [v[1] if v[2] == "both" else 0 for v in ok]
                assert data["best"][s][j][c] == max(best)


def test_recordings_are_found_from_the_page(case):
    _, folder, _, clips = case
    data = json.loads(Page(read(folder)).scripts[0])
    for shown, clip in zip(data["clips"], clips, strict=True):
        place = folder / unquote(shown["audio"])
        assert place.resolve() == clip.path.resolve()
        assert shown["picture"]["seconds"] == 1.0


def test_without_recordings_the_page_says_why(tmp_path):
    _, folder, _, _ = run_case(tmp_path, clips_known=False, n_clips=2)
    data = json.loads(Page(read(folder)).scripts[0])
    assert all("no such recording" in clip["silent"] for clip in data["clips"])
    assert "audio" not in data["clips"][0]


def test_rebuilt_from_saved_verdicts_it_is_the_same_page(case):
    _, folder, paths, clips = case
    before = read(folder)
    (folder / "index.html").unlink()
    evaluate(
        paths,
        SavedPanel(folder.parent),
        folder.parent,
        clips,
        scoring=Scoring(n_draws=200),
        remark=None,
    )
    assert read(folder) == before


def test_every_repeat_of_a_judge_is_shown(tmp_path):
    """Its verdict and reason each time, beside what they make together."""
    judges = [ScriptedJudge("mild", repeats=2)]
    _, folder, _, _ = run_case(tmp_path, judges, n_clips=2)
    data = json.loads(Page(read(folder)).scripts[0])
    lines = (folder.parent / "verdicts.jsonl").read_text().splitlines()
    table = pd.DataFrame(map(json.loads, lines)).query("system == 'plain'")
    differ = 0
    for (clip, prompt), part in table.groupby(["id", "prompt_index"]):
        place = [c["id"] for c in data["clips"]].index(clip)
        status, rating, _, why = data["verdicts"][0][0][place][prompt]
        said = [
            f"{row.rating:.0f} {row.orientation}"
            if row.status == "ok"
            else row.status.replace("_", " ")
            for row in part.sort_values("repeat").itertuples()
        ]
        shown = re.findall(r"^(\d)\. (.*?): ", why, re.M)
        assert shown == [("1", said[0]), ("2", said[1])]
        assert all(reason[:20] in why for reason in part["explanation"])
        if status == "ok":
            assert rating == part["rating"].min()  # a tie goes down
        differ += len(set(said)) > 1
    assert differ


def test_rows_that_the_modes_read_differently(tmp_path):
    _, folder = run_paper_case(tmp_path)
    data = json.loads(Page(read(folder)).scripts[0])
    leak = "leak: no line 'Rating: ', score of the row before (id 0, prompt 0)"
    assert data["modes"][0] == [
        "one",
        "llama",
        "0",
        1,
        f"paper 2 both, robust unparsed; {leak}; "
        "robust: no single listed rating in the reply",
    ]
    assert len(data["modes"]) == 3 * 2


def test_published_rows_for_the_official_clips_only(case):
    assert json.loads(Page(read(case[1])).scripts[0])["published"] == []
    rows = published_rows({"sha256": OFFICIAL_SHA256})
    printed = {row["system"]: half_up(row["average"]) for row in rows}
    assert printed == {
        "WavLLM": "0.31",
        "LTU-AS": "0.99",
        "SALMONN": "1.10",
        "Qwen2-Audio": "1.23",
    }
    for row in rows:
        assert sum(row["dependence"].values()) == pytest.approx(1)


def test_published_rows_are_marked(case, monkeypatch):
    scores = {
        **case[0],
        "dataset": {**case[0]["dataset"], "sha256": OFFICIAL_SHA256},
    }
    data = json.loads(Page(read(case[1])).scripts[0])
    data["published"] = published_rows(scores["dataset"])
    page = render(scores, data)
    assert page.count('<span class="mark">published</span>') == 4 * 4


@pytest.mark.official
def test_the_official_clips_are_known_as_such(official_folder):
    table = pd.read_csv(
        official_folder / "evaluation" / "example.csv",
        dtype=str,
        keep_default_na=False,
    )
    assert _dataset_sha256({"any": table}) == OFFICIAL_SHA256


def test_csv_has_no_formula(case):
    assert [no_formula(s + "1")[0] for s in "=+-@\t\r"] == ["'"] * 6
    scores = {**case[0], "systems": {"=1+1": case[0]["systems"]["plain"]}}
    assert set(scores_table(scores)["system"]) == {"'=1+1"}


def test_csv_holds_the_scores(case):
    table = pd.read_csv(case[1] / "scores.csv")
    row = table[(table["system"] == "plain") & (table["judge"] == "mild")]
    entry = case[0]["systems"]["plain"]["judges"]["mild"]
    assert row["best_mean"].item() == entry["best_mean"]
    assert row["both_low"].item() == entry["ci95"]["both"][0]
    assert len(table) == 2 * 4


def test_latex_is_booktabs_and_escaped(case):
    text = latex_table(case[0])
    assert "\\toprule" in text and "\\bottomrule" in text
    assert "\\$x\\_1\\$" in text
    rows = [line for line in text.splitlines() if line.endswith("\\\\")]
    assert {len(re.findall(r"(?<!\\)&", row)) for row in rows} == {6}


def test_figures_in_three_formats(case):
    heads = {"png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<?xml"}
    for stem in ("dependence", "dependence_safe", "best_of_k"):
        for suffix, head in heads.items():
            content = (case[1] / f"{stem}.{suffix}").read_bytes()
            assert content.startswith(head)
    paper, safe = (
        plt.imread(case[1] / f"{name}.png")
        for name in ("dependence", "dependence_safe")
    )
    assert paper.shape == safe.shape and (paper != safe).any()
    assert "<script" not in (case[1] / "dependence.svg").read_text()


def test_model_index_is_read_by_the_hub_library(case):
    index = yaml.safe_load((case[1] / "model_index.yaml").read_text())
    entry = [e for e in index["model-index"] if e["name"] == "plain"]
    _, results = model_index_to_eval_results(entry)
    values = {result.metric_type: result.metric_value for result in results}
    average = case[0]["systems"]["plain"]["average"]
    assert values["best_mean"] == average["best_mean"]
    assert values["share_both"] == average["dependence"]["both"]


def test_template_style_and_scripts_are_in_the_package():
    found = {path.name for path in WEB.iterdir()}
    assert found == {"page.html", "page.css", "glossary.yaml", *SCRIPTS}


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_write_texts_only(name):
    script = (WEB / name).read_text(encoding="utf-8")
    assert len(script.splitlines()) <= 120
    for way in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "eval(",
        "document.write",
        "new Function",
    ):
        assert way not in script
