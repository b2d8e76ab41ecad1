"""All verdicts of an evaluation as arrays [systems, judges, clips, prompts].

Authors
 * The speechbrain_jasco developers, 2026
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from speechbrain_jasco.judging.item import ORIENTATIONS

MISSING = -1  # no verdict
UNKNOWN = len(ORIENTATIONS)  # mode paper's "?": a verdict without orientation


@dataclass(frozen=True)
class Cube:
    """Verdicts as arrays; an answer without a verdict is NaN and ``MISSING``.

    Arguments
    ---------
    systems, judges, ids : list of str
        Names along the first three axes; the fourth is ``prompt_index``.
    ratings : array [systems, judges, clips, prompts]
        Ratings as given.
    orientations : array of int, the same shape
        Positions in ``ORIENTATIONS``, ``UNKNOWN`` or ``MISSING``.
    """

    systems: list
    judges: list
    ids: list
    ratings: np.ndarray
    orientations: np.ndarray

    @property
    def scores(self):
        """Ratings that count: 0 unless the orientation is both (array)."""
        counts = self.orientations == ORIENTATIONS.index("both")
        ratings = np.where(counts, self.ratings, 0.0)
        return np.where(np.isnan(self.ratings), np.nan, ratings)

    def says(self, orientation):
        """Whether each answer has an orientation.

        Arguments
        ---------
        orientation : str
            One of ``ORIENTATIONS``.

        Returns
        -------
        array [systems, judges, clips, prompts]
            0 or 1; NaN without a verdict.
        """
        named = self.orientations == ORIENTATIONS.index(orientation)
        return np.where(self.orientations == MISSING, np.nan, named)

    def of(self, judges):
        """Keep some judges.

        Arguments
        ---------
        judges : list of str
            Their names, in the order wanted.

        Returns
        -------
        Cube
        """
        places = [self.judges.index(judge) for judge in judges]
        return Cube(
            self.systems,
            list(judges),
            self.ids,
            self.ratings[:, places],
            self.orientations[:, places],
        )


def make_cube(tables, ids, n_prompts=None):
    """Arrange verdict tables.

    Arguments
    ---------
    tables : dict
        (system, judge) -> pandas.DataFrame with ``id``, ``prompt_index``,
        ``status``, ``rating`` and ``orientation``; all pairs are there.
    ids : list of str
        Clips that count, in order.
    n_prompts : int, optional
        Number of prompts; by default as many as the tables have.

    Returns
    -------
    Cube

    Example
    -------
    >>> table = pd.DataFrame({"id": ["a", "b"], "prompt_index": [0, 0],
    ...     "status": ["ok", "unparsed"], "rating": [2, None],
    ...     "orientation": ["audio", None]})
    >>> cube = make_cube({("S", "J"): table}, ["a", "b"])
    >>> cube.ratings[0, 0, :, 0].tolist(), cube.scores[0, 0, :, 0].tolist()
    ([2.0, nan], [0.0, nan])
    """
    systems = list(dict.fromkeys(system for system, _ in tables))
    judges = list(dict.fromkeys(judge for _, judge in tables))
    if n_prompts is None:
        n_prompts = 1 + max(
            int(t["prompt_index"].max()) for t in tables.values()
        )
    shape = (len(systems), len(judges), len(ids), n_prompts)
    ratings = np.full(shape, np.nan)
    orientations = np.full(shape, MISSING)
    clips = pd.Index(ids)
    codes = {name: code for code, name in enumerate(ORIENTATIONS)}
    for (system, judge), table in tables.items():
        ok = table[table["status"] == "ok"]
        place = (
            systems.index(system),
            judges.index(judge),
            clips.get_indexer(ok["id"]),
            ok["prompt_index"].to_numpy(int),
        )
        ratings[place] = ok["rating"].to_numpy(float)
        orientations[place] = (
            ok["orientation"].map(codes).fillna(UNKNOWN).to_numpy(int)
        )
    return Cube(systems, judges, list(ids), ratings, orientations)


def grid_of(frame, column, ids, n_prompts):
    """Arrange one column of a table by clip and prompt.

    Arguments
    ---------
    frame : pandas.DataFrame
        With ``id``, ``prompt_index`` and the column.
    column : str
        A column of numbers.
    ids : list of str
        Clips, in order.
    n_prompts : int
        Number of prompts.

    Returns
    -------
    array [clips, prompts]
        NaN where the table has no row.

    Example
    -------
    >>> frame = pd.DataFrame({"id": ["b"], "prompt_index": [1], "n": [3]})
    >>> grid_of(frame, "n", ["a", "b"], 2).tolist()
    [[nan, nan], [nan, 3.0]]
    """
    grid = np.full((len(ids), n_prompts), np.nan)
    clips = pd.Index(ids).get_indexer(frame["id"])
    prompts = frame["prompt_index"].to_numpy(int)
    grid[clips, prompts] = frame[column].to_numpy(float)
    return grid
