"""The judge of mode paper: the authors' prompts, two questions, double BOS.

Authors
 * The speechbrain_jasco developers, 2026
"""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from speechbrain_jasco.dataio import PREDICTION_COLUMNS
from speechbrain_jasco.integrations.paper_generator import paper_generator
from speechbrain_jasco.integrations.reply import Reply
from speechbrain_jasco.integrations.transformers_generator import (
    TransformersGenerator,
)
from speechbrain_jasco.journal import Journal
from speechbrain_jasco.judging import paper_prompt
from speechbrain_jasco.judging.item import JudgeItem
from speechbrain_jasco.judging.panel import judge_items, pending
from speechbrain_jasco.judging.paper_judge import CHUNK, PaperJudge

ROOT = Path(__file__).resolve().parents[1]
RECIPE = ROOT / "recipes" / "WhatAreTheyDoing"
# Not the authors' prompts, but with their fields.
JUDGE = (
    "S {audio_sound}\nW {spoken_text}\nQ {question}\nA {audio_only_target}\n"
    "B {speech_only_target}\nR {reference}\nK {keywords}\nP {prediction} ’\n"
)
REFORMAT = "E {explanation}"


def write_clone(folder, judge=JUDGE, reformat=REFORMAT):
    """Write a script with two prompts, as a clone has it."""
    path = folder / "evaluation" / "eval.py"
    path.parent.mkdir(parents=True)
    lines = [
        "import nothing_that_exists",
        "if __name__ == '__main__':",
        f"    general_prompt = {judge!r}",
        f"    post_process_prompt = {reformat!r}",
        "    raise SystemExit('was run')",
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    return folder


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """A clone with prompts of ours, whose hashes the project expects."""
    for name, text in (("_JUDGE", JUDGE), ("_REFORMAT", REFORMAT)):
        source = getattr(paper_prompt, name)
        sha256 = hashlib.sha256(text.encode()).hexdigest()
        changed = source._replace(sha256=sha256)
        monkeypatch.setattr(paper_prompt, name, changed)
    return write_clone(tmp_path / "clone")


def test_prompts_are_read_and_not_run(clone):
    assert paper_prompt.load_prompts(clone) == (JUDGE, REFORMAT)


@pytest.mark.parametrize("change", ["judge", "reformat"])
def test_a_changed_byte_is_refused(clone, tmp_path, change):
    texts = {"judge": JUDGE, "reformat": REFORMAT}
    texts[change] = texts[change].replace(" ", "  ", 1)
    other = write_clone(tmp_path / "other", **texts)
    got = hashlib.sha256(texts[change].encode()).hexdigest()
    with pytest.raises(ValueError, match=f"got sha256 {got}, expected"):
        paper_prompt.load_prompts(other)


def test_every_changed_byte_of_the_extract_is_refused(clone):
    path = clone / "evaluation" / "judge_prompt.txt"
    (clone / "evaluation" / "reformat_prompt.txt").write_text(REFORMAT)
    (clone / "evaluation" / "eval.py").unlink()
    data = JUDGE.encode()
    path.write_bytes(data)
    assert paper_prompt.load_prompts(clone).judge == JUDGE
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= 1
        path.write_bytes(changed)
        with pytest.raises(ValueError, match="Restore the file"):
            paper_prompt.load_prompts(clone)
    path.write_bytes(data.replace(b"\n", b"\r\n"))
    with pytest.raises(ValueError, match="not the paper's"):
        paper_prompt.load_prompts(clone)


@pytest.mark.parametrize("folder", [None, "nowhere"])
def test_a_missing_clone_is_told_how_to_get(folder):
    with pytest.raises(FileNotFoundError, match="git clone https://github"):
        paper_prompt.load_prompts(folder)


@pytest.mark.parametrize("text", ["general_prompt = f'{x}'", "def (", ""])
def test_a_script_without_the_prompts(tmp_path, text):
    path = tmp_path / "evaluation" / "eval.py"
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(ValueError, match="eval.py: .*Restore"):
        paper_prompt.load_prompts(tmp_path)


@pytest.mark.official
def test_the_official_prompts(official_folder, tmp_path):
    prompts = paper_prompt.load_prompts(official_folder)
    assert (len(prompts.judge), len(prompts.reformat)) == (4650, 294)
    clone = write_clone(tmp_path / "clone", *prompts)
    assert paper_prompt.load_prompts(clone) == prompts
    other = prompts.judge.replace("Score0", "Score 0")
    clone = write_clone(tmp_path / "other", other, prompts.reformat)
    with pytest.raises(ValueError, match="general_prompt is not the paper's"):
        paper_prompt.load_prompts(clone)


def item(index, prediction="They fish."):
    """A case."""
    return JudgeItem(
        system="s",
        id=str(index),
        prompt_index=0,
        question="q?",
        audio_sound="a {b}",
        spoken_text="w",
        audio_only_target="at",
        speech_only_target="st",
        target_keywords="k, l",
        tgt_text="r",
        prediction=prediction,
    )


class Scripted:
    """A generator that replies by a function and remembers the chats."""

    def __init__(self, reply):
        self.reply = reply
        self.chats = []

    def config(self):
        return {}

    def complete(self, chats, on_reply=None):
        self.chats += chats
        for index, chat in enumerate(chats):
            on_reply(index, self.reply(chat[1]["content"]))


def test_asks_what_the_script_asks(clone):
    replies = {
        "P They fish.": "Rating: 2\nOrientation: Good",
        "P nan": "Rating: 0\nExplanation2: none. Explanation2: it is so",
        "E it is so": "Neither.",
    }

    def reply(text):
        (known,) = [value for key, value in replies.items() if key in text]
        return Reply(known, seconds=1.0)

    generator = Scripted(reply)
    judge = PaperJudge("j", generator, clone)
    verdicts = {}
    items = [item(1), item(2, "None")]
    judge.judge(items, verdicts.__setitem__)
    systems = {chat[0]["content"] for chat in generator.chats}
    assert systems == {"You are an NLP assistant"}
    assert [chat[1]["content"] for chat in generator.chats] == [
        "S a {b}\nW w\nQ q?\nA at\nB st\nR r\nK k, l\nP They fish. ’\n",
        "S a {b}\nW w\nQ q?\nA at\nB st\nR r\nK k, l\nP nan ’\n",
        "E it is so",
    ]
    assert verdicts[0][:4] == ("ok", 2, "both", replies["P They fish."])
    assert verdicts[0].reformat is None
    assert verdicts[1][:4] == ("ok", 0, "neither", replies["P nan"])
    assert verdicts[1].reformat == "Neither." and verdicts[1].seconds == 2.0


@pytest.mark.parametrize("empty", ["", "None", "NA"])
def test_no_second_question_where_the_script_crashes(clone, empty):
    generator = Scripted(lambda text: Reply(empty))
    verdicts = {}
    PaperJudge("j", generator, clone).judge([item(1)], verdicts.__setitem__)
    assert len(generator.chats) == 1 and verdicts[0].status == "unparsed"


def test_nothing_is_judged_twice(clone, tmp_path):
    down = True

    def reply(text):
        if text.startswith("E "):
            return Reply("", "transport_error") if down else Reply("Good")
        return Reply(
            "Rating: 1" + ("" if "odd" in text else "\nOrientation: Good")
        )

    items = [item(i, "odd" if i % 2 else "even") for i in range(2 * CHUNK + 3)]
    items.append(item("missing", ""))
    judge = PaperJudge("j", Scripted(reply), clone)
    with Journal(tmp_path / "verdicts.jsonl") as journal:
        table = judge_items(items, judge, journal)
        n_odd = CHUNK + 1
        assert (table["status"] == "transport_error").sum() == n_odd
        # An answer that is missing is judged too, as the script does.
        assert table["status"].iloc[-1] == "ok"
    judge.generator.chats.clear()
    down = False
    with Journal(tmp_path / "verdicts.jsonl") as journal:
        assert pending(items, judge, journal) == n_odd
        table = judge_items(items, judge, journal)
        assert (table["status"] == "ok").all()
        assert len(judge.generator.chats) == 2 * n_odd
        judge.generator.chats.clear()
        judge_items(items, judge, journal)
    assert judge.generator.chats == []


def test_a_killed_run_keeps_all_but_one_chunk(clone, tmp_path):
    n_calls = 0

    def reply(text):
        nonlocal n_calls
        n_calls += 1
        if n_calls > 2 * CHUNK + 5:
            raise KeyboardInterrupt
        return Reply("Rating: 1")  # every reply needs a second question

    items = [item(i) for i in range(3 * CHUNK)]
    judge = PaperJudge("j", Scripted(reply), clone)
    with Journal(tmp_path / "verdicts.jsonl") as journal:
        with pytest.raises(KeyboardInterrupt):
            judge_items(items, judge, journal)
        assert len(journal.rows) == CHUNK


@pytest.fixture
def bos_llm(tiny_llm, tmp_path):
    """A model whose tokenizer and template both bring a BOS, as Llama 3's."""
    from tokenizers.processors import TemplateProcessing
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny_llm)
    bos = tokenizer.bos_token
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single=f"{bos} $A", special_tokens=[(bos, tokenizer.bos_token_id)]
    )
    tokenizer.chat_template = "{{ bos_token }}" + tokenizer.chat_template
    tokenizer.save_pretrained(tmp_path)
    AutoModelForCausalLM.from_pretrained(tiny_llm).save_pretrained(tmp_path)
    return tmp_path


