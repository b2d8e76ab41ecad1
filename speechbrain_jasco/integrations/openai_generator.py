"""An OpenAI-compatible server as a generator.

vLLM, SGLang, llama.cpp, Ollama, ``transformers serve`` and hosted APIs all
speak this protocol. Retries with exponential backoff, and the server's own
``Retry-After``, are the openai client's.

Authors
 * The speechbrain_jasco developers, 2026
"""

import logging
import os
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Optional

from speechbrain.utils.logger import get_logger
from tqdm import tqdm

from speechbrain_jasco.integrations.chat_labels import (
    field_chances,
    field_chat,
    field_options,
)
from speechbrain_jasco.integrations.circuit_breaker import CircuitBreaker
from speechbrain_jasco.integrations.reply import Reply, form_reply

try:
    import openai
except ImportError as error:
    raise ImportError(
        "A model behind a server needs the openai client: "
        'pip install -e ".[judges]"'
    ) from error

logger = get_logger(__name__)
# So many calls in a row without any answer, each with its retries, and the
# server counts as down: the other calls fail at once, and the next batch
# begins with a single trial. An error is an answer.
GIVE_UP_AFTER = 8
# What a server says that does not know an option.
REFUSALS = (openai.BadRequestError, openai.UnprocessableEntityError)
# A line per request would bury the progress bar; retries are still told.
for _name in ("httpx", "httpx2", "httpcore", "httpcore2"):
    logging.getLogger(_name).setLevel(logging.WARNING)
logging.getLogger("openai").setLevel(logging.INFO)


