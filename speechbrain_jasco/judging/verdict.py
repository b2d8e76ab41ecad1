"""Read a judge's reply: the robust parser.

The rule is inspect_ai's: a reply without a listed verdict is a failure of the
judge, not a wrong answer of the system. So the parser returns a listed value
or nothing; it never guesses and never carries a value over.

Authors
 * The speechbrain_jasco developers, 2026
"""

import re
import unicodedata

from speechbrain_jasco.judging.item import Verdict

# "Rating: 2", "score = 1", '"rating": 0'; the value is the rest of the line.
_RATING = re.compile(r"\b(?:rating|score)\b['\"\s]*[:=]['\"\s]*([^\n]*)")
_ORIENTATION = re.compile(r"\borientation\b['\"\s]*[:=]['\"\s]*([^\n]*)")

# A number, "2/2" or "2 out of 2", and what follows it on the line.
_NUMBER = re.compile(
    r"(-?\d+(?:[.,]\d+)?)\s*(?:(?:/|out of)\s*(\d+))?(.*)", re.DOTALL
)
# Where a rating ends: a remark in brackets, or the next field.
_END = re.compile(r"[(;\"'}]|\borientation\b")

# The authors' script calls "both" Good.
_WORDS = {
    "audio": re.compile(r"\baudio\b"),
    "speech": re.compile(r"\bspeech\b"),
    "both": re.compile(r"\b(?:both|good)\b"),
    "neither": re.compile(r"\bneither\b"),
}
_INVISIBLE = {"Cf", "Cc"}  # zero-width and control characters


def parse_verdict(reply):
    """Find the final verdict of a reply.

    Arguments
    ---------
    reply : str
        Whatever the judge wrote: free text, Markdown or JSON.

    Returns
    -------
    Verdict
        ``ok`` with both values, or ``unparsed`` with the reason as
        explanation.

    Example
    -------
    >>> parse_verdict("They match.\\n**Rating:** 2/2\\nOrientation: Both")[:3]
    ('ok', 2, 'both')
    >>> parse_verdict("Rating: 0/1/2\\nOrientation: audio")[:3]
    ('unparsed', None, None)
    """
    text = _plain(reply)
    rating = _last(_RATING, text, _rating)
    orientation = _last(_ORIENTATION, text, _orientation)
    if rating is None or orientation is None:
        missing = [
            name
            for name, value in [
                ("rating", rating),
                ("orientation", orientation),
            ]
            if value is None
        ]
        reason = f"no single listed {' and '.join(missing)} in the reply"
        return Verdict("unparsed", reply=reply, explanation=reason)
    return Verdict("ok", rating, orientation, reply, _explanation(reply))


def _plain(reply):
    """Fold case, digits of other scripts, Markdown and invisible characters."""
    text = unicodedata.normalize("NFKC", reply)
    characters = []
    for char in text:
        if char.isdigit():
            char = str(unicodedata.digit(char))
        elif char not in "\n\t" and unicodedata.category(char) in _INVISIBLE:
            continue
        characters.append(char)
    return re.sub(r"[*_`#>\[\]]", "", "".join(characters)).casefold()


def _last(label, text, read):
    """Read the value of the last label: the final verdict wins."""
    values = label.findall(text)
    return read(values[-1]) if values else None


def _rating(value):
    """Read one rating; None unless it is a single listed one."""
    match = _NUMBER.match(value)
    if match is None:
        return None
    number, out_of, rest = match.groups()
    # A second number makes it a menu ("0, 1 or 2") or a range.
    another = re.search(r"\d", _END.split(rest, maxsplit=1)[0])
    if out_of not in (None, "2") or another:
        return None
    return int(number) if number in ("0", "1", "2") else None


def _orientation(value):
    """Read one orientation; None unless exactly one is named."""
    # JSON on one line: what follows the value is another field.
    value = re.split(r"[\"'}]", value, maxsplit=1)[0]
    named = [name for name, word in _WORDS.items() if word.search(value)]
    return named[0] if len(named) == 1 else None


def _explanation(reply):
    """The judge's own words before its verdict (str)."""
    head = re.split(r"(?i)\b(?:rating|score)\b", reply, maxsplit=1)[0]
    return re.sub(r"(?i)^\W*(reason|explanation)\W*", "", head.strip()).strip()
