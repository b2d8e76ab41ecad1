"""The benchmark as a task of Inspect (``pip install inspect-ai``).

From the project's folder, after a preparation has written ``clips.csv``:

    inspect eval exports/inspect_what_are_they_doing.py --model MODEL \
        --model-role grader=JUDGE \
        -T manifest=clips.csv -T data_folder=What_Are_They_Doing \
        -T instructions=What_Are_They_Doing/evaluation/example.csv

The judge has this project's prompt and its reply is read by this project's
parser: a reply without a verdict is not a zero, it is not scored.

Authors
 * The speechbrain_jasco developers, 2026
"""

from collections import defaultdict
from pathlib import Path

import yaml
from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import (
    ChatMessageSystem,
    ChatMessageUser,
    ContentAudio,
    ContentText,
    get_model,
)
from inspect_ai.scorer import SampleScore, Score, metric, scorer
from inspect_ai.solver import generate

from speechbrain_jasco.integrations.benchmark_samples import (
    benchmark_samples,
    read_instructions,
)
from speechbrain_jasco.judging.item import JudgeItem
from speechbrain_jasco.judging.llm_judge import LLMJudge
from speechbrain_jasco.judging.verdict import parse_verdict

PROMPTS = Path(__file__).resolve().parents[1] / "hparams" / "prompts"
FACTS = [
    "audio_sound",
    "spoken_text",
    "audio_only_target",
    "speech_only_target",
    "target_keywords",
    "tgt_text",
]


@task
def what_are_they_doing(
    manifest,
    data_folder,
    instructions=str(PROMPTS / "instructions.yaml"),
    judge_prompt=str(PROMPTS / "judge.yaml"),
):
    """Ask every instruction about every clip, and have a judge rate.

    Arguments
    ---------
    manifest : str
        ``clips.csv``.
    data_folder : str
        Where the recordings are.
    instructions : str
        See ``read_instructions``.
    judge_prompt : str
        YAML with ``system`` and ``case``.

    Returns
    -------
    Task
    """
    records = benchmark_samples(
        manifest, data_folder, read_instructions(instructions)
    )
    samples = [
        Sample(
            id=f"{record['id']}-{record['prompt_index']}",
            input=[
                ChatMessageUser(
                    content=[
                        ContentAudio(audio=record["path"], format="wav"),
                        ContentText(text=record["prompt"]),
                    ]
                )
            ],
            target=record["tgt_text"],
            metadata=record,
        )
        for record in records
    ]
    prompt = yaml.safe_load(Path(judge_prompt).read_text(encoding="utf-8"))
    return Task(
        dataset=MemoryDataset(samples, name="What Are They Doing"),
        solver=generate(),
        scorer=verdict(prompt),
    )


@metric
def best_mean():
    """Mean over clips of the best score among a clip's prompts."""

    # By the annotation Inspect knows what to hand over.

    def compute(scores: list[SampleScore]) -> float:
        best = defaultdict(float)
        for entry in scores:
            value = entry.score.value
            if value == value:  # NaN: there was no verdict
                clip = entry.sample_metadata["id"]
                best[clip] = max(best[clip], float(value))
        return sum(best.values()) / len(best) if best else float("nan")

    return compute


def share(orientation):
    """Make the metric of one orientation's share of audio, both and speech."""

    @metric(name=f"share_{orientation}")
    def create():
        def compute(scores: list[SampleScore]) -> float:
            said = [(e.score.metadata or {}).get("orientation") for e in scores]
            said = [o for o in said if o in ("audio", "both", "speech")]
            return said.count(orientation) / len(said) if said else float("nan")

        return compute

    return create()


@scorer(metrics=[best_mean(), share("audio"), share("both"), share("speech")])
def verdict(prompt):
    """Score an answer by the model whose role is ``grader``.

    Arguments
    ---------
    prompt : dict
        ``system`` and ``case``.

    Returns
    -------
    Scorer
    """
    writer = LLMJudge("grader", None, prompt)  # only its chat is used

    async def score(state, target):
        record = state.metadata
        item = JudgeItem(
            system=str(state.model),
            id=record["id"],
            prompt_index=record["prompt_index"],
            question=record["prompt"],
            prediction=state.output.completion,
            **{name: record[name] for name in FACTS},
        )
        system, case = writer.chat(item)
        reply = await get_model(role="grader").generate(
            [
                ChatMessageSystem(content=system["content"]),
                ChatMessageUser(content=case["content"]),
            ]
        )
        found = parse_verdict(reply.completion, item.prediction)
        value = float("nan")
        if found.status == "ok":
            value = found.rating if found.orientation == "both" else 0
        return Score(
            value=value,
            answer=item.prediction,
            explanation=reply.completion,
            metadata={
                "status": found.status,
                "rating": found.rating,
                "orientation": found.orientation,
            },
        )

    return score
