"""The memory table of docs/training.md, computed anew.

Authors
 * The speechbrain_jasco developers, 2026
"""

import pytest
import torch
from hyperpyyaml import load_hyperpyyaml
from infer_systems import HPARAMS, ROOT
from tiny_training import LLAMA_3_1_8B
from transformers import AutoConfig, AutoModelForCausalLM

from speechbrain_jasco.lobes.models.window_qformer import WindowQFormer

POSITIONS, ANSWER_TOKENS = 250, 60  # of a clip, as the page says


@pytest.fixture(scope="module")
def page():
    return (ROOT / "docs" / "training.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def trainee():
    llm = {"source": None, "config": LLAMA_3_1_8B, "tokenizer": "none"}
    with (HPARAMS / "baseline_7b.yaml").open(encoding="utf-8") as fin:
        with torch.device("meta"):
            hparams = load_hyperpyyaml(fin, {"model": {"llm": llm}})
    return hparams["trainee"]


def n_clips(name):
    """Clips of a batch in the bucket of up to 5 s."""
    with (HPARAMS / f"{name}.yaml").open(encoding="utf-8") as fin:
        sampler = load_hyperpyyaml(fin)["batch_sampler"].keywords
    return sampler["max_batch_length"] // sampler["bucket_boundaries"][0]


def expected(trainee, in_4_bits, n_clips):
    """GB of each row of the table."""
    with torch.device("meta"):
        config = AutoConfig.for_model(**LLAMA_3_1_8B)
        llm = AutoModelForCausalLM.from_config(config)
    weights = sum(p.numel() for p in llm.parameters())
    layers = llm.model.layers.parameters()
    linear = sum(p.numel() for p in layers if p.dim() == 2)
    size = 2 * weights
    if in_4_bits:
        size = linear * (0.5 + 4 / 64) + 2 * (weights - linear)
    trained = sum(p.numel() for p in trainee.trained().values())
    n_positions, n_answer = n_clips * POSITIONS, n_clips * ANSWER_TOKENS
    return [
        size,
        16 * trained,
        n_positions * 32 * 4096 * 2,
        n_positions * 0.3e6,
        n_answer * 128256 * 16,
        n_clips * 250 * 40e3,
        4 * (637e6 + 90e6),
        2e9,
    ]


@pytest.mark.parametrize("column", [-2, -1])
def test_memory(page, trainee, column):
    name = {-2: "baseline_7b", -1: "baseline_7b_4bit"}[column]
    table = page.split("| what | bytes |")[1].split("\n\n")[0]
    rows = [line.strip("| ").split("|") for line in table.splitlines()[2:]]
    figures = [float(row[column]) for row in rows]
    computed = expected(trainee, column == -1, n_clips(name))
    for row, figure, size in zip(rows, figures, computed, strict=False):
        assert figure == pytest.approx(size / 1e9, abs=0.051), row[0]
    assert figures[-1] == pytest.approx(sum(computed) / 1e9, abs=0.11)
    for number in ("8,030,261,248", "6,979,321,856", "13,631,488"):
        assert number in table
    fusion = trainee.model.fusion
    assert isinstance(fusion, WindowQFormer)
    for module in (fusion, trainee.alignment):
        count = sum(p.numel() for p in module.parameters())
        assert f"{count:,}" in table
