"""How many words of a line were misheard.

Authors
 * The speechbrain_jasco developers, 2026
"""

from torchaudio.functional import edit_distance
from transformers.models.whisper.english_normalizer import (
    EnglishTextNormalizer,
)

_plain = EnglishTextNormalizer({})


def words(text):
    """Words for comparison: no case or punctuation, numbers as digits.

    Arguments
    ---------
    text : str
        English.

    Returns
    -------
    list of str

    Example
    -------
    >>> words("Don't let go, count to three!")
    ['do', 'not', 'let', 'go', 'count', 'to', '3']
    """
    return _plain(text).split()


def join_like(these, others):
    """Join neighbours that somebody else writes as one word.

    Arguments
    ---------
    these, others : list of str
        Words.

    Returns
    -------
    list of str

    Example
    -------
    >>> join_like(["any", "more", "rain"], ["anymore", "rain"])
    ['anymore', 'rain']
    """
    joined = []
    for word in these:
        if joined and joined[-1] + word in others:
            joined[-1] += word
        else:
            joined.append(word)
    return joined


def count_errors(reference, heard):
    """Edit distance in words, and the number of words meant.

    A compound is no error, however it is written.

    Arguments
    ---------
    reference, heard : str
        What was meant and what was heard.

    Returns
    -------
    errors, n_words : int

    Example
    -------
    >>> count_errors("Hold the rope.", "hold a rope")
    (1, 3)
    """
    meant, got = words(reference), words(heard)
    meant, got = join_like(meant, got), join_like(got, meant)
    return edit_distance(meant, got), len(meant)


def word_error_rate(reference, heard):
    """Word errors over the number of words meant.

    Arguments
    ---------
    reference, heard : str
        What was meant and what was heard.

    Returns
    -------
    float

    Example
    -------
    >>> word_error_rate("Hold the rope.", "hold a rope")
    0.3333333333333333
    """
    return total_word_error_rate([reference], [heard])


def total_word_error_rate(references, heard):
    """Word errors of many texts over all their words.

    Arguments
    ---------
    references, heard : list of str
        What was meant and what was heard.

    Returns
    -------
    float

    Example
    -------
    >>> total_word_error_rate(["Hold it higher.", "Go."], ["hold higher", "go"])
    0.25
    """
    pairs = zip(references, heard, strict=True)
    errors, n_words = zip(*(count_errors(*pair) for pair in pairs), strict=True)
    return sum(errors) / max(sum(n_words), 1)
