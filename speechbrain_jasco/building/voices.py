"""Voices: who can say a line.

Authors
 * The speechbrain_jasco developers, 2026
"""

from typing import NamedTuple

GENDERS = ("female", "male")
AGES = ("child", "adult", "old")
ANY = "any"


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
    """Which voices may say a line, the most suitable first.

    The gender a line asks for is a condition. Age and emotion are wishes, the
    age the stronger one.

    Arguments
    ---------
    voices : list of Voice
        To choose from.
    line : object
        With ``gender``, ``age`` and ``emotion``; any of them may be "any".

    Returns
    -------
    list of list of Voice
        Groups of equally suitable ones; none if nobody has the gender.

    Example
    -------
    >>> ann = make_voice({"name": "ann", "gender": "female"})
    >>> kid = ann._replace(name="kid", age="child")
    >>> groups = suitable([ann, kid], ann._replace(age="child"))
    >>> [[voice.name for voice in group] for group in groups]
    [['kid'], ['ann']]
    """

    def wishes(voice):
        age = line.age in (ANY, voice.age)
        emotion = line.emotion in (ANY, voice.emotion)
        return 2 * age + emotion

    those = [v for v in voices if line.gender in (ANY, v.gender)]
    ranks = sorted({wishes(voice) for voice in those}, reverse=True)
    return [[v for v in those if wishes(v) == rank] for rank in ranks]
