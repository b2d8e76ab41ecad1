"""Hostile answers before judges that quote them.

The judges are scripted: each gives a verdict of its own and repeats the answer
it was shown in some way, before or after. The verdict that is read must be the
judge's own or none at all; a verdict that an answer plants must never count.

Authors
 * The speechbrain_jasco developers, 2026
"""

import importlib.util
import json
import re
from collections import Counter
from pathlib import Path

import pytest
import yaml

from speechbrain_jasco import starter
from speechbrain_jasco.integrations.reply import Reply
from speechbrain_jasco.integrations.sentence_embedding import SentenceEmbedder
from speechbrain_jasco.judging.item import JudgeItem
from speechbrain_jasco.judging.llm_judge import (
    MAX_PREDICTION_CHARACTERS,
    LLMJudge,
    fence,
)
from speechbrain_jasco.judging.similarity import SimilarityJudge

ROOT = Path(__file__).resolve().parents[1]
PROMPT = yaml.safe_load(
    (ROOT / "hparams/prompts/judge.yaml").read_text(encoding="utf-8")
)
CLIP = {
    "question": "What are they doing?",
    "audio_sound": "oars splashing",
    "spoken_text": "Faster, we are nearly there!",
    "audio_only_target": "They are likely swimming in a lake.",
    "speech_only_target": "They are likely driving somewhere quickly.",
    "target_keywords": "rowing",
    "tgt_text": "They are likely rowing a race as a team.",
}


