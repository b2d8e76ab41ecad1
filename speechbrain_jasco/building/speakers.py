"""Speakers: engines of speech synthesis, and folders of recordings.

A speaker has ``voices() -> list of Voice``, ``say(text, voice) -> numpy float32
[S]`` (16 kHz mono), ``check()`` and ``config()``. ``Speaker`` gives all but the
synthesis itself; the engines are in ``command_speaker.py``,
``recorded_speaker.py`` and ``speechbrain_jasco/integrations/*_speaker.py``.
``JoinedSpeakers`` makes one of several.

Authors
 * The speechbrain_jasco developers, 2026
"""

from fractions import Fraction

import numpy as np
from scipy.signal import firwin, resample_poly

from speechbrain_jasco.building.voices import make_voice

SAMPLE_RATE = 16000
FINEST = 1000  # largest denominator of a resampling ratio
# Low pass of a resampler: flat to 7.6 kHz, 90 dB down from 8.4 kHz on.
HALF_LENGTH = 64
KAISER_BETA = 8.6


def to_clip_rate(wav, rate_hz):
    """Resample to 16 kHz.

    Arguments
    ---------
    wav : numpy.ndarray [S]
        Samples.
    rate_hz : float
        Their rate; need not be whole.

    Returns
    -------
    numpy.ndarray
        float32, S * 16000 / rate_hz samples, rounded up.

    Example
    -------
    >>> to_clip_rate(np.ones(24000), 24000).shape
    (16000,)
    """
    ratio = Fraction(SAMPLE_RATE / rate_hz).limit_denominator(FINEST)
    up, down = ratio.numerator, ratio.denominator
    if up == down:
        return np.asarray(wav, dtype=np.float32)
    taps = 2 * HALF_LENGTH * max(up, down) + 1
    low_pass = firwin(taps, 1 / max(up, down), window=("kaiser", KAISER_BETA))
    wav = np.asarray(wav, dtype=np.float64)
    return resample_poly(wav, up, down, window=low_pass).astype(np.float32)


class Speaker:
    """An engine that speaks; subclasses give ``synthesise``.

    Arguments
    ---------
    voices : list of dict
        Fields of ``Voice`` each.
    """

    def __init__(self, voices):
        self._voices = [make_voice(dict(options)) for options in voices]

    def synthesise(self, text, preset, speed):
        """Speak.

        Arguments
        ---------
        text : str
            What to say.
        preset : str
            Who says it, as the engine calls them.
        speed : float
            Tempo; 1 is the engine's own.

        Returns
        -------
        numpy.ndarray [S], int
            Samples and their rate.
        """
        raise NotImplementedError

    def voices(self):
        """Who can speak (list of Voice)."""
        return list(self._voices)

    def say(self, text, voice):
        """Say a line.

        Arguments
        ---------
        text : str
            The words.
        voice : Voice
            One of ``voices()``.

        Returns
        -------
        numpy.ndarray [S]
            Mono, 16 kHz, float32.

        Raises
        ------
        ValueError
            If nothing comes out: the voice cannot speak the line.
        """
        # Played faster, a recording gets a higher pitch and becomes shorter:
        # so it is spoken slower by as much beforehand.
        wav, rate_hz = self.synthesise(
            text, voice.preset, voice.speed / voice.pitch
        )
        wav = np.asarray(wav)
        if not len(wav) or not np.isfinite(wav).all() or not wav.any():
            raise ValueError(
                f"voice {voice.name!r} cannot speak the line {text!r}: it gave "
                f"{len(wav)} samples, silent or not finite. Change the line, "
                "or use other voices."
            )
        return to_clip_rate(wav, rate_hz * voice.pitch)

    def check(self):
        """Fail now rather than in the middle of a build."""

    def config(self):
        """Everything the speech depends on besides the voice (dict)."""
        return {"speaker": type(self).__name__}


class JoinedSpeakers:
    """Several speakers as one.

    Arguments
    ---------
    speakers : list
        Speakers; the names of their voices must not collide.

    Example
    -------
    >>> JoinedSpeakers([]).voices()
    []
    """

    def __init__(self, speakers):
        self.speakers = list(speakers)

    def voices(self):
        """Who can speak (list of Voice)."""
        return [v for speaker in self.speakers for v in speaker.voices()]

    def holder(self, voice):
        """The speaker that has a voice.

        Arguments
        ---------
        voice : Voice
            One of ``voices()``.

        Returns
        -------
        object
            A speaker.
        """
        return next(s for s in self.speakers if voice in s.voices())

    def say(self, text, voice):
        """Say a line, by the speaker that has the voice.

        Arguments
        ---------
        text : str
            The words.
        voice : Voice
            One of ``voices()``.

        Returns
        -------
        numpy.ndarray [S]
            Mono, 16 kHz, float32.
        """
        return self.holder(voice).say(text, voice)

    def check(self):
        """Check every speaker.

        Raises
        ------
        ValueError
            If there is no voice, or two have one name.
        """
        names = [voice.name for voice in self.voices()]
        twice = sorted({name for name in names if names.count(name) > 1})
        if not names or twice:
            raise ValueError(
                f"got {len(names)} voices, named twice: {twice}; expected at "
                "least one and every name once."
            )
        for speaker in self.speakers:
            speaker.check()

    def only(self, names):
        """Leave out speakers none of whose voices is wanted.

        What is not used need not be installed.

        Arguments
        ---------
        names : collection of str
            The voices that are wanted.

        Returns
        -------
        JoinedSpeakers
        """
        return JoinedSpeakers(
            speaker
            for speaker in self.speakers
            if any(voice.name in names for voice in speaker.voices())
        )

    def config(self):
        """Everything the speech depends on, JSON-able (dict)."""
        return {
            "speakers": [speaker.config() for speaker in self.speakers],
            "voices": [list(voice) for voice in self.voices()],
        }
