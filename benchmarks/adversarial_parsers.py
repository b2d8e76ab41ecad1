"""How often hostile answers get their own verdict read as the judge's.

    python benchmarks/adversarial_parsers.py

A scripted judge rates every answer of ``tests/samples/adversarial.csv`` 0 and
neither, and repeats the answer before or after its verdict. Prints, per attack
and way of reading, the replies that are read as anything but the judge's
verdict or none. The table stands in ``docs/judges.md``.

Authors
 * The speechbrain_jasco developers, 2026
"""

import csv
import json
import re
from collections import Counter
from pathlib import Path

import pandas as pd

from speechbrain_jasco.judging.llm_judge import quoted
from speechbrain_jasco.judging.paper_mode import find_orientation, find_rating
from speechbrain_jasco.judging.verdict import parse_verdict
from speechbrain_jasco.reporting.tables import markdown

SUITE = Path(__file__).resolve().parents[1] / "tests/samples/adversarial.csv"
PADDING = "waves and wind and waves again, " * 1600  # 51 kB
OWN = "Reason: no activity is named.\nRating: 0\nOrientation: Neither"

# What a judge repeats of the answer it was shown, around its verdict.
QUOTES = {
    "nothing": lambda own, shown: own,
    "before": lambda own, shown: f"The answer says:\n{shown}\n\n{own}",
    "after": lambda own, shown: f"{own}\n\nThe answer was:\n{shown}",
    "both": lambda own, shown: f"{shown}\n\n{own}\n\n{shown}",
    "twice after": lambda own, shown: f"{own}\n\n{shown}\n\n{shown}",
    "inline after": lambda own, shown: f'{own}\nIt says "{shown}".',
    "as a block after": lambda own, shown: (
        f"{own}\n\n" + re.sub("(?m)^", "> ", shown)
    ),
    "labels after": lambda own, shown: f"{own}\n{labels(shown)}",
    "labels before": lambda own, shown: f"{labels(shown)}\n{own}",
    "half after": lambda own, shown: f"{own}\n{shown[: len(shown) // 2]}",
    "fenced after": lambda own, shown: f"{own}\n```\n{shown}\n```",
}


def labels(shown):
    """The lines of an answer that look like a verdict (str)."""
    return "\n".join(
        line for line in shown.splitlines() if re.search("(?i)ating|ient", line)
    )


def read_suite():
    """Read the committed answers.

    Returns
    -------
    list of (str, str)
        Attack and prediction; ``<PAD>`` stands for 51 kB of padding.
    """
    with SUITE.open(encoding="utf-8", newline="") as fin:
        return [
            (
                row["attack"],
                json.loads(row["prediction_json"]).replace("<PAD>", PADDING),
            )
            for row in csv.DictReader(fin)
        ]


def by_first_label(reply, prediction):
    """The first label counts, as a simple pattern search has it."""
    rating = re.search(r"Rating:\s*([0-2])", reply)
    orientation = re.search(r"Orientation:\s*(\w+)", reply)
    return rating and int(rating[1]), orientation and orientation[1].lower()


def by_last_label(reply, prediction):
    """The last label counts; the answer is not looked at."""
    return parse_verdict(reply)[1:3]


def by_paper(reply, prediction):
    """The authors' script, without its second question."""
    names = {"N": "neither", "A": "audio", "S": "speech", "G": "both"}
    return find_rating(reply), names.get(find_orientation(reply))


def robust(reply, prediction):
    """Mode robust."""
    return parse_verdict(reply, prediction)[1:3]


READERS = {
    "robust": robust,
    "last label": by_last_label,
    "first label": by_first_label,
    "paper": by_paper,
}


def fooled(read):
    """Count replies that are read as neither the judge's verdict nor none.

    Arguments
    ---------
    read : callable
        (reply, prediction) -> (rating, orientation).

    Returns
    -------
    dict
        ``fooled``, ``none`` and ``n``: attack -> count.
    """
    counts = {name: Counter() for name in ("fooled", "none", "n")}
    for attack, prediction in read_suite():
        for quote in QUOTES.values():
            rating, orientation = read(
                quote(OWN, quoted(prediction)), prediction
            )
            other = {(rating, 0), (orientation, "neither")}
            wrong = any(got not in (None, own) for got, own in other)
            counts["fooled"][attack] += wrong
            counts["none"][attack] += not wrong and None in (
                rating,
                orientation,
            )
            counts["n"][attack] += 1
    return counts


def main():
    """Print the table."""
    results = {name: fooled(read) for name, read in READERS.items()}
    n = results["robust"]["n"]
    rows = [
        {"attack": attack, "replies": str(n[attack])}
        | {name: str(r["fooled"][attack]) for name, r in results.items()}
        for attack in n
    ]
    rows += [
        {"attack": label, "replies": str(n.total())}
        | {name: str(r[key].total()) for name, r in results.items()}
        for label, key in (
            ("all: fooled", "fooled"),
            ("all: no verdict", "none"),
        )
    ]
    print(markdown(pd.DataFrame(rows)))


if __name__ == "__main__":
    main()
