"""Freesound, the paper's source of sounds, as a sound bank.

Every sound has a query; the results are filtered by licence and duration,
and their previews (Ogg, whole length) are stored as a folder bank with
uploader and address of each. The API's terms are Freesound's own.

Authors
 * The speechbrain_jasco developers, 2026
"""

import json

from speechbrain.utils.logger import get_logger
from tqdm import tqdm

from speechbrain_jasco.building.file_bank import Recording
from speechbrain_jasco.building.freesound_client import FreesoundClient
from speechbrain_jasco.building.licences import FREE, is_allowed, licence_of
from speechbrain_jasco.building.sound_bank import FolderBank, write_table

logger = get_logger(__name__)

PREVIEW = "preview-hq-ogg"


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
        licences=FREE,
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
