"""Tests of train.py, with tiny random models.

Authors
 * The speechbrain_jasco developers, 2026
"""

import dataclasses
import functools
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hyperpyyaml import load_hyperpyyaml
from infer_systems import HPARAMS, QUICK, demo_clips, load_yaml, run
from safetensors.torch import load_file
from tiny_training import (
    LLAMA_3_1_8B,
    SPLITS,
    as_argv,
    tiny_overrides,
    write_built,
)

from speechbrain_jasco.integrations.audio_reasoner import AudioReasoner

RECIPE = HPARAMS.parent
CPU = ["--device=cpu", "--noprogressbar"]
FUSE = {"name": "fuse", "epochs": 2, "turns": 2, "warmup": 0.5}
FUSE |= {
    "lr": {"fusion": 0.01, "llm": 0.01},
    "tasks": {"direct": 1, "sound": 1},
}
CONCAT = {"speech_width": 16, "sound_width": 8}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("built")
    return write_built(folder, [*SPLITS, "hearing", "test_open"])


@pytest.fixture
def train(run_script):
    """``train.main`` in this process, from the recipe's folder."""
    return functools.partial(run_script, "train")


@pytest.fixture
def overrides(tiny_whisper, tiny_aisfx, tiny_llm, data, tmp_path):
    models = tiny_whisper, tiny_aisfx, tiny_llm
    return tiny_overrides(models, data, tmp_path / "out")


def short(overrides, *stages, test_splits=()):
    """Overrides with other stages."""
    return {
        **overrides,
        "curriculum": {"stages": list(stages)},
        "test_splits": list(test_splits),
    }


def weights(brain):
    return {n: p.detach().clone() for n, p in brain.trainee.trained().items()}


def last_weights(brain):
    """Of the end of the training, which is not always its best."""
    brain.checkpointer.recover_if_possible()
    return weights(brain)


def assert_same(ours, theirs, atol=0.0):
    assert ours.keys() == theirs.keys()
    for name in ours:
        assert torch.allclose(ours[name], theirs[name], atol=atol, rtol=0), name


# ----------------------------------------------------------------------------
# From one command to an answer
# ----------------------------------------------------------------------------


def test_debug_run_and_the_file_it_exports(train, main, overrides, tmp_path):
    brain = train("hparams/baseline.yaml", "--debug", *CPU, *as_argv(overrides))
    log = Path(overrides["output_folder"], "train_log.txt").read_text()
    assert [line.split(",")[1] for line in log.splitlines()[:2]] == [
        " stage: align",
        " stage: reason",
    ]
    measures = ("ctc_wer", "wer", "sound_accuracy", "choice_speech", "sure")
    for measure in measures:
        assert f"test {measure}" in log
    path = Path(overrides["output_folder"], "pretrained/model.safetensors")
    state = load_file(path)
    assert {w.dtype for w in state.values()} == {torch.float16, torch.int32}
    for name, parameter in brain.trainee.model.trainable_state().items():
        assert torch.allclose(state[name].float(), parameter.float(), atol=1e-3)
    shared = ("whisper_source", "sounds_source", "stream_widths")
    shared += ("llm_source", "llm_width")
    options = {key: overrides[key] for key in shared}
    options |= {"checkpoint_file": path, "answerer": {"decoding": QUICK}}
    answers = run(main, "infer_baseline.yaml", options, tmp_path / "answers")
    reasoner = AudioReasoner.from_hparams(
        path.parent,
        overrides={"answerer": {"decoding": QUICK}},
        run_opts={"device": "cpu"},
    )
    instructions = load_yaml("infer_baseline.yaml", {})["instructions"]
    asked = [entry["text"] for entry in instructions]
    for clip, expected in zip(demo_clips(2), answers, strict=True):
        assert reasoner.answer(clip.path, asked) == expected
    assert path.parent.with_name("learning_curve.png").is_file()


