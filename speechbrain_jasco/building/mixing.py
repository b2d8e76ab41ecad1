"""Add speech to a sound at an exact signal-to-noise ratio.

The ratio is speech power over sound power, both over the *active* speech:
the moments in which somebody talks. Pauses and the sound before and after
the words do not count, so the same figure means the same audibility in a
short and in a long clip.

``fit_sound`` makes a recording as long as the clip, ``mix`` adds the two, and
``master`` sets the loudness and makes 16-bit samples whose sum is exact.

Authors
 * The speechbrain_jasco developers, 2026
"""

from typing import NamedTuple

import numpy as np

SAMPLE_RATE = 16000
FRAME_S = 0.02
ACTIVE_RANGE_DB = 40.0
PEAK = 0.95
FADE_S = 0.05
LOUDNESS_BLOCK_S = 0.4  # ITU-R BS.1770-4 measures in blocks of this length
FULL_SCALE = 32767


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


def fit_sound(sound, samples, start=0):
    """Cut or loop a recording to a length, and fade its ends.

    A recording that ends too early starts again; the seams are crossfaded at
    equal power over 50 ms. So are the two ends of the clip faded, since a cut
    in the middle of a sound is a click.

    Arguments
    ---------
    sound : numpy.ndarray [S]
        The recording at 16 kHz.
    samples : int
        The length wanted.
    start : int
        Where in the recording to begin.

    Returns
    -------
    numpy.ndarray [samples]
        float64.

    Example
    -------
    >>> fit_sound(np.ones(16000), 40000).shape
    (40000,)
    """
    sound = np.asarray(sound, dtype=np.float64)
    fade = min(int(FADE_S * SAMPLE_RATE), len(sound) // 2)
    ramp = np.sqrt((np.arange(fade) + 0.5) / max(fade, 1))
    if start + samples > len(sound):
        piece = sound.copy()
        piece[:fade] *= ramp
        piece[len(piece) - fade :] *= ramp[::-1]
        step = len(piece) - fade
        looped = np.zeros(start + samples + len(piece))
        for at in range(0, start + samples, step):
            looped[at : at + len(piece)] += piece
        sound = looped
    cut = sound[start : start + samples].copy()
    edge = ramp[: samples // 2]
    cut[: len(edge)] *= edge
    cut[samples - len(edge) :] *= edge[::-1]
    return cut


def loudness_lufs(wav):
    """Integrated loudness after ITU-R BS.1770-4, by pyloudnorm.

    Arguments
    ---------
    wav : numpy.ndarray [S]
        Mono, 16 kHz; what is shorter than a block of 0.4 s is repeated.

    Returns
    -------
    float
        In LUFS; minus infinity for silence.

    Example
    -------
    >>> time = np.arange(16000) / 16000
    >>> f"{loudness_lufs(np.sin(2 * np.pi * 997 * time)):.0f}"
    '-3'
    """
    from pyloudnorm import Meter

    shortest = int(LOUDNESS_BLOCK_S * SAMPLE_RATE) + 1
    wav = np.tile(wav, -(-shortest // len(wav)))
    with np.errstate(divide="ignore"):  # the log of a silent block's power
        return float(Meter(SAMPLE_RATE).integrated_loudness(wav))


def master(clip, lufs):
    """Set the loudness of a clip and make it 16-bit.

    The parts are turned up or down together, less than asked where a peak
    would exceed 0.95; they are rounded first and added then, so that the sum
    holds to the bit.

    Arguments
    ---------
    clip : Mixture
        From ``mix``.
    lufs : float
        Integrated loudness of the mixture.

    Returns
    -------
    Mixture
        Of int16.

    Raises
    ------
    ValueError
        If the clip is silent.

    Example
    -------
    >>> parts = mix(0.1 * np.ones(16000), np.ones(8000), 6.0)
    >>> clip = master(parts, -23.0)
    >>> clip.wav.dtype, bool((clip.wav == clip.sound + clip.speech).all())
    (dtype('int16'), True)
    """
    now = loudness_lufs(clip.wav)
    if not np.isfinite(now):
        raise ValueError("Got a silent clip, expected a sound or speech.")
    gain = 10 ** ((lufs - now) / 20)
    peak = gain * max(np.abs(part).max() for part in clip)
    gain *= min(1.0, PEAK / peak)
    sound, speech = (
        np.round(FULL_SCALE * gain * part.astype(np.float64)).astype(np.int16)
        for part in (clip.sound, clip.speech)
    )
    return Mixture(sound + speech, sound, speech)
