"""Which judge of the starter kit is right most often? Designs side by side.

    python benchmarks/judge_designs.py [--llm starter:smollm2-135m-instruct]

Data: ``tests/samples/authored_answers.csv``; all figures are of split ``held``.

| design | what it is |
|---|---|
| plain rule | the known answer that is nearest to the whole answer |
| similarity | the similarity judge |
| form | the LLM's label probabilities, prompt of ``judge.yaml`` |
| few-shot | the same with a short rubric and five worked cases |
| few-shot, action | the same, shown the action that the similarity judge reads |
| combination | the similarity judge, with the few-shot orientation's log-probability as a further number for each orientation, weights fitted on split ``fit`` |

Authors
 * The speechbrain_jasco developers, 2026
"""

import argparse
import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from calibrate_similarity import (
    choose,
    design,
    fit,
    judge_all,
    naive,
    read_answers,
    score,
)

from speechbrain_jasco.integrations.sentence_embedding import SentenceEmbedder
from speechbrain_jasco.integrations.transformers_generator import (
    TransformersGenerator,
)
from speechbrain_jasco.judging.item import ORIENTATIONS
from speechbrain_jasco.judging.llm_judge import LLMJudge
from speechbrain_jasco.judging.reading import read_answer
from speechbrain_jasco.judging.similarity import SimilarityJudge

PROMPTS = Path(__file__).parents[1] / "hparams" / "prompts"
FORM = {"Rating": ["0", "1", "2"], "Orientation": list(ORIENTATIONS)}
RIDGE = 0.1  # as calibrate_similarity.py chooses it
CASE = """\
Sound: {audio_sound}
Words: {spoken_text}
From the sound alone: {audio_only_target}
From the words alone: {speech_only_target}
Right answer: {tgt_text}
Answer to grade: {prediction}
"""
_SHOWN = {
    "audio_sound": "Kettle whistling, rain on a tent",
    "spoken_text": "Pass me the other peg.",
    "audio_only_target": "They are boiling water.",
    "speech_only_target": "They are hanging up the washing.",
    "tgt_text": "They are putting up a tent in the rain.",
}
_VERDICTS = (
    ("They are pitching a tent on a wet day.", 2, "both"),
    ("They are making tea.", 0, "audio"),
    ("They are hanging clothes on a line.", 0, "speech"),
    ("I hear a kettle, and someone asks for a peg.", 0, "neither"),
    ("They are camping somewhere.", 1, "both"),
)
FEW_SHOT = {
    "system": "Grade answers. 2: the right activity. 1: nearly. 0: wrong, none, "
    "or from the sound or the words alone. Then say where the activity comes "
    "from: audio, speech, both or neither.\n\n"
    + "\n".join(
        CASE.format(**_SHOWN, prediction=answer)
        + f"Rating: {rating}\nOrientation: {orientation}\n"
        for answer, rating, orientation in _VERDICTS
    ),
    "case": CASE,
}


def ask_llm(items, generator, prompt):
    """Have an LLM fill in the form for every answer.

    Arguments
    ---------
    items : list of JudgeItem
        The answers.
    generator : TransformersGenerator
        The LLM.
    prompt : dict
        ``system`` and ``case``.

    Returns
    -------
    verdicts : list of (int, str)
        Rating and orientation.
    log_probabilities : numpy.ndarray
        [B, 4] of the orientations.
    """
    chats = [
        LLMJudge("llm", generator, prompt, form=FORM).chat(item)
        for item in items
    ]
    replies = generator.complete(chats, form=FORM)
    verdicts, chances = [], []
    for reply in replies:
        rating, orientation = (
            max(reply.probabilities[field], key=reply.probabilities[field].get)
            for field in FORM
        )
        verdicts.append((int(rating), orientation))
        chances.append(
            [reply.probabilities["Orientation"][o] for o in ORIENTATIONS]
        )
    return verdicts, np.log(np.maximum(chances, 1e-6))


def read_action(item):
    """Show a judge the action alone (JudgeItem)."""
    action = read_answer(item.prediction, item.spoken_text).action
    return dataclasses.replace(item, prediction=action or "(no activity)")


def combine(table, judge, opinion):
    """Fit the similarity judge's weights with the LLM's opinion beside them.

    Arguments
    ---------
    table : pandas.DataFrame
        All answers.
    judge : SimilarityJudge
        Measures.
    opinion : numpy.ndarray
        [B, 4] log-probabilities of the orientations.

    Returns
    -------
    list of (int, str)
        Verdicts on all answers.
    """
    measured = judge.measure(list(table["item"]))
    x, is_open = design([evidence for _, evidence in measured])
    x = np.concatenate([x, opinion[:, :, None]], axis=2)
    is_right = np.array(
        [[o in a for o in ORIENTATIONS] for a in table["orientations"]]
    )
    on = (table["split"] == "fit").to_numpy()
    weights = fit(x[on], is_open[on], is_right[on], RIDGE)
    print(f"Weight of the LLM's log-probability: {weights[-1]:.2f}")
    verdicts = []
    for orientation, (_, evidence) in zip(
        choose(x, is_open, weights), measured, strict=True
    ):
        rating = 0
        if orientation == "both":
            both = evidence["both"]
            full = both["keyword"] or both["reference"] >= judge.full_score
            rating = 2 if full else 1
        verdicts.append((rating, orientation))
    return verdicts


def main():
    """Measure every design on the held-out answers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--llm", default="starter:smollm2-135m-instruct")
    parser.add_argument("--batch_size", type=int, default=16)
    args = parser.parse_args()
    judge = SimilarityJudge(
        "similarity", SentenceEmbedder("starter:minilm-l6-v2")
    )
    judge.load()
    llm = TransformersGenerator(args.llm, args.batch_size, dtype="auto")
    table = read_answers()
    items = list(table["item"])
    rubric = yaml.safe_load((PROMPTS / "judge.yaml").read_text("utf-8"))
    few_shot, opinion = ask_llm(items, llm, FEW_SHOT)
    designs = {
        "plain rule": naive(table, judge.embedder),
        "similarity": judge_all(table, judge),
        "form": ask_llm(items, llm, rubric)[0],
        "few-shot": few_shot,
        "few-shot, action": ask_llm(
            [read_action(item) for item in items], llm, FEW_SHOT
        )[0],
        "combination": combine(table, judge, opinion),
    }
    truth = table["ratings"].map(max)
    held = table["split"] == "held"
    print("\n| design | rating | orientation | both right | rank correlation |")
    print("|---|---|---|---|---|")
    for name, verdicts in designs.items():
        right = score(table, verdicts)[held].mean() * 100
        ratings = pd.Series([r for r, _ in verdicts], index=table.index)
        rho = ratings[held].corr(truth[held], method="spearman")
        numbers = " | ".join(f"{value:.0f}" for value in right)
        print(f"| {name} | {numbers} | {rho:.2f} |")


if __name__ == "__main__":
    main()
