"""Run the three checks over a set of triples and report which pass.

    triples --> replies.jsonl --> checks.csv, failed.csv, pass_table.csv, .md

Every reply is written down at once and what it means is read from there, so
that a killed run goes on where it stopped and nothing is asked twice.

Authors
 * The speechbrain_jasco developers, 2026
"""

from pathlib import Path
from typing import NamedTuple

import pandas as pd
from speechbrain.utils.logger import get_logger

from speechbrain_jasco.building.asking import Asker
from speechbrain_jasco.building.proposal import proposal_cases
from speechbrain_jasco.building.reasoning_checks import CHECKS, Case, Checker
from speechbrain_jasco.building.triples import read_triples
from speechbrain_jasco.dataio import write_table
from speechbrain_jasco.journal import Journal
from speechbrain_jasco.reporting.tables import half_up, markdown

logger = get_logger(__name__)

STATUSES = ("pass", "fail", "unparsed")


class Options(NamedTuple):
    """What is checked, and how.

    Arguments
    ---------
    only : list of str, optional
        triple_ids; all, if None.
    limit : int, optional
        How many of them at most, spread evenly.
    form : bool
        Whether verdicts are picked from label probabilities instead of
        written, for a model too small to write JSON.
    proposals : str, optional
        A ``proposals.csv``, to be checked instead of the triples.
    """

    only: list | None = None
    limit: int | None = None
    form: bool = False
    proposals: str | None = None


def check_triples(
    output_folder, generator, prompts, thresholds, triples_folder, options=None
):
    """Check triples and report which pass.

    Arguments
    ---------
    output_folder : str or Path
        Gets ``replies.jsonl``, ``checks.csv``, ``failed.csv``,
        ``pass_table.csv`` and ``pass_table.md``.
    generator : object
        Any language model.
    prompts : dict
        ``hparams/prompts/check_triples.yaml``.
    thresholds : dict
        ``likeliest_share``: (b) passes if at least so many of the
        instructions lead to the behaviour.
    triples_folder : str or Path
        For ``read_triples``.
    options : dict, optional
        The fields of ``Options``.

    Returns
    -------
    str
        The pass table, as Markdown.

    Raises
    ------
    ValueError
        If there are no such triples, or a threshold is out of range.
    """
    options = Options(**(options or {}))
    share = thresholds["likeliest_share"]
    if not 0 < share <= 1:
        raise ValueError(
            f"thresholds: got likeliest_share {share}; expected a share of "
            "the instructions, above 0 and at most 1."
        )
    triples = read_triples(triples_folder)
    cases = (
        proposal_cases(options.proposals, triples)
        if options.proposals
        else cases_of(triples)
    )
    cases = select(cases, options)
    generator.check()
    folder = Path(output_folder)
    with Journal(folder / "replies.jsonl") as journal:
        checker = Checker(Asker(generator, journal), prompts, options.form)
        results = checker.check(cases, share)
    return write_report(folder, results)


def cases_of(triples):
    """Turn triples into cases, each with its first wordings.

    Arguments
    ---------
    triples : TripleSet
        From ``read_triples``.

    Returns
    -------
    list of Case
    """
    return [
        Case(
            triple.triple_id,
            triples.sounds[triple.sound_id].names[0],
            triples.lines[triple.line_id].text,
            triple.answers[0],
        )
        for triple in triples.triples
    ]


def select(cases, options):
    """Choose some cases.

    Arguments
    ---------
    cases : list of Case
        All.
    options : Options
        ``only`` and ``limit``.

    Returns
    -------
    list of Case
    """
    if options.only is not None:
        unknown = set(options.only) - {case.name for case in cases}
        if unknown:
            raise ValueError(
                f"only: there are no triples {sorted(unknown)}; expected ids "
                "of triples.csv. Correct them."
            )
        cases = [case for case in cases if case.name in options.only]
    if not cases:
        raise ValueError("there are no triples to check. Leave out only.")
    limit = options.limit or len(cases)
    return cases[:: max(1, len(cases) // limit)][:limit]


def write_report(folder, results):
    """Write what the checks said.

    Arguments
    ---------
    folder : Path
        The output folder.
    results : list of Result
        Of all cases.

    Returns
    -------
    str
        The pass table, as Markdown.
    """
    checks = pd.DataFrame(results)
    write_table(folder / "checks.csv", checks)
    # What to adjust first: what fails most.
    failed = checks[checks["status"] == "fail"]
    order = failed["name"].map(failed["name"].value_counts())
    failed = failed.iloc[(-order).argsort(kind="stable")]
    write_table(folder / "failed.csv", failed.drop(columns="status"))
    table = pass_table(checks)
    write_table(folder / "pass_table.csv", table)
    text = markdown(table)
    (folder / "pass_table.md").write_text(text + "\n", encoding="utf-8")
    logger.info("Wrote %s", folder / "checks.csv")
    return text


def pass_table(checks):
    """Count statuses per check; a case passes if all its checks do.

    Arguments
    ---------
    checks : pandas.DataFrame
        With ``name``, ``check`` and ``status``.

    Returns
    -------
    pandas.DataFrame
        Cells of text.

    Example
    -------
    >>> rows = [("a", "follows", "pass"), ("a", "likeliest", "fail"),
    ...     ("a", "both_needed", "pass"), ("b", "follows", "pass"),
    ...     ("b", "likeliest", "unparsed"), ("b", "both_needed", "pass")]
    >>> table = pass_table(pd.DataFrame(rows, columns=["name", "check", "status"]))
    >>> table[["check", "pass", "fail", "unparsed"]].values.tolist()
    [['follows', '2', '0', '0'], ['likeliest', '0', '1', '1'], ['both_needed', '2', '0', '0'], ['all three', '0', '1', '1']]
    """
    # The worst of a case's three: a fail is a fail whatever else is unsaid.
    worst = checks.groupby("name", sort=False)["status"].agg(
        lambda s: max(s, key=("pass", "unparsed", "fail").index)
    )
    groups = {
        check: checks["status"][checks["check"] == check] for check in CHECKS
    }
    rows = []
    for check, statuses in {**groups, "all three": worst}.items():
        counts = {name: int((statuses == name).sum()) for name in STATUSES}
        share = half_up(100 * counts["pass"] / len(statuses), 0)
        cells = {name: str(count) for name, count in counts.items()}
        rows.append({"check": check, **cells, "pass %": share})
    return pd.DataFrame(rows)