def test_a_stage_reasons_over_unrecorded_triples(train, overrides):
    """Other stages do without; rivals may be unrecorded, too."""
    overrides["unrecorded"] = "triples/unrecorded.csv"
    overrides["batch_sampler"] = {"max_batch_ex": 3}
    more = {**FUSE, "name": "more", "splits": ["unrecorded"], "rivals": 2}
    stages = short(overrides, {**FUSE, "epochs": 1}, more)
    brain = train("hparams/baseline.yaml", "--debug", *CPU, *as_argv(stages))
    recorded = 3 * 3
    assert len(brain.sampler._dataset) > 1300
    assert len(brain.hparams.clip_data.trained.triples) > 1300 + recorded
    assert len(brain.hparams.examiner.trained.triples) == recorded
    assert brain.optimizer_step == 4  # two of each stage


def test_the_best_checkpoint_is_exported(train, overrides, monkeypatch):
    """The second of three epochs is, though it is not the last one and no
    split is tested; of what the LLM has learned, half is kept."""
    import train as script

    kept, scores = [], iter([1.2, 1.9, 1.1])

    def spy(stats):
        kept.append(weights(brain_of[-1]))
        return next(scores)

    brain_of = []
    plain = script.JascoBrain.train_on

    def train_on(self, *rows):
        brain_of.append(self)
        plain(self, *rows)

    monkeypatch.setattr(script, "score", spy)
    monkeypatch.setattr(script.JascoBrain, "train_on", train_on)
    stages = short(overrides, {**FUSE, "epochs": 3})
    stages["curriculum"]["interpolation"] = 0.5
    train("hparams/baseline.yaml", *CPU, *as_argv(stages))
    path = Path(overrides["output_folder"], "pretrained/model.safetensors")
    state = load_file(path)
    for name, expected in kept[1].items():
        expected = expected / 2 if ".lora_B." in name else expected
        got = state[name.removeprefix("alignment.")].float()
        assert torch.allclose(got, expected, atol=1e-3), name
    last = "fusion.projection.weight"
    assert not torch.allclose(state[last].float(), kept[2][last], atol=1e-3)


def test_concatenation_with_adapters(train, overrides):
    del overrides["stream_widths"]
    stages = short({**overrides, **CONCAT}, {**FUSE, "epochs": 1})
    brain = train("hparams/concat_adapters.yaml", *CPU, *as_argv(stages))
    names = {n for n in weights(brain) if n.startswith("fusion.")}
    assert all(name.startswith("fusion.fusion.") for name in names)
    state = Path(overrides["output_folder"], "pretrained/model.safetensors")
    assert "fusion.fusion.branches.1.convs.0.weight" in load_file(state)


# ----------------------------------------------------------------------------
# What is trained
# ----------------------------------------------------------------------------

ATTENTION = [
    f"{part}.{kind}"
    for part in ("query", "key", "value", "dense", "norm")
    for kind in ("weight", "bias")
]
LAYER = [f"self_attention.{name}" for name in ATTENTION]
LAYER += [f"cross_attention.{name}" for name in ATTENTION]
LAYER += [
    f"feed_forward.{part}.{kind}"
    for part in ("expand", "dense", "norm")
    for kind in ("weight", "bias")
]
FUSION = {f"norms.{i}.{kind}" for i in (0, 1) for kind in ("weight", "bias")}
FUSION |= {"qformer.queries", "qformer.norm.weight", "qformer.norm.bias"}
FUSION |= {f"qformer.layers.{n}.{name}" for n in (0, 1) for name in LAYER}
FUSION |= {"projection.weight", "projection.bias"}
LINEARS = [f"self_attn.{letter}_proj" for letter in "qkvo"]
LINEARS += [f"mlp.{part}_proj" for part in ("gate", "up", "down")]
LORA = {  # of the upper half: one of two layers
    f"llm.model.base_model.model.model.layers.1.{name}.lora_{ab}.default.weight"
    for name in LINEARS
    for ab in "AB"
}
MODEL = {f"fusion.{name}" for name in FUSION} | LORA
MODEL |= {"alignment.readout.blank", "alignment.readout.scales"}