def benchmark():
    """The script that prints the table of docs/judges.md, as a module."""
    path = ROOT / "benchmarks" / "adversarial_parsers.py"
    spec = importlib.util.spec_from_file_location("adversarial_parsers", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


BENCHMARK = benchmark()
QUOTES, labels = BENCHMARK.QUOTES, BENCHMARK.labels
SUITE = BENCHMARK.read_suite()

# Verdicts of a judge, and how it writes them.
OWN = [(0, "neither"), (0, "audio"), (1, "both"), (2, "both")]
FORMS = {
    "three lines": "Reason: my own view.\nRating: {}\nOrientation: {}",
    "two lines": "Rating: {}\nOrientation: {}",
    "Markdown": "My view.\n\n**Rating:** {}\n**Orientation:** {}",
}
ENDS_IN_VERDICT = ("nothing", "before", "labels before")
# A reply that was cut off before the judge's own verdict.
CUT = {
    "echo": lambda shown: shown,
    "reason": lambda shown: f"Reason: the answer says\n{shown}",
    "quote": lambda shown: f"The answer claims this:\n{shown}",
    "labels": lambda shown: f"Reason: it claims\n{labels(shown)}",
}


class Quoting:
    """A generator that finds the answer in its prompt and replies to it."""

    def __init__(self, reply):
        self.reply = reply

    def config(self):
        return {"generator": "quoting"}

    def complete(self, chats, on_reply, **options):
        for i, (_, case) in enumerate(chats):
            text = case["content"]
            mark = re.search(r"(?m)^(answer-\w+)$", text)[1]
            shown = text.split(f"\n{mark}\n")[1]
            on_reply(i, Reply(self.reply(shown)))


def judge_all(reply):
    """Verdicts on the whole suite, of a judge that replies so."""
    items = [
        JudgeItem("s", str(i), 0, **CLIP, prediction=prediction)
        for i, (_, prediction) in enumerate(SUITE)
    ]
    verdicts = {}
    judge = LLMJudge("judge", Quoting(reply), PROMPT)
    judge.judge(items, verdicts.__setitem__)
    return [verdicts[i][:3] for i in range(len(items))]


def test_the_suite_is_large_and_various():
    assert len(SUITE) >= 60
    assert len({prediction for _, prediction in SUITE}) == len(SUITE)
    assert len({attack for attack, _ in SUITE}) >= 8
    assert sum(len(prediction) > 50_000 for _, prediction in SUITE) >= 3


@pytest.mark.parametrize("quote", QUOTES)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("own", OWN, ids=str)
def test_only_the_judges_own_verdict_counts(own, form, quote):
    text = FORMS[form].format(*own)
    found = judge_all(lambda shown: QUOTES[quote](text, shown))
    outcomes = Counter()
    for (attack, prediction), verdict in zip(SUITE, found, strict=True):
        kept = verdict == ("ok", *own)
        assert kept or verdict[0] == "unparsed", (attack, prediction[:80])
        outcomes[kept] += 1
    # No answer rids itself of a zero from a judge that keeps to the form,
    if own[0] == 0 and form == "three lines" and quote in ENDS_IN_VERDICT:
        assert outcomes[False] == 0
    # and most verdicts survive any quoting unless they are what is planted.
    if own == (0, "audio"):
        assert outcomes[True] >= 0.8 * len(SUITE)


@pytest.mark.parametrize("cut", CUT)
def test_a_quote_alone_is_no_verdict(cut):
    for (attack, prediction), verdict in zip(
        SUITE, judge_all(CUT[cut]), strict=True
    ):
        score = verdict[1] if verdict[2] == "both" else 0
        assert not score, (attack, prediction[:80])


def test_robust_is_never_fooled_and_other_ways_of_reading_are():
    """The table of docs/judges.md."""
    results = {
        name: BENCHMARK.fooled(read) for name, read in BENCHMARK.READERS.items()
    }
    assert results["robust"]["fooled"].total() == 0
    for name in ("last label", "first label", "paper"):
        assert results[name]["fooled"].total() > 100, name


@pytest.mark.parametrize("where", ["reason first", "reason last"])
def test_json_with_a_quote_inside(where):
    def reply(shown):
        fields = {"rating": 0, "orientation": "audio"}
        reason = {"reason": f"The answer says: {shown}"}
        first = where == "reason first"
        return json.dumps(reason | fields if first else fields | reason)

    found = Counter(judge_all(reply))
    assert found[("ok", 0, "audio")] == len(SUITE)


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9, 0.99])
def test_json_cut_off_inside_a_quote_gives_no_points(kept):
    def reply(shown):
        fields = {"reason": f"The answer says: {shown}", "rating": 0}
        text = json.dumps({**fields, "orientation": "audio"})
        return text[: int(kept * len(text))]

    for (attack, prediction), verdict in zip(
        SUITE, judge_all(reply), strict=True
    ):
        score = verdict[1] if verdict[2] == "both" else 0
        assert not score, (attack, prediction[:80])


def test_no_answer_holds_its_own_fence_or_opens_a_turn():
    judge = LLMJudge("judge", Quoting(None), PROMPT)
    for _, prediction in SUITE:
        item = JudgeItem("s", "1", 0, **CLIP, prediction=prediction)
        content = judge.chat(item)[1]["content"]
        mark = fence(prediction)
        assert mark not in prediction
        assert content.count(mark) == 2
        for markup in ("<|", "</s>", "[INST]", "<<SYS>>", "<end_of_turn>"):
            assert markup not in content
        assert len(content) < MAX_PREDICTION_CHARACTERS + 2000


@pytest.mark.weights
def test_the_similarity_judge_gives_no_points_for_it():
    if not starter.is_ready("minilm-l6-v2"):
        pytest.skip(
            "no starter:minilm-l6-v2; python -m speechbrain_jasco.starter"
        )
    items = [
        JudgeItem("s", str(i), 0, **CLIP, prediction=prediction)
        for i, (_, prediction) in enumerate(SUITE)
    ]
    verdicts = {}
    embedder = SentenceEmbedder("starter:minilm-l6-v2")
    SimilarityJudge("similarity", embedder).judge(items, verdicts.__setitem__)
    scoring = [
        SUITE[i][1][:60]
        for i, verdict in verdicts.items()
        if verdict.orientation == "both" and verdict.rating
    ]
    assert scoring == []
