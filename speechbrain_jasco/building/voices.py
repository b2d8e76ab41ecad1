"""Voices: who can say a line, and how.

A speaker (an engine of speech synthesis, or a folder of recordings) has
``voices() -> list of Voice``, ``say(text, voice) -> numpy float32 [S]`` (16 kHz
mono), ``check()`` and ``config()``. ``Speaker`` gives all but the synthesis
itself; the engines are in ``command_speaker.py``, ``recorded_speaker.py`` and
``speechbrain_jasco/integrations/*_speaker.py``. ``JoinedSpeakers`` makes one
of several.

Authors
 * The speechbrain_jasco developers, 2026
"""

from fractions import Fraction
from typing import NamedTuple

import numpy as np
from scipy.signal import resample_poly

SAMPLE_RATE = 16000
GENDERS = ("female", "male")
AGES = ("child", "adult", "old")
ANY = "any"
FINEST = 1000  # largest denominator of a resampling ratio


class Voice(NamedTuple):
    """Somebody who speaks.

    ``preset`` is what the engine calls the voice (its name, if not given).
    ``pitch`` scales pitch and formants together, as a smaller or larger
    speaker would; the tempo is ``speed`` alone. Variants of one speaker share
    its ``speaker`` (the name, if not given): they are not other people.
    """

    name: str
    gender: str
    age: str = "adult"
    emotion: str = "neutral"
    speed: float = 1.0
    pitch: float = 1.0
    preset: str = ""
    speaker: str = ""
    licence: str = "unknown"


def make_voice(options):
    """Read a voice of a YAML.

    Arguments
    ---------
    options : dict
        Fields of ``Voice``; ``name`` and ``gender`` at least.

    Returns
    -------
    Voice

    Raises
    ------
    ValueError
        If a field is missing, unknown or out of range.

    Example
    -------
    >>> make_voice({"name": "joe", "gender": "male"}).preset
    'joe'
    """
    lacking = {"name", "gender"} - options.keys()
    unknown = options.keys() - set(Voice._fields)
    if lacking or unknown:
        raise ValueError(
            f"voice {options}: lacks {sorted(lacking)}, has unknown fields "
            f"{sorted(unknown)}; expected some of {', '.join(Voice._fields)}."
        )
    voice = Voice(**options)
    if voice.gender not in GENDERS or voice.age not in AGES:
        raise ValueError(
            f"voice {voice.name!r}: got gender {voice.gender!r} and age "
            f"{voice.age!r}; expected one of {GENDERS} and one of {AGES}."
        )
    for field in ("speed", "pitch"):
        if not 0.5 <= getattr(voice, field) <= 2.0:
            raise ValueError(
                f"voice {voice.name!r}: got {field} {getattr(voice, field)}; "
                "expected 0.5 to 2."
            )
    return voice._replace(
        preset=voice.preset or voice.name, speaker=voice.speaker or voice.name
    )


def suitable(voices, line):
    """Which voices may say a line.

    The gender a line asks for is a condition. Age and emotion are wishes: of
    the voices that are left, those that match most of them.

    Arguments
    ---------
    voices : list of Voice
        To choose from.
    line : object
        With ``gender``, ``age`` and ``emotion``; any of them may be "any".

    Returns
    -------
    list of Voice
        In their order; empty if nobody has the gender.

    Example
    -------
    >>> ann = make_voice({"name": "ann", "gender": "female"})
    >>> kid = ann._replace(name="kid", age="child")
    >>> suitable([ann, kid], ann._replace(age="child"))[0].name
    'kid'
    """
    those = [v for v in voices if line.gender in (ANY, v.gender)]

    def wishes(voice):
        age, emotion = (
            line.age in (ANY, voice.age),
            line.emotion
            in (
                ANY,
                voice.emotion,
            ),
        )
        return 2 * age + emotion

    best = max(map(wishes, those), default=0)
    return [voice for voice in those if wishes(voice) == best]


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
    wav = np.asarray(wav, dtype=np.float64)
    return resample_poly(wav, ratio.numerator, ratio.denominator).astype(
        np.float32
    )


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
        """Everything the speech depends on besides the voices (dict)."""
        return {"speakers": [speaker.config() for speaker in self.speakers]}
