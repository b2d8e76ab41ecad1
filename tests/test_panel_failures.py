"""Panels with judges that fail, each in its own way, behind scripted servers.

Whatever one judge does, the others' verdicts stand, coverage and bounds are
those worked out by hand, and a re-run asks for what is missing and no more.

Authors
 * The speechbrain_jasco developers, 2026
"""

import itertools
import json
import time
from collections import Counter

import pandas as pd
import pytest

from speechbrain_jasco.dataio import PREDICTION_COLUMNS
from speechbrain_jasco.evaluation import evaluate
from speechbrain_jasco.integrations.openai_generator import OpenAIGenerator
from speechbrain_jasco.integrations.reply import Reply
from speechbrain_jasco.judging.aggregation import TIE_ORDER, Aggregation
from speechbrain_jasco.judging.llm_judge import LLMJudge
from speechbrain_jasco.scoring import Scoring

PROMPT = {"system": "Judge.", "case": "{question}|{prediction}"}
AT_ONCE = {"Retry-After": "0.01"}
GOOD = "Rating: 2\nOrientation: both"


def write_predictions(folder, n_clips, n_prompts=8):
    """Answers that say which they are; returns {system: path}."""
    rows = [
        {
            **{name: f"{name} of {c}" for name in PREDICTION_COLUMNS},
            "id": f"c{c}",
            "prompt": f"prompt {p}",
            "allm_output": f"answer {c} {p}",
        }
        for c in range(n_clips)
        for p in range(n_prompts)
    ]
    path = folder / "predictions.csv"
    pd.DataFrame(rows)[PREDICTION_COLUMNS].to_csv(path, index=False)
    return {"A": path}


def place(request):
    """Clip and prompt that a request is about."""
    words = request["messages"][-1]["content"].split()
    return int(words[-2]), int(words[-1])


def make_judge(name, server, repeats=1, **options):
    """A judge behind a server, without patience."""
    options = {"concurrency": 4, "max_retries": 1, "timeout_s": 5} | options
    generator = OpenAIGenerator("scripted", server.url, **options)
    return LLMJudge(name, generator, PROMPT, repeats=repeats)


def entries(scores):
    """Entries of the one system's judges."""
    return scores["systems"]["A"]["judges"]


def good(n, request):
    """Reply as a judge that likes everything."""
    return 200, {}, GOOD


def test_a_judge_that_fails_after_300_of_640(tmp_path, scripted_server):
    """Calls come one after the other: 300 are 37 clips and 4 prompts."""
    down = {"now": True}

    def failing(n, request):
        if down["now"] and n >= 300:
            return 500, {}, {"error": "out of memory"}
        return good(n, request)

    server, sound = scripted_server(failing), Voting([2] * 2)
    judges = [
        make_judge("fails", server, concurrency=1, max_retries=0),
        LLMJudge("lives", sound, PROMPT),
    ]
    predictions = write_predictions(tmp_path, 80)
    scores = evaluate(predictions, judges, tmp_path)
    fails, lives = entries(scores)["fails"], entries(scores)["lives"]
    assert len(server.requests) == sound.asked.total() == 640
    assert fails["coverage"] == 300 / 640 and lives["coverage"] == 1
    assert fails["counts"]["transport_error"] == 340
    assert fails["best_mean"] == 2  # of the 38 clips with a verdict
    # Worst: the 42 other clips get 0. Best: they get 2.
    assert fails["bounds"]["best_mean"] == pytest.approx([2 * 38 / 80, 2])
    # One valid judge is enough for the panel by default, two are not here.
    assert scores["systems"]["A"]["panel"]["coverage"] == 1
    strict = Aggregation(min_valid_judges=2)
    again = evaluate(predictions, judges[1:], tmp_path, scoring=Scoring(strict))
    assert again["systems"]["A"]["panel"]["coverage"] == 0

    down["now"] = False
    scores = evaluate(predictions, judges, tmp_path, scoring=Scoring(strict))
    assert (len(server.requests), sound.asked.total()) == (980, 640)
    asked = [place(request) for request in server.requests]
    assert asked[300:640] == asked[640:]
    assert entries(scores)["fails"]["coverage"] == 1
    assert entries(scores)["fails"]["bounds"]["best_mean"] == [2, 2]
    assert scores["systems"]["A"]["panel"]["coverage"] == 1


