"""The plan of a data set: every clip, drawn before anything is rendered.

    triples x renderings --+             train, valid, test_seen, test_unseen
                           +--> clips
    sentences x sounds   --+             hearing, test_open

A clip's draws depend on the seed and the clip's own name alone: more triples,
another machine or another number of workers change nothing about it.
Recordings and voices are dealt out to training, validation and test first
(``supplies.py``), so that none crosses from training to test.

Authors
 * The speechbrain_jasco developers, 2026
"""

import re
from typing import NamedTuple

import numpy as np

from speechbrain_jasco.building.supplies import PARTS, generator
from speechbrain_jasco.building.voices import suitable
from speechbrain_jasco.journal import content_key

RANGES = ("snr_db", "onset_s", "tail_s", "clip_s", "loudness_lufs")


class PlannedClip(NamedTuple):
    """One clip to be; ``voices`` holds the first choice and the substitutes."""

    id: str
    split: str
    triple_id: str
    line_id: str
    text: str
    sound_id: str
    recording: str
    voices: tuple
    snr_db: float
    onset_s: float
    tail_s: float
    loudness_lufs: float
    in_room: bool
    seed: int


def check_ranges(ranges):
    """Check what is drawn per clip.

    Arguments
    ---------
    ranges : dict
        ``RANGES`` -> (lower, upper), and ``room_share``.

    Raises
    ------
    ValueError
        If a range is missing, unknown or upside down.

    Example
    -------
    >>> check_ranges({"snr_db": [5, 0]})
    Traceback (most recent call last):
    ...
    ValueError: ranges: got ['snr_db']; expected clip_s, loudness_lufs, onset_s, room_share, snr_db, tail_s.
    """
    expected = sorted([*RANGES, "room_share"])
    if sorted(ranges) != expected:
        raise ValueError(
            f"ranges: got {sorted(ranges)}; expected {', '.join(expected)}."
        )
    for name in RANGES:
        low, high = ranges[name]
        if low > high or (name.endswith("_s") and low < 0):
            raise ValueError(
                f"ranges: {name} runs from {low} to {high}; expected the "
                "smaller value first and no negative time."
            )
    if not 0 <= ranges["room_share"] <= 1:
        raise ValueError(
            f"ranges: got room_share {ranges['room_share']}; expected 0 to 1."
        )


def clip_id(split, *names):
    """Name a clip so that it can be a file, with no dot, since WebDataset
    cuts names there.

    Arguments
    ---------
    split : str
        Of the clip.
    *names : str or int
        What else tells it from others.

    Returns
    -------
    str

    Example
    -------
    >>> clip_id("train", "dog.sit", 0)
    'train-dog_sit-0'
    """
    name = "-".join([split, *map(str, names)])
    if not re.fullmatch(r"[\w.+-]+", name):
        raise ValueError(
            f"got the id {name!r}; expected letters, digits and . _ + - only, "
            "since files are named after it."
        )
    return name.replace(".", "_")


