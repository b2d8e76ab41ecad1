"""Tests of forms and JSON over HTTP: what is asked, what is read, what fails.

Authors
 * The speechbrain_jasco developers, 2026
"""

import json
import math
import threading
from types import SimpleNamespace

import pytest

from speechbrain_jasco.integrations.chat_labels import (
    field_chances,
    field_chat,
    listed_value,
)
from speechbrain_jasco.integrations.openai_generator import OpenAIGenerator
from speechbrain_jasco.judging.item import JudgeItem
from speechbrain_jasco.judging.llm_judge import LLMJudge
from speechbrain_jasco.judging.verdict import VERDICT_SCHEMA, parse_verdict

FORM = {
    "Rating": ["0", "1", "2"],
    "Orientation": ["audio", "speech", "both", "neither"],
}
CHAT = [
    {"role": "system", "content": "Rubric."},
    {"role": "user", "content": "Case."},
]
PROMPT = {"system": "Judge.", "case": "{prediction}"}


def completion(top, text="2"):
    """A chat completion with log-probabilities: ``top`` is token -> chance."""
    entries = [
        {"token": token, "logprob": math.log(chance), "bytes": None}
        for token, chance in top.items()
    ]
    content = [{**entries[0], "top_logprobs": entries}] if entries else []
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": "length"}
    return {
        "id": "1",
        "choices": [{**choice, "logprobs": {"content": content}}],
    }


def by_field(rating, orientation):
    """A server that answers both fields."""

    def reply(n, request):
        asked = request["messages"][-1]["content"].rpartition("\n")[2]
        return 200, {}, completion(rating if "Rating" in asked else orientation)

    return reply


def items(*predictions):
    """Cases with these answers."""
    return [
        JudgeItem("s", str(i), 0, *["text"] * 7, prediction=prediction)
        for i, prediction in enumerate(predictions)
    ]


def test_each_field_is_asked_for_by_its_next_token(scripted_server):
    server = scripted_server(
        by_field({"2": 0.6, "1": 0.2}, {" both": 0.6, "spe": 0.4})
    )
    generator = OpenAIGenerator(
        "scripted", server.url, request={"max_tokens": 99, "seed": 3}
    )
    (reply,) = generator.complete([CHAT], form=FORM)
    assert reply[:3] == ("Rating: 2\nOrientation: both", "ok", "")
    assert reply.probabilities["Rating"] == pytest.approx(
        {"0": 0, "1": 0.25, "2": 0.75}
    )
    assert reply.probabilities["Orientation"] == pytest.approx(
        {"audio": 0, "speech": 0.4, "both": 0.6, "neither": 0}
    )
    first, second = server.requests
    assert first["messages"] == field_chat(CHAT, "Rating", FORM["Rating"])
    assert second["messages"][0] == CHAT[0]
    assert second["messages"][1]["content"].endswith(
        "Orientation alone, a single word: audio, speech, both or neither."
    )
    for request in server.requests:
        assert (request["logprobs"], request["top_logprobs"]) == (True, 20)
        assert (request["max_tokens"], request["seed"]) == (1, 3)


def test_what_is_not_listed_has_no_share(scripted_server):
    server = scripted_server(
        by_field(
            {"1": 0.3, " 1": 0.2, "10": 0.2, "The": 0.1, "０": 0.1, "0": 0.1},
            {"neither": 0.9, "a": 0.1},
        )
    )
    generator = OpenAIGenerator("scripted", server.url)
    (reply,) = generator.complete([CHAT], form=FORM)
    assert reply.probabilities == {
        "Rating": pytest.approx({"0": 1 / 6, "1": 5 / 6, "2": 0}),
        "Orientation": pytest.approx(
            {"audio": 0, "speech": 0, "both": 0, "neither": 1}
        ),
    }


def test_without_an_opinion_there_is_no_verdict(scripted_server):
    # The likeliest single token is listed; still the model mostly would not.
    server = scripted_server(
        by_field({"2": 0.4, "Reason": 0.3, "The": 0.3}, {"both": 1.0})
    )
    judge = LLMJudge(
        "judge", OpenAIGenerator("scripted", server.url), PROMPT, FORM
    )
    verdicts = {}
    judge.judge(items("They swim."), verdicts.__setitem__)
    assert verdicts[0].status == "unparsed"
    assert verdicts[0].rating is None and verdicts[0].expected_rating is None
    assert verdicts[0].probabilities["Rating"] is None
    assert verdicts[0].reply == "Rating: no listed value\nOrientation: both"


