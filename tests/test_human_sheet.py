"""The rating sheet: what people see, what comes back, what is refused.

Authors
 * The speechbrain_jasco developers, 2026
"""

import csv
import html.parser
import json
import os
import shutil
import subprocess
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pytest

from speechbrain_jasco.dataio import PREDICTION_COLUMNS, read_clips, read_table
from speechbrain_jasco.evaluation import evaluate
from speechbrain_jasco.human_ratings import answer_table, find_ratings
from speechbrain_jasco.human_sheet import HumanSheet
from speechbrain_jasco.judging.item import Verdict
from speechbrain_jasco.judging.saved import SavedPanel
from speechbrain_jasco.scoring import Scoring
from speechbrain_jasco.systems import read_systems

DEMO = Path(__file__).resolve().parent / "samples" / "demo"
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</blockquote></section></html>",
    "=HYPERLINK(A1)",
    "@SUM(1+1)",
    "x" * 100_000,
    "\u202eright to left",
    "\ud800 half a pair",
]


def write_predictions(path, system, n_clips=8, n_prompts=8):
    """Answers to the demo's clips, the first ones hostile."""
    clips = pd.read_csv(DEMO / "clips.csv", dtype=str).iloc[:n_clips]
    prompts = pd.DataFrame(
        {"prompt": [f"Prompt {p}?" for p in range(n_prompts)]}
    )
    rows = clips.merge(prompts, how="cross").assign(with_speech="True")
    rows["allm_output"] = [
        HOSTILE[i % len(HOSTILE)] + f" {system} {i}" for i in range(len(rows))
    ]
    rows[PREDICTION_COLUMNS].to_csv(
        path, index=False, errors="backslashreplace"
    )
    return path


class Scripted:
    """A judge whose verdicts follow from the place of the answer."""

    def __init__(self, name, shift):
        self.name, self.shift = name, shift

    def config(self):
        return {"judge": "scripted", "shift": self.shift}

    def check(self):
        pass

    def unload(self):
        pass

    def judge(self, items, on_verdict):
        for i, item in enumerate(items):
            number = int(item.id) + item.prompt_index + self.shift
            orientation = ("both", "both", "audio")[number % 3]
            on_verdict(i, Verdict("ok", (number * 7) % 3, orientation))


@pytest.fixture
def judged(tmp_path):
    """Predictions of two systems, judged by two judges."""
    paths = {
        name: write_predictions(tmp_path / f"{name}.csv", name) for name in "AB"
    }
    judges = [Scripted("one", 0), Scripted("two", 1)]
    evaluate(paths, judges, tmp_path / "out", scoring=Scoring(n_draws=200))
    return paths, tmp_path / "out"


def written(paths, folder, **options):
    clips = read_clips(DEMO / "clips.csv", DEMO)
    text = HumanSheet(**options).exchange(paths, clips, folder)
    return text, read_table(folder / "human_sheet.csv", ["item"])


def fill(sheet, path, rating="1", orientation="both"):
    rows = sheet[["item"]].assign(rating=rating, orientation=orientation)
    rows.to_csv(path, index=False)
    return rows


def test_the_sheet_is_blind_and_shuffled(judged):
    paths, folder = judged
    text, sheet = written(paths, folder, n_answers=32)
    assert text.startswith("32 answers to rate.")
    assert len(sheet) == 32 and sheet["item"].is_unique
    assert sheet["item"].str.fullmatch("[a-p]{10}").all()
    assert not {"system", "judge", "prompt_index"} & set(sheet.columns)
    assert set(sheet["rating"]) == set(sheet["orientation"]) == {""}
    # The clips' order in the sheet is not the one in the file.
    assert sheet["id"].tolist() != sorted(sheet["id"])
    places = answer_table(read_systems(paths)).merge(sheet[["item"]], on="item")
    cells = places.groupby("system").apply(
        lambda part: set(zip(part["id"], part["prompt_index"], strict=True))
    )
    assert cells["A"] == cells["B"] and len(cells["A"]) == 16
    owners = places.set_index("item")["system"][sheet["item"]].tolist()
    assert owners != sorted(owners)
    # 16 cells of 8 clips: two prompts of each, not eight of some
    assert places.groupby(["system", "id"]).size().eq(2).all()
    again = written(paths, folder, n_answers=32)[1]
    assert again.equals(sheet)
    other = written(paths, folder, n_answers=32, seed=2)[1]
    assert set(other["item"]) != set(sheet["item"])


def test_every_answer_is_as_likely_as_any_other(judged):
    answers = answer_table(read_systems(judged[0]))
    drawn = pd.concat(
        HumanSheet(n_answers=20, seed=seed).draw(answers) for seed in range(400)
    )
    share = drawn.groupby(["system", "id", "prompt_index"]).size() / 400
    assert len(share) == 128
    assert share.mean() == pytest.approx(10 / 64)
    assert share.std() < 0.025  # binomial: 0.018


