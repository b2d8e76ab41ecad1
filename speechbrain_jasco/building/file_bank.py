"""Files of sound, read and refused with a reason; the base of their banks.

Authors
 * The speechbrain_jasco developers, 2026
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import soundfile

from speechbrain_jasco.building.licences import UNKNOWN, licence_of
from speechbrain_jasco.building.speakers import to_clip_rate
from speechbrain_jasco.dataio import SAMPLE_RATE_HZ
from speechbrain_jasco.fingerprint import fingerprint

SHORTEST_S = 0.2
SILENCE = 1e-4  # peak, -80 dB of full scale
SHOWN = 10  # problems spelt out in one message


class Recording(NamedTuple):
    """One recording of a bank; ``name`` is unique in it."""

    sound_id: str
    name: str
    licence: str
    source: str


def check_sound(wav, name):
    """Refuse what cannot be the background of a clip.

    Arguments
    ---------
    wav : numpy.ndarray [S]
        Samples at 16 kHz.
    name : str
        For the message.

    Returns
    -------
    numpy.ndarray [S]
        The same samples.

    Raises
    ------
    ValueError
        If it is shorter than 0.2 s, silent, or holds NaN.

    Example
    -------
    >>> check_sound(np.zeros(16000), "a.wav")
    Traceback (most recent call last):
    ...
    ValueError: a.wav: is silent (peak 0). Take another recording.
    """
    if not np.isfinite(wav).all():
        raise ValueError(f"{name}: holds NaN or infinite samples.")
    if len(wav) < SHORTEST_S * SAMPLE_RATE_HZ:
        raise ValueError(
            f"{name}: lasts {len(wav) / SAMPLE_RATE_HZ:.3f} s; expected at "
            f"least {SHORTEST_S} s. Take a longer recording."
        )
    peak = np.abs(wav).max()
    if peak < SILENCE:
        raise ValueError(
            f"{name}: is silent (peak {peak:.2g}). Take another recording."
        )
    return wav


def read_sound(path):
    """Read a recording of any rate and any number of channels.

    Arguments
    ---------
    path : str or Path
        Any file libsndfile reads.

    Returns
    -------
    numpy.ndarray [S]
        Mono, 16 kHz, float32.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is unreadable, empty, silent, shorter than 0.2 s or holds NaN.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"{path}: no such recording.")
    try:
        wav, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise ValueError(
            f"{path}: not readable as audio ({error}). Export it anew."
        ) from error
    if len(wav) == 0:
        raise ValueError(f"{path}: holds no samples. Export it anew.")
    return check_sound(to_clip_rate(wav.mean(axis=1), rate_hz), path)


def read_meta(path, columns):
    """Read a table of a data set as text.

    Arguments
    ---------
    path : Path
        CSV with a header.
    columns : list of str
        Those that must be there.

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    FileNotFoundError
        If there is no such table.
    ValueError
        If a column is missing.
    """
    if not path.is_file():
        raise FileNotFoundError(
            f"{path}: no such table; expected one with the columns "
            f"{','.join(columns)}."
        )
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    missing = [name for name in columns if name not in table.columns]
    if missing:
        raise ValueError(
            f"{path}: got the columns {list(table.columns)}; expected "
            f"{missing} as well."
        )
    return table


class FileBank:
    """A bank of files; subclasses say which, by ``read_rows``.

    Arguments
    ---------
    folder : str or Path
        Where the files are.
    require_licence : bool
        Whether ``check`` refuses recordings whose licence is not known.
    """

    name = None  # of the bank, before its recordings' names

    def __init__(self, folder, require_licence=True):
        self.folder = Path(folder)
        self.require_licence = require_licence
        self._paths = None

    def read_rows(self):
        """List what the folder holds.

        Returns
        -------
        list of (str, Recording)
            Path within the folder, and its recording.
        """
        raise NotImplementedError

    def recordings(self):
        """What the bank holds, sorted by sound and name (list of Recording)."""
        if self._paths is None:
            rows = self.read_rows()
            self._paths = {recording: path for path, recording in rows}
        return sorted(self._paths)

    def load(self, recording):
        """Read one recording.

        Arguments
        ---------
        recording : Recording
            One of ``recordings()``.

        Returns
        -------
        numpy.ndarray [S]
            Mono, 16 kHz, float32.

        Raises
        ------
        FileNotFoundError
            If the file is gone.
        ValueError
            If it cannot be used (see ``read_sound``).
        """
        self.recordings()
        return read_sound(self.folder / self._paths[recording])

    def check(self):
        """Read every file now rather than fail in the middle of a build.

        Raises
        ------
        ValueError
            If the bank is empty or recordings cannot be used; the message
            lists them.
        """
        recordings = self.recordings()
        if not recordings:
            raise ValueError(
                f"{self.folder}: no recording to use; expected some."
            )
        problems = [p for p in map(self._problem, recordings) if p]
        if problems:
            more = len(problems) - SHOWN
            tail = [f"... and {more} more"] if more > 0 else []
            raise ValueError(
                f"{len(problems)} of {len(recordings)} recordings in "
                f"{self.folder} cannot be used; mend or remove them:\n"
                + "\n".join(problems[:SHOWN] + tail)
            )

    def _problem(self, recording):
        """What is wrong with a recording (str), or None."""
        if self.require_licence and licence_of(recording.licence) == UNKNOWN:
            return (
                f"{recording.name}: got licence {recording.licence!r}; "
                "expected an SPDX id such as CC-BY-4.0 or a licence's URL "
                "(or set require_licence to False)."
            )
        try:
            self.load(recording)
        except (ValueError, FileNotFoundError) as error:
            return str(error)
        return None

    def config(self):
        """Everything a recording depends on, JSON-able (dict)."""
        return {
            "bank": type(self).__name__,
            "folder": fingerprint(str(self.folder)),
            "n_recordings": len(self.recordings()),
        }
