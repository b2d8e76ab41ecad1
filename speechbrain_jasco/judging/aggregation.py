"""One verdict out of several: over repeats of a judge, then over judges.

Authors
 * The speechbrain_jasco developers, 2026
"""

from collections import Counter
from statistics import mean, median_low

import pandas as pd

RULES = ("mean", "median", "majority")
# Which of two orientations with as many votes wins: what claims less.
TIE_ORDER = ("neither", "audio", "speech", "both")
# What an answer without enough verdicts is called: the first that occurred.
FAILURES = ("transport_error", "unparsed", "no_prediction")


class Aggregation:
    """How votes become a verdict.

    Arguments
    ---------
    rule : str
        For ratings: ``mean``, ``median`` (of an even number of votes the
        lower of the middle two) or ``majority`` (of several most frequent
        ratings the lowest). Orientations are always by majority, ties in
        the order of ``TIE_ORDER``. So no rule depends on the judges' order.
    min_valid_judges : int
        An answer with verdicts of fewer judges has none from the panel.

    Raises
    ------
    ValueError
        If the rule is unknown or the number below 1.

    Example
    -------
    >>> Aggregation("median").vote([(2, "both"), (1, "both"), (0, "audio")])
    (1, 'both')
    >>> Aggregation("majority").vote([(2, "both"), (0, "audio")])
    (0, 'audio')
    """

    def __init__(self, rule="majority", min_valid_judges=1):
        if rule not in RULES:
            raise ValueError(
                f"aggregation rule {rule!r}; expected one of {', '.join(RULES)}."
            )
        if min_valid_judges < 1:
            raise ValueError(
                f"min_valid_judges is {min_valid_judges}; give 1 or more."
            )
        self.rule = rule
        self.min_valid_judges = min_valid_judges

    def config(self):
        """For the record in ``scores.json`` (dict)."""
        return {"rule": self.rule, "min_valid_judges": self.min_valid_judges}

    def vote(self, votes):
        """Count votes.

        Arguments
        ---------
        votes : list of (int, str)
            Ratings and orientations, at least one.

        Returns
        -------
        (int or float, str)
        """
        ratings, orientations = zip(*votes, strict=True)
        rating = {
            "mean": mean,
            "median": median_low,
            "majority": _most_frequent,
        }[self.rule](sorted(ratings))
        return rating, _most_frequent(sorted(orientations, key=TIE_ORDER.index))

    def over_repeats(self, frames):
        """Aggregate the verdicts of one judge's repeats.

        Arguments
        ---------
        frames : list of pandas.DataFrame
            Aligned verdict tables, one per repeat.

        Returns
        -------
        pandas.DataFrame
            The first table with the aggregated verdicts; those repeats that
            failed have no vote.
        """
        return self._combine(frames, 1)

    def over_judges(self, frames):
        """Aggregate the verdicts of several judges.

        Arguments
        ---------
        frames : list of pandas.DataFrame
            Aligned verdict tables, one per judge.

        Returns
        -------
        pandas.DataFrame
        """
        votes = self._combine(frames, self.min_valid_judges)
        # Votes have no expected rating, and the first judge's is its own.
        return votes.drop(columns="expected_rating", errors="ignore")

    def _combine(self, frames, min_valid):
        """Aggregate row by row."""
        if len(frames) == 1 and min_valid == 1:
            return frames[0]
        columns = ["status", "rating", "orientation"]
        tables = [frame[columns].to_numpy().tolist() for frame in frames]
        rows = [
            self._verdict(row, min_valid) for row in zip(*tables, strict=True)
        ]
        combined = pd.DataFrame(rows, columns=columns, index=frames[0].index)
        return frames[0].assign(**{name: combined[name] for name in columns})

    def _verdict(self, verdicts, min_valid):
        """Aggregate the verdicts on one answer (tuple)."""
        votes = [(r, o) for status, r, o in verdicts if status == "ok"]
        if len(votes) >= min_valid:
            return ("ok", *self.vote(votes))
        statuses = {status for status, _, _ in verdicts}
        failed = [name for name in FAILURES if name in statuses]
        # Enough judges are not to be had, though none of these failed.
        return (failed[0] if failed else "unparsed", None, None)


def _most_frequent(values):
    """The most frequent value; of several the first."""
    return Counter(values).most_common(1)[0][0]
