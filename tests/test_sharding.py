"""Tests of one run by several processes (gloo, on the CPU).

Authors
 * The speechbrain_jasco developers, 2026
"""

import multiprocessing
import os
import subprocess
import sys
import time

import pytest
import torch
from test_infer_script import RECIPE, TESTS, slow_argv, write_data

from speechbrain_jasco.dataio import read_clips
from speechbrain_jasco.inference import predict
from speechbrain_jasco.sharding import rank_and_size

QUESTIONS = ["What, exactly?", "“Where”?", "Who is\nit?"]
N_CLIPS = 5  # in batches of 2: 2, 2, 1


class Sampler:
    """Answers with random numbers and with what else is in the batch."""

    def __init__(self, log, stop_after=None):
        self.log = log
        self.stop_after = stop_after

    def config(self):
        return {"answerer": "Sampler"}

    def answer(self, clips, questions):
        if self.stop_after is not None:
            self.stop_after -= 1
            if self.stop_after < 0:
                time.sleep(60)  # until it is killed
        with open(self.log, "a") as log:
            log.writelines(
                f"{name}\n" for name in sorted({c.id for c in clips})
            )
        batch = "+".join(sorted({c.id for c in clips}))
        return [
            ""
            if clip.id == "2" and "Who" in text
            else f"{clip.id} of {batch}: {torch.rand(1).item()}"
            for clip, text in zip(clips, questions, strict=True)
        ]


def run_rank(rank, size, meeting, call):
    """One process of a run."""
    os.environ["RANK"] = os.environ["LOCAL_RANK"] = str(rank)
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{meeting}", rank=rank, world_size=size
    )
    assert rank_and_size() == (rank, size)
    call()
    torch.distributed.destroy_process_group()


def start(size, meeting, call):
    """Starts a run of several processes."""
    fork = multiprocessing.get_context("fork")
    processes = [
        fork.Process(target=run_rank, args=(rank, size, meeting, call))
        for rank in range(size)
    ]
    for process in processes:
        process.start()
    return processes


def wait(processes):
    for process in processes:
        process.join(60)
        assert process.exitcode == 0


def asked(log):
    return sorted(log.read_text().split())


def bytes_of(folder):
    return {
        name: (folder / name).read_bytes()
        for name in ("predictions.csv", "failures.csv")
    }


@pytest.fixture
def clips(tmp_path):
    data = write_data(tmp_path / "data", N_CLIPS)
    return read_clips(data / "clips.csv", data)


@pytest.fixture
def whole(clips, tmp_path):
    """The files of one process that nothing disturbs."""
    folder, log = tmp_path / "whole", tmp_path / "whole.log"
    torch.manual_seed(1)
    predict(Sampler(log), clips, QUESTIONS, folder, 2, seed=7)
    return bytes_of(folder)


@pytest.mark.parametrize("size", [2, 3, 5])
def test_any_number_of_processes_writes_the_same(clips, whole, tmp_path, size):
    folder, log = tmp_path / "shared", tmp_path / "log"

    def call():
        predict(Sampler(log), clips, QUESTIONS, folder, 2, seed=7)
        # All processes may go on with the predictions.
        assert bytes_of(folder) == whole

    wait(start(size, tmp_path / "meeting", call))
    assert asked(log) == sorted(clip.id for clip in clips)
    assert not list(folder.glob("answers.*.jsonl*"))
    assert (folder / "answers.jsonl").read_text().count("\n") == N_CLIPS
    log.write_text("")  # alone again: nothing but the failure is asked
    predict(Sampler(log), clips, QUESTIONS, folder, 2, seed=7)
    assert asked(log) == ["1", "2"]
    assert bytes_of(folder) == whole


@pytest.mark.parametrize("then", [1, 3])
def test_a_killed_run_goes_on_with_another_number(clips, whole, tmp_path, then):
    folder, log = tmp_path / "shared", tmp_path / "log"
    stop_after = {0: 0, 1: 1}  # rank 1 writes a batch, rank 0 none

    def call():
        system = Sampler(log, stop_after[rank_and_size()[0]])
        predict(system, clips, QUESTIONS, folder, 2, seed=7)

    processes = start(2, tmp_path / "meeting", call)
    shard = folder / "answers.1.jsonl"
    while not (shard.exists() and shard.read_bytes().count(b"\n") == 2):
        assert all(process.is_alive() for process in processes)
        time.sleep(0.01)
    for process in processes:
        process.kill()
        process.join()
    (folder / "answers.copy.jsonl").write_text("mine")
    with shard.open("ab") as torn:
        torn.write(b'{"key": "a')

    def go_on():
        predict(Sampler(log), clips, QUESTIONS, folder, 2, seed=7)

    if then == 1:
        go_on()
    else:
        wait(start(then, tmp_path / "again", go_on))
    assert bytes_of(folder) == whole
    # Batch 1 (of rank 1) was done and not asked again.
    assert asked(log) == sorted(clip.id for clip in clips)
    left = {path.name for path in folder.glob("answers.*")}
    assert left == {"answers.jsonl", "answers.jsonl.lock", "answers.copy.jsonl"}


def test_the_seed_is_part_of_what_is_asked(clips, whole, tmp_path):
    folder, log = tmp_path / "other", tmp_path / "log"
    predict(Sampler(log), clips, QUESTIONS, folder, 2, seed=8)
    first = bytes_of(folder)
    assert first != whole
    predict(Sampler(log), clips, QUESTIONS, folder, 2, seed=7)
    assert bytes_of(folder) == whole


def test_torchrun(tmp_path):
    data = write_data(tmp_path / "data", n_clips=5)
    path = os.pathsep.join([str(TESTS), str(TESTS.parent)])
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    torchrun = ["-m", "torch.distributed.run", "--standalone"]
    for out, launcher, more in (
        ("one", [], []),
        (
            "two",
            [*torchrun, "--nproc_per_node=2"],
            ["--distributed_backend=gloo"],
        ),
    ):
        argv = slow_argv(tmp_path, data, tmp_path / out, "--seconds", 0)
        subprocess.run(
            [sys.executable, *launcher, "infer.py", *argv, *more],
            cwd=RECIPE,
            env=environment,
            check=True,
            stderr=subprocess.DEVNULL,
            timeout=120,
        )
    assert bytes_of(tmp_path / "two") == bytes_of(tmp_path / "one")
    logs = [sorted((tmp_path / f"{x}.log").read_text()) for x in ("one", "two")]
    assert logs[0] == logs[1]
