"""Tests of the panel: what is judged, what is kept, what is asked again.

Authors
 * The speechbrain_jasco developers, 2026
"""

import json
from collections import Counter

import pandas as pd
import pytest

from speechbrain_jasco.dataio import PREDICTION_COLUMNS
from speechbrain_jasco.evaluation import (
    evaluate,
    expected_clips,
    read_systems,
    run_panel,
)
from speechbrain_jasco.integrations.openai_generator import OpenAIGenerator
from speechbrain_jasco.integrations.reply import Reply, form_reply
from speechbrain_jasco.journal import Journal
from speechbrain_jasco.judging.llm_judge import LLMJudge

VERDICT_KEYS = [
    "key",
    "system",
    "id",
    "prompt_index",
    "judge",
    "repeat",
    "status",
    "rating",
    "orientation",
    "reply",
    "explanation",
    "seconds",
    "prompt_sha256",
    "judge_config_sha256",
]
PROMPT = {"system": "Judge.", "case": "{question}|{tgt_text}|{prediction}"}
GOOD = "Rating: 2\nOrientation: both"


def table(n_clips=2, n_prompts=2, **columns):
    """Predictions of so many clips and prompts, some columns replaced."""
    rows = [
        {
            **{name: f"{name} of {c}" for name in PREDICTION_COLUMNS},
            "id": f"c{c}",
            "prompt": f"prompt {p}",
            "allm_output": f"answer c{c} {p}",
        }
        for c in range(n_clips)
        for p in range(n_prompts)
    ]
    return pd.DataFrame(rows)[PREDICTION_COLUMNS].assign(**columns)


class Counting:
    """A generator that counts what it is asked, and replies as scripted."""

    def __init__(self, reply=None, log=None, name="", **options):
        self.asked = []
        self.reply = reply or (lambda text: Reply(GOOD, seconds=0.5))
        self.log = [] if log is None else log
        self.name = name
        self.options = options

    def config(self):
        return {"generator": "counting", **self.options}

    def check(self):
        self.log.append(("check", self.name))

    def unload(self):
        self.log.append(("unload", self.name))

    def complete(self, chats, on_reply=None, **options):
        self.log.append(("judge", self.name))
        for i, chat in enumerate(chats):
            self.asked.append(chat[-1]["content"])
            on_reply(i, self.reply(chat[-1]["content"]))


@pytest.fixture
def run(tmp_path):
    """Evaluate predictions with generators; returns their judges' tables."""

    def run(predictions, *generators, prompt=PROMPT, form=None):
        if isinstance(predictions, pd.DataFrame):
            predictions = {"system": predictions}
        paths = {}
        for name, frame in predictions.items():
            paths[name] = tmp_path / f"{name}.csv"
            frame.to_csv(paths[name], index=False)
        judges = [
            LLMJudge(generator.name or f"judge {i}", generator, prompt, form)
            for i, generator in enumerate(generators)
        ]
        with Journal(tmp_path / "out" / "verdicts.jsonl") as journal:
            return run_panel(read_systems(paths), judges, journal)

    return run


@pytest.fixture
def written(tmp_path):
    """Read the verdicts that are on the disk."""

    def read():
        path = tmp_path / "out" / "verdicts.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    return read


def test_a_filled_in_form_is_kept_with_its_probabilities(run, written):
    chances = {
        "Rating": {"0": 0.0, "1": 0.25, "2": 0.75},
        "Orientation": {"audio": 0.0, "both": 1.0},
    }
    verdicts = run(table(1, 1), Counting(lambda text: form_reply(chances)))
    (row,) = written()
    optional = ["expected_rating", "probabilities"]
    assert sorted(row) == sorted(VERDICT_KEYS + optional)
    assert (row["rating"], row["expected_rating"]) == (2, 1.75)
    assert row["probabilities"] == chances
    (frame,) = verdicts.values()
    assert frame["expected_rating"].tolist() == [1.75]