class OpenAIGenerator:
    """Concurrent chat completion over HTTP.

    Arguments
    ---------
    model : str
        The model's name on the server.
    base_url : str
        Such as ``http://localhost:8000/v1``.
    api_key_env : str, optional
        Name of the environment variable that holds the key; None for a
        server without keys. The key itself never stands in a YAML or a file.
    concurrency : int
        Requests under way at once, each with a connection of its own.
    timeout_s : float
        Longest wait for one reply.
    max_retries : int
        Further tries after a refused connection, a time-out, 408, 409, 429
        or 5xx.
    request : dict, optional
        Passed on with every request: ``temperature``, ``max_tokens``,
        ``seed``, ``extra_body`` ...

    Example
    -------
    >>> generator = OpenAIGenerator("judge", "http://localhost:8000/v1")
    >>> generator.config()["model"]
    'judge'
    """

    def __init__(
        self,
        model: str,
        base_url: str,
        api_key_env: Optional[str] = None,
        concurrency: int = 8,
        timeout_s: float = 120.0,
        max_retries: int = 5,
        request: Optional[dict] = None,
    ):
        self.model = model
        self.base_url = base_url
        self.api_key_env = api_key_env
        self.concurrency = concurrency
        self.timeout_s = timeout_s
        self.max_retries = max_retries
        self.request = {"temperature": 0, **(request or {})}
        self._client = None
        self._breaker = CircuitBreaker(GIVE_UP_AFTER)

    def config(self):
        """Everything a reply depends on, JSON-able (dict)."""
        return {
            "generator": type(self).__name__,
            "model": self.model,
            "base_url": self.base_url,
            "request": self.request,
        }

    def check(self):
        """Fail now rather than later if the server will not do.

        Raises
        ------
        ValueError
            If the key's variable is not set or the key is refused, or the
            server does not have the model.
        ConnectionError
            If nothing answers at ``base_url``.
        """
        client = self.client()
        try:
            names = [model.id for model in client.models.list() if model.id]
        except (openai.AuthenticationError, openai.PermissionDeniedError):
            raise ValueError(
                f"{self.base_url} refuses the key. "
                f"Set {self.api_key_env or 'api_key_env'} to a valid one."
            ) from None
        except openai.APIConnectionError as error:
            raise ConnectionError(
                f"No answer from {self.base_url} ({error.__cause__ or error})."
                " Start the server, or correct base_url in the YAML."
            ) from error
        except (
            openai.APIError,
            ValueError,
            TypeError,
            AttributeError,  # JSON, but not a list of models
        ) as error:
            # Not every server lists its models; a chat will tell.
            logger.warning(
                "%s lists no models: %s", self.base_url, self._reason(error)
            )
            return
        if names and self.model not in names:
            raise ValueError(
                f"{self.base_url} has no model {self.model!r}; it has "
                f"{names[:20]}. Correct the model's name in the YAML."
            )

    def client(self):
        """The one client, with its connection pool, made at first use."""
        if self._client is None:
            # Its own pool keeps 100 connections open, whatever is asked. (The
            # limits are of httpx or httpx2, by the version of openai.)
            limits = type(openai.DEFAULT_CONNECTION_LIMITS)(
                max_connections=self.concurrency,
                max_keepalive_connections=self.concurrency,
            )
            self._client = openai.OpenAI(
                base_url=self.base_url,
                api_key=self._api_key(),
                timeout=self.timeout_s,
                max_retries=self.max_retries,
                http_client=openai.DefaultHttpxClient(limits=limits),
            )
        return self._client

    def unload(self):
        """Close the connections; the next use opens them again."""
        if self._client is not None:
            self._client.close()
        self._client = None

    def _api_key(self):
        """Read the key from the environment (str)."""
        if self.api_key_env is None:
            return "none"
        key = os.environ.get(self.api_key_env, "").strip()
        if not key:
            raise ValueError(
                f"The environment variable {self.api_key_env} is not set; it "
                f"must hold the key for {self.base_url}."
            )
        if not (key.isascii() and key.isprintable()):
            raise ValueError(
                f"The environment variable {self.api_key_env} holds characters "
                f"that no key has. Set it to the key for {self.base_url} alone."
            )
        return key

    def complete(self, chats, on_reply=None, form=None, schema=None):
        """Answer chats.

        Arguments
        ---------
        chats : list of list of dict
            Messages with ``role`` and ``content``.
        on_reply : callable, optional
            ``on_reply(index, reply)`` as each reply arrives, always from the
            calling thread.
        form : dict, optional
            Field -> values: ask for the log-probability of each, with a
            request per field (``chat_labels.py``), instead of for text.
        schema : dict, optional
            JSON schema that the server is to keep the reply to
            (``response_format``).

        Returns
        -------
        list of Reply
            In the order of the chats.
        """
        replies = [None] * len(chats)
        client = self.client()
        self._breaker.try_again()
        with ThreadPoolExecutor(self.concurrency) as pool:
            futures = {
                pool.submit(self._one, client, chat, form, schema): index
                for index, chat in enumerate(chats)
            }
            try:
                for future in tqdm(
                    as_completed(futures),
                    total=len(futures),
                    desc=self.model,
                    leave=False,
                ):
                    index = futures[future]
                    replies[index] = future.result()
                    if on_reply is not None:
                        on_reply(index, replies[index])
            except BaseException:  # stop asking when the caller stops
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        return replies

    def _one(self, client, chat, form, schema):
        """Ask once; what goes wrong becomes a reply without text."""
        if self._breaker.is_open:
            reason = f"not asked: {self.base_url} does not answer"
            return Reply("", "transport_error", reason)
        began = time.monotonic()
        answered = True
        try:
            if form is None:
                reply = Reply(self._text(client, chat, schema))
            else:
                reply = form_reply(self._chances(client, chat, form))
        except (
            openai.OpenAIError,
            ValueError,  # broken JSON
            AttributeError,  # JSON, but not a completion
            LookupError,
            TypeError,
        ) as error:
            reason = self._reason(error)
            if isinstance(error, REFUSALS) and (form or schema):
                asked = "logprobs (form)" if form else "response_format"
                reason = f"asked for {asked}: {reason}"
            reply = Reply("", "transport_error", reason)
            answered = not isinstance(error, openai.APIConnectionError)
        self._breaker.note(answered)
        return reply._replace(seconds=round(time.monotonic() - began, 3))

    def _ask(self, client, chat, options):
        """Send one request; returns the choice."""
        response = client.chat.completions.create(
            model=self.model, messages=chat, **options
        )
        return response.choices[0]

    def _text(self, client, chat, schema):
        """Ask for text (str)."""
        options = dict(self.request)
        if schema is not None:
            options["response_format"] = {
                "type": "json_schema",
                "json_schema": {
                    "name": "reply",
                    "strict": True,
                    "schema": schema,
                },
            }
        text = self._ask(client, chat, options).message.content or ""
        if not isinstance(text, str):
            raise TypeError(f"content is a {type(text).__name__}, not text")
        return text

    def _chances(self, client, chat, form):
        """Ask for the probabilities of a form: field -> {value: float}."""
        options = field_options(self.request)
        return {
            field: field_chances(
                self._ask(client, field_chat(chat, field, values), options),
                values,
            )
            for field, values in form.items()
        }

    def _reason(self, error):
        """Say what went wrong, without the key some servers repeat."""
        text = f"{type(error).__name__}: {error}"
        key = os.environ.get(self.api_key_env or "", "").strip()
        return (text.replace(key, "***") if key else text)[:500]