def test_rate_limits_are_waited_out(tmp_path, scripted_server):
    refused = set()

    def limited(n, request):
        if place(request) not in refused:
            refused.add(place(request))
            return 429, {"Retry-After": "0.05"}, {}
        return good(n, request)

    server = scripted_server(limited)
    began = time.monotonic()
    scores = evaluate(
        write_predictions(tmp_path, 2), [make_judge("j", server)], tmp_path
    )
    assert entries(scores)["j"]["coverage"] == 1
    assert len(server.requests) == 32
    # 16 answers, 4 at once, each waits as long as the server says.
    assert time.monotonic() - began >= 4 * 0.05


@pytest.mark.parametrize(
    "reply",
    [
        lambda n, request: (500, AT_ONCE, {"error": "out of memory"}),
        lambda n, request: (200, {}, b'{"id": "1", "choices": [{"mess'),
        lambda n, request: (200, {}, b"<html>Gateway</html>"),
        lambda n, request: None,
        lambda n, request: time.sleep(1.5) or good(n, request),
    ],
    ids=["500", "truncated JSON", "no JSON", "hangs up", "time-out"],
)
def test_a_judge_that_only_fails_does_not_stop_the_panel(
    tmp_path, scripted_server, reply
):
    broken, sound = scripted_server(reply), scripted_server(good)
    judges = [
        make_judge("broken", broken, timeout_s=0.3, max_retries=0),
        make_judge("sound", sound),
    ]
    predictions = write_predictions(tmp_path, 2)
    scores = evaluate(predictions, judges, tmp_path)
    entry = entries(scores)["broken"]
    assert entry["coverage"] == 0
    assert entry["counts"]["transport_error"] == 16
    assert entry["best_mean"] != entry["best_mean"]  # NaN, not 0
    assert entry["bounds"]["best_mean"] == [0, 2]
    assert entries(scores)["sound"]["best_mean"] == 2
    assert scores["systems"]["A"]["panel"]["best_mean"] == 2
    n_asked = len(broken.requests)
    evaluate(predictions, judges, tmp_path)
    assert len(broken.requests) > n_asked and len(sound.requests) == 16


def test_a_server_that_is_down_is_not_asked_on_and_on(
    tmp_path, scripted_server
):
    """It dies after 40 calls; 8 calls without an answer open the breaker."""
    server = scripted_server(lambda n, request: None if n >= 40 else good(n, 0))
    judge = make_judge("j", server, concurrency=1, max_retries=0)
    predictions = write_predictions(tmp_path, 10)
    scores = evaluate(predictions, [judge], tmp_path)
    assert len(server.requests) == 48
    assert entries(scores)["j"]["coverage"] == 40 / 80
    assert entries(scores)["j"]["counts"]["transport_error"] == 40
    lines = (tmp_path / "verdicts.jsonl").read_text().splitlines()
    assert "not asked" in json.loads(lines[-1])["explanation"]
    # Still down: a single trial tells.
    evaluate(predictions, [judge], tmp_path)
    assert len(server.requests) == 49
    server.reply = good
    scores = evaluate(predictions, [judge], tmp_path)
    assert len(server.requests) == 49 + 40
    assert entries(scores)["j"]["coverage"] == 1


def test_failures_here_and_there_do_not_open_the_breaker(scripted_server):
    server = scripted_server(
        lambda n, request: None if n % 8 else good(n, request)
    )
    generator = OpenAIGenerator(
        "scripted", server.url, concurrency=1, max_retries=0
    )
    chat = [{"role": "user", "content": "x"}]
    replies = generator.complete([chat] * 40)
    assert len(server.requests) == 40
    assert Counter(r.status for r in replies) == {
        "ok": 5,
        "transport_error": 35,
    }


class Voting:
    """A generator whose n-th reply to a case is the n-th rating."""

    def __init__(self, ratings):
        self.ratings = ratings
        self.asked = Counter()

    def config(self):
        return {"generator": "voting"}

    def check(self):
        """Nothing to check."""

    def unload(self):
        """Nothing to free."""

    def complete(self, chats, on_reply, **options):
        for i, chat in enumerate(chats):
            text = chat[-1]["content"]
            rating = self.ratings[self.asked[text]]
            self.asked[text] += 1
            if rating is None:
                on_reply(i, Reply("", "transport_error", "gone"))
            else:
                on_reply(i, Reply(f"Rating: {rating}\nOrientation: both"))


