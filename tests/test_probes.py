"""Gold probes, what they say of judges, and scores corrected by it.

Authors
 * The speechbrain_jasco developers, 2026
"""

import json
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from speechbrain_jasco import starter
from speechbrain_jasco.dataio import Clip, read_clips
from speechbrain_jasco.evaluation import evaluate
from speechbrain_jasco.judging.item import ORIENTATIONS, Verdict
from speechbrain_jasco.judging.probe_wordings import (
    PLANTED,
    REPORTS,
    WORDINGS,
)
from speechbrain_jasco.judging.probes import (
    FORMS,
    KINDS,
    as_systems,
    make_probes,
    other_clip,
    without_keywords,
)
from speechbrain_jasco.metrics import correction
from speechbrain_jasco.metrics.quality import (
    error_correlation,
    judge_quality,
    wilson,
)
from speechbrain_jasco.probing import find_quality, measure_judges

ROOT = Path(__file__).resolve().parents[1]
DEMO = ROOT / "tests" / "samples" / "demo"


def make_clip(name, reference, keywords, **texts):
    """A clip from little."""
    texts = {
        "audio_sound": f"Sound of {name}",
        "spoken_text": f"Look at {name}",
        "audio_only_target": f"They are likely hearing {name}.",
        "speech_only_target": f"They are likely naming {name}.",
    } | texts
    return Clip(
        name,
        "x.wav",
        "1",
        target_keywords=keywords,
        tgt_text=reference,
        path=Path("x.wav"),
        **texts,
    )


CLIPS = [
    make_clip("a", "They are likely building a sandcastle.", "sandcastle"),
    make_clip("b", "They are planning to repair a boat.", "boat"),
    make_clip("c", "They are likely fishing.", "fishing"),
]


class Knowing:
    """A judge that recognises probes and errs with known probabilities."""

    repeats = 1

    def __init__(self, name="knowing", matrix=None, seed=0):
        self.name = name
        self.matrix = matrix
        self.rng = np.random.default_rng(seed)
        self.n_judged = 0

    def config(self):
        return {"judge": self.name, "matrix": self.matrix}

    def check(self):
        """Nothing to check."""

    def unload(self):
        """Nothing to free."""

    def judge(self, items, on_verdict):
        self.n_judged += len(items)
        for i, item in enumerate(items):
            if item.system.startswith("probes"):
                truth = KINDS[list(KINDS)[item.prompt_index]]
                score, orientation = truth.score, truth.orientations[0]
            else:
                score = int(item.prediction.split()[-1])
                orientation = "both" if score else "audio"
            if self.matrix is not None:
                judged = int(self.rng.choice(3, p=self.matrix[score]))
                if judged and not score:
                    orientation = "both"
                score = judged
            on_verdict(i, Verdict("ok", score, orientation))


def test_every_kind_and_form_of_every_clip():
    probes = make_probes(CLIPS)
    assert len(KINDS) >= 7
    n_kinds = probes.groupby("id")["kind"].nunique()
    # "They are likely fishing." holds nothing but its key word.
    assert dict(n_kinds) == {"a": len(KINDS) - 1, "b": len(KINDS), "c": 8}
    assert (probes.groupby(["id", "kind"])["form"].agg(tuple) == FORMS).all()
    assert (
        not probes["prediction"]
        .str.contains("[{}]")
        .where(probes["kind"] != "planted", False)
        .any()
    )


def test_verbatim_probes_are_the_columns():
    probes = make_probes(CLIPS)
    bare = probes[(probes["form"] == "verbatim") & (probes["id"] == "b")]
    said = bare.set_index("kind")["prediction"]
    assert said["reference"] == CLIPS[1].tgt_text
    assert said["audio_only"] == "They are likely hearing b."
    assert said["speech_only"] == "They are likely naming b."
    assert said["no_action"] == "Sound of b. Look at b"
    assert said["no_keyword"] == "They are planning to repair something."
    assert said["other_clip"] in (CLIPS[0].tgt_text, CLIPS[2].tgt_text)
    assert said["planted"] in PLANTED


def test_spoken_probes_hold_sound_words_and_answer():
    probes = make_probes(CLIPS)
    spoken = probes[probes["form"] != "verbatim"]
    for row in spoken.itertuples():
        assert f"{row.id}" in row.prediction
        assert f"Look at {row.id}" in row.prediction
    both = spoken[(spoken["kind"] == "reference") & (spoken["id"] == "a")]
    assert both["prediction"].str.contains("they are likely building").all()
    assert both["prediction"].nunique() == 3


