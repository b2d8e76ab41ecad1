"""Who and what serves training, validation and test: no recording, no voice twice.

A voice may serve training and validation; a test voice, and any variant of its
speaker, serves the test alone.

Authors
 * The speechbrain_jasco developers, 2026
"""

from typing import NamedTuple

import numpy as np

from speechbrain_jasco.journal import content_key

# What a split's recordings and voices are taken from.
PARTS = {
    "train": "train",
    "hearing": "train",
    "valid": "valid",
    "test_seen": "test",
    "test_unseen": "test",
    "test_open": "test",
}
HEARING_SPLITS = ("hearing", "test_open")  # a sound and words, no behaviour
FEWEST = 3  # recordings of a sound: one for each part


class Supplies(NamedTuple):
    """What clips are made of: part -> sound_id -> recordings, part -> voices."""

    recordings: dict
    voices: dict


def generator(*names):
    """A random generator of its own for whatever has these names.

    Arguments
    ---------
    *names : JSON-able
        The seed, and what it is for.

    Returns
    -------
    numpy.random.Generator

    Example
    -------
    >>> draws = [generator(1, "a").integers(1000) for _ in range(2)]
    >>> bool(draws[0] == draws[1])
    True
    """
    return np.random.default_rng(int(content_key(*names)[:16], 16))


def deal(recordings, seed):
    """Deal the recordings of each sound out to training, validation and test.

    A quarter for the test, an eighth for validation, at least one each.

    Arguments
    ---------
    recordings : list of Recording
        Of a bank.
    seed : int
        Of the build.

    Returns
    -------
    dict
        Part -> sound_id -> list of Recording.

    Raises
    ------
    ValueError
        If a sound has fewer than three recordings.
    """
    sounds = {}
    for recording in recordings:
        sounds.setdefault(recording.sound_id, []).append(recording)
    few = sorted(name for name, group in sounds.items() if len(group) < FEWEST)
    if few:
        raise ValueError(
            f"sounds {few} have fewer than {FEWEST} recordings; expected one "
            "each for training, validation and test. Add some, or take the "
            "sound out of the triples."
        )
    parts = {"train": {}, "valid": {}, "test": {}}
    for sound_id, group in sorted(sounds.items()):
        # Shuffled: sorted names would put whole sources into one part.
        group = sorted(group, key=lambda r: content_key(seed, r.name))
        n_test, n_valid = max(1, len(group) // 4), max(1, len(group) // 8)
        parts["test"][sound_id] = group[:n_test]
        parts["valid"][sound_id] = group[n_test : n_test + n_valid]
        parts["train"][sound_id] = group[n_test + n_valid :]
    return parts


def assign_voices(voices, voice_splits):
    """Look up the voices of each part.

    Arguments
    ---------
    voices : list of Voice
        All there are.
    voice_splits : dict
        Part -> names.

    Returns
    -------
    dict
        Part -> list of Voice.

    Raises
    ------
    ValueError
        If a part has none, a name is unknown, or a speaker of the test speaks
        elsewhere too.
    """
    known = {voice.name: voice for voice in voices}
    expected = sorted(set(PARTS.values()))
    if sorted(voice_splits) != expected or not all(voice_splits.values()):
        raise ValueError(
            f"voice_splits: got {dict(voice_splits)}; expected the parts "
            f"{expected}, each with at least one voice."
        )
    unknown = {n for names in voice_splits.values() for n in names} - set(known)
    if unknown:
        raise ValueError(
            f"voice_splits: no voices {sorted(unknown)}; expected some of "
            f"{', '.join(sorted(known))}."
        )
    parts = {p: [known[n] for n in names] for p, names in voice_splits.items()}
    elsewhere = {v.speaker for v in parts["train"] + parts["valid"]}
    crossing = [v.name for v in parts["test"] if v.speaker in elsewhere]
    if crossing:
        raise ValueError(
            f"voice_splits: the speakers of {crossing} are in the test and "
            "elsewhere; expected test speakers of their own."
        )
    return parts
