"""The report as one page: ``report/index.html``.

It opens from disk and asks nobody for anything. What models, judges and data
sets say is text: Jinja escapes what stands in the HTML, the rest is JSON that
the page's own script shows as text, and the page's policy runs no other script.

Authors
 * The speechbrain_jasco developers, 2026
"""

from pathlib import Path

import jinja2
import pandas as pd
import yaml
from markupsafe import Markup

from speechbrain_jasco.journal import strict_json
from speechbrain_jasco.metrics.scores import SHARES
from speechbrain_jasco.reporting.page_data import page_data
from speechbrain_jasco.reporting.policy import policy
from speechbrain_jasco.reporting.statistics import statistics_tables
from speechbrain_jasco.reporting.tables import (
    half_up,
    results_table,
    table_note,
)

PAGE = "index.html"
_WEB = Path(__file__).parent / "web"
# In this order they are one script.
SCRIPTS = (
    "elements.js",
    "theme.js",
    "figures.js",
    "answers.js",
    "heat_map.js",
    "clip.js",
    "page.js",
)


def write_page(scores, evidence, folder):
    """Write the page.

    Arguments
    ---------
    scores : dict
        ``scores.json``.
    evidence : Evidence
        Answers and verdicts.
    folder : str or Path
        Gets ``index.html``; the recordings are found relative to it.

    Returns
    -------
    Path
        The page.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    text = render(scores, page_data(scores, evidence, folder))
    path = folder / PAGE
    partial = path.with_name(PAGE + ".partial")
    # No UTF-8 file can hold half of a surrogate pair.
    partial.write_text(text, encoding="utf-8", errors="xmlcharrefreplace")
    partial.replace(path)
    return path


def render(scores, data):
    """Fill the template.

    Arguments
    ---------
    scores : dict
        ``scores.json``.
    data : dict
        From ``page_data``.

    Returns
    -------
    str
        HTML.
    """
    style = _read("page.css")
    script = "\n".join(map(_read, SCRIPTS))
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_WEB),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    results = results_table(scores)
    return environment.get_template("page.html").render(
        policy=policy(style, script),
        style=Markup(style),
        script=Markup(script),
        data=Markup(script_json(data)),
        scores=scores,
        result_columns=list(results.columns),
        results=_plain(results.to_dict("records")),
        note=table_note(scores),
        published=[_published(row) for row in data["published"]],
        statistics=[
            (title, list(pd.DataFrame(rows).columns), _plain(rows))
            for title, rows in statistics_tables(scores)
        ],
        choices=data["judges"],
        glossary=yaml.safe_load(_read("glossary.yaml")),
    )


def script_json(data):
    r"""Write JSON that cannot end the script element it stands in.

    Arguments
    ---------
    data : object
        Whatever JSON holds; NaN becomes null.

    Returns
    -------
    str
        ASCII: half of a surrogate pair is its escape.

    Example
    -------
    >>> script_json(["</script>", float("nan")])
    '["\\u003c/script>",null]'
    """
    text = strict_json(data, separators=(",", ":"))
    return text.replace("<", "\\u003c")


def _read(name):
    """A part of the page (str)."""
    return (_WEB / name).read_text(encoding="utf-8")


def _plain(rows):
    """Undo what Markdown tables need to keep a name in its cell."""
    return [
        {key: text.replace("\\|", "|") for key, text in row.items()}
        for row in rows
    ]


def _published(row):
    """A published result as cells of the results table (list of dict)."""
    lines = [
        {"system": row["system"], "judge": judge, "Best-Mean": half_up(value)}
        for judge, value in row["judges"].items()
    ]
    shares = {
        f"{name} %": half_up(100 * row["dependence"][name], 0)
        for name in SHARES
    }
    average = {"Best-Mean": half_up(row["average"]), **shares}
    return [*lines, {"system": row["system"], "judge": "average", **average}]