def test_exactly_these_weights_are_trained(train, overrides):
    align = {"name": "align", "epochs": 1, "align": {"ctc": 1, "sound": 1}}
    align["lr"] = {"fusion": 0.01}
    before = {}

    def run(*stages):
        return train(
            "hparams/baseline.yaml", *CPU, *as_argv(short(overrides, *stages))
        )

    brain = run(align)
    assert set(weights(brain)) == MODEL
    optimized = {
        id(p)
        for optimizer in brain.optimizers_dict.values()
        for group in optimizer.param_groups
        for p in group["params"]
    }
    trained = brain.trainee.trained()
    assert optimized == {id(p) for p in trained.values()}
    # A stage that trains the fusion leaves the LLM's adapter alone ...
    assert all(not p.any() for n, p in trained.items() if "lora_B" in n)
    assert {
        name.split(".")[0]
        for name, p in brain.trainee.named_parameters()
        if id(p) in brain.optimizers_dict["llm"].state
    } == set()
    before = weights(brain)
    # ... and one that trains both moves both, from where the last ended.
    brain = run(align, {**FUSE, "epochs": 1})
    moved = {n for n, p in weights(brain).items() if not p.equal(before[n])}
    assert {n for n in LORA if "lora_B" in n} <= moved
    assert "fusion.projection.weight" in moved


# ----------------------------------------------------------------------------
# The same trajectory another way
# ----------------------------------------------------------------------------

ONE_LENGTH = {"bucket_boundaries": [32], "max_batch_length": 1000}


def trajectory(train, overrides, output, options=(), **sampler):
    """Weights after a short training on batches of a given size."""
    stage = {**FUSE, "epochs": 2}
    given = {
        **short(overrides, stage),
        "output_folder": str(output),
        "batch_sampler": {**ONE_LENGTH, **sampler},
    }
    brain = train(
        "hparams/concat_adapters.yaml", *CPU, *as_argv(given), *options
    )
    return weights(brain)


@pytest.fixture
def concat(overrides):
    """Of a network without dropout: random numbers would differ. Rounding
    decides the direction of a gradient of nearly 0, and Adam would take a
    whole step there; with this eps it takes none."""
    del overrides["stream_widths"]
    overrides["model"] = {"readout": {"dropout": 0.0}}
    overrides["augment"] = {"p": 0.0, "n_stretches": 0}
    return {**overrides, **CONCAT, "opt_class": {"eps": 1e-3}}


def test_cache_or_not_the_same_training(train, concat, tmp_path):
    cached = trajectory(train, concat, tmp_path / "a", max_batch_ex=3)
    again = trajectory(train, concat, tmp_path / "b", max_batch_ex=3)
    concat["cache_folder"] = "null"
    live = trajectory(train, concat, tmp_path / "c", max_batch_ex=3)
    assert_same(cached, live)
    assert_same(cached, again)


def test_accumulated_gradients_are_those_of_a_larger_batch(
    train, concat, tmp_path
):
    concat["train_splits"] = ["valid"]  # 9 clips: one batch of 9, three of 3
    large = trajectory(train, concat, tmp_path / "a", max_batch_ex=9)
    small = trajectory(
        train,
        concat,
        tmp_path / "b",
        ["--grad_accumulation_factor=3"],
        max_batch_ex=3,
    )
    assert_same(large, small, atol=2e-4)