def test_all_wordings_are_used_and_each_fills_in():
    many = [
        make_clip(f"n{i}", "They are likely fishing.", "fish")
        for i in range(60)
    ]
    text = " ".join(make_probes(many)["prediction"])
    for wordings in (*WORDINGS.values(), *REPORTS.values()):
        assert len(set(wordings)) == len(wordings) >= 3
        for wording in wordings:
            head = wording.split("{")[0] or wording.split("}")[1].split("{")[0]
            assert head in text, wording


def test_the_same_clips_give_the_same_probes_in_any_order():
    probes = make_probes(CLIPS)
    again = make_probes(CLIPS[::-1])
    fixed = probes["kind"] != "other_clip"
    left = probes[fixed].sort_values(["id", "kind", "form"])
    right = again[again["kind"] != "other_clip"].sort_values(
        ["id", "kind", "form"]
    )
    assert left["prediction"].tolist() == right["prediction"].tolist()


@pytest.mark.parametrize(
    "reference, keywords, expected",
    [
        ("They are planning to build a sandcastle.", "sandcastle", "build"),
        ("They are likely fishing.", "fishing", None),
        ("They are having a picnic.", "picnic", None),  # too little remains
        ("They are watching a sports event.", "sport", None),  # no noun phrase
        ("They are giving a haircut or styling hair.", "haircut,hair", None),
        ("They are stargazing.", "telescope", None),  # is not in there
    ],
)
def test_without_keywords(reference, keywords, expected):
    found = without_keywords(reference, make_clip("x", reference, keywords))
    assert found == (expected and "They are planning to build something.")


def test_the_other_clip_shares_nothing():
    same = make_clip("d", "They are likely sailing a boat.", "sail")
    assert other_clip(CLIPS[1], [CLIPS[1], same]) is None  # a boat, too
    near = make_clip("e", "They are hiking.", "hike", audio_sound="Sound of b")
    for clip in (CLIPS[0], near):
        assert other_clip(CLIPS[1], [CLIPS[1], clip]) is clip
    assert other_clip(CLIPS[1], [near, CLIPS[0], CLIPS[1]]) is CLIPS[0]


def test_probes_are_judged_once(tmp_path):
    judge = Knowing()
    report = measure_judges([judge], tmp_path, CLIPS)
    assert "| knowing | verbatim |" in report
    n_probes = len(make_probes(CLIPS))
    assert judge.n_judged == n_probes
    first = (tmp_path / "judge_quality.json").read_bytes()
    measure_judges([judge], tmp_path, CLIPS)
    assert judge.n_judged == n_probes
    assert (tmp_path / "judge_quality.json").read_bytes() == first
    entry = json.loads(first)["judges"]["knowing"]
    for form in ("verbatim", "spoken"):
        assert entry[form]["verdict"]["value"] == 1
        assert entry[form]["false_positive"]["value"] == 0
        assert entry[form]["false_negative"]["value"] == 0


def test_the_forms_are_four_systems():
    systems = as_systems(make_probes(CLIPS))
    assert [name.split(", ")[1] for name in systems] == list(FORMS)
    for table in systems.values():
        assert not table.duplicated(["id", "prompt_index"]).any()


def gold(rows):
    """A gold table from (kind, form, status, rating, orientation)."""
    table = pd.DataFrame(
        rows, columns=["kind", "form", "status", "rating", "orientation"]
    )
    truths = [KINDS[kind] for kind in table["kind"]]
    return table.assign(
        id="a",
        ratings=[truth.ratings for truth in truths],
        orientations=[truth.orientations for truth in truths],
        true_rating=[truth.ratings[0] for truth in truths],
        true_score=[truth.score for truth in truths],
        true_orientation=[
            truth.orientations[0] if len(truth.orientations) == 1 else None
            for truth in truths
        ],
    )


