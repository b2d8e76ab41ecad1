"""Rooms: impulse responses that put a dry voice somewhere.

A room source has ``draw(rng) -> Room`` and ``check()``. The direct path is the
first sample, so the words stay where the plan puts them.

Authors
 * The speechbrain_jasco developers, 2026
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.signal import fftconvolve

from speechbrain_jasco.dataio import read_audio

SAMPLE_RATE = 16000
FIRST_ECHO_S = 0.003  # a metre further than the direct way


class Room(NamedTuple):
    """An impulse response [S] and what the manifest calls it."""

    name: str
    response: np.ndarray


class SyntheticRooms:
    """Noise that dies away exponentially, the simplest model of a late room.

    The tail is Gaussian noise that falls by 60 dB in ``rt60_s`` and starts
    3 ms after the direct path; ``direct_db`` is the energy of the direct path
    over that of the tail. No single echoes, no colour of walls.

    Arguments
    ---------
    rt60_s : (float, float)
        Shortest and longest reverberation time.
    direct_db : (float, float)
        Range of the direct-to-reverberant ratio.

    Example
    -------
    >>> room = SyntheticRooms().draw(np.random.default_rng(0))
    >>> room.name, float(room.response[0])
    ('rt60=0.44,direct=3.2', 1.0)
    """

    def __init__(self, rt60_s=(0.15, 0.6), direct_db=(0.0, 12.0)):
        self.rt60_s = tuple(rt60_s)
        self.direct_db = tuple(direct_db)

    def draw(self, rng):
        """Draw a room.

        Arguments
        ---------
        rng : numpy.random.Generator
            Where the room comes from.

        Returns
        -------
        Room
        """
        rt60_s = rng.uniform(*self.rt60_s)
        direct_db = rng.uniform(*self.direct_db)
        t = np.arange(int(rt60_s * SAMPLE_RATE)) / SAMPLE_RATE
        tail = rng.standard_normal(len(t)) * 10 ** (-3.0 * t / rt60_s)
        tail[t < FIRST_ECHO_S] = 0.0
        tail *= 10 ** (-direct_db / 20) / np.linalg.norm(tail)
        tail[0] = 1.0
        return Room(f"rt60={rt60_s:.2f},direct={direct_db:.1f}", tail)

    def check(self):
        """Check the ranges.

        Raises
        ------
        ValueError
            If a range is upside down or a room has no tail.
        """
        (low, high), (dry, wet) = self.rt60_s, self.direct_db
        if not 0.01 <= low <= high or dry > wet:
            raise ValueError(
                f"got rt60_s {self.rt60_s} and direct_db {self.direct_db}; "
                "expected the smaller value first, rt60_s from 0.01 s."
            )


class FolderRooms:
    """Measured impulse responses: the audio files of a folder.

    What comes before the strongest sample, the direct path, is cut off.

    Arguments
    ---------
    folder : str or Path
        Where they are.

    Example
    -------
    >>> FolderRooms("rirs").folder.name
    'rirs'
    """

    def __init__(self, folder):
        self.folder = Path(folder)

    def files(self):
        """The recordings, sorted by name (list of Path)."""
        endings = {".wav", ".flac", ".ogg"}
        return sorted(
            p for p in self.folder.rglob("*") if p.suffix.lower() in endings
        )

    def draw(self, rng):
        """Draw a room.

        Arguments
        ---------
        rng : numpy.random.Generator
            Chooses the file.

        Returns
        -------
        Room
        """
        path = self.files()[rng.integers(len(self.files()))]
        response = read_audio(path).numpy().astype(np.float64)
        response = response[np.abs(response).argmax() :]
        name = path.relative_to(self.folder).as_posix()
        return Room(name, response / response[0])

    def check(self):
        """Read every file.

        Raises
        ------
        ValueError
            If there is none, or one is unreadable or silent.
        """
        if not self.files():
            raise ValueError(f"{self.folder}: no impulse response in it.")
        for path in self.files():
            if not read_audio(path).any():
                raise ValueError(f"{path}: is silent. Take it out.")


def reverberate(speech, room):
    """Hear speech in a room.

    Arguments
    ---------
    speech : numpy.ndarray [S]
        Dry.
    room : Room
        Where.

    Returns
    -------
    numpy.ndarray
        As long as speech and tail together.

    Example
    -------
    >>> reverberate(np.ones(4), Room("dry", np.ones(1))).tolist()
    [1.0, 1.0, 1.0, 1.0]
    """
    if len(room.response) == 1:
        return np.asarray(speech) * room.response[0]
    return fftconvolve(speech, room.response)
