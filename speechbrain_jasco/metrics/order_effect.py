"""Does it matter whether a question names the sound or the words first?

The eight instructions are four pairs that differ in that order alone: a
designed experiment (arXiv 2409.14526, section IV-A). Every answer has its
control on the same clip.

Authors
 * The speechbrain_jasco developers, 2026
"""

import hashlib

import numpy as np

from speechbrain_jasco.judging.item import ORIENTATIONS

OUTCOMES = ("score", "rating", *ORIENTATIONS)


def prompt_sha256(text):
    """Hash an instruction, to know it again.

    Arguments
    ---------
    text : str
        Its wording.

    Returns
    -------
    str
        Of the text without spaces at both ends, in hex.
    """
    return hashlib.sha256(text.strip().encode()).hexdigest()


def describe_prompts(texts, instructions):
    """Say of each prompt which pair it is of and what it names first.

    Arguments
    ---------
    texts : dict
        prompt_index -> wording.
    instructions : list of dict
        Known ones: ``text`` or its ``sha256``, ``first`` (audio, speech) and
        ``pair``.

    Returns
    -------
    list of dict
        ``index``, ``text``, ``first`` and ``pair``; the last two are None for
        a prompt that is not known.

    Example
    -------
    >>> known = [{"text": "Sound, then words?", "first": "audio", "pair": 1}]
    >>> prompts = describe_prompts({0: "Sound, then words?", 1: "Why?"}, known)
    >>> [prompt["first"] for prompt in prompts]
    ['audio', None]
    """
    known = {
        entry.get("sha256") or prompt_sha256(entry["text"]): entry
        for entry in instructions
    }
    prompts = []
    for index, text in sorted(texts.items()):
        entry = known.get(prompt_sha256(text), {})
        prompts.append(
            {
                "index": index,
                "text": text,
                "first": entry.get("first"),
                "pair": entry.get("pair"),
            }
        )
    return prompts


def swapped_pairs(prompts):
    """Find the pairs of which both prompts were asked.

    Arguments
    ---------
    prompts : list of dict
        From ``describe_prompts``.

    Returns
    -------
    list of (int, int)
        Indices of the prompts that name audio and speech first.

    Example
    -------
    >>> swapped_pairs([{"index": 0, "first": "speech", "pair": 1},
    ...     {"index": 1, "first": "audio", "pair": 1},
    ...     {"index": 2, "first": "audio", "pair": 2}])
    [(1, 0)]
    """
    place = {(p["pair"], p["first"]): p["index"] for p in prompts if p["pair"]}
    pairs = dict.fromkeys(p["pair"] for p in prompts if p["pair"])
    return [
        (place[pair, "audio"], place[pair, "speech"])
        for pair in pairs
        if (pair, "audio") in place and (pair, "speech") in place
    ]


def order_sums(cube, pairs):
    """What each clip adds to the effect of naming audio first.

    Arguments
    ---------
    cube : Cube
        All verdicts; pairs with a verdict on one answer alone do not count.
    pairs : list of (int, int)
        From ``swapped_pairs``.

    Returns
    -------
    (array, array)
        Numerators and denominators [outcomes, systems, judges, clips] of the
        mean difference, audio first minus speech first, of ``OUTCOMES``:
        rating that counts, rating as given, and fractions of answers.

    Example
    -------
    >>> from speechbrain_jasco.metrics.cube import Cube
    >>> cube = Cube(["S"], ["J"], ["a"], np.array([[[[2.0, 1.0]]]]),
    ...     np.array([[[[2, 2]]]]))
    >>> sums, n_pairs = order_sums(cube, [(0, 1)])
    >>> dict(zip(OUTCOMES, (sums / n_pairs).ravel().tolist()))["score"]
    1.0
    """
    values = np.stack(
        [cube.scores, cube.ratings, *(cube.says(o) for o in ORIENTATIONS)]
    )
    audio, speech = (list(side) for side in zip(*pairs, strict=True))
    differences = values[..., audio] - values[..., speech]
    n_pairs = (~np.isnan(differences)).sum(axis=-1).astype(float)
    return np.nansum(differences, axis=-1), n_pairs