def test_quality_by_hand():
    ok = ("preamble", "ok")
    quality = judge_quality(
        gold(
            [
                ("reference", *ok, 2, "both"),  # right
                ("reference", *ok, 1, "both"),  # wrong rating
                ("reference", *ok, 2, "audio"),  # scores 0: false negative
                ("no_keyword", *ok, 2, "both"),  # right: 1 or 2
                ("audio_only", *ok, 0, "audio"),  # right
                ("audio_only", *ok, 1, "both"),  # false positive
                ("generic", *ok, 0, "neither"),  # right: one of two
                ("generic", *ok, 2, "audio"),  # wrong, but scores 0
                ("no_action", "preamble", "unparsed", None, None),  # wrong
                ("no_action", "preamble", "transport_error", None, None),
                ("reference", "verbatim", "ok", 2, "both"),
            ]
        )
    )
    spoken = quality["spoken"]
    assert spoken["verdict"]["n"] == 9
    assert spoken["verdict"]["value"] == 4 / 9
    assert spoken["rating"]["value"] == 5 / 9
    assert spoken["orientation"]["value"] == 5 / 9
    assert spoken["false_positive"]["value"] == 1 / 4
    assert spoken["false_negative"]["value"] == 1 / 3
    assert spoken["coverage"] == 0.8
    assert spoken["score_confusion"] == [[3, 1, 0], [0, 0, 1], [1, 1, 1]]
    assert spoken["rating_confusion"] == [[2, 1, 1], [0, 0, 1], [0, 1, 2]]
    # In the order of ORIENTATIONS; "generic" has no single right one.
    assert spoken["orientation_confusion"] == [
        *([1, 0, 1, 0], [0, 0, 0, 0]),
        *([1, 0, 3, 0], [0, 0, 0, 0]),
    ]
    assert quality["verbatim"]["verdict"]["value"] == 1
    assert quality["kinds"]["audio_only"]["preamble"]["value"] == 0.5
    assert quality["calibration"]["a"]["score"] == spoken["score_confusion"]


@pytest.mark.parametrize("n", [1, 7, 80])
def test_wilson_equals_scipy(n):
    for k in range(n + 1):
        expected = binomtest(k, n).proportion_ci(method="wilson")
        assert wilson(k, n) == pytest.approx(list(expected), abs=1e-9)


MATRIX = [[0.93, 0.05, 0.02], [0.15, 0.7, 0.15], [0.06, 0.1, 0.84]]


def test_the_estimate_of_the_maximum_is_unbiased_exactly():
    """All verdicts on three answers, each with its probability."""
    matrix = np.array(MATRIX)
    judged = np.array(list(product(range(3), repeat=3)))
    estimates = correction.best_and_mean(judged, matrix)
    for truth in product(range(3), repeat=3):
        chance = np.prod(matrix[np.array(truth), judged], axis=1)
        best, mean = chance @ estimates
        assert best == pytest.approx(max(truth))
        assert mean == pytest.approx(np.mean(truth))


def test_a_judge_without_errors_is_not_corrected():
    rng = np.random.default_rng(0)
    levels = rng.integers(-1, 3, size=(20, 8))
    levels[:, 0] = 1
    found = correction.best_and_mean(levels, np.eye(3))
    assert found[:, 0] == pytest.approx(levels.max(axis=1))
    kept = np.where(levels < 0, np.nan, levels)
    assert found[:, 1] == pytest.approx(np.nanmean(kept, axis=1))
    counts = np.array([5, 2, 3, 7])
    assert correction.shares(counts, np.eye(4)) == pytest.approx(
        [0.5, 0.3, 0.2]
    )


def judged_scores(truth, rng):
    """Scores by a judge with the errors of MATRIX."""
    edges = np.cumsum(MATRIX, axis=1)[truth]
    return (rng.random(truth.shape)[..., None] > edges).sum(axis=-1).clip(0, 2)


def drawn_truth(n_clips, rng):
    """Easy and hard clips: the true scores of a clip go together."""
    hardness = rng.dirichlet([2, 0.4, 0.3], size=n_clips)
    edges = np.cumsum(hardness, axis=1)[:, None]
    u = rng.random((n_clips, 8))[..., None]
    return (u > edges).sum(axis=-1).clip(0, 2)


def drawn_probes(rng):
    """Confusions of the probes of 80 clips, as the official set gives them."""
    confusions = np.zeros((80, 3, 3))
    for clip, counts in enumerate(confusions):
        truth = np.repeat([0, 1, 2], [21, 3 if clip < 12 else 0, 3])
        np.add.at(counts, (truth, judged_scores(truth, rng)), 1)
    return confusions


def test_planted_errors_are_taken_out(monkeypatch):
    """200 evaluations of 80 clips: bias before and after, and coverage."""
    monkeypatch.setattr(correction, "N_BOOTSTRAP", 300)
    rng = np.random.default_rng(2026)
    population = drawn_truth(200_000, rng)
    truth = population.max(axis=1).mean(), population.mean()
    raw, corrected, covered = [], [], []
    for _ in range(200):
        levels = judged_scores(drawn_truth(80, rng), rng)
        raw.append((levels.max(axis=1).mean(), levels.mean()))
        found, why = correction._correct_scores(levels, drawn_probes(rng), rng)
        assert why == ""
        corrected.append([entry["value"] for entry in found])
        covered.append(
            [
                entry["ci95"][0] <= value <= entry["ci95"][1]
                for entry, value in zip(found, truth, strict=True)
            ]
        )
    before = np.mean(raw, axis=0) - truth
    after = np.mean(corrected, axis=0) - truth
    assert before[0] > 0.25  # the maximum of 8 gathers false positives
    assert abs(after[0]) < 0.05
    assert abs(after[1]) < 0.01 < before[1]
    coverage = np.mean(covered, axis=0)
    assert (coverage >= 0.9).all() and (coverage <= 0.985).all(), coverage


