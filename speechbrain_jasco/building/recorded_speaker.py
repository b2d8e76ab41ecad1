"""Voices of real people: a folder of recordings with a table.

``recordings.csv`` has the columns ``file,text,voice``: who said what, where.
A voice can say what it has been recorded saying and nothing else, so such a
speaker goes with triples written around its lines.

Authors
 * The speechbrain_jasco developers, 2026
"""

from pathlib import Path

from speechbrain_jasco.building.speakers import Speaker
from speechbrain_jasco.dataio import (
    SAMPLE_RATE_HZ,
    read_audio,
    read_table,
    row_name,
)
from speechbrain_jasco.fingerprint import fingerprint

TABLE = "recordings.csv"


class RecordedSpeaker(Speaker):
    """Recorded lines.

    Arguments
    ---------
    folder : str or Path
        Where table and recordings are.
    voices : list of dict
        Fields of ``Voice`` each; ``preset`` is the name in the table.

    Example
    -------
    >>> RecordedSpeaker("my_lines", [{"name": "ann", "gender": "female"}])
    ... # doctest: +ELLIPSIS
    <...RecordedSpeaker object at ...>
    """

    def __init__(self, folder, voices):
        super().__init__(voices)
        self.folder = Path(folder)
        self._files = None

    def files(self):
        """Where each line is: (voice, text) -> Path (dict).

        Raises
        ------
        FileNotFoundError
            If there is no table.
        ValueError
            If a column is missing, or a voice has a line twice.
        """
        if self._files is None:
            path = self.folder / TABLE
            table = read_table(path, ["file", "text", "voice"])
            files = {}
            for index, row in enumerate(table.itertuples(index=False)):
                if (row.voice, row.text) in files:
                    raise ValueError(
                        f"{row_name(path, index)}: {row.voice!r} says "
                        f"{row.text!r} in an earlier row already. Keep one."
                    )
                files[row.voice, row.text] = self.folder / row.file
            self._files = files
        return self._files

    def synthesise(self, text, preset, speed):
        """Find the recording (see ``Speaker``); ``speed`` must be 1."""
        if (preset, text) not in self.files():
            raise ValueError(
                f"{self.folder / TABLE}: {preset!r} has not been recorded "
                f"saying {text!r}. Record it, or use other voices."
            )
        if speed != 1.0:
            raise ValueError(
                f"{preset!r} is recorded: got speed {speed}; expected 1, with "
                "pitch 1."
            )
        return read_audio(self.files()[preset, text]).numpy(), SAMPLE_RATE_HZ

    def check(self):
        """Look for table and recordings.

        Raises
        ------
        FileNotFoundError
            If the table or a recording is missing.
        """
        for path in self.files().values():
            if not path.is_file():
                raise FileNotFoundError(
                    f"{path}: no such recording; {self.folder / TABLE} has it."
                )

    def config(self):
        """Everything the speech depends on besides the voice (dict)."""
        return {
            "speaker": type(self).__name__,
            "folder": fingerprint(str(self.folder)),
        }
