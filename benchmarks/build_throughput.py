"""How fast are clips built, and what takes the time?

    python build_throughput.py [--clips 100] [--preset default]

A sample of the clips that ``hparams/build_data.yaml`` plans is built stage by
stage in this one process, on one thread, with an empty cache. Each stage is
measured per item and scaled to what the whole plan needs of it: a line is
spoken and listened to once per voice, a recording is made once, every clip is
mixed. Mixing alone (the last stage) is also given as seconds of clip per second
of one core. CPU time, so that a busy machine does not count.

Authors
 * The speechbrain_jasco developers, 2026
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import joblib
import torch
from hyperpyyaml import load_hyperpyyaml

from speechbrain_jasco.building.recipe import Recipe, check_recipe, make_plan
from speechbrain_jasco.building.render import Job, Workshop, render_clip
from speechbrain_jasco.building.speech import listen, speak
from speechbrain_jasco.building.supplies import generator
from speechbrain_jasco.building.triples import read_triples

ROOT = Path(__file__).resolve().parents[1]
RECIPE = ROOT / "recipes" / "WhatAreTheyDoing"


class Stage(NamedTuple):
    """A stage of the build: items measured, items in the plan, CPU time."""

    name: str
    measured: int
    planned: int
    seconds: float

    @property
    def total(self):
        """Seconds for the whole plan."""
        return self.seconds / self.measured * self.planned


def read_recipe(preset, cache):
    """The recipe of the YAML, with a cache of its own."""
    with open(RECIPE / "hparams" / "build_data.yaml", encoding="utf-8") as fin:
        hparams = load_hyperpyyaml(fin, f"cache_folder: {cache}")
    return Recipe(
        read_triples(RECIPE / "triples"),
        hparams["bank"],
        hparams["speech"],
        hparams["voice_splits"],
        hparams["rooms"],
        hparams["ranges"],
        hparams["presets"][preset],
        hparams["seed"],
    )


def cpu_time():
    """Seconds of CPU so far, of this process and its ended children."""
    return sum(os.times()[:4])


def timed(name, task, items, planned):
    """Run a task on each item: the stage and the replies."""
    task(items[0])  # engines load on first use
    began = cpu_time()
    replies = [task(item) for item in items]
    seconds = cpu_time() - began
    return Stage(name, len(items), planned, seconds), replies


def measure(recipe, clips, sample, folder):
    """Build a sample, stage by stage.

    Arguments
    ---------
    recipe : Recipe
        What clips are made of.
    clips, sample : list of PlannedClip
        The plan, and the part of it that is built.
    folder : str
        Where.

    Returns
    -------
    list of Stage
        The last one is mixing.
    list of dict
        What the manifest would say of the sample.
    """
    maker = recipe.speech
    voices = {voice.name: voice for voice in maker.speakers.voices()}
    recordings = {r.name: r for r in recipe.bank.recordings()}
    said = {(clip.text, voices[clip.voices[0]]) for clip in clips}
    lines = sorted({(c.text, voices[c.voices[0]]) for c in sample})
    stages = [
        timed("speak", lambda line: speak([line], maker), lines, len(said))[0]
    ]
    paths = [maker.path(*line) for line in lines]
    batches = [paths[i : i + 16] for i in range(0, len(paths), 16)]
    hear, _ = timed("x", lambda batch: listen(batch, maker), batches, 1)
    stages.append(Stage("listen", len(paths), len(said), hear.seconds))
    shop = Workshop(
        recipe.bank, recipe.rooms, recipe.ranges["clip_s"], folder, maker.folder
    )
    names = sorted({clip.recording for clip in sample})
    planned = len({clip.recording for clip in clips})
    stages.append(
        timed("sound", lambda n: shop.sound(recordings[n]), names[1:], planned)[
            0
        ]
    )
    shop.sound(recordings[names[0]])
    with joblib.parallel_config(n_jobs=1):
        spoken = maker.make((clip.text, clip.voices) for clip in sample)
    jobs = [
        Job(
            clip,
            recordings[clip.recording],
            voices[spoken[clip.text, clip.voices].voice],
            spoken[clip.text, clip.voices],
        )
        for clip in sample
        if spoken[clip.text, clip.voices].voice
    ]
    mixing, rows = timed(
        "mix", lambda job: render_clip(job, shop), jobs, len(clips)
    )
    return [*stages, mixing], rows


def main():
    """Print one row per stage, and the sums."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--clips", type=int, default=100)
    parser.add_argument("--preset", default="default")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        recipe = read_recipe(arguments.preset, f"{folder}/cache")
        check_recipe(recipe)
        clips = make_plan(recipe)
        order = generator("benchmark").permutation(len(clips))
        sample = [clips[i] for i in order[: arguments.clips]]
        stages, rows = measure(recipe, clips, sample, folder)
    total = sum(stage.total for stage in stages)
    print("| stage | items measured | ms each | items planned | s | share |")
    print("|---|---|---|---|---|---|")
    for stage in stages:
        print(
            f"| {stage.name} | {stage.measured} | "
            f"{1000 * stage.seconds / stage.measured:.1f} | {stage.planned} | "
            f"{stage.total:.0f} | {stage.total / total:.0%} |"
        )
    audio_s = sum(row["n_frames"] for row in rows) / 16000
    mixing = stages[-1].seconds
    print(f"\n{len(clips)} clips: {total:.0f} s of one core, ", end="")
    print(f"{3600 * len(clips) / total:.0f} clips per core and hour")
    print(f"mixing alone: {audio_s / mixing:.0f} x real time on one core")
    return 0 if audio_s / mixing >= 100 else 1


if __name__ == "__main__":
    sys.exit(main())
