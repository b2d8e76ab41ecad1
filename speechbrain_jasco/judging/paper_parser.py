"""What the authors' script reads in one reply: substrings, first match wins.

BenoitWang/What_Are_They_Doing evaluation/eval.py@e728f83. What it makes of
many replies is in ``paper_mode``.

Authors
 * The speechbrain_jasco developers, 2026
"""

# In the order in which they are looked for: the first that is found wins,
# wherever in the reply it stands.
_PATTERNS = {
    "N": ("Orientation: Neither", "Orientation: \nNeither"),
    "A": ("Orientation: Audio-Oriented", "Orientation: \nAudio-Oriented"),
    "S": ("Orientation: Speech-Oriented", "Orientation: \nSpeech-Oriented"),
    "G": ("Orientation: Good", "Orientation: \nGood", "Orientation: Both"),
}
_WORDS = {
    "N": "Neither",
    "A": "Audio-Oriented",
    "S": "Speech-Oriented",
    "G": "Good",
}
UNKNOWN = "?"
_RATING = "Rating: "


def find_orientation(reply):
    """Look for an orientation.

    Arguments
    ---------
    reply : str
        The judge's reply.

    Returns
    -------
    str or None
        N, A, S or G; None where the script asks the judge again.

    Example
    -------
    >>> find_orientation("Orientation: Audio-Oriented/Good. Orientation: Good")
    'A'
    >>> find_orientation("**Orientation:** Good") is None
    True
    """
    for letter, patterns in _PATTERNS.items():
        if any(pattern in reply for pattern in patterns):
            return letter
    return None


def find_reformatted(reply):
    """Read the answer to the second question.

    Arguments
    ---------
    reply : str, optional
        The judge's second reply; None where there is none.

    Returns
    -------
    str
        N, A, S, G or ?.

    Example
    -------
    >>> find_reformatted("Audio-Oriented/Speech-Oriented/Good/Neither.")
    'N'
    >>> find_reformatted("Both"), find_reformatted(None)
    ('?', '?')
    """
    for letter, word in _WORDS.items():
        if reply is not None and word in reply:
            return letter
    return UNKNOWN


def find_rating(reply):
    """Read the last line that holds "Rating: ".

    Arguments
    ---------
    reply : str
        The judge's reply.

    Returns
    -------
    int or None
        The first of 0, 1, 2 that stands anywhere in the line, 0 if none does;
        None without such a line.

    Example
    -------
    >>> [find_rating(f"Rating: {x}") for x in ["2", "12", "2 of 10", "two"]]
    [2, 1, 0, 0]
    >>> find_rating("**Rating:** 2") is None
    True
    """
    lines = [line for line in reply.split("\n") if _RATING in line]
    if not lines:
        return None
    return next((digit for digit in (0, 1, 2) if str(digit) in lines[-1]), 0)


def explanation_of(reply):
    """What of a reply the second question shows.

    Arguments
    ---------
    reply : str
        The judge's reply.

    Returns
    -------
    str

    Example
    -------
    >>> explanation_of("Rating: 1\\nExplanation2: Both fit.")
    'Both fit.'
    """
    return reply.split("Explanation2: ")[-1]
