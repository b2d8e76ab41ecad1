"""Tests of the generator over HTTP, against a scripted server.

Authors
 * The speechbrain_jasco developers, 2026
"""

import json
import logging
import socket
import threading
import time

import pytest

from speechbrain_jasco.integrations.openai_generator import OpenAIGenerator

KEY = "sk-0123456789-abcdefghij"
AT_ONCE = {"Retry-After": "0.01"}  # the client takes the server's word


def chats(number):
    """Chats that say their number."""
    return [[{"role": "user", "content": str(i)}] for i in range(number)]


def said(request):
    """The number a request's chat says."""
    return int(request["messages"][-1]["content"])


def one_reply(generator):
    """The reply to a single chat."""
    (reply,) = generator.complete(chats(1))
    return reply


@pytest.fixture
def key(monkeypatch):
    """Put a key into the environment."""
    monkeypatch.setenv("JASCO_TEST_KEY", KEY)
    return "JASCO_TEST_KEY"


@pytest.fixture
def closed_url():
    """A URL at which nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return f"http://127.0.0.1:{port}/v1"


def test_the_request_is_what_the_yaml_says(scripted_server):
    server = scripted_server(lambda n, request: (200, {}, "fine"))
    generator = OpenAIGenerator(
        "scripted", server.url, request={"max_tokens": 7, "seed": 3}
    )
    assert one_reply(generator).text == "fine"
    assert server.requests == [
        {
            "messages": [{"role": "user", "content": "0"}],
            "model": "scripted",
            "temperature": 0,
            "max_tokens": 7,
            "seed": 3,
        }
    ]


def test_replies_keep_the_order_of_the_chats(scripted_server):
    def late_first(n, request):
        time.sleep(0.03 * (7 - said(request) % 8))
        return 200, {}, f"reply {said(request)}"

    server = scripted_server(late_first)
    generator = OpenAIGenerator("scripted", server.url, concurrency=8)
    noted, threads = {}, set()

    def on_reply(index, reply):
        noted[index] = reply
        threads.add(threading.current_thread())

    replies = generator.complete(chats(16), on_reply)
    assert [r.text for r in replies] == [f"reply {i}" for i in range(16)]
    assert list(noted) != list(range(16))  # told as they arrive
    assert [noted[i] for i in range(16)] == replies
    assert threads == {threading.current_thread()}


def test_so_many_requests_are_under_way_and_no_more(scripted_server):
    together = threading.Barrier(4)  # breaks unless four meet
    lock = threading.Lock()
    under_way, most = 0, 0

    def reply(n, request):
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        together.wait(timeout=20)
        time.sleep(0.02)
        with lock:
            under_way -= 1
        return 200, {}, "fine"

    server = scripted_server(reply)
    generator = OpenAIGenerator("scripted", server.url, concurrency=4)
    replies = generator.complete(chats(24))
    assert [reply.text for reply in replies] == ["fine"] * 24
    assert most == 4


def test_a_rate_limit_is_waited_out(scripted_server):
    began = time.monotonic()

    def reply(n, request):
        if n < 2:
            return 429, {"Retry-After": "0.2"}, {"error": "slow down"}
        return 200, {}, "fine"

    server = scripted_server(reply)
    reply = one_reply(OpenAIGenerator("scripted", server.url))
    assert (reply.text, reply.status) == ("fine", "ok")
    assert len(server.requests) == 3
    assert 0.4 <= time.monotonic() - began
    assert reply.seconds >= 0.4


@pytest.mark.parametrize("status", [408, 409, 429, 500, 503])
def test_retries_end(scripted_server, status):
    server = scripted_server(lambda n, request: (status, AT_ONCE, {}))
    generator = OpenAIGenerator("scripted", server.url, max_retries=3)
    reply = one_reply(generator)
    assert (reply.text, reply.status) == ("", "transport_error")
    assert str(status) in reply.reason
    assert len(server.requests) == 4


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_a_refused_request_is_not_sent_again(scripted_server, status):
    body = {"error": {"message": "the server's own words"}}
    server = scripted_server(lambda n, request: (status, {}, body))
    reply = one_reply(OpenAIGenerator("scripted", server.url))
    assert (reply.text, reply.status) == ("", "transport_error")
    assert "the server's own words" in reply.reason
    assert len(server.requests) == 1


def with_content(content):
    """A chat completion whose message has the given content."""
    return {"choices": [{"message": {"content": content}}]}


@pytest.mark.parametrize(
    "body",
    [
        b'{"choices": [{"message": {"cont',
        b"",
        b"<html>502 Bad Gateway</html>",
        b'{"choices": [{"message": {"content": "\xff\xfe"}}]}',
        b"null",
        b"[]",
        b'"Rating: 2"',
        {},
        {"error": "no"},
        {"choices": None},
        {"choices": []},
        {"choices": {}},
        {"choices": "Rating: 2"},
        {"choices": [None]},
        {"choices": [{"message": None}]},
        {"choices": [{"message": "Rating: 2"}]},
        with_content([{"type": "text", "text": "Rating: 2"}]),
        with_content({"Rating": 2}),
        with_content(2),
    ],
    ids=str,
)
def test_broken_bodies_fail_one_by_one(scripted_server, body):
    def reply(n, request):
        return 200, {}, body if said(request) == 1 else "fine"

    server = scripted_server(reply)
    generator = OpenAIGenerator("scripted", server.url, max_retries=0)
    replies = generator.complete(chats(3))
    assert [r.status for r in replies] == ["ok", "transport_error", "ok"]
    assert replies[1].text == ""
    assert len(replies[1].reason) > 10


@pytest.mark.parametrize("content", [None, ""])
def test_a_reply_without_words_is_a_reply(scripted_server, content):
    # Such as a reasoning model that ran out of tokens: to ask again would
    # not help, and it is for the judge to say what that is worth.
    body = with_content(content)
    server = scripted_server(lambda n, request: (200, {}, body))
    reply = one_reply(OpenAIGenerator("scripted", server.url))
    assert reply[:3] == ("", "ok", "")
    assert len(server.requests) == 1


def test_a_server_that_hangs_up(scripted_server):
    server = scripted_server(
        lambda n, request: (200, {}, "fine") if said(request) else None
    )
    generator = OpenAIGenerator("scripted", server.url, max_retries=0)
    replies = generator.complete(chats(2))
    assert [reply.status for reply in replies] == ["transport_error", "ok"]
    assert "Connection" in replies[0].reason


def test_a_time_out(scripted_server):
    def reply(n, request):
        time.sleep(0 if said(request) else 4)
        return 200, {}, "fine"

    server = scripted_server(reply)
    generator = OpenAIGenerator(
        "scripted", server.url, timeout_s=1, max_retries=0
    )
    replies = generator.complete(chats(2))
    assert [reply.status for reply in replies] == ["transport_error", "ok"]
    assert "imed out" in replies[0].reason
    assert replies[0].seconds < 4


def test_an_error_page_of_100_kb_is_cut(scripted_server):
    page = b"<p>%s</p>" % (b"x" * 100_000)
    server = scripted_server(lambda n, request: (400, {}, page))
    reply = one_reply(OpenAIGenerator("scripted", server.url))
    assert len(reply.reason) <= 500


def test_no_server_is_named_before_anything_is_asked(closed_url):
    generator = OpenAIGenerator("scripted", closed_url, max_retries=0)
    with pytest.raises(ConnectionError, match=closed_url):
        generator.check()
    reply = one_reply(generator)
    assert reply.status == "transport_error"


def test_a_url_without_scheme_is_a_connection_error(closed_url):
    url = closed_url.removeprefix("http://")
    generator = OpenAIGenerator("scripted", url, max_retries=0)
    with pytest.raises(ConnectionError, match="base_url"):
        generator.check()


def test_the_model_must_be_on_the_server(scripted_server):
    server = scripted_server(None, models=("alpha", "beta"))
    OpenAIGenerator("beta", server.url).check()
    with pytest.raises(ValueError, match="no model 'gamma'") as info:
        OpenAIGenerator("gamma", server.url).check()
    assert "['alpha', 'beta']" in str(info.value)
    assert server.requests == []


@pytest.mark.parametrize(
    "listing",
    [
        (404, {}, {}),
        (405, {}, b"Method Not Allowed"),
        (501, AT_ONCE, b""),
        (200, {}, b"<html>It works!</html>"),
        (200, {}, b"null"),
        (200, {}, b"[]"),
        (200, {}, b'"scripted"'),
        (200, {}, {}),
        (200, {}, {"models": ["scripted"]}),
        (200, {}, {"data": 5}),
        (200, {}, {"data": [None]}),
        (200, {}, {"data": ["scripted"]}),
        (200, {}, {"data": [{"name": "scripted"}]}),
    ],
    ids=str,
)
def test_a_server_that_lists_no_models_still_works(scripted_server, listing):
    server = scripted_server(
        lambda n, request: (200, {}, "fine"), listing=listing
    )
    generator = OpenAIGenerator("scripted", server.url, max_retries=0)
    generator.check()
    assert one_reply(generator).text == "fine"


def test_a_key_that_is_not_set_is_named(scripted_server, monkeypatch):
    monkeypatch.delenv("JASCO_TEST_KEY", raising=False)
    server = scripted_server(lambda n, request: (200, {}, "fine"))
    for value in (None, "", "  \n"):
        if value is not None:
            monkeypatch.setenv("JASCO_TEST_KEY", value)
        generator = OpenAIGenerator("scripted", server.url, "JASCO_TEST_KEY")
        for use in (generator.check, lambda g=generator: g.complete(chats(1))):
            with pytest.raises(ValueError, match="JASCO_TEST_KEY is not set"):
                use()
    assert server.requests == []


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_named_but_not_shown(scripted_server, key, status):
    body = {"error": {"message": f"Incorrect API key provided: {KEY}"}}
    server = scripted_server(None, listing=(status, {}, body))
    with pytest.raises(
        ValueError, match="refuses the key.*JASCO_TEST_KEY"
    ) as e:
        OpenAIGenerator("scripted", server.url, key).check()
    assert KEY not in str(e.value)
    assert e.value.__suppress_context__  # nor in the traceback


@pytest.mark.parametrize("before", range(440, 505, 8))
def test_a_key_the_server_repeats_is_not_passed_on(
    scripted_server, key, before
):
    body = {"error": {"message": "x" * before + KEY}}
    server = scripted_server(lambda n, request: (401, {}, body))
    reply = one_reply(OpenAIGenerator("scripted", server.url, key))
    assert reply.status == "transport_error"
    assert "xxx" in reply.reason
    assert KEY[:5] not in reply.reason


def test_a_key_the_server_repeats_is_not_logged(scripted_server, key, caplog):
    body = {"error": {"message": f"no models for {KEY}"}}
    server = scripted_server(None, listing=(400, {}, body))
    with caplog.at_level(logging.DEBUG):
        OpenAIGenerator("scripted", server.url, key).check()
    assert "no models for ***" in caplog.text
    assert KEY not in caplog.text


@pytest.mark.parametrize("value", [f"{KEY}\n", f" {KEY}\r\n"], ids=repr)
def test_a_key_read_from_a_file_works(scripted_server, monkeypatch, value):
    monkeypatch.setenv("JASCO_TEST_KEY", value)
    server = scripted_server(lambda n, request: (200, {}, "fine"))
    generator = OpenAIGenerator("scripted", server.url, "JASCO_TEST_KEY")
    generator.check()
    assert one_reply(generator).text == "fine"


@pytest.mark.parametrize("value", [f"{KEY}\nsecond", "sk-ключ"], ids=repr)
def test_a_key_that_can_be_none_is_named_but_not_shown(
    scripted_server, monkeypatch, value
):
    monkeypatch.setenv("JASCO_TEST_KEY", value)
    server = scripted_server(lambda n, request: (200, {}, "fine"))
    generator = OpenAIGenerator("scripted", server.url, "JASCO_TEST_KEY")
    with pytest.raises(ValueError, match="JASCO_TEST_KEY") as info:
        generator.check()
    assert value[:5] not in str(info.value)


def test_the_config_has_what_replies_depend_on_but_not_the_key(key):
    def config(*arguments, **options):
        generator = OpenAIGenerator(*arguments, **options)
        return json.dumps(generator.config(), sort_keys=True)

    base = config("m", "http://one/v1", key)
    assert KEY not in base
    # Neither the key nor how fast it is asked changes a reply.
    assert base == config("m", "http://one/v1", concurrency=1, timeout_s=1)
    others = [
        config("n", "http://one/v1"),
        config("m", "http://two/v1"),
        config("m", "http://one/v1", request={"max_tokens": 5}),
        config("m", "http://one/v1", request={"temperature": 1}),
    ]
    assert len({base, *others}) == 5


def test_nothing_more_is_asked_when_the_caller_stops(scripted_server):
    server = scripted_server(lambda n, request: (200, {}, "fine"), delay_s=0.05)
    generator = OpenAIGenerator("scripted", server.url, concurrency=2)
    noted = []

    def stop(index, reply):
        noted.append(index)
        if len(noted) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generator.complete(chats(40), stop)
    asked = len(server.requests)
    assert len(noted) == 3
    assert asked <= 3 + 3 * 2
    time.sleep(0.2)
    assert len(server.requests) == asked


def test_no_chats_need_no_server(closed_url):
    assert OpenAIGenerator("scripted", closed_url).complete([]) == []


def test_unload_closes_and_the_next_use_opens_again(scripted_server):
    server = scripted_server(lambda n, request: (200, {}, "fine"))
    generator = OpenAIGenerator("scripted", server.url)
    client = generator.client()
    assert generator.client() is client
    generator.unload()
    assert client.is_closed()
    assert one_reply(generator).text == "fine"
