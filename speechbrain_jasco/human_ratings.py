"""Read what people said of answers, and refuse what is not a rating.

Authors
 * The speechbrain_jasco developers, 2026
"""

from pathlib import Path

import pandas as pd
from speechbrain.utils.logger import get_logger

from speechbrain_jasco.dataio import is_missing, read_table, row_name
from speechbrain_jasco.journal import content_key
from speechbrain_jasco.judging.item import ORIENTATIONS, RATINGS

logger = get_logger(__name__)

RATINGS_FILE = "human_ratings.csv"
PLACE = ["system", "id", "prompt_index"]
FIELDS = ["item", "rating", "orientation"]


def answer_table(systems):
    """All answers of all systems, each with a code that hides whose it is.

    Arguments
    ---------
    systems : dict
        From ``read_systems``.

    Returns
    -------
    pandas.DataFrame
        The predictions' columns, ``system`` and ``item``.
    """
    table = pd.concat(
        [frame.assign(system=name) for name, frame in systems.items()],
        ignore_index=True,
    )
    table = table[~table["allm_output"].map(is_missing)]
    places = table[[*PLACE, "allm_output"]].to_numpy().tolist()
    return table.assign(item=[_item(*place) for place in places])


def _item(*place):
    """Ten letters: digits a spreadsheet might take for a number (str)."""
    digits = content_key("human", *place)[:10]
    return "".join(chr(ord("a") + int(digit, 16)) for digit in digits)


def read_sheets(paths, sheet, answers):
    """Read filled sheets, all or none.

    Arguments
    ---------
    paths : list of str or Path
        Filled sheets, one per rater: ``item``, ``rating``, ``orientation``.
    sheet : Path
        The sheet as it was written.
    answers : pandas.DataFrame
        From ``answer_table``.

    Returns
    -------
    pandas.DataFrame
        ``item``, ``system``, ``id``, ``prompt_index``, ``rater``, ``rating``
        and ``orientation``.

    Raises
    ------
    ValueError
        If anything is wrong with any line, or a line is missing; all errors
        are named.
    """
    asked = read_table(sheet, ["item"])["item"].tolist()
    gone = set(asked) - set(answers["item"])
    if gone:
        raise ValueError(
            f"{sheet}: {len(gone)} of {len(asked)} answers are not in the "
            "predictions (any more). Give the predictions that it was made "
            "of, or remove it and have a new one filled in."
        )
    errors, tables = [], []
    names = [Path(path).stem for path in paths]
    if len(set(names)) != len(names):
        errors.append(f"filled sheets need distinct names, got {names}")
    for name, path in zip(names, paths, strict=True):
        table = read_table(path, FIELDS)[FIELDS].map(str.strip)
        table["orientation"] = table["orientation"].str.lower()
        errors += check_sheet(path, table, asked)
        tables.append(table.assign(rater=name))
    if errors:
        raise ValueError(
            f"{len(errors)} errors, nothing was read:\n" + "\n".join(errors)
        )
    merged = pd.concat(tables).merge(answers[["item", *PLACE]], on="item")
    columns = ["item", *PLACE, "rater", "rating", "orientation"]
    return merged[columns].astype({"rating": int})


def check_sheet(path, table, asked):
    """Find everything that is wrong with a filled sheet.

    Arguments
    ---------
    path : str or Path
        The file.
    table : pandas.DataFrame
        ``item``, ``rating`` and ``orientation`` as text.
    asked : list of str
        Items of the sheet.

    Returns
    -------
    list of str
        One error each, with its line.

    Example
    -------
    >>> table = pd.DataFrame({"item": ["ab", "ab"], "rating": ["3", "2"],
    ...     "orientation": ["both", "both"]})
    >>> print("\\n".join(check_sheet("anna.csv", table, ["ab", "cd"])))
    anna.csv, row 1: rating '3'; expected 0, 1 or 2
    anna.csv, row 2: item 'ab' stands in row 1 already
    anna.csv: item 'cd' has no row
    """
    errors = []
    seen = {}
    for i, (item, rating, orientation) in enumerate(table.to_numpy().tolist()):
        where = row_name(path, i)
        if item not in asked:
            errors.append(f"{where}: item {item!r} is not on the sheet")
        elif item in seen:
            before = f"stands in row {seen[item] + 1} already"
            errors.append(f"{where}: item {item!r} {before}")
        seen.setdefault(item, i)
        if rating not in map(str, RATINGS):
            errors.append(f"{where}: rating {rating!r}; expected 0, 1 or 2")
        if orientation not in ORIENTATIONS:
            errors.append(
                f"{where}: orientation {orientation!r}; expected one of "
                f"{', '.join(ORIENTATIONS)}"
            )
    errors += [
        f"{path}: item {item!r} has no row"
        for item in asked
        if item not in seen
    ]
    return errors


def find_ratings(folder, systems):
    """Read what people said, if they were asked.

    Arguments
    ---------
    folder : str or Path
        Of the evaluation.
    systems : dict
        From ``read_systems``.

    Returns
    -------
    pandas.DataFrame or None
        Of ``read_sheets``; ratings of answers that have changed since are
        left out with a warning.
    """
    path = Path(folder) / RATINGS_FILE
    if not path.is_file():
        return None
    columns = [*FIELDS, "rater"]
    ratings = read_table(path, columns)[columns].astype({"rating": int})
    answers = answer_table(systems)[["item", *PLACE]]
    current = ratings.merge(answers, on="item")
    if len(current) < len(ratings):
        logger.warning(
            "%s: %d of %d ratings are of other answers than these; left out.",
            path,
            len(ratings) - len(current),
            len(ratings),
        )
    return current if len(current) else None