def test_planted_confusion_of_orientations_is_taken_out(monkeypatch):
    monkeypatch.setattr(correction, "N_BOOTSTRAP", 200)
    rng = np.random.default_rng(7)
    matrix = np.full((4, 4), 0.08) + 0.68 * np.eye(4)
    true = np.array([0.4, 0.3, 0.1, 0.2])  # of ORIENTATIONS
    wanted = np.array([0.5, 0.125, 0.375])  # of audio, both, speech
    raw, corrected, covered = [], [], []
    for _ in range(200):
        clips = rng.multinomial(8, true @ matrix, size=80)
        probes = np.array(
            [[rng.multinomial(6, row) for row in matrix] for _ in range(80)]
        )
        total = clips.sum(axis=0)[[0, 2, 1]]
        raw.append(total / total.sum())
        found, _ = correction._correct_shares(clips, probes, rng)
        corrected.append([entry["value"] for entry in found.values()])
        covered.append(
            [
                entry["ci95"][0] <= value <= entry["ci95"][1]
                for entry, value in zip(found.values(), wanted, strict=True)
            ]
        )
    assert np.abs(np.mean(raw, axis=0) - wanted).max() > 0.05
    assert np.abs(np.mean(corrected, axis=0) - wanted).max() < 0.01
    coverage = np.mean(covered, axis=0)
    assert (coverage >= 0.9).all() and (coverage <= 0.985).all(), coverage


@pytest.mark.parametrize("shared, expected", [(0, 0), (0.5, 0.25), (1, 1)])
def test_errors_that_go_together_are_noticed(shared, expected):
    """A share of the errors is drawn once per clip and kind."""
    rng = np.random.default_rng(5)
    rates = {"preamble": 0.2, "hedged": 0.4, "reordered": 0.2}
    rows = []
    for clip in range(1500):
        common = rng.random()
        for form, error_rate in rates.items():
            u = common if rng.random() < shared else rng.random()
            rows.append((str(clip), form, float(u < error_rate)))
    table = pd.DataFrame(rows, columns=["id", "form", "score"]).assign(
        kind="audio_only", status="ok", true_score=0
    )
    found = error_correlation(table)
    # Unequal rates keep errors from going together wholly: the covariances
    # 0.2 - 0.2 * 0.4 (twice) and 0.2 - 0.2^2 over the products of deviations.
    most = (2 * 0.12 + 0.16) / (2 * (0.16 * 0.24) ** 0.5 + 0.16)
    assert found == pytest.approx(expected * most, abs=0.04)


def test_the_maximum_is_not_corrected_where_errors_go_together():
    counts = np.array([[18, 1, 1], [1, 8, 1], [1, 1, 8]])
    four = np.eye(4, dtype=int) * 10
    quality = {
        "calibration": {
            str(clip): {"score": counts.tolist(), "orientation": four.tolist()}
            for clip in range(10)
        },
        "error_correlation": 0.0,
    }
    verdicts = pd.DataFrame(
        {
            "id": ["1", "1", "2"],
            "status": "ok",
            "rating": [0, 1, 2],
            "orientation": ["audio", "both", "both"],
        }
    )
    found = correction.correct(verdicts, quality)
    assert found["best_mean"]["value"] and found["why_not"]["score"] == ""
    quality["error_correlation"] = 0.3
    other = correction.correct(verdicts, quality)
    assert other["best_mean"] is None
    assert "go together (correlation 0.30)" in other["why_not"]["score"]
    assert other["mean"] == found["mean"]
    assert other["dependence"] == found["dependence"]


@pytest.mark.parametrize(
    "counts, why",
    [
        (np.eye(3) * 50, ""),
        (np.diag([50, 9, 50]), "fewer than 10"),
        (np.full((3, 3), 20), "the judge hardly"),
    ],
)
def test_a_judge_too_weak_is_not_corrected(counts, why):
    assert correction.why_not(counts).startswith(why)
    assert bool(correction.why_not(counts)) == bool(why)


