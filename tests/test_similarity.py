"""Tests of the similarity judge: rules by construction, accuracy measured.

Authors
 * The speechbrain_jasco developers, 2026
"""

import dataclasses
import importlib.util
import json
import re
import zlib
from pathlib import Path

import pandas as pd
import pytest
import torch

from speechbrain_jasco import starter
from speechbrain_jasco.integrations.sentence_embedding import SentenceEmbedder
from speechbrain_jasco.judging.item import ORIENTATIONS, JudgeItem
from speechbrain_jasco.judging.reading import (
    MAX_CHARACTERS,
    has_keyword,
    read_answer,
    strip_frame,
)
from speechbrain_jasco.judging.similarity import WEIGHTS, SimilarityJudge

ROOT = Path(__file__).resolve().parents[1]
ANSWERS = ROOT / "tests" / "samples" / "authored_answers.csv"
TRIPLE = [
    "audio_sound",
    "spoken_text",
    "audio_only_target",
    "speech_only_target",
    "target_keywords",
    "tgt_text",
]
ITEM = JudgeItem(
    system="s",
    id="1",
    prompt_index=0,
    question="What are they doing?",
    audio_sound="oars splashing",
    spoken_text="Faster, we are nearly there!",
    audio_only_target="They are likely swimming in a lake.",
    speech_only_target="They are likely driving somewhere quickly.",
    target_keywords="rowing",
    tgt_text="They are likely rowing a race as a team.",
    prediction="",
)


class BagOfWords:
    """Cosine = shared words: each word is a hashed axis; counts its calls."""

    def __init__(self):
        self.calls = []

    def load(self):
        """Nothing to load."""

    def config(self):
        return {"embedder": "bag of words"}

    def embed(self, texts):
        self.calls.append(list(texts))
        rows = torch.zeros(len(texts), 4096)
        for row, text in zip(rows, texts, strict=True):
            for word in re.findall(r"\w+", text.lower()):
                row[zlib.crc32(word.encode()) % 4096] += 1
        return torch.nn.functional.normalize(rows, dim=-1)


def make_judge(**options):
    return SimilarityJudge("similarity", BagOfWords(), **options)


def verdicts(predictions, judge=None, item=ITEM):
    """Verdicts on answers to one clip; on_verdict must come in order."""
    items = [dataclasses.replace(item, prediction=p) for p in predictions]
    got = []

    def on_verdict(index, verdict):
        assert index == len(got)
        got.append(verdict)

    (judge or make_judge()).judge(items, on_verdict)
    assert len(got) == len(items)
    return got


@pytest.mark.parametrize(
    "preamble",
    ["", "The audio contains oars splashing. The speaker says 'Faster!'. "],
    ids=["bare", "preamble"],
)
@pytest.mark.parametrize(
    "answer, expected",
    [
        (ITEM.tgt_text, (2, "both")),
        (ITEM.audio_only_target, (0, "audio")),
        (ITEM.speech_only_target, (0, "speech")),
    ],
    ids=["reference", "audio only", "speech only"],
)
def test_known_answers_verbatim(preamble, answer, expected):
    (verdict,) = verdicts([preamble + answer])
    assert verdict.status == "ok"
    assert (verdict.rating, verdict.orientation) == expected


@pytest.mark.parametrize(
    "answer",
    [
        "The audio contains oars splashing. The speaker says 'Faster, we are "
        "nearly there!'",
        "I can hear oars. “Faster, we are nearly there!”",
        "I'm sorry, I cannot determine what the speakers are doing.",
        "Rating 2 and orientation both.",
        "...",
        "?!",
    ],
)
def test_no_action_is_neither(answer):
    (verdict,) = verdicts([answer])
    assert verdict[:3] == ("ok", 0, "neither")
    assert verdict.explanation == "No action found."


@pytest.mark.parametrize("answer", ["", " \n\t", "nan"])
def test_nothing_to_judge(answer):
    (verdict,) = verdicts([answer])
    assert verdict[:3] == ("no_prediction", None, None)


