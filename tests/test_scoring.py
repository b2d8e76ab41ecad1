"""``scores.json`` as a whole: found again independently, and rebuilt.

Authors
 * The speechbrain_jasco developers, 2026
"""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.stats import permutation_test
from simulated import simulate
from test_measures import as_table

from speechbrain_jasco.dataio import PREDICTION_COLUMNS
from speechbrain_jasco.evaluation import evaluate, write_report
from speechbrain_jasco.judging.aggregation import Aggregation
from speechbrain_jasco.judging.item import ORIENTATIONS, Verdict
from speechbrain_jasco.judging.saved import SavedPanel
from speechbrain_jasco.scoring import Scoring, score

PROMPTS = [f"Prompt {p}?" for p in range(8)]
PAIRS = [
    {"text": text, "first": ["audio", "speech"][p % 2], "pair": 1 + p // 2}
    for p, text in enumerate(PROMPTS)
]
SETTINGS = {"n_draws": 2000, "instructions": [PAIRS]}


def predictions(cube, system):
    """Answers of one system, all different, some of them long."""
    rows = [
        {
            **dict.fromkeys(PREDICTION_COLUMNS, "x"),
            "id": clip,
            "prompt": text,
            "allm_output": f"{system} {clip} " + "word " * (p + 1),
            "prompt_index": p,
        }
        for clip in cube.ids
        for p, text in enumerate(PROMPTS)
    ]
    return pd.DataFrame(rows)


def evaluated(cube, **options):
    """``scores.json`` of simulated verdicts."""
    tables = {
        (system, judge): as_table(cube, s, j)
        for s, system in enumerate(cube.systems)
        for j, judge in enumerate(cube.judges)
    }
    systems = {name: predictions(cube, name) for name in cube.systems}
    return score(
        systems, tables, cube.ids, Scoring(**SETTINGS | options)
    ), tables


@pytest.fixture(scope="module")
def run():
    cube = simulate(np.random.default_rng(0), 3, order=0.5, missing=0.05)
    cube.ratings[2] = np.where(np.isnan(cube.ratings[2]), np.nan, 0)  # poor
    return (cube, *evaluated(cube))


def gated(table):
    """Scores by clip and prompt, in a few lines of pandas."""
    ok = table[table["status"] == "ok"]
    score = ok["rating"].where(ok["orientation"] == "both", 0).astype(float)
    return score.groupby([ok["id"], ok["prompt_index"]]).first().unstack()


def test_point_values_and_intervals_fit_together(run):
    cube, scores, _ = run
    for result in scores["systems"].values():
        entries = [
            *result["judges"].values(),
            result["average"],
            result["panel"],
        ]
        for entry in entries:
            assert entry["best_of_k"][-1] == pytest.approx(entry["best_mean"])
            assert entry["best_of_k"][0] == pytest.approx(entry["mean"])
            for name, (low, high) in {
                k: v for k, v in entry["ci95"].items() if "of_k" not in k
            }.items():
                share = entry["dependence"].get(name)
                value = entry[name] if share is None else share
                assert low <= value <= high and low < high, name
            for name in ("best_of_k", "best_of_k_ungated"):
                for value, (low, high) in zip(
                    entry[name], entry["ci95"][name], strict=True
                ):
                    assert low <= value <= high
            assert [p["index"] for p in entry["prompts"]] == list(range(8))
        means = [e["best_mean_ungated"] for e in result["judges"].values()]
        average = result["average"]["best_mean_ungated"]
        assert average == pytest.approx(np.mean(means))
    poor = scores["systems"]["2"]["judges"]["judge 0"]
    # No resample of zeros differs; the rule of three does.
    assert poor["ci95"]["best_mean"] == pytest.approx(
        [0, 2 * (1 - 0.05 ** (1 / 80))]
    )


def test_comparisons_by_pandas_and_scipy(run):
    _, scores, tables = run
    assert len(scores["comparisons"]) == 3 * 4 * 5
    for row in scores["comparisons"]:
        if row["judge"] != "judge 1" or row["measure"] != "best_mean":
            continue
        a, b = (
            gated(tables[name, "judge 1"]).max(axis=1)
            for name in row["systems"]
        )
        assert row["difference"] == pytest.approx(a.mean() - b.mean())
        low, high = row["ci95"]
        assert low <= row["difference"] <= high
        theirs = permutation_test(
            (a.to_numpy(), b.to_numpy()),
            lambda x, y, axis=-1: x.mean(axis) - y.mean(axis),
            permutation_type="samples",
            n_resamples=5000,
            rng=0,
        )
        assert row["p"] == pytest.approx(theirs.pvalue, abs=0.03)
        error = (a - b).std() / np.sqrt(len(a))
        assert row["detectable"] == pytest.approx(2.8016 * error, rel=1e-3)
        assert row["p_holm"] >= row["p"]
        assert row["separable"] == (row["p_holm"] <= 0.05)


def test_letters_mark_what_is_not_separable(run):
    _, scores, _ = run
    letters = {
        name: result["average"]["letters"]["best_mean"]
        for name, result in scores["systems"].items()
    }
    for row in scores["comparisons"]:
        if row["judge"] == "average" and row["measure"] == "best_mean":
            a, b = (set(letters[name]) for name in row["systems"])
            assert bool(a & b) != row["separable"]
    # 0 and 1 are drawn alike, 2 is worth nothing.
    assert letters == {"0": "a", "1": "a", "2": "b"}


def test_the_order_effect_by_pandas(run):
    _, scores, tables = run
    rows = {
        (r["system"], r["judge"], r["outcome"]): r
        for r in scores["order_effect"]
    }
    assert len(rows) == 3 * 4 * 6
    grid = gated(tables["0", "judge 0"])
    differences = np.stack([grid[p] - grid[p + 1] for p in (0, 2, 4, 6)])
    row = rows["0", "judge 0", "score"]
    assert row["difference"] == pytest.approx(np.nanmean(differences))
    assert row["n_pairs"] == 4 and row["separable"]
    assert rows["0", "judge 0", "rating"]["p_holm"] < 0.01
    other = evaluated(simulate(np.random.default_rng(0), 1), instructions=[])
    assert other[0]["order_effect"] == []


def test_agreement_and_variance_are_there(run):
    _, scores, _ = run
    assert scores["agreement"]["pairs"][0]["judges"] == ["judge 0", "judge 1"]
    assert 0 < scores["agreement"]["alpha"]["rating"]["value"] < 1
    assert scores["agreement"]["repeats"] == {}
    bias = scores["agreement"]["length_bias"]["judge 0"]
    # The length depends on the prompt alone, whose mean is taken out.
    assert np.isnan(bias["all"]["correlation"])
    study = scores["variance"]["systems"]["0"]
    assert set(study["n"]) == {"clip", "prompt", "judge"}
    assert study["buy"][0]["doubled"] <= study["buy"][-1]["doubled"]
    assert scores["variance"]["difference"] is not None


def test_the_seed_and_the_draws_are_all_that_is_random(run):
    cube, scores, _ = run
    assert json.dumps(evaluated(cube)[0]) == json.dumps(scores)
    other = evaluated(cube, seed=5)[0]
    entry, again = (s["systems"]["0"]["average"] for s in (scores, other))
    assert entry["best_mean"] == again["best_mean"]
    assert entry["ci95"]["best_mean"] != again["ci95"]["best_mean"]
    assert entry["ci95"]["best_mean"] == pytest.approx(
        again["ci95"]["best_mean"], abs=0.03
    )


def test_systems_with_other_numbers_of_prompts():
    cube = simulate(np.random.default_rng(1), 2, n_clips=20)
    tables = {
        (system, judge): as_table(cube, s, j)
        for s, system in enumerate(cube.systems)
        for j, judge in enumerate(cube.judges)
    }
    systems = {name: predictions(cube, name) for name in cube.systems}
    for key in tables:
        if key[0] == "1":
            tables[key] = tables[key].query("prompt_index < 5")
    systems["1"] = systems["1"].query("prompt_index < 5")
    scores = score(systems, tables, cube.ids, Scoring(**SETTINGS))
    few = scores["systems"]["1"]["judges"]["judge 0"]
    assert len(few["best_of_k"]) == len(few["ci95"]["best_of_k"]) == 5
    assert len(few["prompts"]) == 5 and few["coverage"] == 1
    assert scores["systems"]["1"]["average"]["best_of_k"][-1] == pytest.approx(
        scores["systems"]["1"]["average"]["best_mean"]
    )
    assert scores["variance"]["systems"]["1"]["n"]["prompt"] == 5
    assert scores["variance"]["difference"] is None


def test_one_system_one_judge_and_a_judge_without_verdicts(tmp_path):
    cube = simulate(np.random.default_rng(2), 1, n_clips=20)
    cube.ratings[:, 1], cube.orientations[:, 1] = np.nan, -1
    scores, _ = evaluated(cube)
    assert scores["comparisons"] == []
    silent = scores["systems"]["0"]["judges"]["judge 1"]
    assert np.isnan(silent["best_mean"]) and silent["bounds"]["mean"] == [0, 2]
    assert np.isnan(silent["ci95"]["best_mean"]).all()
    write_report(scores, tmp_path)  # NaN become null
    on_disk = json.loads((tmp_path / "scores.json").read_text())
    assert on_disk["systems"]["0"]["average"]["ci95"]["mean"] == [None, None]
    alone = evaluated(cube.of(["judge 0"]))[0]
    assert alone["agreement"]["alpha"] is None
    assert alone["agreement"]["pairs"] == []
    assert "letters" not in alone["systems"]["0"]["average"]


@pytest.mark.parametrize(
    "options, message",
    [
        ({"n_draws": 10}, "n_draws is 10; give 100"),
        ({"alpha": 0}, "alpha is 0; give one between"),
    ],
)
def test_settings_that_cannot_be(options, message):
    with pytest.raises(ValueError, match=message):
        Scoring(**options)


def test_reserved_names_are_refused():
    cube = simulate(np.random.default_rng(0), 1, n_clips=5, n_judges=1)
    tables = {("0", "average"): as_table(cube, 0, 0)}
    with pytest.raises(ValueError, match="Give it another name"):
        score({"0": predictions(cube, "0")}, tables, cube.ids)


def test_mode_paper_has_intervals_of_the_scripts_scores():
    """A rating that leaks from the row before counts in both."""
    cube = simulate(np.random.default_rng(6), 2, n_judges=1)
    names = ["Audio-Oriented", "Speech-Oriented", "Good", "Neither"]
    tables = {}
    for s, system in enumerate(cube.systems):
        table = as_table(cube, s, 0).assign(reformat=None)
        codes = table["orientation"].map(ORIENTATIONS.index)
        table["reply"] = [
            f"Rating: {rating}\nOrientation: {names[code]}"
            for rating, code in zip(table["rating"], codes, strict=True)
        ]
        table.loc[3, "reply"] = "Orientation: Good"
        tables[system, "llama"] = table
    systems = {name: predictions(cube, name) for name in cube.systems}
    scores = score(systems, tables, cube.ids, Scoring(**SETTINGS), "paper")
    assert len(scores["comparisons"]) == 2 * 5
    for result in scores["systems"].values():
        entry = result["judges"]["llama"]
        assert entry["leaked"] == 1 and "panel" not in result
        assert entry["best_of_k"][-1] == pytest.approx(entry["best_mean"])
        low, high = entry["ci95"]["best_mean"]
        assert low < entry["best_mean"] < high
    a, b = (
        s["judges"]["llama"]["best_mean"] for s in scores["systems"].values()
    )
    assert scores["comparisons"][0]["difference"] == pytest.approx(a - b)


class Replaying:
    """A judge that says what a cube says, repeats drawn anew; or is down."""

    def __init__(self, name, cubes, down=()):
        self.name, self.cubes, self.repeats = name, cubes, len(cubes)
        self.down = down
        self.calls = 0

    def config(self):
        return {"judge": "replaying", "settings": {"1": [1, 2]}}

    def check(self):
        pass

    def unload(self):
        pass

    def judge(self, items, on_verdict):
        for i, item in enumerate(items):
            self.calls += 1
            if item.id in self.down:
                on_verdict(i, Verdict("transport_error"))
                continue
            # The same item comes once per repeat, repeats one after another.
            cube = self.cubes[i * len(self.cubes) // len(items)]
            clip, prompt = cube.ids.index(item.id), item.prompt_index
            place = int(item.system), 0, clip, prompt
            rating, code = cube.ratings[place], cube.orientations[place]
            on_verdict(i, Verdict("ok", int(rating), ORIENTATIONS[code]))


def write_predictions(cube, folder):
    """Prediction files of all systems (dict)."""
    paths = {}
    for name in cube.systems:
        paths[name] = folder / f"{name}.csv"
        predictions(cube, name)[PREDICTION_COLUMNS].to_csv(
            paths[name], index=False
        )
    return paths


def test_rebuilt_from_saved_verdicts_without_judges(tmp_path):
    rng = np.random.default_rng(3)
    cubes = [simulate(rng, 2, n_clips=12, n_judges=1) for _ in range(5)]
    paths = write_predictions(cubes[0], tmp_path)
    judges = [Replaying("one", cubes[:3]), Replaying("two", cubes[3:], ["4"])]
    scoring = Scoring(Aggregation("mean"), **SETTINGS)
    folder = tmp_path / "out"
    scores = evaluate(paths, judges, folder, None, None, scoring, "Weak.")
    # Two repeats of the one, two of the other: a component of their own.
    assert scores["variance"]["systems"]["0"]["n"]["repeat"] == 2
    assert set(scores["agreement"]["repeats"]) == {"one", "two"}
    coverage = scores["systems"]["0"]["judges"]["two"]["coverage"]
    assert coverage == pytest.approx(11 / 12)

    files = ["verdicts.jsonl", "scores.json", "table.md", "statistics.md"]
    before = {name: (folder / name).read_bytes() for name in files}
    for name in files[1:]:
        if name != "scores.json":
            (folder / name).unlink()
    panel = SavedPanel(folder)
    again = evaluate(paths, panel, folder, None, None, scoring, remark=None)
    assert list(again["judges"]) == ["one", "two"]
    assert {name: (folder / name).read_bytes() for name in files} == before

    # Other settings, other numbers, still nobody is asked.
    other = Scoring(Aggregation("median"), **SETTINGS)
    evaluate(paths, SavedPanel(folder), folder, scoring=other)
    assert (folder / "scores.json").read_bytes() != before["scores.json"]
    assert (folder / "verdicts.jsonl").read_bytes() == before["verdicts.jsonl"]


def test_saved_verdicts_of_other_answers_are_refused(tmp_path):
    cube = simulate(np.random.default_rng(4), 1, n_clips=6, n_judges=1)
    paths = write_predictions(cube, tmp_path)
    folder = tmp_path / "out"
    with pytest.raises(FileNotFoundError, match="an evaluation that has been"):
        evaluate(paths, SavedPanel(folder), folder)
    evaluate(
        paths, [Replaying("one", [cube])], folder, scoring=Scoring(n_draws=100)
    )
    text = paths["0"].read_text().replace("0 3 word", "0 3 another word")
    paths["0"].write_text(text)
    with pytest.raises(ValueError, match="have no verdict in verdicts.jsonl"):
        evaluate(paths, SavedPanel(folder), folder)
    (folder / "scores.json").write_text("{}")
    with pytest.raises(ValueError, match="names no judges"):
        evaluate(paths, SavedPanel(folder), folder)
