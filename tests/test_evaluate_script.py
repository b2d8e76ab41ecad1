"""Tests of ``evaluate.py`` as a user runs it, against a scripted server.

The judge behind the server decides by a table in this file, so that every
score can be worked out here without the code under test.

Authors
 * The speechbrain_jasco developers, 2026
"""

import json
import os
import random
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from speechbrain_jasco.dataio import PREDICTION_COLUMNS

ROOT = Path(__file__).resolve().parents[1]
RECIPE = ROOT / "recipes" / "WhatAreTheyDoing"
DEMO = ROOT / "tests" / "samples" / "demo"
KEY = "sk-0123456789-abcdefghij"
ORIENTATIONS = ["audio", "speech", "both", "both", "neither"]


def verdict_of(tag):
    """Rating and orientation of the answer with a tag such as "A-3-5"."""
    system, clip, prompt = tag.split("-")
    number = 7 * int(clip) + 3 * int(prompt) + (system == "B")
    return number % 3, ORIENTATIONS[number % 5]


def tag_of(request):
    """Which answer a request is about: every answer carries its tag."""
    (tag,) = re.findall(r"\[(\w-\d+-\d+)\]", request["messages"][-1]["content"])
    return tag


def judge(n_call, request):
    """Reply as a judge would."""
    rating, orientation = verdict_of(tag_of(request))
    text = f"Reason: so.\nRating: {rating}\nOrientation: {orientation}"
    return 200, {}, text


def write_predictions(path, system, first_clip=1):
    """Write answers to 8 prompts for each of the demo's 8 clips."""
    clips = pd.read_csv(DEMO / "clips.csv", dtype=str)
    rows = clips.merge(
        pd.DataFrame({"prompt": [f"Prompt {p}?" for p in range(8)]}),
        how="cross",
    ).assign(with_speech="True")
    rows["id"] = [str(int(clip) - 1 + first_clip) for clip in rows["id"]]
    places = zip(rows["id"], rows["prompt"].str[7], strict=True)
    rows["allm_output"] = [
        f"They wait “here”. [{system}-{clip}-{prompt}]"
        for clip, prompt in places
    ]
    rows[PREDICTION_COLUMNS].to_csv(path, index=False)
    return path


