"""What there is to be heard: words, sentences, names of sounds and speakers.

Authors
 * The speechbrain_jasco developers, 2026
"""

from typing import NamedTuple

import torch

NO_TOKEN = -1  # behind a name or a sentence
UNKNOWN = -100  # number of a name that nobody knows


class Targets(NamedTuple):
    """What the clips of a batch should sound like.

    Arguments
    ---------
    words : list of list of int
        Tokens of what is said.
    names : dict
        "sound", "speaker" -> list of int: the number of each clip's, -100
        where it is unknown.

    Example
    -------
    >>> Targets([[5, 6]], {"sound": [0], "speaker": [-100]}).words
    [[5, 6]]
    """

    words: list[list[int]]
    names: dict[str, list[int]]


class Scores(NamedTuple):
    """How well audio tokens fit words and names.

    Arguments
    ---------
    words : torch.Tensor
        Logits of blank and words [B, N, 1 + V].
    names : dict
        "sound", "speaker" -> logits [B, C].
    """

    words: torch.Tensor
    names: dict[str, torch.Tensor]


def padded(names):
    """Puts token lists of different lengths and numbers into one tensor.

    Arguments
    ---------
    names : list of list of list of int
        Tokens of each name of each thing.

    Returns
    -------
    torch.Tensor
        Tokens [C, K, L], ``NO_TOKEN`` behind them.

    Example
    -------
    >>> padded([[[5, 6], [7]], [[8]]]).tolist()
    [[[5, 6], [7, -1]], [[8, -1], [-1, -1]]]
    """
    n_names = max(len(own) for own in names)
    length = max([1, *(len(ids) for own in names for ids in own)])
    filled = torch.full((len(names), n_names, length), NO_TOKEN)
    for c, own in enumerate(names):
        for k, ids in enumerate(own):
            filled[c, k, : len(ids)] = torch.tensor(ids)
    return filled.int()


def unpadded(ids):
    """Reads token lists from a tensor.

    Arguments
    ---------
    ids : torch.Tensor
        Tokens [K, L], ``NO_TOKEN`` behind them.

    Returns
    -------
    list of list of int

    Example
    -------
    >>> unpadded(padded([[[5, 6], [7]]])[0])
    [[5, 6], [7]]
    """
    return [[t for t in own if t != NO_TOKEN] for own in ids.tolist()]