def test_a_row_has_the_keys_of_the_contract(run, written):
    frame = table(allm_output=["a", "b", "", "d"])
    replies = {
        "a": Reply(GOOD, seconds=0.5),
        "b": Reply("What?", seconds=0.25),
        "d": Reply("", "transport_error", "gone", 0.125),
    }
    run(frame, Counting(lambda text: replies[text.split("|")[-1]]))
    rows = {(row["id"], row["prompt_index"]): row for row in written()}
    assert len(rows) == 4
    assert all(list(row) == VERDICT_KEYS for row in rows.values())
    got = {
        place: [row[name] for name in VERDICT_KEYS[1:12]]
        for place, row in rows.items()
    }
    no = [None, None]
    why = "no single listed rating and orientation in the reply"
    head = {
        place: ["system", *place, "judge 0", 0]
        for place in [("c0", 0), ("c0", 1), ("c1", 0), ("c1", 1)]
    }
    tail = {
        ("c0", 0): ["ok", 2, "both", GOOD, "", 0.5],
        ("c0", 1): ["unparsed", *no, "What?", why, 0.25],
        ("c1", 0): ["no_prediction", *no, "", "", 0.0],
        ("c1", 1): ["transport_error", *no, "", "gone", 0.125],
    }
    assert got == {place: head[place] + tail[place] for place in head}
    assert len({row["key"] for row in rows.values()}) == 4
    assert len({row["prompt_sha256"] for row in rows.values()}) == 1
    assert len({row["judge_config_sha256"] for row in rows.values()}) == 1


def test_nothing_is_judged_twice(run, written):
    one, two = Counting(name="one", seed=1), Counting(name="two", seed=2)
    frames = {"A": table(), "B": table(allm_output="same answer")}
    first = run(frames, one, two)
    assert len(one.asked) == len(two.asked) == 8
    before = written()
    again = run(frames, one, two)
    shuffled = {"B": frames["B"], "A": frames["A"]}
    run(shuffled, two, one)
    assert len(one.asked) == len(two.asked) == 8
    assert written() == before
    for place, verdicts in first.items():
        assert verdicts.equals(again[place])
    assert Counter((r["system"], r["judge"]) for r in before) == {
        (system, judge): 4 for system in "AB" for judge in ("one", "two")
    }


def test_rows_in_another_order_are_judged_no_more(run):
    generator = Counting()
    run(table(), generator)
    # Clips in another order; the prompts keep theirs.
    run(table().sort_values("id", ascending=False, kind="stable"), generator)
    assert len(generator.asked) == 4


def test_a_new_row_is_judged_alone(run):
    generator = Counting()
    run(table(2), generator)
    run(table(3), generator)
    assert generator.asked[4:] == [
        f"prompt {p}|tgt_text of 2|answer c2 {p}" for p in range(2)
    ]


@pytest.mark.parametrize(
    "column",
    [
        "allm_output",
        "tgt_text",
        "target_keywords",
        "audio_sound",
        "spoken_text",
        "audio_only_target",
        "speech_only_target",
    ],
)
def test_a_changed_cell_is_judged_afresh(run, written, column):
    generator = Counting()
    frame = table()
    run(frame, generator)
    frame.loc[2, column] += "!"
    run(frame, generator)
    assert len(generator.asked) == 5
    assert written()[-1]["id"] == "c1"
    run(table(), generator)  # and back
    assert len(generator.asked) == 5


@pytest.mark.parametrize("column", ["audio", "n_frames", "with_speech"])
def test_a_cell_no_judge_sees_changes_nothing(run, column):
    generator = Counting()
    run(table(), generator)
    run(table(**{column: "other"}), generator)
    assert len(generator.asked) == 4