def test_double_bos(bos_llm, monkeypatch):
    chat = [{"role": "user", "content": "What?"}]
    firsts = {}
    for bos in ("single", "double"):
        generator = TransformersGenerator(
            str(bos_llm), max_new_tokens=2, device="cpu", bos=bos
        )
        generator.load()
        generate = generator.model.generate
        seen = {}
        monkeypatch.setattr(
            generator.model,
            "generate",
            lambda seen=seen, generate=generate, **options: (
                seen.update(options) or generate(**options)
            ),
        )
        generator.complete([chat])
        ids = seen["input_ids"][0].tolist()
        mark = generator.tokenizer.tokenizer.bos_token_id
        # One is the template's, one opens the user's turn.
        firsts[bos] = [token == mark for token in ids[:4]]
        assert generator.config()["bos"] == bos
        assert seen["repetition_penalty"] == 1.0
    assert firsts == {
        "single": [True, True, False, False],
        "double": [True, True, True, False],
    }
    with pytest.raises(ValueError, match="single or double"):
        TransformersGenerator(str(bos_llm), bos="none")


def test_sampling_is_that_of_the_script():
    options = paper_generator("m").config()
    assert options["temperature"] == 1.0 and options["bos"] == "double"
    assert options["max_new_tokens"] == 1000
    request = paper_generator("m", "http://localhost:1/v1").config()["request"]
    assert (request["temperature"], request["top_p"]) == (1.0, 1.0)
    assert request["max_tokens"] == 1000 and "seed" not in request


