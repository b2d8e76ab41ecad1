"""Client of Freesound's API v2: search, and fetch a preview.

The key comes from the environment and is sent to the API alone, in a header;
previews come from another host, without it.

Authors
 * The speechbrain_jasco developers, 2026
"""

import os

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

API = "https://freesound.org/apiv2"
FIELDS = "id,name,license,username,url,duration,previews"
PAGE_SIZE = 150  # the API's largest
MAX_PAGES = 10  # per query; after them a query is too narrow
TIMEOUT_S = 60
RETRIES = 6
LONGEST_WAIT_S = 60  # a daily limit is told, not waited for


class ShortRetry(Retry):
    """Retries as the server asks for, but waits a minute at most.

    Example
    -------
    >>> ShortRetry(3).total
    3
    """

    def get_retry_after(self, response):
        """How long to wait, from the answer's Retry-After.

        Arguments
        ---------
        response : urllib3.BaseHTTPResponse
            The answer.

        Returns
        -------
        float or None
            Seconds; None if it does not say.
        """
        seconds = super().get_retry_after(response)
        return None if seconds is None else min(seconds, LONGEST_WAIT_S)


class FreesoundClient:
    """The two calls that are needed: search, and fetch a preview.

    A refused connection, 429 (too many requests) and 5xx are tried again,
    after the time the server asks for, or with doubling pauses.

    Arguments
    ---------
    base_url : str
        Of the API.
    api_key_env : str
        Name of the environment variable that holds the key.

    Example
    -------
    >>> FreesoundClient(api_key_env="NO_SUCH_KEY").check()
    Traceback (most recent call last):
    ...
    ValueError: The environment variable NO_SUCH_KEY is not set; ...
    """

    def __init__(self, base_url=API, api_key_env="FREESOUND_API_KEY"):
        self.base_url = base_url.rstrip("/")
        self.api_key_env = api_key_env

    def check(self):
        """Fail now if there is no key.

        Returns
        -------
        str
            The key.

        Raises
        ------
        ValueError
            If the variable is not set, or holds what no key is.
        """
        key = os.environ.get(self.api_key_env, "").strip()
        if not key or not (key.isascii() and key.isprintable()):
            raise ValueError(
                f"The environment variable {self.api_key_env} is not set; it "
                "must hold a Freesound API key, or use another sound bank."
            )
        return key

    def session(self):
        """A connection pool that retries (requests.Session)."""
        retry = ShortRetry(
            RETRIES,
            backoff_factor=1.0,
            status_forcelist=(429, 500, 502, 503, 504),
            allowed_methods=("GET",),
        )
        session = requests.Session()
        for scheme in ("https://", "http://"):
            session.mount(scheme, HTTPAdapter(max_retries=retry))
        return session

    def search(self, session, query, duration_s):
        """Find sounds, page after page.

        Arguments
        ---------
        session : requests.Session
            From ``session()``.
        query : str
            As typed into Freesound's search.
        duration_s : (float, float)
            Shortest and longest.

        Yields
        ------
        dict
            One result with ``FIELDS``, best first.

        Raises
        ------
        ConnectionError
            If the API does not answer, or refuses.
        """
        low, high = duration_s
        params = {
            "query": query,
            "filter": f"duration:[{low} TO {high}]",
            "fields": FIELDS,
            "page_size": PAGE_SIZE,
        }
        for page in range(1, MAX_PAGES + 1):
            found = self._get(
                session,
                f"{self.base_url}/search/text/",
                params={**params, "page": page},
                headers={"Authorization": f"Token {self.check()}"},
            ).json()
            yield from found["results"]
            if not found.get("next"):
                return

    def fetch(self, session, url):
        """Fetch a preview; the key is not sent.

        Arguments
        ---------
        session : requests.Session
            From ``session()``.
        url : str
            From a result.

        Returns
        -------
        bytes

        Raises
        ------
        ConnectionError
            If it cannot be had.
        """
        return self._get(session, url).content

    def _get(self, session, url, **options):
        """One request, its failure in our words (requests.Response)."""
        try:
            response = session.get(url, timeout=TIMEOUT_S, **options)
        except requests.RequestException as error:
            raise ConnectionError(
                f"{url} does not answer ({error}). Try later: what has been "
                "fetched is kept."
            ) from error
        if response.status_code in (401, 403):
            raise ConnectionError(
                f"{url} refuses the key. Set {self.api_key_env} to a valid one."
            )
        if not response.ok:
            raise ConnectionError(f"{url} answers {response.status_code}.")
        return response
