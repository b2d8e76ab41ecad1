"""Replies that exist already, scored by ``evaluate.py`` in both modes, and
the file that tells where the modes disagree.

Authors
 * The speechbrain_jasco developers, 2026
"""

import json
import os
import random
import resource
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from test_paper_mode import random_reply, straight_line

from speechbrain_jasco.dataio import PREDICTION_COLUMNS
from speechbrain_jasco.evaluation import mode_of
from speechbrain_jasco.judging.mode_diff import mode_diff
from speechbrain_jasco.judging.paper_mode import follow
from speechbrain_jasco.judging.replay import ReplayJudge
from speechbrain_jasco.judging.verdict import parse_verdict

ROOT = Path(__file__).resolve().parents[1]
RECIPE = ROOT / "recipes" / "WhatAreTheyDoing"
ROBUST = {"audio": "A", "speech": "S", "both": "G", "neither": "N"}
N_CLIPS, N_PROMPTS = 80, 8
GOOD = "Rating: 2\nOrientation: Good"


def write_replies(path, replies, reformats, n_prompts=N_PROMPTS):
    """Write a file as the authors' script does; ids in no order."""
    ids = list(range(1, len(replies) // n_prompts + 1))
    random.Random(0).shuffle(ids)
    rows = [(clip, prompt) for clip in ids for prompt in range(n_prompts)]
    table = pd.DataFrame(rows, columns=["id", "prompt"])
    table["prompt"] = "Prompt " + table["prompt"].astype(str)
    for column in PREDICTION_COLUMNS:
        if column not in table:
            table[column] = "text"
    table["allm_output"] = "They are fishing."
    table["llama3_extract"] = replies
    table["again"] = reformats
    table.to_csv(path, index=False)
    return table["id"].astype(str).tolist()


def run(folder, predictions, *arguments):
    """Run the script: exit code, what it printed, processor seconds."""
    command = ["evaluate.py", "hparams/judge_replay.yaml"]
    command += ["--predictions", str(predictions)]
    command += ["--output_folder", str(folder), *arguments]
    return run_python(*command)


def run_python(*arguments):
    """Run Python: exit code, what it printed, processor seconds."""
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    began = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=RECIPE,
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )
    # Not the wall clock: others may be using the machine.
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = sum(ended[:2]) - sum(began[:2])
    return done.returncode, done.stdout, seconds


def run_in_ten_seconds(folder, *arguments):
    """Run the script: folder, text. On a machine that is too slow for that it
    may take twice as long as its imports alone."""
    code, printed, seconds = run(folder, *arguments)
    assert code == 0, printed
    if seconds >= 10:
        assert seconds < 2 * run_python("-c", "import evaluate")[2]
    return folder, printed


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """80 clips with 8 replies each that the script gets through."""
    chance = random.Random(3)
    replies = []
    while len(replies) < N_CLIPS * N_PROMPTS:
        reply = random_reply(chance).replace("\r", "")
        if len(reply) > 4:  # a spelling of NaN would end it
            replies.append(reply)
    # The first row in the order of ids needs a score.
    ids = list(range(1, N_CLIPS + 1))
    random.Random(0).shuffle(ids)
    replies[ids.index(1) * N_PROMPTS] = GOOD
    words = ["Good", "Both", "Neither.", "Audio-Oriented", None]
    reformats = [chance.choice(words) for _ in replies]
    path = tmp_path_factory.mktemp("replay") / "judged.csv"
    ids = write_replies(path, replies, reformats)
    return path, ids, replies, reformats


@pytest.mark.parametrize("column", ["again", None])
def test_paper_mode_of_640_replies(table, tmp_path, column):
    path, ids, replies, reformats = table
    arguments = ["--mode", "paper", "--reply_column", "llama3_extract"]
    if column:
        arguments += ["--reformat_column", column]
    else:  # then every second question counts as "?"
        reformats = [None] * len(replies)
    folder, printed = run_in_ten_seconds(tmp_path, path, *arguments)
    scores = json.loads((folder / "scores.json").read_text())
    assert scores["mode"] == "paper"
    ((entry,),) = (
        system["judges"].values() for system in scores["systems"].values()
    )
    best, audio, both, speech = straight_line(ids, replies, reformats)
    assert entry["best_mean"] == pytest.approx(best, abs=1e-12)
    assert entry["dependence"] == pytest.approx(
        {"audio": audio, "both": both, "speech": speech}
    )
    n_rows = sum(entry["counts"].values())
    assert n_rows == N_CLIPS * N_PROMPTS
    assert (folder / "table.md").read_text() in printed
    check_diff(pd.read_csv(folder / "paper_vs_robust.csv"), table, reformats)


def check_diff(diff, table, reformats):
    """It has a row for each disagreement, a reason in each, and no other."""
    _, ids, replies, _ = table
    trace = follow(ids, replies, reformats)
    expected = set()
    for row in trace.rows:
        robust = parse_verdict(replies[row.position], "They are fishing.")
        letter = ROBUST.get(robust.orientation)
        if (row.score, row.orientation) != (robust.rating, letter):
            prompt = row.position % N_PROMPTS
            expected.add((int(ids[row.position]), prompt))
    listed = list(zip(diff["id"], diff["prompt_index"], strict=True))
    assert set(listed) == expected and len(listed) == len(expected)
    assert diff["why"].str.len().min() > 3
    for reason in ("leak", "substring digit", "markdown", "precedence"):
        assert diff["why"].str.contains(reason).any(), reason
    assert diff["why"].str.contains("menu echo").any()


def test_robust_mode_of_640_replies(table, tmp_path):
    path, _, replies, reformats = table
    folder, _ = run_in_ten_seconds(
        tmp_path, path, "--mode", "robust", "--reformat_column", "again"
    )
    scores = json.loads((folder / "scores.json").read_text())
    assert scores["mode"] == "robust"
    ((entry,),) = (
        system["judges"].values() for system in scores["systems"].values()
    )
    verdicts = [parse_verdict(reply, "They are fishing.") for reply in replies]
    read = sum(verdict.status == "ok" for verdict in verdicts)
    assert entry["coverage"] == pytest.approx(read / len(replies))
    check_diff(pd.read_csv(folder / "paper_vs_robust.csv"), table, reformats)


def test_a_crash_is_named_and_the_diff_is_there(tmp_path):
    good = "Rating: 1\nOrientation: Good"
    replies = ["Score: 2", *[good] * 7, "", *[good] * 7]
    path = tmp_path / "judged.csv"
    write_replies(path, replies, None)
    code, printed, _ = run(tmp_path / "out", path)
    assert code == 1
    assert "ReplyIsNotText" in printed and "with a TypeError" in printed
    diff = pd.read_csv(tmp_path / "out" / "paper_vs_robust.csv")
    assert diff["why"].iloc[-1].startswith("crash: The authors' script")
    assert not (tmp_path / "out" / "scores.json").exists()
    # Mode robust gets through it.
    code, printed, _ = run(tmp_path / "robust", path, "--mode", "robust")
    assert code == 0, printed


def test_a_changed_file_is_read_anew(tmp_path):
    path = tmp_path / "judged.csv"
    configs = []
    for rating in "12":
        write_replies(path, [f"Rating: {rating}"] * 8, None)
        configs.append(ReplayJudge("j", path).config())
    assert configs[0] != configs[1]


def test_a_missing_column_is_named(tmp_path):
    path = tmp_path / "judged.csv"
    write_replies(path, ["Rating: 1"] * 8, None)
    with pytest.raises(ValueError, match="no column .'replies'.*reply_column"):
        ReplayJudge("j", path, "replies").check()
    with pytest.raises(ValueError, match="paper, robust"):
        ReplayJudge("j", path, mode="strict")


def test_modes_are_not_mixed(tmp_path):
    path = tmp_path / "judged.csv"
    paper = ReplayJudge("p", path)
    robust = ReplayJudge("r", path, mode="robust")
    assert mode_of([paper]) == "paper" and mode_of([robust]) == "robust"
    assert mode_of([object()]) == "robust"
    with pytest.raises(ValueError, match="not comparable"):
        mode_of([paper, robust])


@pytest.mark.parametrize(
    "reply, reformat, prediction, why",
    [
        ("Orientation: Good\nScore: 0", None, "x", "leak"),
        ("**Rating:** 0\nOrientation: Good", None, "x", "markdown"),
        ("Rating: 2 (of 10)\nOrientation: Good", None, "x", "substring digit"),
        ("Rating: 3\nOrientation: Good", None, "x", "no digit 0, 1, 2"),
        ("Rating: 1\nOrientation: Audio-Oriented/Good", None, "x", "menu echo"),
        (
            "Rating: 1\nOrientation: Neither\nOrientation: Good",
            None,
            "x",
            "precedence",
        ),
        ("Rating: 1\nOrientation: good", "Neither", "x", "reformat"),
        ("Rating: 1, both fit.", None, "x", "read \\?"),
        (GOOD, None, "None", "no answer"),
        ("", None, "x", "crash: .*TypeError"),
    ],
)
def test_reasons(reply, reformat, prediction, why):
    verdicts = pd.DataFrame(
        {
            "system": "s",
            "judge": "j",
            "id": ["1", "1"],
            "prompt_index": [0, 1],
            "reply": [GOOD, reply],
            "reformat": [None, reformat],
        }
    )
    diff = mode_diff(verdicts, ["x", prediction])
    assert diff["prompt_index"].tolist() == [1]
    assert diff["why"].str.contains(why).all(), diff["why"][0]


def test_no_difference_no_row():
    replies = [
        GOOD,
        "Explanation1: x\nRating: 0\nExplanation2: y\nOrientation: Neither",
        "Rating: 1\nOrientation: Audio-Oriented",
    ]
    verdicts = pd.DataFrame(
        {
            "system": "s",
            "judge": "j",
            "id": ["2", "10", "1"],
            "prompt_index": [0, 0, 0],
            "reply": replies,
            "reformat": None,
        }
    )
    assert mode_diff(verdicts, ["x"] * 3).empty
