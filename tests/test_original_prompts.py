"""The prompts of SALMONN, LTU-AS and WavLLM, token by token.

With ``JASCO_LLAMA_TOKENIZER`` (a LLaMA or Vicuna folder, or its
``tokenizer.model``) against the ids that the originals' tokenizers give;
without, against SentencePiece itself on a small model.

Authors
 * The speechbrain_jasco developers, 2026
"""

import json
import os
import shutil
from pathlib import Path

import pytest
import torch
from hyperpyyaml import load_hyperpyyaml
from tiny_systems import write_llama_tokenizer
from transformers import AutoTokenizer

HPARAMS = Path(__file__).resolve().parents[1] / "hparams"
P = "What sound can you hear?"

# Byte for byte, B for BOS and A for the audio.
TEXTS = {
    "salmonn": f"BUSER: <Speech>A</Speech> {P}\nASSISTANT:",
    "ltu_as": f"AB### Instruction:\n{P}\n\n### Response:\n",
    "wavllm": "B[INST]<<SYS>>\nAs a helpful language and speech assistant, you "
    "are able to understand the speech content provided by the user, and "
    "assist the user with a variety of tasks using natural language.\n"
    f"<</SYS>>\n\n<SPEECH>AB</SPEECH> {P} [/INST]",
}
TRANSCRIBED = (
    f"AB### Instruction:\n{P}\n\n### Input:\nHold on.\n\n### Response:\n"
)


def model(name):
    with (HPARAMS / f"infer_{name}.yaml").open(encoding="utf-8") as fin:
        return load_hyperpyyaml(fin)["answerer"].model


def prompt(name, tokenizer, transcript=""):
    system = model(name)
    system.llm.tokenizer = tokenizer
    return system.prompt(P, transcript)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """(tokenizer of transformers, SentencePiece) of the same small model."""
    folder = tmp_path_factory.mktemp("tokenizer")
    sp = write_llama_tokenizer(folder)
    return AutoTokenizer.from_pretrained(folder), sp


@pytest.fixture(scope="module")
def llama(tmp_path_factory):
    """LLaMA's tokenizer."""
    given = os.environ.get("JASCO_LLAMA_TOKENIZER")
    if not given:
        pytest.skip(
            "JASCO_LLAMA_TOKENIZER is not set: expected a LLaMA or Vicuna "
            "folder, or its tokenizer.model"
        )
    folder = Path(given)
    if folder.is_file():
        folder = tmp_path_factory.mktemp("llama")
        shutil.copyfile(given, folder / "tokenizer.model")
        config = {"tokenizer_class": "LlamaTokenizer", "legacy": True}
        (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return AutoTokenizer.from_pretrained(folder)


def pieces(sp, text):
    """Ids of "B...A...": runs between B and A are tokenized one by one."""
    before, after = (
        text.split("A", 1)
        if text[0] == "A"
        else (
            text[: text.index(">A") + 1],
            text[text.index(">A") + 2 :],
        )
    )
    return tuple(
        [1, *sp.encode(half[1:])] if half[:1] == "B" else sp.encode(half)
        for half in (before, after)
    )


@pytest.mark.parametrize("name", TEXTS)
def test_ids_are_those_of_sentencepiece(name, small):
    tokenizer, sp = small
    ours = prompt(name, tokenizer)
    assert (ours.before, ours.after) == pieces(sp, TEXTS[name])


def test_a_transcript_has_a_template_of_its_own(small):
    tokenizer, sp = small
    ours = prompt("ltu_as", tokenizer, "Hold on.")
    assert (ours.before, ours.after) == pieces(sp, TRANSCRIBED)
    assert ours.before == []  # the audio stands before the BOS


def test_the_scale_prompt_is_in_quotes_and_without_bos(small, monkeypatch):
    tokenizer, sp = small
    llm = model("wavllm").llm
    llm.tokenizer = tokenizer
    seen = []

    def scale(network, tokens):
        seen.extend(tokens)
        return torch.zeros(len(tokens), 4)

    monkeypatch.setattr(llm.adapter, "scale", scale)
    monkeypatch.setattr(llm.adapter, "set_scale", lambda *_: None)
    llm.prepare([P, "Who?", P])
    assert seen == [sp.encode(f'"{P}"'), sp.encode('"Who?"')]


def test_salmonns_golden_ids(llama):
    ours = prompt("salmonn", llama)
    assert ours.before == [1, 3148, 1001, 29901, 529, 10649, 5309, 29958]
    question = [1724, 6047, 508, 366, 8293, 29973]
    end = [13, 22933, 9047, 13566, 29901]
    assert ours.after == [1533, 10649, 5309, 29958, *question, *end]
    assert len(ours.before) + 88 + len(ours.after) == 111


def test_ltu_ass_golden_ids(llama):
    ours = prompt("ltu_as", llama)
    instruction = [1, 835, 2799, 4080, 29901, 13]
    question = [5618, 6047, 508, 366, 8293, 29973]
    response = [13, 13, 2277, 29937, 13291, 29901, 13]
    assert ours.before == []
    assert ours.after == instruction + question + response


def test_wavllms_golden_ids(llama):
    ours = prompt("wavllm", llama)
    assert len(ours.before) == 57
    start = [1, 518, 25580, 29962, 9314, 14816, 29903, 6778, 13]
    end = [29966, 829, 14816, 29903, 6778, 13, 13, 29966, 29903, 4162]
    assert ours.before[:9] == start
    assert ours.before[-13:] == [*end, 29923, 3210, 29958]
    speech = [1533, 29903, 4162, 29923, 3210, 29958]
    question = [1724, 6047, 508, 366, 8293, 29973]
    # The second BOS stands in place of 29871.
    assert ours.after == [1, *speech, *question, 518, 29914, 25580, 29962]
    assert len(ours.before) + 91 + len(ours.after) == 165
    llm = model("wavllm").llm
    llm.tokenizer = llama
    scale = [376, 5618, 6047, 508, 366, 8293, 3026]
    assert llm.tokenize(f'"{P}"') == scale