def run(folder, *arguments):
    """Run the script with ``judge_paper.yaml`` (CompletedProcess)."""
    command = [sys.executable, "evaluate.py", "hparams/judge_paper.yaml"]
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [*command, "--output_folder", str(folder), *arguments],
        cwd=RECIPE,
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )


def test_without_a_clone_the_script_says_how_to_get_it(tmp_path):
    done = run(tmp_path / "out", "--data_folder", str(tmp_path / "nothing"))
    assert done.returncode == 1
    assert "https://github.com/BenoitWang/What_Are_They_Doing" in done.stdout


@pytest.mark.official
def test_three_judges_behind_a_server(
    tmp_path, scripted_server, official_folder
):
    names = [
        "meta-llama/Llama-3.1-70B-Instruct",
        "Qwen/Qwen2.5-72B-Instruct",
        "mistralai/Mistral-Large-Instruct-2411",
    ]
    marks = dict(zip(names, "210", strict=True))

    def reply(n_call, request):
        assert request["temperature"] == request["top_p"] == 1.0
        system, user = (m["content"] for m in request["messages"])
        assert system == "You are an NLP assistant"
        if user.startswith("[Model Explanation]\nno idea"):
            return 200, {}, "Speech-Oriented"
        assert user.startswith("[Audio Sound]\n")
        if "odd answer" in user:
            return 200, {}, "Rating: 2\nExplanation2: no idea"
        mark = marks[request["model"]]
        return 200, {}, f"Rating: {mark}\nOrientation: Good"

    table = pd.read_csv(official_folder / "evaluation" / "example.csv")
    table = table[table["id"].isin([1, 2, 3])]
    table["allm_output"] = ["odd answer"] * 8 + ["They fish."] * 16
    predictions = tmp_path / "predictions.csv"
    table[PREDICTION_COLUMNS].to_csv(predictions, index=False)
    server = scripted_server(reply, models=names)
    folder = tmp_path / "out"
    arguments = ["--predictions", str(predictions), "--base_url", server.url]
    arguments += ["--data_folder", str(official_folder)]
    done = run(folder, *arguments)
    assert done.returncode == 0, done.stdout
    assert len(server.requests) == 3 * (24 + 8)
    scores = json.loads((folder / "scores.json").read_text())
    assert scores["mode"] == "paper"
    (result,) = scores["systems"].values()
    best = [result["judges"][name]["best_mean"] for name in names]
    assert best == [pytest.approx(2 * mark / 3) for mark in (2, 1, 0)]
    share = result["average"]["dependence"]
    assert share == pytest.approx({"audio": 0, "both": 2 / 3, "speech": 1 / 3})
    assert (folder / "dependence.png").is_file()
    diff = pd.read_csv(folder / "paper_vs_robust.csv")
    assert len(diff) == 3 * 8 and diff["why"].str.contains("reformat").all()
    # A second run asks nothing.
    done = run(folder, *arguments)
    assert done.returncode == 0 and len(server.requests) == 3 * 32