def start(folder, predictions, url, *overrides):
    """Start the script in a process of its own."""
    command = [sys.executable, "evaluate.py", "hparams/judge_openai.yaml"]
    command += ["--base_url", url, "--model", "scripted"]
    command += ["--predictions", str(predictions)]
    command += ["--output_folder", str(folder), *overrides]
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(
        command,
        cwd=RECIPE,
        env={
            **os.environ,
            "PYTHONPATH": path,
            "OMP_NUM_THREADS": "1",
            "JASCO_TEST_KEY": KEY,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def output(process):
    """Wait for a process (str)."""
    return process.communicate(timeout=120)[0]


def written(folder):
    """Whole rows of the verdicts that are on the disk."""
    path = folder / "verdicts.jsonl"
    data = path.read_bytes() if path.is_file() else b""
    return [json.loads(line) for line in data.split(b"\n")[:-1]]


def row_tag(row):
    """The tag of a verdict's answer."""
    return f"{row['system']}-{row['id']}-{row['prompt_index']}"


def scores_by_hand(system, failed=()):
    """What ``scores.json`` must say of a system, in plain Python."""
    best, mean, counts = [], [], Counter()
    low, high, low_mean, high_mean = [], [], [], []
    for clip in range(1, 9):
        gated = []
        for prompt in range(8):
            tag = f"{system}-{clip}-{prompt}"
            rating, orientation = verdict_of(tag)
            if tag not in failed:
                gated.append(rating if orientation == "both" else 0)
            counts[orientation if tag not in failed else "failed"] += 1
        best.append(max(gated))
        mean.append(sum(gated) / len(gated))
        low.append(max(gated))
        high.append(max(gated) if len(gated) == 8 else 2)
        low_mean.append(sum(gated) / 8)
        high_mean.append((sum(gated) + 2 * (8 - len(gated))) / 8)
    led = counts["audio"] + counts["both"] + counts["speech"]
    return {
        "best_mean": pytest.approx(sum(best) / 8),
        "mean": pytest.approx(sum(mean) / 8),
        "dependence": {
            name: pytest.approx(counts[name] / led)
            for name in ("audio", "both", "speech")
        },
        "counts": {
            "audio": counts["audio"],
            "both": counts["both"],
            "speech": counts["speech"],
            "neither": counts["neither"],
            "unparsed": 0,
            "transport_error": counts["failed"],
            "missing": 0,
        },
        "coverage": 1 - counts["failed"] / 64,
        "bounds": {
            "best_mean": [sum(low) / 8, sum(high) / 8],
            "mean": pytest.approx([sum(low_mean) / 8, sum(high_mean) / 8]),
        }
        | {
            name: [
                counts[name] / (led + counts["failed"]),
                (counts[name] + counts["failed"]) / (led + counts["failed"]),
            ]
            for name in ("audio", "both", "speech")
        },
    }


def test_two_systems_from_the_command_line(tmp_path, scripted_server):
    failed = {"B-2-0", "B-2-1"}

    def reply(n, request):
        if tag_of(request) in failed:  # a server that repeats the key
            return 400, {}, {"error": {"message": f"bad {'x' * 440}{KEY}"}}
        return judge(n, request)

    # It neither lists its models nor keeps the key to itself.
    server = scripted_server(reply, listing=(404, {}, {"error": f"no {KEY}"}))
    a = write_predictions(tmp_path / "a.csv", "A")
    b = write_predictions(tmp_path / "b.csv", "B")
    folder = tmp_path / "out"
    process = start(
        folder,
        f"{{A: {a}, B: {b}}}",
        server.url,
        *("--data_folder", str(DEMO), "--api_key_env", "JASCO_TEST_KEY"),
    )
    printed = output(process)
    assert process.returncode == 0, printed
    assert len(server.requests) == 128

    scores = json.loads((folder / "scores.json").read_text(encoding="utf-8"))
    assert scores["mode"] == "robust"
    assert scores["dataset"]["n_clips"] == 8
    assert re.fullmatch("[0-9a-f]{64}", scores["dataset"]["sha256"])
    assert {"torch", "speechbrain_jasco"} <= scores["versions"].keys()
    assert list(scores["systems"]) == ["A", "B"]
    for system, result in scores["systems"].items():
        assert list(result["judges"]) == ["scripted"]
        entry = result["judges"]["scripted"]
        expected = scores_by_hand(system, failed)
        assert {name: entry[name] for name in expected} == expected
        assert len(entry["best_of_k"]) == 8
        assert entry["best_of_k"][-1] == expected["best_mean"]
        for name in ("best_mean", "mean", "dependence"):
            assert result["average"][name] == expected[name]

    report = (folder / "table.md").read_text(encoding="utf-8")
    assert report in printed
    table, note, remark = report.split("\n\n")
    assert "not separable" in note
    assert "descriptions of the clips" in remark
    header, _, *rows = (line.split() for line in table.splitlines())
    assert "Best-Mean" in header
    assert [row[1] for row in rows] == ["A", "B"]
    with Image.open(folder / "dependence.png") as image:
        assert image.format == "PNG"
        image.load()
        assert len(image.convert("L").getcolors()) > 2

    verdicts = written(folder)
    assert len(verdicts) == 128
    assert {row_tag(r) for r in verdicts if r["status"] != "ok"} == failed
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {"verdicts.jsonl", "hyperparams.yaml", "log.txt", "env.log"} <= {
        path.name for path in files
    }
    for path in files:  # not a piece of the key in any of them
        assert KEY[:8].encode() not in path.read_bytes(), path.name
    assert KEY[:8] not in printed
    assert "HTTP Request" not in printed  # would bury the progress bar


def test_an_unknown_id_ends_with_a_clear_error(tmp_path, scripted_server):
    server = scripted_server(judge)
    unknown = write_predictions(tmp_path / "unknown.csv", "A", first_clip=4)
    process = start(
        tmp_path / "out",
        f"{{A: {unknown}}}",
        server.url,
        *("--data_folder", str(DEMO)),
    )
    printed = output(process)
    assert process.returncode == 1
    assert "A, row 41: the data set lacks the ids ['9', '10', '11']" in printed
    assert server.requests == []


def test_one_split_of_built_data(tmp_path, scripted_server):
    """The other split has no behaviour, and its clips have no answers."""
    server = scripted_server(judge)
    data = tmp_path / "built"
    data.mkdir()
    (data / "wavs").symlink_to(DEMO / "wavs")
    rows = pd.read_csv(DEMO / "clips.csv", dtype=str)
    rows["split"] = ["test_unseen"] * 3 + ["hearing"] * 5
    rows.loc[3:, "tgt_text"] = ""
    rows.to_csv(data / "clips.csv", index=False)
    answers = write_predictions(tmp_path / "a.csv", "A")
    answers.write_text("".join(answers.open().readlines()[: 1 + 3 * 8]))

    def run(folder, *options):
        options = ("--data_folder", str(data), *options)
        process = start(folder, f"{{A: {answers}}}", server.url, *options)
        return process, output(process)

    process, printed = run(tmp_path / "all")
    assert process.returncode == 1
    assert "Give a split with one: ['test_unseen']" in printed
    process, printed = run(tmp_path / "one", "--split", "test_unseen")
    assert process.returncode == 0, printed
    scores = json.loads((tmp_path / "one/scores.json").read_text())
    assert scores["dataset"]["n_clips"] == 3
    entry = scores["systems"]["A"]["judges"]["scripted"]
    assert entry["coverage"] == 1
    assert entry["counts"]["missing"] == 0


def wait_for_requests(server, number, process):
    """Wait until a server has seen so many requests."""
    deadline = time.monotonic() + 60
    while len(server.requests) < number:
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.002)


def test_kills_lose_nothing_and_repeat_nothing(tmp_path, scripted_server):
    concurrency = 2
    server = scripted_server(judge, delay_s=0.03)
    a = write_predictions(tmp_path / "a.csv", "A")
    b = write_predictions(tmp_path / "b.csv", "B")

    def launch(name):
        return start(
            tmp_path / name,
            f"{{A: {a}, B: {b}}}",
            server.url,
            *("--concurrency", str(concurrency)),
        )

    whole = launch("whole")
    printed = output(whole)
    assert whole.returncode == 0, printed
    assert len(server.requests) == 128
    server.requests.clear()

    chance = random.Random(0)
    folder = tmp_path / "killed"
    process = launch("killed")  # the first kill may fall into the start-up
    time.sleep(chance.uniform(0.2, 2))
    process.kill()
    output(process)
    n_kills = 1
    for _ in range(5):
        before = len(server.requests)
        done = {row_tag(row) for row in written(folder)}
        process = launch("killed")
        wait_for_requests(server, before + chance.randint(1, 15), process)
        time.sleep(chance.uniform(0, 0.03))
        assert process.poll() is None
        process.kill()
        output(process)
        n_kills += 1
        time.sleep(0.1)  # what was under way arrives
        asked = [tag_of(request) for request in server.requests[before:]]
        # What stood in the file is not asked again, and what was asked
        # stands there, but for what was under way at the kill.
        assert not done & set(asked)
        new = {row_tag(row) for row in written(folder)} - done
        assert new <= set(asked)
        assert len(asked) - len(new) <= concurrency
    assert len(written(folder)) < 128

    before = len(server.requests)
    done = {row_tag(row) for row in written(folder)}
    process = launch("killed")
    printed = output(process)
    assert process.returncode == 0, printed
    asked = [tag_of(request) for request in server.requests[before:]]
    assert len(asked) == len(set(asked)) == 128 - len(done)
    assert not done & set(asked)
    assert len(server.requests) - 128 <= n_kills * concurrency

    assert (folder / "scores.json").read_bytes() == (
        tmp_path / "whole" / "scores.json"
    ).read_bytes()
    assert (folder / "table.md").read_bytes() == (
        tmp_path / "whole" / "table.md"
    ).read_bytes()

    def verdicts(path):
        rows = [{**row, "seconds": None} for row in written(path)]
        return sorted(rows, key=row_tag)

    assert verdicts(folder) == verdicts(tmp_path / "whole")