def test_whole_clips_have_all_their_prompts(judged):
    _, sheet = written(*judged, n_answers=40, whole_clips=True)
    per_clip = sheet.groupby("id").size()
    assert per_clip.tolist() == [16] * 3  # 20 cells of a system: 3 clips


class Page(html.parser.HTMLParser):
    """Collects what a browser would make of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.texts = [], [], {}
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, *pair) for pair in attrs]

    def handle_data(self, data):
        self.texts.setdefault((self.tags or [None])[-1], []).append(data)


def test_what_models_say_stays_text(judged):
    paths, folder = judged
    written(paths, folder, n_answers=128)
    text = (folder / "human_sheet.html").read_text(encoding="utf-8")
    page = Page(text)
    assert page.tags.count("script") == 1 and "img" not in page.tags
    assert page.tags.count("section") == page.tags.count("blockquote") == 128
    shown = "".join(page.texts["blockquote"])
    for hostile in HOSTILE[:-1]:
        assert hostile in shown
    events = [a for _, a, _ in page.attributes if a.startswith("on")]
    assert events == []
    links = {v for _, a, v in page.attributes if a in ("src", "href")}
    assert len(links) == 8  # one recording per clip, nothing else
    for link in links:
        assert not link.startswith(("/", "http", "file"))
        assert (folder / unquote(link)).resolve().is_file()
    policy = next(v for t, a, v in page.attributes if a == "content")
    assert "default-src 'none'" in policy and "unsafe" not in policy


def test_a_spreadsheet_computes_nothing(judged):
    _, sheet = written(*judged, n_answers=128)
    starts = sheet["allm_output"].str[:1]
    assert not starts.isin(list("=+-@")).any()
    assert sheet["allm_output"].str.startswith("'=HYPER").sum() == 16


@pytest.mark.skipif(not shutil.which("node"), reason="no node")
def test_the_forms_script_saves_what_is_ticked(judged, tmp_path):
    """The page's own script on a stand-in for the page."""
    paths, folder = judged
    written(paths, folder, n_answers=4)
    text = (folder / "human_sheet.html").read_text(encoding="utf-8")
    script = text.split("<script>")[1].split("</script>")[0]
    stand_in = """
    const ticked = {abc: {rating: "2", orientation: "both"}, def: {}};
    const sections = Object.keys(ticked).map((id) => ({
      id, classList: {toggle() {}}, querySelectorAll: () => [],
      querySelector(query) {
        const name = /data-field=(\\w+)/.exec(query)[1];
        return ticked[id][name] ? {value: ticked[id][name]} : null; } }));
    const count = {}, button = {addEventListener(_, f) { this.click = f; }};
    let saved;
    globalThis.localStorage = {getItem: () => null, setItem() {}};
    globalThis.URL.createObjectURL = (blob) => { saved = blob; return ""; };
    globalThis.document = { body: {dataset: {sheet: "s"}},
      querySelectorAll: () => sections, addEventListener() {},
      createElement: () => ({click() {}}),
      getElementById: (id) => ({count, save: button})[id] };
    """
    tail = "button.click(); saved.text().then((t) => console.log("
    tail += "JSON.stringify([t, count.textContent])));"
    path = tmp_path / "form.js"
    path.write_text(f"{stand_in} (() => {{ {script} }})(); {tail}")
    run = subprocess.run(["node", path], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    saved, count = json.loads(run.stdout)
    rows = list(csv.reader(saved.splitlines()))
    assert rows[1:] == [["abc", "2", "both"], ["def", "", ""]]
    assert count == "1 of 2 rated"


def test_a_filled_sheet_comes_back_as_ratings(judged, tmp_path):
    paths, folder = judged
    _, sheet = written(paths, folder, n_answers=32)
    anna, ben = tmp_path / "anna.csv", tmp_path / "ben.csv"
    fill(sheet.sample(frac=1, random_state=0), anna, "2", " Both ")
    fill(sheet, ben, "1", "audio")
    assert HumanSheet(filled=[anna, ben]).exchange(paths, None, folder) == ""
    systems = read_systems(paths)
    ratings = find_ratings(folder, systems)
    assert len(ratings) == 64 and set(ratings["rater"]) == {"anna", "ben"}
    expected = answer_table(systems).merge(sheet[["item"]], on="item")
    for rater, rating, orientation in [
        ("anna", 2, "both"),
        ("ben", 1, "audio"),
    ]:
        part = ratings[ratings["rater"] == rater]
        assert set(part["rating"]) == {rating}
        assert set(part["orientation"]) == {orientation}
        merged = part.merge(
            expected, on=["item", "system", "id", "prompt_index"]
        )
        assert len(merged) == 32


def test_everything_wrong_is_named_at_once(judged, tmp_path):
    paths, folder = judged
    _, sheet = written(paths, folder, n_answers=32)
    items = sheet["item"].tolist()
    rows = [(item, "1", "both") for item in items]
    rows[0] = ("zzzzzzzzzz", "1", "both")  # unknown; so items[0] has no row
    rows[1] = (items[1], "3", "both")
    rows[2] = (items[2], "", "both")
    rows[3] = (items[3], "1", "left")
    rows[4] = (items[5], "1", "both")  # items[5] twice; items[4] has no row
    path = tmp_path / "anna.csv"
    pd.DataFrame(rows, columns=["item", "rating", "orientation"]).to_csv(
        path, index=False
    )
    with pytest.raises(ValueError) as caught:
        HumanSheet(filled=str(path)).exchange(paths, None, folder)
    head, *lines = str(caught.value).splitlines()
    assert head == "7 errors, nothing was read:"
    assert lines == [
        f"{path}, row 1: item 'zzzzzzzzzz' is not on the sheet",
        f"{path}, row 2: rating '3'; expected 0, 1 or 2",
        f"{path}, row 3: rating ''; expected 0, 1 or 2",
        f"{path}, row 4: orientation 'left'; expected one of audio, speech, "
        "both, neither",
        f"{path}, row 6: item '{items[5]}' stands in row 5 already",
        f"{path}: item '{items[0]}' has no row",
        f"{path}: item '{items[4]}' has no row",
    ]
    assert not (folder / "human_ratings.csv").exists()


def test_a_sheet_of_other_answers_is_refused(judged, tmp_path, caplog):
    paths, folder = judged
    _, sheet = written(paths, folder, n_answers=32)
    fill(sheet, tmp_path / "anna.csv")
    HumanSheet(filled=tmp_path / "anna.csv").exchange(paths, None, folder)
    table = pd.read_csv(paths["A"], dtype=str, keep_default_na=False)
    table["allm_output"] += " changed"
    table.to_csv(paths["A"], index=False)
    with pytest.raises(ValueError, match="16 of 32 answers are not in the pre"):
        HumanSheet(filled=tmp_path / "anna.csv").exchange(paths, None, folder)
    left = find_ratings(folder, read_systems(paths))
    assert set(left["system"]) == {"B"}
    assert "16 of 32 ratings are of other answers" in caplog.text
    assert find_ratings(tmp_path / "elsewhere", {}) is None


def test_people_stand_in_the_scores(judged, tmp_path):
    """People who say what judge one says, read back, scored without judges."""
    paths, folder = judged
    _, sheet = written(paths, folder, n_answers=128)
    place = answer_table(read_systems(paths)).set_index("item")
    number = place["id"].astype(int) + place["prompt_index"]
    number = number[sheet["item"]].to_numpy()
    rows = sheet[["item"]].assign(
        rating=(number * 7) % 3,
        orientation=np.array(["both", "both", "audio"])[number % 3],
    )
    rows.to_csv(tmp_path / "anna.csv", index=False)
    HumanSheet(filled=tmp_path / "anna.csv").exchange(paths, None, folder)
    scores = evaluate(
        paths, SavedPanel(folder), folder, scoring=Scoring(n_draws=200)
    )
    human = scores["human"]
    assert human["raters"] == ["anna"] and human["n_answers"] == 128
    agreement = human["agreement"]
    assert agreement["one"]["rating"]["kappa"]["value"] == 1
    assert agreement["two"]["rating"]["same"]["value"] < 1
    assert set(agreement) == {"one", "two", "panel"}
    # Eight clips are too few for an interval, and so for a correction.
    assert set(human["systems"]["A"]) == {
        "people",
        "one",
        "two",
        "panel",
        "average",
    }
    assert human["systems"]["A"]["one"]["mean"] is None
    text = (folder / "statistics.md").read_text(encoding="utf-8")
    assert "## Judges and people" in text
    # The judges' own scores are as before.
    assert list(scores["systems"]["A"]["judges"]) == ["one", "two"]


def test_the_script_writes_and_reads(judged, tmp_path, monkeypatch):
    import evaluate as script

    paths, folder = judged
    monkeypatch.chdir(Path(script.__file__).parent)
    options = ["hparams/human_sheet.yaml", "--output_folder", str(folder)]
    options += ["--predictions", f"{{A: {paths['A']}, B: {paths['B']}}}"]
    options += ["--n_answers", "16", "--n_draws", "200"]
    assert script.main(options).startswith("16 answers to rate.")
    sheet = read_table(folder / "human_sheet.csv", ["item"])
    fill(sheet, tmp_path / "anna.csv")
    scores = script.main([*options, "--filled", str(tmp_path / "anna.csv")])
    assert scores["human"]["n_answers"] == 16
    assert os.path.getsize(folder / "human_ratings.csv") > 0