@pytest.mark.parametrize(
    "change",
    [
        {"prompt": {**PROMPT, "system": "Judge well."}},
        {"prompt": {**PROMPT, "case": "Now: {prediction}"}},
        {"form": {"Rating": ["0", "1", "2"]}},
        {"options": {"model": "other"}},
        {"options": {"request": {"temperature": 1}}},
    ],
    ids=str,
)
def test_a_changed_judge_judges_afresh(run, written, change):
    run(table(), Counting(model="one"))
    change = dict(change)
    generator = Counting(**change.pop("options", {"model": "one"}))
    run(table(), generator, **change)
    assert len(generator.asked) == 4
    rows = written()
    hashes = [row["judge_config_sha256"] for row in rows]
    assert len(set(hashes[:4])) == len(set(hashes[4:])) == 1
    assert hashes[0] != hashes[4]
    same_prompt = rows[0]["prompt_sha256"] == rows[4]["prompt_sha256"]
    assert same_prompt == ("prompt" not in change)


def test_failures_are_asked_again_and_unparsed_replies_are_not(run, written):
    def reply(text):
        if "c0 0" in text:
            return Reply("", "transport_error", "gone")
        return Reply("What?" if "c0 1" in text else GOOD)

    first = Counting(reply)
    verdicts = run(table(), first)["system", "judge 0"]
    assert list(verdicts["status"]) == [
        "transport_error",
        "unparsed",
        *2 * ["ok"],
    ]
    run(table(), first)  # still gone
    assert first.asked[4:] == ["prompt 0|tgt_text of 0|answer c0 0"]
    second = Counting()
    verdicts = run(table(), second)["system", "judge 0"]
    assert second.asked == ["prompt 0|tgt_text of 0|answer c0 0"]
    assert list(verdicts["status"]) == ["ok", "unparsed", "ok", "ok"]
    assert len(written()) == 6  # append-only: the failures stay on record
    third = Counting()
    run(table(), third)
    assert third.asked == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\t\n",
        "NA",
        "N/A",
        "None",
        "none",
        "nan",
        "NaN",
        " nan ",
        "null",
    ],
    ids=repr,
)
def test_missing_answers_are_never_judged(run, written, text):
    generator = Counting()
    frame = table(allm_output=["fine", text, text, "None of them talk."])
    verdicts = run(frame, generator)["system", "judge 0"]
    assert [text.split("|")[-1] for text in generator.asked] == [
        "fine",
        "None of them talk.",
    ]
    no = "no_prediction"
    assert list(verdicts["status"]) == ["ok", no, no, "ok"]
    assert len(written()) == 4
    run(frame, generator)
    assert len(generator.asked) == 2
    assert len(written()) == 4


@pytest.mark.parametrize("names", [["a", "a"], []])
def test_judges_need_distinct_names(run, names):
    generators = [Counting(name=name) for name in names]
    with pytest.raises(ValueError, match="distinct names"):
        run(table(), *generators)
    assert not any(generator.log for generator in generators)


def test_all_judges_are_checked_before_the_first_one_judges(run):
    log = []
    one, two = Counting(log=log, name="one"), Counting(log=log, name="two", x=2)
    run({"A": table(), "B": table()}, one, two)
    assert log == [
        ("check", "one"),
        ("check", "two"),
        ("judge", "one"),
        ("judge", "one"),
        ("unload", "one"),
        ("judge", "two"),
        ("judge", "two"),
        ("unload", "two"),
    ]


def test_a_judge_that_cannot_be_had_stops_the_run_before_any_call(run, written):
    def gone():
        raise ConnectionError("no server")

    one, two = Counting(name="one"), Counting(name="two", x=2)
    two.check = gone
    with pytest.raises(ConnectionError, match="no server"):
        run(table(), one, two)
    assert one.asked == []
    assert written() == []


def test_a_judge_with_nothing_to_do_need_not_be_there(run):
    def gone():
        raise ConnectionError("no server")

    generator = Counting(name="one")
    expected = run(table(), generator)["system", "one"]
    generator.check = generator.complete = gone
    assert run(table(), generator)["system", "one"].equals(expected)


def test_verdicts_survive_an_interrupt(run, written):
    def interrupted(text):
        if "c1 1" in text:
            raise KeyboardInterrupt
        return Reply(GOOD)

    with pytest.raises(KeyboardInterrupt):
        run(table(), Counting(interrupted))
    assert len(written()) == 3
    generator = Counting()
    run(table(), generator)
    assert generator.asked == ["prompt 1|tgt_text of 1|answer c1 1"]


