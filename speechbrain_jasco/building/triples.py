"""The authored content: sounds, lines, triples and everyday sentences.

    sounds.csv --+
    lines.csv  --+--> triples.csv (sound x line -> behaviour)    sentences.csv

A triple is {sound, spoken text, behaviour} of arXiv 2409.14526, section
III-A. Sounds and lines are crossed: each occurs in several triples, with
another behaviour each time, so that neither alone gives the answer. Several
wordings stand in one cell, separated by ``|``, the first of them being the
reference.

Authors
 * The speechbrain_jasco developers, 2026
"""

from pathlib import Path
from typing import NamedTuple

from speechbrain_jasco.dataio import read_table, row_name

SPLITS = ("train", "valid", "test_unseen")
SENTENCE_SPLITS = ("train", "test_open")
GENDERS = ("any", "female", "male")
AGES = ("any", "child", "adult", "old")
MIN_WORDINGS = 3


class Sound(NamedTuple):
    """A sound and what it suggests on its own."""

    sound_id: str
    names: list[str]
    audio_only: list[str]


class Line(NamedTuple):
    """A spoken line, what it suggests on its own, and who may speak it."""

    line_id: str
    text: str
    speech_only: list[str]
    gender: str
    age: str
    emotion: str


class Triple(NamedTuple):
    """A sound, a line and the behaviour that follows from both."""

    triple_id: str
    sound_id: str
    line_id: str
    split: str
    keywords: list[str]
    answers: list[str]


class Sentence(NamedTuple):
    """An everyday sentence, for clips that train or test hearing alone."""

    sentence_id: str
    text: str
    split: str


class TripleSet(NamedTuple):
    """Everything that is in a folder of triples."""

    sounds: dict[str, Sound]
    lines: dict[str, Line]
    triples: list[Triple]
    sentences: list[Sentence]


# What a cell holds, if not one text: the separator and how many at least.
_LISTS = {
    "names": ("|", MIN_WORDINGS),
    "audio_only": ("|", MIN_WORDINGS),
    "speech_only": ("|", MIN_WORDINGS),
    "answers": ("|", MIN_WORDINGS),
    "keywords": (",", 1),
}


def read_triples(folder):
    """Read and check a folder of triples.

    Arguments
    ---------
    folder : str or Path
        With ``sounds.csv``, ``lines.csv``, ``triples.csv`` and
        ``sentences.csv``; their columns are the fields of the classes above.

    Returns
    -------
    TripleSet

    Raises
    ------
    FileNotFoundError
        If a file is missing.
    ValueError
        If a row has a missing field, an unknown id or value, too few
        wordings or a duplicate; the message names file, row and remedy.
    """
    folder = Path(folder)
    sounds = _read(folder / "sounds.csv", Sound, {})
    lines = _read(folder / "lines.csv", Line, {"gender": GENDERS, "age": AGES})
    listed = {
        "sound_id": [sound.sound_id for sound in sounds],
        "line_id": [line.line_id for line in lines],
        "split": SPLITS,
    }
    triples = _read(folder / "triples.csv", Triple, listed)
    _unique(folder / "triples.csv", triples, ("sound_id", "line_id"))
    _unique(folder / "lines.csv", lines, ("text",))
    sentences = _read(
        folder / "sentences.csv", Sentence, {"split": SENTENCE_SPLITS}
    )
    _unique(folder / "sentences.csv", sentences, ("text",))
    return TripleSet(
        {sound.sound_id: sound for sound in sounds},
        {line.line_id: line for line in lines},
        triples,
        sentences,
    )


def _read(path, kind, listed):
    """Read the rows of one file; ``listed``: field -> values allowed."""
    table = read_table(path, list(kind._fields))
    rows = [
        kind(*(_cell(row_name(path, i), field, row[field]) for field in row))
        for i, row in enumerate(table[list(kind._fields)].to_dict("records"))
    ]
    for i, row in enumerate(rows):
        for field, values in listed.items():
            if getattr(row, field) not in values:
                raise ValueError(
                    f"{row_name(path, i)}: got the {field} "
                    f"{getattr(row, field)!r}; expected one of "
                    f"{_some(values)}. Correct it."
                )
    _unique(path, rows, kind._fields[:1])
    return rows


def _cell(where, field, text):
    """Read one cell: a text, or a list of texts."""
    text = text.strip()
    if not text:
        raise ValueError(f"{where}: {field} is empty. Fill it in.")
    if field not in _LISTS:
        return text
    separator, least = _LISTS[field]
    parts = [part.strip() for part in text.split(separator)]
    if not all(parts) or len(parts) < least or len(set(parts)) < len(parts):
        raise ValueError(
            f"{where}: got the {field} {text!r}; expected at least {least} "
            f"different ones, separated by {separator!r}, none empty."
        )
    return parts


def _unique(path, rows, fields):
    """Refuse two rows that agree in all of some fields, whatever the case."""
    seen = {}
    for i, row in enumerate(rows):
        value = tuple(getattr(row, field).casefold() for field in fields)
        if value in seen:
            raise ValueError(
                f"{row_name(path, i)}: {' and '.join(fields)} "
                f"{' and '.join(value)!r} stand in row {seen[value] + 1} "
                "already. Remove one of the two."
            )
        seen[value] = i


def _some(values):
    """The first few of some values, for a message (str)."""
    shown = ", ".join(list(values)[:6])
    return shown + ", ..." if len(values) > 6 else shown
