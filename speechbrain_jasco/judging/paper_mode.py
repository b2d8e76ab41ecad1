"""How the authors' script reads and scores replies, odd behaviour included.

BenoitWang/What_Are_They_Doing evaluation/eval.py@e728f83. Rows go clip by
clip, sorted by id, in file order within a clip:

    reply --> orientation N, A, S, G  (none found: the judge is asked again)
          --> score 0, 1, 2           (none found: that of the row before)
          --> counted = score if G else 0

Best-Mean is the mean of the clips' maxima; shares are over A + S + G. Where
the script would end with an exception, so does this, and says which.

Authors
 * The speechbrain_jasco developers, 2026
"""

import csv
import io
from typing import NamedTuple

import pandas as pd

from speechbrain_jasco.judging.paper_parser import (
    find_orientation,
    find_rating,
    find_reformatted,
)


class PaperCrash(RuntimeError):
    """The authors' script ends here with an exception; subclasses say why."""


class ReplyIsNotText(PaperCrash):
    """TypeError: what pandas reads back from the CSV file is not a string."""


class NoScoreYet(PaperCrash):
    """UnboundLocalError: a score counts, and no row so far has had one."""


class NoShares(PaperCrash):
    """ZeroDivisionError: no reply leans on audio, speech or both."""


class PaperRow(NamedTuple):
    """What the script makes of one reply.

    Arguments
    ---------
    position : int
        Row of the table, from 0.
    clip : object
        The clip's id as pandas reads it: 1 and "01" are the same clip.
    orientation : str
        N(either), A(udio), S(peech), G(ood) or ?.
    rating : int, optional
        What the reply itself says; None without a line "Rating: ".
    score : int, optional
        The script's variable: ``rating``, or what an earlier row has left in
        it; None before it is set.
    counted : int
        ``score`` where the orientation is G, else 0.
    """

    position: int
    clip: object
    orientation: str
    rating: int | None
    score: int | None
    counted: int


class Trace(NamedTuple):
    """The script's way through a table.

    Arguments
    ---------
    rows : list of PaperRow
        In its order; up to the crash if there is one.
    crash : PaperCrash, optional
        Where and why it ends early.
    stopped_at : int, optional
        The row it ends at.
    """

    rows: list
    crash: PaperCrash | None = None
    stopped_at: int | None = None


def as_read_back(ids, replies):
    """Write and read the table as the script does, types guessed by pandas.

    A reply such as "None" comes back as NaN, and ids as numbers.

    Arguments
    ---------
    ids, replies : list of str
        The two columns that the script uses.

    Returns
    -------
    pandas.DataFrame
        ``id`` and ``reply``.

    Example
    -------
    >>> as_read_back(["01", "1"], ["None", "Rating: 1"]).to_numpy().tolist()
    [[1, nan], [1, 'Rating: 1']]
    """
    # Halves of surrogate pairs and NUL have no place in a CSV file.
    cells = [
        reply.encode("utf-8", "replace").decode().replace("\0", "")
        for reply in replies
    ]
    text = pd.DataFrame({"id": ids, "reply": cells}).to_csv(
        index=False, quoting=csv.QUOTE_ALL, lineterminator="\n"
    )
    return pd.read_csv(io.StringIO(text))


def follow(ids, replies, reformats):
    """Go through a table of replies as the script does.

    Arguments
    ---------
    ids : list of str
        Clip of each row.
    replies : list of str
        The judge's replies.
    reformats : list of str or None
        Its replies to the second question, used where the first has no
        orientation.

    Returns
    -------
    Trace

    Example
    -------
    >>> trace = follow(["2", "1"], ["**Rating:** 0\\nOrientation: Good",
    ...     "Rating: 2\\nOrientation: Good"], [None, None])
    >>> [(row.clip, row.rating, row.counted) for row in trace.rows]
    [(1, 2, 2), (2, None, 2)]
    """
    rows = []
    score = None
    for clip, group in as_read_back(ids, replies).groupby("id"):
        for position, reply in group["reply"].items():
            if not isinstance(reply, str):
                crash = _not_text(position, clip, replies[position])
                return Trace(rows, crash, position)
            letter = find_orientation(reply)
            if letter is None:
                letter = find_reformatted(reformats[position])
            rating = find_rating(reply)
            score = score if rating is None else rating
            if letter == "G" and score is None:
                return Trace(rows, _no_score_yet(position, clip), position)
            counted = score if letter == "G" else 0
            rows.append(
                PaperRow(position, clip, letter, rating, score, counted)
            )
    if not any(row.orientation in ("A", "S", "G") for row in rows):
        return Trace(rows, _no_shares(len(rows)))
    return Trace(rows)


def follow_table(verdicts):
    """Go through a table of verdicts as the script goes through its file.

    Arguments
    ---------
    verdicts : pandas.DataFrame
        With ``id``, ``reply`` and ``reformat``.

    Returns
    -------
    Trace
    """
    # pandas turns None into NaN in a column of text.
    second = verdicts["reformat"].astype(object)
    return follow(
        verdicts["id"].tolist(),
        verdicts["reply"].tolist(),
        second.where(second.notna(), None).tolist(),
    )


def best_mean(rows):
    """Mean over clips of the best counted score.

    Arguments
    ---------
    rows : list of PaperRow
        A whole trace.

    Returns
    -------
    float
    """
    best = {}
    for row in rows:
        best[row.clip] = max(best.get(row.clip, 0), row.counted)
    return sum(best.values()) / len(best)


def shares(rows):
    """Modality dependence, in the script's own arithmetic.

    Arguments
    ---------
    rows : list of PaperRow
        A whole trace.

    Returns
    -------
    dict
        ``audio``, ``both``, ``speech`` -> fraction.
    """
    letters = [row.orientation for row in rows]
    # Dividing by the number of rows first changes the last binary digit.
    audio, speech, both = (
        letters.count(letter) / len(letters) for letter in "ASG"
    )
    total = audio + speech + both
    return {
        "audio": audio / total,
        "both": both / total,
        "speech": speech / total,
    }


def _not_text(position, clip, reply):
    """The crash on a reply that pandas does not read as text."""
    return ReplyIsNotText(
        "The authors' script crashes here with a TypeError: the reply in row "
        f"{position + 1} (id {clip}) is {reply!r}, which pandas reads back "
        "from a CSV file as a number or a missing value. Judge that row "
        "again, or use mode: robust."
    )


def _no_score_yet(position, clip):
    """The crash on a score that counts before any is known."""
    return NoScoreYet(
        "The authors' script crashes here with an UnboundLocalError: row "
        f"{position + 1} (id {clip}) is judged Good, but neither it nor a row "
        "before it has a line with 'Rating: ', so there is no score. Judge "
        "that row again, or use mode: robust."
    )


def _no_shares(n_rows):
    """The crash on shares of nothing."""
    return NoShares(
        "The authors' script crashes here with a ZeroDivisionError: all "
        f"{n_rows} orientations are Neither or unreadable, so there are no "
        "shares of audio, both and speech. Check the judge, or use mode: "
        "robust."
    )
