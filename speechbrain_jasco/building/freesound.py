"""Freesound, the paper's source of sounds, searched by its API v2.

Every sound has a query; the results are filtered by licence and duration,
and their previews (Ogg, whole length) are stored as a folder bank with
uploader and address of each. The API's terms are Freesound's own; its key
comes from the environment and is sent to the API alone.

Authors
 * The speechbrain_jasco developers, 2026
"""

import json
import os

import requests
from requests.adapters import HTTPAdapter
from speechbrain.utils.logger import get_logger
from tqdm import tqdm
from urllib3.util.retry import Retry

from speechbrain_jasco.building.file_bank import Recording
from speechbrain_jasco.building.licences import is_allowed, licence_of
from speechbrain_jasco.building.sound_bank import FolderBank, write_table

logger = get_logger(__name__)

API = "https://freesound.org/apiv2"
FIELDS = "id,name,license,username,url,duration,previews"
PREVIEW = "preview-hq-ogg"
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


class FreesoundBank(FolderBank):
    """What searches on Freesound found, kept in a folder.

    ``check()`` fetches what is missing. A search that is stopped goes on:
    a preview that is there already is not fetched again.

    Arguments
    ---------
    folder : str or Path
        Where the bank is or will be.
    queries : dict
        sound_id -> query.
    n_per_sound : int
        Recordings per sound.
    duration_s : (float, float)
        Shortest and longest recording.
    licences : tuple of str
        Patterns of allowed licences (``licences.is_allowed``).
    client : FreesoundClient, optional
        Another server or another name of the key's variable.

    Example
    -------
    >>> bank = FreesoundBank("sounds", {"rain": "rain on a roof"})
    >>> bank.licences
    ('CC0-*', 'CC-BY-[0-9]*')
    """

    def __init__(
        self,
        folder,
        queries,
        n_per_sound=20,
        duration_s=(3.0, 30.0),
        licences=("CC0-*", "CC-BY-[0-9]*"),
        client=None,
    ):
        super().__init__(folder)
        self.queries = dict(queries)
        self.n_per_sound = n_per_sound
        self.duration_s = tuple(duration_s)
        self.licences = tuple(licences)
        self.client = client or FreesoundClient()

    def read_rows(self):
        """Fetch what is missing and read the table.

        Returns
        -------
        list of (str, Recording)

        Raises
        ------
        ValueError
            If there is no key, or the folder holds another search.
        ConnectionError
            If the API does not answer.
        """
        self.fetch()
        return super().read_rows()

    def fetch(self):
        """Search and download, unless the table tells that it is done."""
        asked = {
            "queries": self.queries,
            "n_per_sound": self.n_per_sound,
            "duration_s": list(self.duration_s),
            "licences": list(self.licences),
        }
        record = self.folder / "search.json"
        if record.is_file():
            if json.loads(record.read_text(encoding="utf-8")) != asked:
                raise ValueError(
                    f"{self.folder} holds another search ({record}). Give "
                    "another folder, or remove it."
                )
            return
        self.client.check()
        (self.folder / "previews").mkdir(parents=True, exist_ok=True)
        session, rows, taken = self.client.session(), [], set()
        for sound_id, query in tqdm(self.queries.items(), "Freesound"):
            rows += self._fetch_sound(session, sound_id, query, taken)
        write_table(self.folder, rows)
        record.write_text(json.dumps(asked, indent=1) + "\n", encoding="utf-8")

    def _fetch_sound(self, session, sound_id, query, taken):
        """Download the recordings of one sound: rows of the table."""
        rows = []
        for found in self.client.search(session, query, self.duration_s):
            if len(rows) == self.n_per_sound:
                break
            number = int(found["id"])  # becomes a file's name
            if number in taken:  # found by an earlier query: ambiguous
                continue
            if not is_allowed(found["license"], self.licences):
                continue
            taken.add(number)
            file = f"previews/{number}.ogg"
            if not (self.folder / file).is_file():
                data = self.client.fetch(session, found["previews"][PREVIEW])
                partial = self.folder / f"{file}.partial"
                partial.write_bytes(data)
                partial.replace(self.folder / file)
            source = f"{found['name']} by {found['username']}, {found['url']}"
            licence = licence_of(found["license"])
            rows.append((file, Recording(sound_id, file, licence, source)))
        if len(rows) < self.n_per_sound:
            logger.warning(
                "Freesound has %d of %d recordings for %s (%r)",
                *(len(rows), self.n_per_sound, sound_id, query),
            )
        return rows
