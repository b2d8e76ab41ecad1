"""Runs infer.py with a tiny random system in place of a YAML's weights.

Authors
 * The speechbrain_jasco developers, 2026
"""

from pathlib import Path

import pandas as pd
from hyperpyyaml import load_hyperpyyaml
from tiny_systems import randomize

from speechbrain_jasco.dataio import read_clips
from speechbrain_jasco.integrations.trained_weights import export

ROOT = Path(__file__).resolve().parents[1]
HPARAMS = ROOT / "recipes" / "WhatAreTheyDoing" / "hparams"
DEMO = ROOT / "tests" / "samples" / "demo"
QUICK = {"max_new_tokens": 6, "min_new_tokens": 6}


def load_yaml(name, overrides):
    """What a YAML names, with overrides (dict)."""
    with (HPARAMS / name).open(encoding="utf-8") as fin:
        return load_hyperpyyaml(fin, overrides)


def argv(overrides):
    """Overrides as infer.py takes them from its command line."""
    return [str(x) for k, v in overrides.items() for x in (f"--{k}", v)]


def export_random_weights(name, overrides, path):
    """Writes trained weights of a YAML's model: values of no training."""
    model = load_yaml(name, overrides)["answerer"].model
    checkpoint, model.checkpoint = model.checkpoint, None
    if model.readout is not None:
        set_some_vocabulary(model.readout)
    model.load()
    randomize(model)
    export(model, path)
    model.checkpoint = checkpoint
    return path


def set_some_vocabulary(readout):
    """As training sets it, before the embeddings are there."""
    names = {"sound": [[[5, 6]], [[7]]], "speaker": [[[8]], [[9, 10]]]}
    readout.set_vocabulary(range(3, 60), names)


def run(main, name, overrides, out, limit=2):
    """Runs infer.py on demo clips; returns its answers per clip."""
    path = main(
        HPARAMS / name,
        *argv({"data_folder": DEMO, "output_folder": out, "limit": limit}),
        *argv(overrides),
    )
    assert (out / "failures.csv").read_text().count("\n") == 1
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    assert len(table) == 8 * limit
    assert (table["allm_output"] != "").all()
    return table.groupby("id", sort=False)["allm_output"].agg(list).tolist()


def demo_clips(limit):
    """The first demo clips."""
    return read_clips(DEMO / "clips.csv", DEMO)[:limit]
