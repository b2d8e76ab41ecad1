"""Clips with one half exchanged: does the answer follow?

    clip                 dog      + "Keep still"   -> at the vet
    sound exchanged      drill    + "Keep still"   -> at the dentist
    speech exchanged     dog      + "Fetch it"     -> playing in the park

The new half is the stem of another clip, and only pairs with a trained answer
are asked about. A model that hears one of the halves cannot follow both.

Authors
 * The speechbrain_jasco developers, 2026
"""

import random

import torch

from speechbrain_jasco.dataio import read_audio
from speechbrain_jasco.training.features import Item

OTHER = {"sound": "speech", "speech": "sound"}
KEYS = {"sound": "sound_id", "speech": "line_id"}


def exchanges(rows, trained, half, seed=0):
    """Finds for each clip another one to take a half from.

    Arguments
    ---------
    rows : list of dict
        Of the manifest; halves come from among them, too.
    trained : Alternatives
        Of the clips that were trained on.
    half : str
        "sound" or "speech": what is exchanged.
    seed : int
        Of the draw.

    Returns
    -------
    list of dict
        Rows with ``sound_id`` and ``line_id`` as they are now, ``triple_id``
        the answer that is right now, and ``stems``, two paths. Clips that
        have no such partner are left out.

    Example
    -------
    >>> from speechbrain_jasco.training.choice import Alternatives
    >>> rows = [dict(triple_id=f"{s}.go", sound_id=s, line_id="go", tgt_text=s,
    ...     sound_wav=f"{s}.wav", speech_wav=f"go-{s}.wav") for s in "ab"]
    >>> exchanges(rows, Alternatives(rows), "sound")[0]["stems"]
    ['b.wav', 'go-a.wav']
    """
    key = KEYS[half]
    rng = random.Random(seed)
    found = []
    for row in rows:
        partners = [
            (other, triple)
            for other in rows
            if other[key] != row[key]
            for triple in [trained.right(*_pair(row, other, key))]
            if triple is not None
        ]
        if partners:
            other, triple = rng.choice(partners)
            new = {**row, key: other[key], "triple_id": triple}
            stems = {
                half: other[f"{half}_wav"],
                OTHER[half]: row[f"{OTHER[half]}_wav"],
            }
            new["stems"] = [stems["sound"], stems["speech"]]
            found.append(new)
    return found


def _pair(row, other, key):
    """Sound and line of a clip with a half of another."""
    new = {**row, key: other[key]}
    return new["sound_id"], new["line_id"]


def mixed(row, n_encoders):
    """Mixes the stems of an exchange; both are as loud as in their clips.

    Arguments
    ---------
    row : dict
        Of ``exchanges``.
    n_encoders : int
        How many encoders will listen.

    Returns
    -------
    Item
        Not to be cached.
    """
    sound, speech = (read_audio(stem) for stem in row["stems"])
    wav = torch.zeros(max(len(sound), len(speech)))
    wav[: len(sound)] += sound
    wav[: len(speech)] += speech
    return Item([None] * n_encoders, wav)
