"""An OpenAI-compatible server as a generator.

vLLM, SGLang, llama.cpp, Ollama, ``transformers serve`` and hosted APIs all
speak this protocol. Retries with exponential backoff, and the server's own
``Retry-After``, are the openai client's.

Authors
 * The speechbrain_jasco developers, 2026
"""

import logging
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Optional

from speechbrain.utils.logger import get_logger
from tqdm import tqdm

from speechbrain_jasco.integrations.reply import Reply

try:
    import openai
except ImportError as error:
    raise ImportError(
        "Judging over a server needs the openai client: "
        'pip install -e ".[judges]"'
    ) from error

logger = get_logger(__name__)
# So many calls in a row without any answer, each with its retries, and the
# server counts as down: the other calls fail at once, and the next batch
# begins with a single trial. An error is an answer.
GIVE_UP_AFTER = 8
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
        Requests under way at once.
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
            self._client = openai.OpenAI(
                base_url=self.base_url,
                api_key=self._api_key(),
                timeout=self.timeout_s,
                max_retries=self.max_retries,
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

    def complete(self, chats, on_reply=None):
        """Answer chats.

        Arguments
        ---------
        chats : list of list of dict
            Messages with ``role`` and ``content``.
        on_reply : callable, optional
            ``on_reply(index, reply)`` as each reply arrives, always from the
            calling thread.

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
                pool.submit(self._one, client, chat): index
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

    def _one(self, client, chat):
        """Ask once; what goes wrong becomes a reply without text."""
        if self._breaker.is_open:
            reason = f"not asked: {self.base_url} does not answer"
            return Reply("", "transport_error", reason)
        began = time.monotonic()
        answered = True
        try:
            response = client.chat.completions.create(
                model=self.model, messages=chat, **self.request
            )
            text = response.choices[0].message.content or ""
            if not isinstance(text, str):
                raise TypeError(f"content is a {type(text).__name__}, not text")
            status, reason = "ok", ""
        except (
            openai.OpenAIError,
            ValueError,  # broken JSON
            AttributeError,  # JSON, but not a completion
            LookupError,
            TypeError,
        ) as error:
            text, status = "", "transport_error"
            reason = self._reason(error)
            answered = not isinstance(error, openai.APIConnectionError)
        self._breaker.note(answered)
        seconds = round(time.monotonic() - began, 3)
        return Reply(text, status, reason, seconds)

    def _reason(self, error):
        """Say what went wrong, without the key some servers repeat."""
        text = f"{type(error).__name__}: {error}"
        key = os.environ.get(self.api_key_env or "", "").strip()
        return (text.replace(key, "***") if key else text)[:500]


class CircuitBreaker:
    """Opens after so many calls in a row without an answer.

    Arguments
    ---------
    limit : int
        How many.

    Example
    -------
    >>> breaker = CircuitBreaker(2)
    >>> breaker.note(False), breaker.note(False), breaker.is_open
    (None, None, True)
    """

    def __init__(self, limit: int):
        self.limit = limit
        self.failures = 0
        self._lock = threading.Lock()

    @property
    def is_open(self):
        """Whether to stop asking (bool)."""
        return self.failures >= self.limit

    def note(self, answered: bool):
        """Count a call.

        Arguments
        ---------
        answered : bool
            Whether anything came back.
        """
        with self._lock:
            self.failures = 0 if answered else self.failures + 1

    def try_again(self):
        """Let one call through; a further failure opens it again."""
        with self._lock:
            self.failures = min(self.failures, self.limit - 1)