@pytest.mark.parametrize(
    "rule, ratings, expected",
    [
        ("majority", [2, 1, 1], 1),
        ("majority", [2, 1, 0], 0),  # a tie: the lowest
        ("median", [2, 2, 0], 2),
        ("median", [2, 1], 1),  # the lower of the middle two
        ("mean", [2, 1, 1, 0], 1),
        ("mean", [2, 1], 1.5),
        ("median", [2, None, None], 2),  # what failed has no vote
        ("mean", [None, 1, 2], 1.5),
    ],
)
def test_repeats_become_one_verdict(tmp_path, rule, ratings, expected):
    predictions = write_predictions(tmp_path, 1, 2)
    generator = Voting(ratings)
    judge = LLMJudge("j", generator, PROMPT, repeats=len(ratings))
    scores = evaluate(
        predictions, [judge], tmp_path, scoring=Scoring(Aggregation(rule))
    )
    assert entries(scores)["j"]["best_mean"] == expected
    assert entries(scores)["j"]["coverage"] == 1
    assert set(generator.asked.values()) == {len(ratings)}


def test_further_repeats_are_asked_alone(tmp_path):
    predictions = write_predictions(tmp_path, 1, 2)
    generator = Voting([2, 1, 1, 0])
    for repeats, total in ((1, 1), (3, 3), (2, 3), (4, 4)):
        judge = LLMJudge("j", generator, PROMPT, repeats=repeats)
        evaluate(predictions, [judge], tmp_path)
        assert set(generator.asked.values()) == {total}
    lines = (tmp_path / "verdicts.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    assert Counter(row["repeat"] for row in rows) == {0: 2, 1: 2, 2: 2, 3: 2}
    assert len({row["key"] for row in rows}) == 8
    with pytest.raises(ValueError, match="repeats is 0"):
        judge.repeats = 0
        evaluate(predictions, [judge], tmp_path)


@pytest.mark.parametrize("rule", ["mean", "median", "majority"])
def test_the_order_of_votes_does_not_matter(rule):
    aggregation = Aggregation(rule)
    choices = list(itertools.product(range(3), TIE_ORDER))
    for votes in itertools.combinations_with_replacement(choices, 3):
        found = {
            aggregation.vote(list(order))
            for order in itertools.permutations(votes)
        }
        assert len(found) == 1


@pytest.mark.parametrize(
    "orientations, expected",
    [
        (["both", "audio"], "audio"),
        (["both", "both", "audio"], "both"),
        (["speech", "audio"], "audio"),
        (["both", "speech", "neither"], "neither"),
    ],
)
def test_tied_orientations_claim_less(orientations, expected):
    votes = [(0, orientation) for orientation in orientations]
    assert Aggregation().vote(votes) == (0, expected)


def frame(*verdicts):
    """A verdict table of the columns that votes have."""
    columns = ["status", "rating", "orientation"]
    return pd.DataFrame(verdicts, columns=columns)


def test_too_few_judges_are_a_failure_with_its_reason():
    ok, none = ("ok", 2, "both"), (None, None)
    frames = [
        frame(ok, ok, ok, ok, ("no_prediction", *none)),
        frame(
            ok,
            ("unparsed", *none),
            ("unparsed", *none),
            ("transport_error", *none),
            ("no_prediction", *none),
        ),
        frame(
            ok,
            ok,
            ("unparsed", *none),
            ("unparsed", *none),
            ("no_prediction", *none),
        ),
    ]
    combined = Aggregation(min_valid_judges=2).over_judges(frames)
    assert combined["status"].tolist() == [
        *("ok", "ok", "unparsed", "transport_error", "no_prediction")
    ]
    assert combined["rating"].tolist()[:2] == [2, 2]


@pytest.mark.parametrize(
    "options, message",
    [({"rule": "max"}, "'max'"), ({"min_valid_judges": 0}, "is 0")],
)
def test_an_aggregation_that_cannot_be(options, message):
    with pytest.raises(ValueError, match=message):
        Aggregation(**options)