def test_a_last_line_torn_anywhere_costs_one_call(run, written, tmp_path):
    run(table(), Counting(lambda text: Reply(f"Schön ☂\n{GOOD}", seconds=1)))
    path = tmp_path / "out" / "verdicts.jsonl"
    whole = path.read_bytes()
    rows = written()
    start = whole[:-1].rfind(b"\n") + 1
    for cut in {start, start + 1, (start + len(whole)) // 2, len(whole) - 1}:
        path.write_bytes(whole[:cut])
        generator = Counting(lambda text: Reply(f"Schön ☂\n{GOOD}", seconds=1))
        run(table(), generator)
        assert generator.asked == ["prompt 1|tgt_text of 1|answer c1 1"]
        assert written() == rows


def test_a_broken_line_elsewhere_is_named(run, tmp_path):
    run(table(), Counting())
    path = tmp_path / "out" / "verdicts.jsonl"
    lines = path.read_bytes().split(b"\n")
    lines[1] = lines[1][:-9]
    path.write_bytes(b"\n".join(lines))
    with pytest.raises(ValueError, match="verdicts.jsonl, line 2: "):
        run(table(), Counting())


def test_an_answer_of_100_kb_with_every_character_is_kept_apart(run, written):
    odd = "“Ça va” 海 \u2028 \x85 \x1c | ,\"' \\ " * 6000
    frame = table(allm_output=[odd, odd + "x", "a", "b"])
    generator = Counting(lambda text: Reply(odd + GOOD))
    run(frame, generator)
    run(frame, generator)
    assert len(generator.asked) == 4
    assert [row["reply"] for row in written()] == [odd + GOOD] * 4


def test_prompts_are_numbered_by_appearance(run):
    frame = table(1, 3).iloc[[2, 0, 1]]
    verdicts = run(frame, Counting())["system", "judge 0"]
    assert list(verdicts["prompt_index"]) == [0, 1, 2]


def test_a_system_is_named_after_its_folder(tmp_path):
    path = tmp_path / "cascade" / "predictions.csv"
    path.parent.mkdir()
    table().to_csv(path, index=False)
    assert list(read_systems(path)) == ["cascade"]
    assert list(read_systems({1: path, "two": str(path)})) == ["1", "two"]
    with pytest.raises(ValueError, match="names no system"):
        read_systems({})


def test_clips_of_no_data_set_are_named(tmp_path):
    path = tmp_path / "a.csv"
    table(3).to_csv(path, index=False)
    systems = read_systems({"A": path})

    class Known:
        id = "c1"

    with pytest.raises(ValueError, match="A, row 1: .*c0.*c2") as info:
        expected_clips(systems, [Known])
    assert "c1" not in str(info.value)
    assert expected_clips(systems) == ["c0", "c1", "c2"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "b.csv: no such file"),
        ("", "b.csv: empty file"),
        ("id,prompt\n1,a\n", "b.csv: columns .*'allm_output'.* are missing"),
        ("header", "b.csv: a header but no rows"),
        ("silent", "b.csv: no row has an answer"),
        ("twice", "b.csv, row 3: id 'c0'"),
    ],
)
def test_a_file_of_no_use_is_an_error_before_any_call(tmp_path, text, message):
    table().to_csv(tmp_path / "a.csv", index=False)
    frames = {
        "header": table().iloc[:0],
        "silent": table(allm_output=["", "NA", "None", "nan"]),
        "twice": pd.concat([table(1), table()]),
    }
    path = tmp_path / "b.csv"
    if text in frames:
        frames[text].to_csv(path, index=False)
    elif text is not None:
        path.write_text(text, encoding="utf-8")
    generator = Counting()
    judges = [LLMJudge("judge", generator, PROMPT)]
    systems = {"A": tmp_path / "a.csv", "B": path}
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        evaluate(systems, judges, tmp_path / "out")
    assert generator.log == []


