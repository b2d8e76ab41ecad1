"""Sound banks: recordings of known sound, licence and source.

A bank has ``recordings() -> list of Recording``, ``load(recording) -> numpy
float32 [S]`` (16 kHz mono), ``check()`` and ``config()``. Banks: a folder
(here), the procedural one, and readers of data sets as they are distributed,
in the files beside. ``JoinedBanks`` makes one bank of several.

Authors
 * The speechbrain_jasco developers, 2026
"""

import csv
from pathlib import Path

from speechbrain_jasco.building.file_bank import (
    FileBank,
    Recording,
    read_meta,
)

COLUMNS = ["file", "sound_id", "licence", "source"]
TABLE = "sounds.csv"


class FolderBank(FileBank):
    """A folder of audio files with a table ``sounds.csv``.

    Its columns: ``file`` (path within the folder), ``sound_id``, ``licence``
    (SPDX id or URL) and ``source`` (whom to credit, and where it is from).

    Arguments
    ---------
    folder : str or Path
        Where table and files are.
    require_licence : bool
        Whether ``check`` refuses recordings whose licence is not known.

    Example
    -------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     row = ("a.wav", Recording("rain", "a.wav", "CC0-1.0", "me"))
    ...     write_table(folder, [row])
    ...     FolderBank(folder).recordings()[0].sound_id
    'rain'
    """

    def read_rows(self):
        """Read the table.

        Returns
        -------
        list of (str, Recording)

        Raises
        ------
        FileNotFoundError
            If there is no table.
        ValueError
            If a column is missing or unknown, a cell is empty, a path leads
            out of the folder, or a file stands there twice.
        """
        path = self.folder / TABLE
        table = read_meta(path, COLUMNS)
        unknown = [name for name in table.columns if name not in COLUMNS]
        if unknown:
            raise ValueError(
                f"{path}: got the unknown columns {unknown}; expected "
                f"{','.join(COLUMNS)} alone."
            )
        rows = []
        for line, row in enumerate(table.itertuples(index=False), 2):
            if "" in (row.file, row.sound_id):
                raise ValueError(f"{path}, line {line}: empty file or sound_id")
            if Path(row.file).is_absolute() or ".." in Path(row.file).parts:
                raise ValueError(
                    f"{path}, line {line}: {row.file!r} leads out of the folder"
                )
            name = f"{self.name or self.folder.name}/{row.file}"
            recording = Recording(row.sound_id, name, row.licence, row.source)
            rows.append((row.file, recording))
        twice = table["file"].duplicated()
        if twice.any():
            raise ValueError(
                f"{path}: {table['file'][twice.idxmax()]!r} stands there twice"
            )
        return rows


def write_table(folder, rows):
    """Write the table of a ``FolderBank``.

    Arguments
    ---------
    folder : str or Path
        Where the files are.
    rows : iterable of (str, Recording)
        Path within the folder, and its recording.
    """
    with open(Path(folder) / TABLE, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for path, recording in rows:
            writer.writerow(
                [path, recording.sound_id, recording.licence, recording.source]
            )


class JoinedBanks:
    """Several banks as one.

    Arguments
    ---------
    banks : list
        Banks; their names must not collide.

    Example
    -------
    >>> JoinedBanks([]).recordings()
    []
    """

    def __init__(self, banks):
        self.banks = list(banks)
        self._holders = None

    def recordings(self):
        """What the banks hold, sorted by sound and name.

        Returns
        -------
        list of Recording

        Raises
        ------
        ValueError
            If two recordings have one name.
        """
        if self._holders is None:
            holders, names = {}, set()
            for bank in self.banks:
                for recording in bank.recordings():
                    if recording.name in names:
                        raise ValueError(
                            f"got the recording {recording.name!r} in two "
                            "banks; expected it in one. Rename a folder."
                        )
                    names.add(recording.name)
                    holders[recording] = bank
            self._holders = holders
        return sorted(self._holders)

    def load(self, recording):
        """Read one recording from the bank that holds it.

        Arguments
        ---------
        recording : Recording
            One of ``recordings()``.

        Returns
        -------
        numpy.ndarray [S]
            Mono, 16 kHz, float32.
        """
        self.recordings()
        return self._holders[recording].load(recording)

    def check(self):
        """Check every bank.

        Raises
        ------
        ValueError
            If there is none, two recordings share a name, or a bank fails.
        """
        if not self.banks:
            raise ValueError("got no sound bank; expected at least one.")
        for bank in self.banks:
            bank.check()
        self.recordings()

    def config(self):
        """Everything a recording depends on, JSON-able (dict)."""
        configs = [bank.config() for bank in self.banks]
        return {"bank": type(self).__name__, "banks": configs}