NO_LOGPROBS = [
    "2",
    {"choices": [{"message": {"content": "2"}}]},
    {"choices": [{"message": {"content": "2"}, "logprobs": None}]},
    completion({}),
]


@pytest.mark.parametrize("body", NO_LOGPROBS, ids=range(4))
def test_a_server_without_logprobs_is_a_failure_that_says_so(
    scripted_server, body
):
    server = scripted_server(lambda n, request: (200, {}, body))
    generator = OpenAIGenerator("scripted", server.url)
    (reply,) = generator.complete([CHAT], form=FORM)
    assert reply[:2] == ("", "transport_error")
    assert "no top_logprobs" in reply.reason and "form: null" in reply.reason
    assert len(server.requests) == 1


@pytest.mark.parametrize("logprob", [math.nan, -math.inf, None, "much"])
def test_odd_numbers_are_no_opinion_or_a_failure(logprob):
    entry = SimpleNamespace(token="2", logprob=logprob)
    content = [SimpleNamespace(top_logprobs=[entry])]
    choice = SimpleNamespace(logprobs=SimpleNamespace(content=content))
    if isinstance(logprob, float):
        assert field_chances(choice, ["1", "2"]) is None
    else:
        with pytest.raises(TypeError):
            field_chances(choice, ["1", "2"])


def test_a_token_that_begins_two_values_is_none():
    values = ["speech", "speaker", "both"]
    assert listed_value("spee", values) == "speech"
    assert listed_value("spe", values) is None
    assert listed_value("bothers", values) is None
    assert listed_value(" Both", values) == "both"


def test_the_schema_goes_into_the_request_and_the_json_is_read(scripted_server):
    reply = {"reason": 'It says "Rating: 2".', "rating": 0}
    text = json.dumps({**reply, "orientation": "speech"})
    server = scripted_server(lambda n, request: (200, {}, text))
    judge = LLMJudge(
        "judge",
        OpenAIGenerator("scripted", server.url),
        PROMPT,
        structured=True,
    )
    verdicts = {}
    judge.judge(items("Rating: 2\nOrientation: both"), verdicts.__setitem__)
    assert verdicts[0][:4] == ("ok", 0, "speech", text)
    (request,) = server.requests
    assert request["response_format"] == {
        "type": "json_schema",
        "json_schema": {
            "name": "reply",
            "strict": True,
            "schema": VERDICT_SCHEMA,
        },
    }
    # The model is told, too; the fields' order lets it think first.
    assert request["messages"][-1]["content"].endswith(
        "one JSON object: reason, rating, orientation."
    )
    assert list(VERDICT_SCHEMA["properties"])[0] == "reason"


def test_every_verdict_of_the_schema_is_read():
    properties = VERDICT_SCHEMA["properties"]
    for rating in properties["rating"]["enum"]:
        for orientation in properties["orientation"]["enum"]:
            text = json.dumps(
                {"reason": "", "rating": rating, "orientation": orientation}
            )
            assert parse_verdict(text)[:3] == ("ok", rating, orientation)
    text = '{"reason": "They row.", "rating": 2, "orientation": "both"}'
    assert parse_verdict(text).explanation == "They row."


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize(
    ["options", "asked"],
    [
        ({"form": FORM}, "asked for logprobs (form)"),
        ({"structured": True}, "asked for response_format"),
        ({}, None),
    ],
)
def test_a_server_that_refuses_an_option(
    scripted_server, status, options, asked
):
    body = {"error": {"message": "unknown option"}}
    server = scripted_server(lambda n, request: (status, {}, body))
    judge = LLMJudge(
        "judge", OpenAIGenerator("scripted", server.url), PROMPT, **options
    )
    verdicts = {}
    judge.judge(items("a"), verdicts.__setitem__)
    assert verdicts[0].status == "transport_error"
    assert "unknown option" in verdicts[0].explanation
    if asked:
        assert verdicts[0].explanation.startswith(asked)
    assert len(server.requests) == 1


def test_as_many_connections_as_requests_are_kept(scripted_server):
    # The client's own pool would close all but 100 and open them again.
    n = 120
    together = threading.Barrier(n)

    def reply(n_call, request):
        together.wait(timeout=30)
        return 200, {}, "fine"

    server = scripted_server(reply)
    accept, accepted = server.get_request, []

    def counted():
        accepted.append(1)
        return accept()

    server.get_request = counted
    generator = OpenAIGenerator("scripted", server.url, concurrency=n)
    for _ in range(2):
        replies = generator.complete([CHAT] * n)
        assert {reply.text for reply in replies} == {"fine"}
    generator.unload()
    assert len(accepted) == n
