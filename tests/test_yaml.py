"""Every YAML parses as it stands, in a second, and its keys are used.

Authors
 * The speechbrain_jasco developers, 2026
"""

import re
import time
import timeit
from pathlib import Path

import pytest
from hyperpyyaml import load_hyperpyyaml
from speechbrain.utils.run_opts import RunOptions

ROOT = Path(__file__).resolve().parents[1]
HPARAMS = ROOT / "recipes" / "WhatAreTheyDoing" / "hparams"
SCRIPTS = {
    "infer": "infer.py",
    "judge": "evaluate.py",
    "human": "evaluate.py",
    "build": "build_data.py",
    "check": "build_data.py",
    "propose": "build_data.py",
    "baseline": "train.py",
    "concat": "train.py",
}
# What SpeechBrain's Brain looks for itself.
BRAIN = {*RunOptions().as_dict(), "sorting"}
SAVED = ["judge_saved.yaml", "human_sheet.yaml"]  # judges of a finished run
YAMLS = sorted(path.name for path in HPARAMS.glob("*.yaml"))


def load(name, overrides=""):
    with (HPARAMS / name).open(encoding="utf-8") as fin:
        return load_hyperpyyaml(fin, overrides)


@pytest.mark.parametrize("name", YAMLS)
def test_loads_without_weights_or_network(name, monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("a YAML must not fetch or load anything")

    monkeypatch.setattr("subprocess.run", refuse)
    monkeypatch.setattr("socket.socket.connect", refuse)
    load(name)  # imports
    # The best of three, of this process's own time, without the garbage
    # collector: it would walk through all that earlier tests keep alive.
    seconds = timeit.repeat(
        lambda: load(name), timer=time.process_time, number=1, repeat=3
    )
    assert min(seconds) < 1


@pytest.mark.parametrize("name", YAMLS)
def test_every_key_is_used(name):
    script = SCRIPTS[name.split(".")[0].split("_")[0]]
    code = (ROOT / "recipes" / "WhatAreTheyDoing" / script).read_text("utf-8")
    text = (HPARAMS / name).read_text(encoding="utf-8")
    for key in re.findall(r"^(\w+):", text, flags=re.MULTILINE):
        refs = (f"!ref <{key}>", f"!ref <{key}[")
        used = f'hparams["{key}"]' in code or any(r in text for r in refs)
        if script == "train.py":
            by_name = re.search(rf"hparams\.{key}\b", code)
            used = used or by_name or key in BRAIN
        assert used or key == "__set_seed", key


@pytest.mark.parametrize("name", YAMLS)
def test_what_is_given_to_an_include_is_a_key_of_it(name):
    """HyperPyYAML accepts any other without a word."""
    text = (HPARAMS / name).read_text(encoding="utf-8")
    include = r"^\w+: !include:(models/\S+)\n((?: +\S.*\n)*)"
    for path, block in re.findall(include, text, flags=re.MULTILINE):
        included = (HPARAMS / path).read_text(encoding="utf-8")
        keys = set(re.findall(r"^(\w+):", included, flags=re.MULTILINE))
        given = re.findall(r"^ {4}(\w+):", block, flags=re.MULTILINE)
        assert bool(given) == bool(block) and set(given) <= keys, path


@pytest.mark.parametrize("name", [n for n in YAMLS if n.startswith("infer")])
def test_answerers_keep_their_contract(name):
    answerer = load(name)["answerer"]
    assert callable(answerer.answer) and callable(answerer.check)


@pytest.mark.parametrize(
    "name", [n for n in YAMLS if n.startswith("judge") and n not in SAVED]
)
def test_judges_keep_their_contract(name):
    judges = load(name)["judges"]
    for judge in judges:
        assert judge.name
        for method in ("config", "check", "judge", "unload"):
            assert callable(getattr(judge, method))


def test_the_eight_instructions_are_four_swapped_pairs():
    instructions = load("infer_cascade.yaml")["instructions"]
    assert len({entry["text"] for entry in instructions}) == 8
    for pair in range(1, 5):
        two = [entry for entry in instructions if entry["pair"] == pair]
        assert [entry["first"] for entry in two] in (
            ["audio", "speech"],
            ["speech", "audio"],
        )
        # Two of a pair differ in the order of their words alone.
        words = [
            sorted(re.findall(r"\w+", entry["text"].lower())) for entry in two
        ]
        assert two[0]["text"] != two[1]["text"]
        assert len(set(words[0]) ^ set(words[1])) <= 6


def test_another_llm_is_one_override():
    hparams = load("judge.yaml", {"llm_source": "Qwen/Qwen2.5-7B-Instruct"})
    assert hparams["llm_judge"].name == "Qwen/Qwen2.5-7B-Instruct"
    assert hparams["llm_judge"].generator.source == "Qwen/Qwen2.5-7B-Instruct"