class Planner:
    """Draws clips; how many of each kind is up to ``size``.

    Arguments
    ---------
    supplies : Supplies
        Recordings and voices of each part.
    ranges : dict
        What is drawn per clip (see ``check_ranges``).
    seed : int
        Of the build.
    """

    def __init__(self, supplies, ranges, seed):
        check_ranges(ranges)
        self.supplies = supplies
        self.ranges = ranges
        self.seed = seed

    def draw(self, split, names, sound_id, line, turn=0):
        """Draw one clip.

        Arguments
        ---------
        split : str
            Where it belongs.
        names : tuple of str
            triple_id and line_id; a clip without a behaviour has no triple.
        sound_id : str
            The sound.
        line : object
            With ``text`` and, for a line, ``gender``, ``age``, ``emotion``.
        turn : int
            The how-manieth rendering: they take turns through voices and
            recordings before any comes again.

        Returns
        -------
        PlannedClip

        Raises
        ------
        ValueError
            If no voice or recording of the part will do.
        """
        part = PARTS[split]
        triple_id, line_id = names
        name = clip_id(split, triple_id or line_id, turn)
        groups = [self.supplies.voices[part]]
        if hasattr(line, "gender"):
            groups = suitable(groups[0], line)
        recordings = self.supplies.recordings[part].get(sound_id)
        if not groups or not recordings:
            lack = "voice" if recordings else "recording"
            raise ValueError(
                f"clip {name}: no {lack} of the part {part!r} for the sound "
                f"{sound_id!r} and the line {line.text!r}. Add one."
            )
        order = generator(self.seed, part, triple_id or line_id)
        voices = [
            str(name)
            for group in groups
            for name in np.roll(
                order.permutation([v.name for v in group]), -turn
            )
        ]
        which = order.permutation(len(recordings))[turn % len(recordings)]
        rng = generator(self.seed, name)
        draws = {
            key: round(float(rng.uniform(*self.ranges[key])), 3)
            for key in ("snr_db", "onset_s", "tail_s", "loudness_lufs")
        }
        return PlannedClip(
            id=name,
            split=split,
            triple_id=triple_id,
            line_id=line_id,
            text=line.text,
            sound_id=sound_id,
            recording=recordings[which].name,
            voices=tuple(voices),
            in_room=bool(rng.uniform() < self.ranges["room_share"]),
            seed=int(rng.integers(2**31)),
            **draws,
        )

    def some(self, items, limit, kind):
        """At most ``limit`` of some items, the same ones for the same seed.

        Arguments
        ---------
        items : list of (str, object)
            Name and item.
        limit : int, optional
            All, if None.
        kind : str
            What they are for.

        Returns
        -------
        list
            Items, in their order.
        """
        names = [name for name, _ in items]
        ranked = sorted(names, key=lambda n: content_key(self.seed, kind, n))
        kept = set(ranked[:limit])
        return [item for name, item in items if name in kept]


def plan_clips(triples, planner, size):
    """Draw a whole data set.

    Arguments
    ---------
    triples : TripleSet
        From ``read_triples``.
    planner : Planner
        Draws the clips.
    size : dict
        ``triples``: at most so many of each split (None: all); ``train``,
        ``valid``, ``test_seen``, ``test_unseen``: renderings of each;
        ``hearing``, ``test_open``: sentences (None: all).

    Returns
    -------
    list of PlannedClip
        Sorted by id within each split; ids are unique.

    Raises
    ------
    ValueError
        If ``size`` lacks a key, or a clip cannot be drawn.
    """
    expected = sorted(["triples", *PARTS])
    if sorted(size) != expected:
        raise ValueError(
            f"size: got {sorted(size)}; expected {', '.join(expected)}."
        )
    clips = []
    for split in ("train", "valid", "test_seen", "test_unseen"):
        source = "train" if split == "test_seen" else split
        rows = [(t.triple_id, t) for t in triples.triples if t.split == source]
        for triple in planner.some(rows, size["triples"], source):
            names = triple.triple_id, triple.line_id
            line = triples.lines[triple.line_id]
            clips += [
                planner.draw(split, names, triple.sound_id, line, turn)
                for turn in range(size[split])
            ]
    clips += hearing_clips(triples, planner, size)
    names = [clip.id for clip in clips]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(
            f"two clips are called {twice}; rename a triple or a sentence."
        )
    return clips


def hearing_clips(triples, planner, size):
    """Draw clips of a random sound and a random sentence.

    Arguments
    ---------
    triples, planner, size
        As for ``plan_clips``.

    Returns
    -------
    list of PlannedClip
    """
    sounds = sorted({t.sound_id for t in triples.triples})
    clips = []
    for split, pool in (("hearing", "train"), ("test_open", "test_open")):
        rows = [(s.sentence_id, s) for s in triples.sentences]
        rows = [(name, s) for name, s in rows if s.split == pool]
        for sentence in planner.some(rows, size[split], split):
            rng = generator(planner.seed, "sound", sentence.sentence_id)
            names = "", sentence.sentence_id
            sound_id = sounds[rng.integers(len(sounds))]
            clips.append(planner.draw(split, names, sound_id, sentence))
    return clips
