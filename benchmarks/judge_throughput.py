"""How much faster judging is than the authors' way, measured in one run.

    python benchmarks/judge_throughput.py             # about 5 minutes
    python benchmarks/judge_throughput.py --parts server
    python benchmarks/judge_throughput.py --answers 16 --tokens 16

The authors' way (BenoitWang/What_Are_They_Doing evaluation/eval.py@e728f83)
asks for one answer at a time and writes the case before the rubric, so that no
two prompts begin alike. Here it has the same model, words, labels and length of
replies; both ways are warm. Answers: ``tests/samples/authored_answers.csv``,
eight to a clip as in a real evaluation. The part ``server`` asks a loopback
server that answers every request after 200 ms.

Authors
 * The speechbrain_jasco developers, 2026
"""

import argparse
import csv
import functools
import math
import multiprocessing
import time
from collections import Counter
from pathlib import Path

import pandas as pd
import yaml
from slow_server import LATENCY_S, serve

from speechbrain_jasco.integrations.openai_generator import OpenAIGenerator
from speechbrain_jasco.integrations.transformers_generator import (
    TransformersGenerator,
)
from speechbrain_jasco.judging.item import JudgeItem
from speechbrain_jasco.judging.llm_judge import LLMJudge
from speechbrain_jasco.reporting.tables import markdown

ROOT = Path(__file__).resolve().parents[1]
FORM = {
    "Rating": ["0", "1", "2"],
    "Orientation": ["audio", "speech", "both", "neither"],
}


def read_yaml(name):
    """Read a file of ``hparams/prompts``.

    Arguments
    ---------
    name : str
        Its name.

    Returns
    -------
    dict or list
    """
    path = ROOT / "hparams" / "prompts" / name
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def read_chats(n_answers):
    """Put authored answers and the project's instructions before a judge.

    Arguments
    ---------
    n_answers : int
        How many answers.

    Returns
    -------
    list of list of dict
        The judge's chats.
    """
    path = ROOT / "tests/samples/authored_answers.csv"
    with path.open(encoding="utf-8", newline="") as fin:
        rows = list(csv.DictReader(fin))[:n_answers]
    questions = [entry["text"] for entry in read_yaml("instructions.yaml")]
    judge = LLMJudge("judge", None, read_yaml("judge.yaml"))
    of_clip = Counter()
    chats = []
    for row in rows:
        i = of_clip[row["id"]] % len(questions)
        of_clip[row["id"]] += 1
        known = {k: row[k] for k in row if k in JudgeItem.__annotations__}
        item = JudgeItem("s", prompt_index=i, question=questions[i], **known)
        chats.append(judge.chat(item))
    return chats


def case_first(chat):
    """The same words in the authors' order.

    Arguments
    ---------
    chat : list of dict
        Rubric and case.

    Returns
    -------
    list of dict
        Case and rubric.
    """
    first, second = (message["content"] for message in chat)
    return [
        {"role": "system", "content": second},
        {"role": "user", "content": first},
    ]


def timed(model, run):
    """Time a run and count the tokens that the model reads.

    Arguments
    ---------
    model : torch.nn.Module
        The model.
    run : callable
        What to do.

    Returns
    -------
    float, int
        Seconds, and tokens in passes of more than one token per row, padding
        and the fields of forms included: all but the steps of decoding.
    """
    forward, n_read = model.forward, 0

    @functools.wraps(forward)  # generate looks at its signature
    def counting(*args, **kwargs):
        nonlocal n_read
        ids = kwargs["input_ids"]
        n_read += ids.numel() if ids.shape[1] > 1 else 0
        return forward(*args, **kwargs)

    model.forward = counting
    try:
        began = time.perf_counter()
        run()
        return time.perf_counter() - began, n_read
    finally:
        model.forward = forward


def compare(name, ours, theirs):
    """Write one row of the table.

    Arguments
    ---------
    name : str
        What was asked for.
    ours, theirs : (float, int)
        From ``timed``.

    Returns
    -------
    dict
    """
    return {
        "reply": name,
        "one by one s": f"{theirs[0]:.1f}",
        "here s": f"{ours[0]:.1f}",
        "times faster": f"{theirs[0] / ours[0]:.1f}",
        "tokens read one by one": str(theirs[1]),
        "here": str(ours[1]),
        "fewer %": f"{100 * (1 - ours[1] / theirs[1]):.0f}",
    }


def in_process(options):
    """Compare both ways, for labels and for text.

    Arguments
    ---------
    options : argparse.Namespace
        Of the command line.
    """
    generator = TransformersGenerator(
        options.source, options.batch_size, options.tokens
    )
    generator.load()
    # Replies of equal length: none may end early.
    generator.model.generation_config.min_new_tokens = options.tokens
    chats = read_chats(options.answers)
    generator.complete(chats[:2])  # warm

    def together(form):
        return lambda: generator.complete(chats, form=form)

    def one_by_one(form):
        def run():
            for chat in chats:
                generator.complete([case_first(chat)], form=form)

        return run

    text = f"text, {options.tokens} tokens"
    ours, theirs = {}, {}
    for name, form in {"labels": FORM, text: None}.items():
        ours[name] = timed(generator.model, together(form))
        theirs[name] = timed(generator.model, one_by_one(form))
    pairs = {"labels": ("labels", "labels"), text: (text, text)}
    pairs["labels here, text there"] = ("labels", text)
    rows = [
        compare(name, ours[here], theirs[there])
        for name, (here, there) in pairs.items()
    ]
    print(
        f"{len(chats)} answers, {options.source}, "
        f"batches of {options.batch_size}\n"
    )
    print(markdown(pd.DataFrame(rows)), "\n")


def over_http(options):
    """Compare with the ideal: latency * calls / concurrency.

    Arguments
    ---------
    options : argparse.Namespace
        Of the command line.
    """
    port = multiprocessing.Value("i", 0)
    server = multiprocessing.Process(target=serve, args=(port,), daemon=True)
    server.start()
    while not port.value:
        time.sleep(0.01)
    chats = read_chats(64)
    rows = []
    for concurrency in options.concurrency:
        n_calls = options.rounds * concurrency
        generator = OpenAIGenerator(
            "slow", f"http://127.0.0.1:{port.value}/v1", None, concurrency
        )
        generator.complete(chats[:1])  # warm
        asked = [chats[i % len(chats)] for i in range(n_calls)]
        began = time.perf_counter()
        replies = generator.complete(asked)
        seconds = time.perf_counter() - began
        assert all(reply.status == "ok" for reply in replies)
        ideal = LATENCY_S * math.ceil(n_calls / concurrency)
        rows.append(
            {
                "requests at once": str(concurrency),
                "calls": str(n_calls),
                "s": f"{seconds:.2f}",
                "ideal s": f"{ideal:.2f}",
                "% of the ideal": f"{100 * ideal / seconds:.0f}",
            }
        )
        generator.unload()
    server.terminate()
    print(markdown(pd.DataFrame(rows)))


def main(argv=None):
    """Print the tables.

    Arguments
    ---------
    argv : list of str, optional
        Command line.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", nargs="+", default=["model", "server"])
    parser.add_argument("--source", default="starter:smollm2-135m-instruct")
    parser.add_argument("--answers", type=int, default=48)
    parser.add_argument("--tokens", type=int, default=96)
    parser.add_argument("--batch_size", type=int, default=24)
    parser.add_argument(
        "--concurrency", type=int, nargs="+", default=[8, 32, 64]
    )
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args(argv)
    if "model" in options.parts:
        in_process(options)
    if "server" in options.parts:
        over_http(options)


if __name__ == "__main__":
    main()