@pytest.mark.parametrize(
    "answer, action, announced",
    [
        ("They are likely fishing.", "fishing", True),
        ("I hear gulls, so they are fishing.", "fishing", True),
        ("I hear gulls. This suggests that they're fishing.", "fishing", True),
        ("Fishing", "Fishing", False),
        ("They are fishing because I hear gulls.", "fishing", True),
        ("The speaker says: 'They are dancing.'", "", False),
        ("A man says pull it in now slowly", "", False),
        ("They are unable to find a boat.", "unable to find a boat", True),
        ("I am unable to tell what they are doing.", "", False),
        ("They're fishing, maybe on a boat", "fishing. on a boat", True),
        # Reports are no actions, however carefully they are put.
        ("I think I can hear gulls and a winch.", "", False),
        ("A voice seems to say something about slowness.", "", False),
        ("I believe the sound is a winch.", "", False),
        ("Possibly a winch.", "a winch", False),
        # A conclusion in one clause with its reasons.
        ("From both I conclude that they are fishing.", "fishing", True),
        ("Given the gulls I think they are fishing.", "fishing", True),
        ("Given that they are near gulls", "", False),
        ("Fishing, but I may be wrong.", "Fishing", False),
        # Too general to be an activity.
        ("Presumably they are talking to someone.", "", True),
        ("They are talking to a fisherman.", "talking to a fisherman", True),
    ],
)
def test_action_is_read(answer, action, announced):
    reading = read_answer(answer, "Pull it in now, slowly!")
    assert (reading.action, reading.announced) == (action, announced)


def test_reported_words_are_read_with_and_without_quotes():
    """Curly quotes and apostrophes are as good as straight ones."""
    spoken = "Let’s pull it in now!"
    quoted = read_answer("He says “Let's pull it in now!”", spoken)
    plain = read_answer("He says let's pull it in now", spoken)
    assert quoted.words == "Let's pull it in now!"
    assert plain.words == "let's pull it in now"
    assert quoted.action == plain.action == ""


@pytest.mark.parametrize(
    "action, keywords, expected",
    [
        ("they feed the baby", ["feeding"], True),
        ("playing hide-and-seek", ["hide and seek"], True),
        ("seeking a place to hide", ["hide and seek"], False),
        ("rows", ["Rowing"], True),
        ("arrow", ["row"], False),
        ("anything", [], False),
    ],
)
def test_keyword(action, keywords, expected):
    assert has_keyword(action, keywords) is expected


def test_frame_is_never_all():
    assert strip_frame("It is likely ") == "It is likely "


def test_full_score_decides_between_1_and_2():
    """Without keyword the cosine counts; with it, nothing else does."""
    item = dataclasses.replace(ITEM, target_keywords="boat")
    answer = [ITEM.tgt_text]
    for full_score, rating in ((0.99, 2), (1.01, 1)):
        judge = make_judge(full_score=full_score)
        assert verdicts(answer, judge, item)[0][1:3] == (rating, "both")
        assert verdicts(answer, judge, ITEM)[0][1:3] == (2, "both")


def test_evidence_by_hand():
    """One shared word; lengths: "rowing quietly" sqrt(2) and "rowing a race
    as a team" sqrt(1 + 4 + 1 + 1 + 1): cosine 1 / sqrt(16) = 0.25."""
    item = dataclasses.replace(ITEM, prediction="They are rowing quietly.")
    weights = {"reference": 4.0, "keyword": 1.5, "both": -0.5}
    judge = make_judge(weights=weights)
    ((reading, evidence),) = judge.measure([item])
    assert reading.action == "rowing quietly"
    assert evidence == {
        "both": {"reference": 0.25, "keyword": 1.0, "joint": 0.0, "both": 1.0},
        "audio": {"target": 0.0, "own": 0.0},
        "speech": {"target": 0.0, "own": 0.0},
    }
    (verdict,) = verdicts([item.prediction], judge)
    assert "both 2.00 (reference 0.25" in verdict.explanation


def test_what_resembles_nothing_scores_nothing():
    (verdict,) = verdicts(["They are knitting."])
    assert verdict.rating == 0
    assert verdict.orientation != "both"


def test_own_report_decides_the_orientation_of_a_wrong_action():
    """The same wrong action, once from a misheard sound, once from words."""
    sound, words = verdicts(
        [
            "I hear violins. They are tuning violins.",
            "He says 'violins'. They are tuning violins.",
        ]
    )
    assert sound[1:3] == (0, "audio")
    assert words[1:3] == (0, "speech")


@pytest.mark.parametrize(
    "filler", ["x' ", "' ", '"a', "they are ", "\0", " ", ", ", "so "]
)
def test_hostile_length_is_cut_and_said(filler):
    """What 100 kB end with is still read."""
    n = 100_000
    answer = (filler * n)[:n] + "\nThey are likely rowing a race as a team."
    (verdict,) = verdicts([answer])
    assert verdict.status == "ok"
    assert f"of {len(answer)} characters" in verdict.explanation
    assert "rowing a race" in read_answer(answer, "Go!").action
    assert len(verdict.explanation) < MAX_CHARACTERS


