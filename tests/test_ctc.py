"""Tests of CTC over audio tokens, against sums over all paths.

Authors
 * The speechbrain_jasco developers, 2026
"""

from itertools import groupby, product
from math import log

import pytest
import torch

from speechbrain_jasco.lobes.models.ctc import (
    best_path,
    loss_per_word,
    may_be_said,
    nearest,
)

SIZES = torch.tensor([5, 3, 4])
WORDS = [[2, 1], [1], [2, 2]]


@pytest.fixture
def logits():
    torch.manual_seed(0)
    return 2 * torch.randn(3, 5, 3)


def read_off(path):
    """What a path says: no repetitions, no blanks."""
    return [label for label, _ in groupby(path) if label]


def summed(logits, words):
    """Minus the log-probability of words, path by path, of one clip."""
    p = logits.softmax(dim=1).tolist()
    total = 0.0
    for path in product(range(len(p[0])), repeat=len(p)):
        if read_off(path) == words:
            share = 1.0
            for at, label in enumerate(path):
                share *= p[at][label]
            total += share
    return -log(total)


def clips(logits):
    return [own[:n] for own, n in zip(logits, SIZES.tolist(), strict=True)]


def test_the_loss_is_that_of_all_paths(logits):
    expected = [
        summed(own, words) / len(words)
        for own, words in zip(clips(logits), WORDS, strict=True)
    ]
    got = loss_per_word(logits, SIZES, WORDS)
    assert got.tolist() == pytest.approx(expected, abs=1e-5)
    silence = [summed(own, []) for own in clips(logits)]
    got = loss_per_word(logits, SIZES, [[], [], []])
    assert got.tolist() == pytest.approx(silence, abs=1e-5)


def test_the_best_path_is_read_without_repetitions_and_blanks(logits):
    best, starts = best_path(logits, SIZES)
    for clip, own in enumerate(clips(logits)):
        path = own.argmax(dim=1).tolist()
        assert best[clip, : len(path)].tolist() == path
        assert best[clip][starts[clip]].tolist() == read_off(path)


def test_words_are_allowed_up_to_their_distance(logits):
    for clip, own in enumerate(clips(logits)):
        heard = read_off(own.argmax(dim=1).tolist())
        of_heard = summed(own, heard) / max(1, len(heard))
        for words in ([1], [2], [1, 2], [2, 1], [1, 2, 1]):
            distance = summed(own, words) / len(words) - of_heard
            asked = [WORDS[0]] * 3
            asked[clip] = words
            for slack in (-1e-3, 1e-3):
                allowed = may_be_said(logits, SIZES, asked, distance + slack)
                assert (clip in allowed) == (slack > 0), (clip, words)


def test_what_has_no_path_is_never_allowed(logits):
    repeated = [[1, 1, 1], [1, 1], [2, 2, 2]]  # takes 5, 3, 5 tokens
    assert may_be_said(logits, SIZES, repeated, 1e9) == [0, 1]
    assert may_be_said(logits, SIZES, [[1] * 4, [1, 2] * 2, []], 1e9) == []


def test_the_nearest_sentence_is_that_of_the_most_probable_paths(logits):
    sentences = [[1], [2], [1, 2], [2, 1], [1, 2, 1], [1, 1, 1]]
    for clip, own in enumerate(clips(logits)):
        heard = summed(own, read_off(own.argmax(dim=1).tolist()))
        # A sentence of more tokens than there are has no path at all.
        possible = [w for w in sentences if len(own) > 4 or w != [1, 1, 1]]
        losses = [summed(own, words) for words in possible]
        best = min(range(len(possible)), key=losses.__getitem__)
        distance = (losses[best] - heard) / len(possible[best])
        for slack in (-1e-3, 1e-3):
            found = nearest(logits, SIZES, sentences, distance + slack)
            assert found.get(clip) == (best if slack > 0 else None)


def test_no_sentence_is_near_where_none_is_known_or_none_has_a_path(logits):
    assert nearest(logits, SIZES, [], 1e9) == {}
    assert nearest(logits, SIZES, [[1, 2, 1, 2, 1, 2]], 1e9) == {}