def write_predictions(path, scores):
    """Answers that carry their true score: [clips, prompts]."""
    rows = [
        {
            "id": f"c{c}",
            "prompt": f"prompt {p}",
            "allm_output": f"An answer worth {score}",
        }
        for c, row in enumerate(scores)
        for p, score in enumerate(row)
    ]
    texts = "audio n_frames audio_sound spoken_text with_speech tgt_text"
    texts += " audio_only_target speech_only_target target_keywords"
    pd.DataFrame(rows).assign(**dict.fromkeys(texts.split(), "x")).to_csv(
        path, index=False
    )


def test_scores_carry_the_quality_and_the_correction(tmp_path):
    clips = [
        make_clip(
            f"n{i}", f"They are planning to repair a boat{i}.", f"boat{i}"
        )
        for i in range(40)
    ]
    judge = Knowing(matrix=MATRIX)
    measure_judges([judge], tmp_path, clips)
    rng = np.random.default_rng(3)
    truth = drawn_truth(80, rng)
    write_predictions(tmp_path / "predictions.csv", truth)
    quality = find_quality(None, tmp_path, [judge])
    scores = evaluate(
        {"A": tmp_path / "predictions.csv"}, [judge], tmp_path, None, quality
    )
    entry = scores["systems"]["A"]["judges"]["knowing"]
    low, high = entry["corrected"]["best_mean"]["ci95"]
    assert low <= truth.max(axis=1).mean() <= high
    assert entry["best_mean"] > truth.max(axis=1).mean() + 0.1
    on_disk = json.loads((tmp_path / "scores.json").read_text())
    said = on_disk["judge_quality"]["knowing"]
    assert said["spoken"]["verdict"]["n"] == 40 * 27
    assert "calibration" not in said
    table = (tmp_path / "table.md").read_text()
    assert "probes right %" in table and "corrected" in table


def test_another_judge_is_not_believed(tmp_path, caplog):
    measure_judges([Knowing()], tmp_path, CLIPS)
    path = tmp_path / "judge_quality.json"
    assert list(find_quality(path, None, [Knowing()])) == ["knowing"]
    changed = Knowing(matrix=MATRIX)
    assert find_quality(path, None, [changed]) == {}
    assert "was not measured with these settings" in caplog.text
    assert find_quality(None, tmp_path / "elsewhere", [changed]) == {}
    with pytest.raises(FileNotFoundError, match="judge_probes.yaml"):
        find_quality(tmp_path / "none.json", None, [changed])
    path.write_text('{"scores": 1}')
    with pytest.raises(ValueError, match="not a judge_quality.json"):
        find_quality(path, None, [changed])


def test_the_demo_clips_give_probes_of_every_kind():
    probes = make_probes(read_clips(DEMO / "clips.csv", DEMO))
    per_kind = probes.groupby("kind")["id"].nunique()
    assert set(per_kind.index) == set(KINDS)
    assert (per_kind.drop("no_keyword") == 8).all()


@pytest.mark.official
def test_the_official_set_gives_seven_kinds_of_80(official_folder):
    path = official_folder / "evaluation" / "example.csv"
    rows = pd.read_csv(path, dtype=str, keep_default_na=False)
    texts = [name for name in Clip.__dataclass_fields__ if name != "path"]
    clips = [
        Clip(**row, path=Path(row["audio"]))
        for row in rows[texts].drop_duplicates().to_dict("records")
    ]
    probes = make_probes(clips)
    n_clips = probes.groupby(["kind", "form"])["id"].nunique().unstack()
    assert (n_clips == 80).all(axis=1).sum() >= 7
    assert set(ORIENTATIONS) == {
        truth.orientations[0] for truth in KINDS.values()
    }


@pytest.mark.weights
def test_the_script_measures_judges(tmp_path, monkeypatch):
    if not starter.is_ready("minilm-l6-v2"):
        pytest.skip(
            "no starter:minilm-l6-v2; python -m speechbrain_jasco.starter"
        )
    import evaluate as script

    monkeypatch.chdir(ROOT / "recipes" / "WhatAreTheyDoing")
    options = ["--output_folder", str(tmp_path)]
    options += ["--judges", "[!ref <similarity>]"]
    report = script.main(["hparams/judge_probes.yaml", *options])
    assert (tmp_path / "judge_quality.md").read_text() == f"{report}\n"
    entry = json.loads((tmp_path / "judge_quality.json").read_text())
    spoken = entry["judges"]["similarity"]["spoken"]
    # Measured 2026-11-22 on the official set: 71 % spoken, 87 % verbatim.
    assert spoken["verdict"]["value"] > 0.5
    assert spoken["coverage"] == 1
