"""Add speech to a sound at an exact signal-to-noise ratio.

The ratio is speech power over sound power, both over the *active* speech:
the moments in which somebody talks. Pauses and the sound before and after
the words do not count, so the same figure means the same audibility in a
short and in a long clip.

Authors
 * The speechbrain_jasco developers, 2026
"""

from typing import NamedTuple

import numpy as np

SAMPLE_RATE = 16000
FRAME_S = 0.02
ACTIVE_RANGE_DB = 40.0
PEAK = 0.95


class Mixture(NamedTuple):
    """A clip and the two parts that sum to it, all of one length [S]."""

    wav: np.ndarray
    sound: np.ndarray
    speech: np.ndarray


def active_speech(speech, sample_rate=SAMPLE_RATE):
    """Which samples belong to active speech.

    A frame of 20 ms is active if its power is within 40 dB of the loudest
    frame's.

    Arguments
    ---------
    speech : numpy.ndarray [S]
        Speech without any sound.
    sample_rate : int
        Samples per second.

    Returns
    -------
    numpy.ndarray [S] of bool
        True where somebody talks; nowhere in silence.

    Example
    -------
    >>> speech = np.concatenate([np.zeros(320), np.ones(640)])
    >>> int(active_speech(speech).sum())
    640
    """
    speech = np.asarray(speech, dtype=np.float64)
    frame = int(FRAME_S * sample_rate)
    padded = np.pad(speech**2, (0, -len(speech) % frame))
    power = padded.reshape(-1, frame).mean(axis=1)
    if not power.any():
        return np.zeros(len(speech), dtype=bool)
    active = power >= power.max() * 10 ** (-ACTIVE_RANGE_DB / 10)
    return np.repeat(active, frame)[: len(speech)]


def measure_snr_db(sound, speech, sample_rate=SAMPLE_RATE):
    """Speech power over sound power during the active speech, in dB.

    Arguments
    ---------
    sound, speech : numpy.ndarray [S]
        The two parts of a clip, of one length.
    sample_rate : int
        Samples per second.

    Returns
    -------
    float
        The ratio in dB.

    Raises
    ------
    ValueError
        If the ratio does not exist: the speech is silent, or the sound is
        silent while somebody talks.

    Example
    -------
    >>> round(measure_snr_db(np.full(640, 0.1), np.ones(640)), 6)
    20.0
    """
    active = active_speech(speech, sample_rate)
    if not active.any():
        raise ValueError(
            "Got silent speech, expected words; the ratio of speech to "
            "sound needs both."
        )
    speech_power = np.mean(np.square(speech, dtype=np.float64)[active])
    sound_power = np.mean(np.square(sound, dtype=np.float64)[active])
    if sound_power == 0:
        raise ValueError(
            "Got a sound that is silent during the speech, expected an "
            "overlap; move the onset or take a longer sound."
        )
    return float(10 * np.log10(speech_power / sound_power))


def mix(sound, speech, snr_db, onset_s=0.0, sample_rate=SAMPLE_RATE):
    """Put speech into a sound.

    The speech keeps its level and the sound is scaled to the asked ratio.
    If the sum would exceed a peak of 0.95, both are turned down together,
    which leaves the ratio as it is.

    Arguments
    ---------
    sound, speech : numpy.ndarray [S]
        Mono signals at ``sample_rate``. A sound of zeros is left as it is.
    snr_db : float
        Speech over sound during the active speech, in dB.
    onset_s : float
        When the speech starts.
    sample_rate : int
        Samples per second.

    Returns
    -------
    Mixture
        The clip and its parts, float32; their length is that of the longer
        one of the sound and the delayed speech.

    Raises
    ------
    ValueError
        If an input is not mono, the onset is negative, or the ratio does not
        exist (see ``measure_snr_db``).

    Example
    -------
    >>> clip = mix(np.full(32000, 0.1), np.full(8000, 0.2), 6.0, onset_s=0.5)
    >>> clip.wav.shape
    (32000,)
    >>> round(measure_snr_db(clip.sound, clip.speech), 3)
    6.0
    """
    if np.ndim(sound) != 1 or np.ndim(speech) != 1:
        raise ValueError(
            f"Got shapes {np.shape(sound)} and {np.shape(speech)}, expected "
            "two mono signals [S]; average the channels first."
        )
    if onset_s < 0:
        raise ValueError(
            f"Got an onset of {onset_s} s, expected at least 0; cut the "
            "speech instead."
        )
    onset = int(round(onset_s * sample_rate))
    length = max(len(sound), onset + len(speech))
    sound = np.pad(
        np.asarray(sound, dtype=np.float64), (0, length - len(sound))
    )
    speech = np.pad(
        np.asarray(speech, dtype=np.float64),
        (onset, length - onset - len(speech)),
    )
    if sound.any():
        excess_db = measure_snr_db(sound, speech, sample_rate) - snr_db
        sound = sound * 10 ** (excess_db / 20)
    peak = np.abs(sound + speech).max()
    scale = min(1.0, PEAK / peak) if peak else 1.0
    sound = (scale * sound).astype(np.float32)
    speech = (scale * speech).astype(np.float32)
    return Mixture(sound + speech, sound, speech)