def start_script(argv, launcher=(sys.executable,), threads=1):
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    return subprocess.Popen(
        [*launcher, "train.py", *argv],
        cwd=RECIPE,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def checkpoint(folder):
    """Trained weights in the last checkpoint of a run."""
    paths = Path(folder, "save").glob("CKPT+*/trainee.ckpt")
    return load_file(max(paths, key=lambda path: path.stat().st_mtime))


def test_two_processes_are_one_of_twice_the_batch(train, concat, tmp_path):
    """18 clips in batches of 3: two processes take every second batch, one
    process adds up the gradients of two."""
    concat["train_splits"] = ["valid", "hearing"]
    trajectory(
        train,
        concat,
        tmp_path / "one",
        ["--grad_accumulation_factor=2"],
        max_batch_ex=3,
    )
    given = {
        **short(concat, {**FUSE, "epochs": 2}),
        "output_folder": str(tmp_path / "two"),
        "batch_sampler": {**ONE_LENGTH, "max_batch_ex": 3},
    }
    launcher = [sys.executable, "-m", "torch.distributed.run"]
    launcher += ["--nproc_per_node=2", "--master_port=0", "--standalone"]
    argv = ["hparams/concat_adapters.yaml", *CPU, *as_argv(given)]
    run = start_script([*argv, "--distributed_backend=gloo"], launcher)
    output, _ = run.communicate(timeout=300)
    assert run.returncode == 0, output[-3000:]
    assert_same(
        checkpoint(tmp_path / "one"), checkpoint(tmp_path / "two"), atol=2e-4
    )


def test_a_killed_run_goes_on_as_if_it_had_not_been(
    train, overrides, tmp_path, monkeypatch
):
    """Killed after a checkpoint in the middle of the second epoch; with
    dropout, so that random numbers count too."""
    import train as script

    stage = {**FUSE, "epochs": 3}
    given = {
        **short(overrides, stage),
        "batch_sampler": {**ONE_LENGTH, "max_batch_ex": 3},
    }
    whole = {**given, "output_folder": str(tmp_path / "whole")}
    steps = ["--ckpt_interval_steps=2"]
    brain = train("hparams/baseline.yaml", *CPU, *as_argv(whole), *steps)
    expected = last_weights(brain)

    class Kill(BaseException):
        """As sudden as a signal for everything that is in memory."""

    def after_five(self, *args, plain=script.JascoBrain.on_fit_batch_end):
        plain(self, *args)
        if self.optimizer_step == 6:
            raise Kill

    half = {**given, "output_folder": str(tmp_path / "half")}
    with monkeypatch.context() as patch:
        patch.setattr(script.JascoBrain, "on_fit_batch_end", after_five)
        with pytest.raises(Kill):
            train("hparams/baseline.yaml", *CPU, *as_argv(half), *steps)
    brain = train("hparams/baseline.yaml", *CPU, *as_argv(half), *steps)
    assert_same(last_weights(brain), expected)
    assert brain.optimizer_step == 9


@pytest.mark.slow
def test_sigkill(train, overrides, tmp_path):
    """The same with a real signal, at whatever instant it comes. With as many
    threads as here: others add up in another order."""
    given = short(overrides, {**FUSE, "epochs": 6})
    given["batch_sampler"] = {**ONE_LENGTH, "max_batch_ex": 1}
    whole = {**given, "output_folder": str(tmp_path / "whole")}
    argv = ["hparams/baseline.yaml", *CPU, "--ckpt_interval_steps=2"]
    expected = last_weights(train(*argv, *as_argv(whole)))
    half = as_argv({**given, "output_folder": str(tmp_path / "half")})
    run = start_script([*argv, *half], threads=torch.get_num_threads())
    while not list((tmp_path / "half").glob("save/CKPT+*/whole")):
        assert run.poll() is None
    run.send_signal(signal.SIGKILL)
    run.wait()
    assert_same(last_weights(train(*argv, *half)), expected)


# ----------------------------------------------------------------------------
# 7B
# ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["baseline_7b", "baseline_7b_4bit"])
def test_a_7b_yaml_on_the_meta_device(name):
    llm = {"source": None, "config": LLAMA_3_1_8B, "tokenizer": "none"}
    with (HPARAMS / f"{name}.yaml").open(encoding="utf-8") as fin:
        with torch.device("meta"):
            hparams = load_hyperpyyaml(fin, {"model": {"llm": llm}})
    trainee = hparams["trainee"]
    sizes = {
        part: sum(p.numel() for p in parameters)
        for part, parameters in trainee.parts().items()
    }
    # q, o: 4096 x 4096; k, v: 4096 x 1024; 32 layers, rank 16.
    assert sizes["llm"] == 32 * 16 * 2 * (8192 + 5120) == 13_631_488
    fusion = sum(p.numel() for p in trainee.model.fusion.parameters())
    assert fusion == 25_992_704
    total = sum(p.numel() for p in trainee.model.llm.parameters())
    assert total - sizes["llm"] == 8_030_261_248  # Llama-3.1-8B's own
    assert trainee.model.llm.model.dtype == torch.bfloat16
    curriculum = hparams["curriculum"]
    assert hparams["epoch_counter"].limit == curriculum.n_epochs


@pytest.mark.parametrize("name", ["baseline_7b", "baseline_7b_4bit"])
def test_two_steps_of_a_7b_yaml(
    train, overrides, tiny_llm, tmp_path, name, monkeypatch
):
    """The same classes, tiny; 4 bits need a GPU, so only the options differ."""
    from speechbrain_jasco.integrations.causal_lm import CausalLM
    from speechbrain_jasco.lobes.models.beats import Beats, BeatsModel

    sizes = {"encoder_layers": 1, "encoder_embed_dim": 16}
    sizes |= {"encoder_attention_heads": 2, "encoder_ffn_embed_dim": 32}
    monkeypatch.setattr(Beats, "check", lambda self: None)
    monkeypatch.setattr(Beats, "read", lambda self, s: BeatsModel(sizes).eval())
    monkeypatch.setattr("speechbrain_jasco.training.features.fingerprint", str)
    checkpointed = []
    layer = CausalLM.train

    def spy(self, mode=True):
        layer(self, mode)
        if self.model is not None:
            layers = self.network.model.layers
            checkpointed.append((mode, layers[0].training))
            assert not layers[0].self_attn.training  # no dropout
        return self

    monkeypatch.setattr(CausalLM, "train", spy)
    given = {
        **short(overrides, {**FUSE, "epochs": 1}),
        "stream_widths": [16, 16],
        "model": {"fusion": {"width": 8, "n_heads": 2}},
        "train_loader": {"num_workers": 0},
        "valid_loader": {"num_workers": 0},
        "precision": "bf16",
    }
    if name.endswith("4bit"):
        given["model"]["quantization"] = None
    argv = ["--debug", "--grad_accumulation_factor=1"]
    brain = train(f"hparams/{name}.yaml", *argv, *CPU, *as_argv(given))
    assert brain.optimizer_step >= 1
    assert (True, True) in checkpointed and (False, True) not in checkpointed


# ----------------------------------------------------------------------------
# The YAMLs
# ----------------------------------------------------------------------------

ALIKE = {"seed", "__set_seed", "data_folder", "build_overrides", "cache_folder"}
ALIKE |= {"train_splits", "test_splits", "trainee", "features", "speakers"}
ALIKE |= {"tasks", "clip_data", "sorting", "precision", "eval_precision"}
ALIKE |= {"max_grad_norm", "find_unused_parameters", "opt_class", "examiner"}
ALIKE |= {"epoch_counter", "checkpointer", "train_logger", "train_loggers"}


def sections(name):
    """Top-level key -> its text."""
    text = (HPARAMS / f"{name}.yaml").read_text(encoding="utf-8")
    lines = [x for x in text.splitlines() if x and not x.startswith("#")]
    found = {}
    for line in lines:
        if not line.startswith(" "):
            key = line.split(":")[0]
        found.setdefault(key, []).append(line)
    return found


@pytest.mark.parametrize(
    "name", ["concat_adapters", "baseline_7b", "baseline_7b_4bit"]
)
def test_yamls_differ_only_where_they_differ(name):
    first, other = sections("baseline"), sections(name)
    for key in ALIKE:
        assert first[key] == other[key], key
    if name == "concat_adapters":  # overfits sooner
        theirs = other["augment"] + other["curriculum"]
        ours = first["augment"] + first["curriculum"]
        differ = [
            two.split("#")[0].split()
            for one, two in zip(ours, theirs, strict=True)
            if one != two
        ]
        assert differ == [["p:", "0.35"], ["epochs:", "12"]]
    else:
        assert first["augment"] == other["augment"]


def test_a_stage_is_a_dataclass_a_yaml_can_write():
    with (HPARAMS / "baseline.yaml").open(encoding="utf-8") as fin:
        hparams = load_hyperpyyaml(fin)
    tasks = hparams["tasks"]
    for stage in hparams["curriculum"].stages:
        assert set(stage.tasks) <= set(tasks)
        assert dataclasses.asdict(stage)["epochs"] >= 1
    used = {t for stage in hparams["curriculum"].stages for t in stage.tasks}
    assert used == set(tasks)  # none is written for nothing