def evaluated(tmp_path, server, frame):
    """Evaluate one system by one judge, one call after the other."""
    path = tmp_path / "predictions.csv"
    frame.to_csv(path, index=False)
    generator = OpenAIGenerator(
        "scripted", server.url, concurrency=1, max_retries=0
    )
    judges = [LLMJudge("judge", generator, PROMPT)]
    scores = evaluate({"A": path}, judges, tmp_path / "out")
    on_disk = json.loads((tmp_path / "out/scores.json").read_text())
    assert on_disk["systems"].keys() == scores["systems"].keys()
    return on_disk["systems"]["A"]["judges"]["judge"]


def test_a_server_that_fails_for_a_while(tmp_path, scripted_server):
    # One call after the other: call n is clip n // 8, prompt n % 8. Calls 30
    # to 59 fail: 2 prompts of clip 3, all of clips 4 to 6, 4 of clip 7.
    ratings = [2, 1, 0, 1, 2, 0, 0, 0]  # of the clips, every prompt alike

    def reply(n, request):
        if 30 <= n < 60:
            return 500, {}, {"error": "out of memory"}
        clip = int(request["messages"][-1]["content"].split()[-2][1:])
        return 200, {}, f"Rating: {ratings[clip]}\nOrientation: both"

    server = scripted_server(reply)
    entry = evaluated(tmp_path, server, table(8, 8))
    assert len(server.requests) == 64
    assert entry["coverage"] == 34 / 64
    assert entry["counts"] == {
        "audio": 0,
        "both": 34,
        "speech": 0,
        "neither": 0,
        "unparsed": 0,
        "transport_error": 30,
        "missing": 0,
    }
    # Clips 0, 1, 2, 3 and 7 have a verdict: (2 + 1 + 0 + 1 + 0) / 5.
    assert entry["best_mean"] == pytest.approx(0.8)
    # Worst: clips 4 to 6 get 0: 4 / 8. Best: clips 3 to 7 get 2: 13 / 8.
    assert entry["bounds"]["best_mean"] == pytest.approx([0.5, 1.625])
    failed = [r["messages"] for r in server.requests[30:60]]

    entry = evaluated(tmp_path, server, table(8, 8))
    assert [r["messages"] for r in server.requests[64:]] == failed
    assert entry["coverage"] == 1
    assert entry["best_mean"] == pytest.approx(6 / 8)
    assert entry["bounds"]["best_mean"] == pytest.approx([6 / 8, 6 / 8])

    evaluated(tmp_path, server, table(8, 8))
    assert len(server.requests) == 94


def test_a_server_that_only_fails(tmp_path, scripted_server):
    server = scripted_server(lambda n, request: (500, {}, {}))
    entry = evaluated(tmp_path, server, table(2, 8))
    assert entry["coverage"] == 0
    assert entry["best_mean"] is None
    assert entry["bounds"]["best_mean"] == [0, 2]
    assert (tmp_path / "out/dependence.png").is_file()
    assert "n/a" in (tmp_path / "out/table.md").read_text(encoding="utf-8")


def test_fewer_than_eight_prompts_are_warned_of_and_counted(
    tmp_path, scripted_server, caplog
):
    server = scripted_server(lambda n, request: (200, {}, GOOD))
    frame = table(4, 8).drop(index=[9, 10, 11, 30])  # 3 of c1, 1 of c3
    entry = evaluated(tmp_path, server, frame)
    assert "A: 2 clips have fewer than 8 prompts (c1, c3); 4 answers" in (
        caplog.text
    )
    assert len(server.requests) == 28
    assert entry["counts"]["missing"] == 4
    assert entry["counts"]["both"] == 28
    assert entry["coverage"] == 28 / 32


def test_a_file_with_few_prompts_is_warned_of(
    tmp_path, scripted_server, caplog
):
    server = scripted_server(lambda n, request: (200, {}, GOOD))
    evaluated(tmp_path, server, table(2, 6))
    assert "A: 6 prompts, the benchmark has 8" in caplog.text