def test_order_batch_and_repetition_do_not_matter():
    """Unique texts are embedded once, in one call, whatever the order."""
    answers = [
        ITEM.tgt_text,
        "No idea.",
        ITEM.audio_only_target,
        ITEM.tgt_text,
        "",
    ]
    judge = make_judge()
    together = verdicts(answers, judge)
    (call,) = judge.embedder.calls
    assert len(call) == len(set(call))
    assert together == [verdicts([answer])[0] for answer in answers]
    assert together[::-1] == verdicts(answers[::-1])
    assert verdicts([]) == []


def test_config_names_all_that_matters():
    base = make_judge().config()
    assert base == make_judge().config() == json.loads(json.dumps(base))
    others = [
        make_judge(full_score=0.5).config(),
        *(make_judge(weights={name: 9.0}).config() for name in WEIGHTS),
    ]
    texts = {json.dumps(c, sort_keys=True) for c in [base, *others]}
    assert len(texts) == 2 + len(WEIGHTS)


def test_each_weight_is_used():
    """Raising one weight changes the evidence of an answer that shows it."""
    answers = [
        "I hear a lake. He says 'quickly'. They are rowing in a lake quickly.",
        "Oars splashing. He says 'Faster'.",
        "Possibly oars in a lake.",
    ]
    before = [v.explanation for v in verdicts(answers)]
    for name in WEIGHTS:
        after = verdicts(answers, make_judge(weights={name: 99.0}))
        assert [v.explanation for v in after] != before, name


def test_unknown_weight():
    with pytest.raises(ValueError, match="volume"):
        make_judge(weights={"volume": 1.0})


@pytest.fixture(scope="module")
def table():
    return pd.read_csv(ANSWERS, keep_default_na=False)


def test_authored_answers_are_sound(table):
    assert len(table) >= 320
    assert table["id"].nunique() >= 40
    assert table["kind"].nunique() >= 10
    assert not table["prediction"].duplicated().any()
    assert set(table["split"]) == {"fit", "held"}
    per_triple = table.groupby("id")
    assert (per_triple["split"].nunique() == 1).all()
    assert (per_triple[TRIPLE].nunique() == 1).all(axis=None)
    assert (
        not table[["id", *TRIPLE]].drop_duplicates()[TRIPLE].duplicated().any()
    )
    share = per_triple["split"].first().eq("held").mean()
    assert 0.45 <= share <= 0.55
    for ratings, orientations in zip(
        table["ratings"].astype(str), table["orientation"], strict=True
    ):
        assert set(ratings.split("|")) <= {"0", "1", "2"}
        assert set(orientations.split("|")) <= set(ORIENTATIONS)
        # As the judge's rule: without both modalities there is no score.
        assert "both" in orientations or ratings == "0"


@pytest.mark.official
def test_authored_triples_are_not_official(table, official_folder):
    """Neither the lines nor most of their words."""
    official = pd.read_csv(official_folder / "dataset" / "v0" / "v0.csv")
    triples = table.drop_duplicates("id")
    frame = set("they are likely a an the to of in at is for".split())

    def words(text):
        return set(re.findall(r"\w+", text.lower())) - frame

    for ours, theirs in (
        ("spoken_text", "Speech"),
        ("tgt_text", "Correct Answer"),
    ):
        for text in triples[ours]:
            for other in official[theirs]:
                a, b = words(text), words(other)
                assert len(a & b) / len(a | b) < 0.5, (text, other)


@pytest.mark.weights
def test_held_out_accuracy():
    """Measured 2026-11-25: 85 %, the plain rule 66 % (206 answers)."""
    if not starter.is_ready("minilm-l6-v2"):
        pytest.skip(
            "no starter:minilm-l6-v2; python -m speechbrain_jasco.starter"
        )
    path = ROOT / "benchmarks" / "calibrate_similarity.py"
    spec = importlib.util.spec_from_file_location("calibrate", path)
    calibrate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(calibrate)
    answers = calibrate.read_answers()
    held = answers[answers["split"] == "held"]
    embedder = SentenceEmbedder("starter:minilm-l6-v2")
    judge = SimilarityJudge("similarity", embedder)
    ours = calibrate.score(held, calibrate.judge_all(held, judge))
    plain = calibrate.score(held, calibrate.naive(held, embedder))
    assert ours["verdict"].mean() >= 0.84
    assert ours["verdict"].mean() >= plain["verdict"].mean() + 0.15
