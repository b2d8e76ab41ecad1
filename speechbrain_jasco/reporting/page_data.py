"""What the report's page holds: clips, answers and verdicts as JSON.

Authors
 * The speechbrain_jasco developers, 2026
"""

import os
from pathlib import Path
from urllib.parse import quote

import pandas as pd

from speechbrain_jasco.dataio import TEXT_COLUMNS, is_missing, read_audio
from speechbrain_jasco.judging.mode_diff import FILE as MODE_DIFF
from speechbrain_jasco.metrics.cube import make_cube
from speechbrain_jasco.metrics.paper_summary import paper_tables
from speechbrain_jasco.metrics.scores import SHARES
from speechbrain_jasco.metrics.summary import distinct_rows, robust_tables
from speechbrain_jasco.reporting.published import published_rows
from speechbrain_jasco.reporting.sound_picture import sound_picture

# The page stays small and its layout whole, whatever a model writes.
ANSWER_CHARS, EXPLANATION_CHARS = 1500, 300


def page_data(scores, evidence, folder):
    """Collect everything the page's script shows.

    Arguments
    ---------
    scores : dict
        ``scores.json``.
    evidence : Evidence
        Answers and verdicts.
    folder : str or Path
        Where the page will be.

    Returns
    -------
    dict
        JSON-able, but for NaN. ``answers`` is [systems][clips][prompts],
        ``verdicts`` [systems][judges][clips][prompts] of ``[status, rating,
        orientation, explanation]``, ``best`` [systems][judges][clips].
    """
    systems = list(evidence.systems)
    judges = list(scores["systems"][systems[0]]["judges"])
    paper = scores["mode"] == "paper"
    if paper:
        tables = paper_tables(evidence.verdicts)
    else:
        tables = robust_tables(
            evidence.verdicts, evidence.ids, evidence.aggregation
        )
    cube = make_cube(tables, evidence.ids).of(judges)
    best = pd.DataFrame(cube.scores.reshape(-1, cube.scores.shape[-1]))
    best = best.max(axis=1).to_numpy().reshape(cube.scores.shape[:-1])
    return {
        "systems": systems,
        "judges": judges,
        "mode": scores["mode"],
        "prompts": [
            [prompt["text"] for prompt in scores["prompts"][name]]
            for name in systems
        ],
        "clips": [clip_data(facts, folder) for facts in _clips(evidence)],
        "answers": [
            _grid(
                evidence.systems[name],
                evidence.ids,
                lambda row: _answer(row["allm_output"]),
            )
            for name in systems
        ],
        "verdicts": [
            [
                _verdicts(
                    tables[name, judge],
                    evidence.said(name, judge),
                    evidence.ids,
                )
                for judge in judges
            ]
            for name in systems
        ],
        "best": best.tolist(),
        "modes": _mode_differences(Path(folder).parent, scores),
        "charts": _charts(scores),
        "published": published_rows(scores["dataset"]),
    }


def shorten(text, limit):
    """Cut a text that is too long for a page, and say so.

    Arguments
    ---------
    text : str
        Any text.
    limit : int
        Characters to keep.

    Returns
    -------
    str

    Example
    -------
    >>> shorten("abcdef", 3), shorten("abc", 3)
    ('abc [... 3 more characters]', 'abc')
    """
    if len(text) <= limit:
        return text
    return f"{text[:limit]} [... {len(text) - limit} more characters]"


def clip_data(facts, folder):
    """Describe one clip for the page.

    Arguments
    ---------
    facts : dict
        ``id``, ``path`` and the texts of a clip.
    folder : str or Path
        Where the page will be.

    Returns
    -------
    dict
        ``id``, the texts; ``audio`` (address relative to the page) and
        ``picture``, or ``silent``: why there is nothing to hear.
    """
    data = {"id": facts["id"]}
    data |= {name: shorten(facts[name], ANSWER_CHARS) for name in TEXT_COLUMNS}
    if "{data_folder}" in str(facts["path"]):
        return data | {"silent": "run evaluate.py with --data_folder FOLDER"}
    try:
        picture = sound_picture(read_audio(facts["path"]))
        address = os.path.relpath(facts["path"], folder)
    except (ValueError, OSError) as error:  # relpath: on another drive
        return data | {"silent": shorten(str(error), EXPLANATION_CHARS)}
    # A name may look like an address ("http:"); "./" keeps it a file.
    address = "./" + quote(address.replace(os.sep, "/"))
    return data | {"audio": address, "picture": picture}


def _clips(evidence):
    """Texts and path of every clip, as the predictions describe it."""
    paths = {clip.id: clip.path for clip in evidence.clips or ()}
    known = {clip.id: vars(clip) for clip in evidence.clips or ()}
    for table in evidence.systems.values():
        for row in table.drop_duplicates("id").to_dict("records"):
            known.setdefault(row["id"], row)
    return [
        {**known[clip], "path": paths.get(clip, known[clip]["audio"])}
        for clip in evidence.ids
    ]


def _grid(table, ids, read):
    """Arrange a table by clip and prompt; None where it has no row."""
    n_prompts = 1 + int(table["prompt_index"].max())
    grid = {clip: [None] * n_prompts for clip in ids}
    for row in table.to_dict("records"):
        if row["id"] in grid:
            grid[row["id"]][int(row["prompt_index"])] = read(row)
    return list(grid.values())


def _answer(text):
    """An answer for the page, None if there is none."""
    return None if is_missing(text) else shorten(text, ANSWER_CHARS)


def _verdicts(table, repeats, ids):
    """Verdicts as they count, with the judge's reasons (list of list)."""
    keys = ["id", "prompt_index"]
    reasons = repeats[0][keys].assign(reason=_reasons(repeats))
    table = table[[*keys, "status", "rating", "orientation"]]
    return _grid(table.merge(reasons, "left", keys), ids, _verdict)


def _reasons(repeats):
    """Why a judge judges so, of every answer; all repeats, numbered."""
    limit = EXPLANATION_CHARS // len(repeats)
    columns = []
    for number, table in enumerate(repeats, start=1):
        said = table["explanation"].fillna("")
        said = said.where(said != "", table["reply"]).fillna("")
        texts = [shorten(text, limit) for text in said]
        if len(repeats) > 1:
            verdicts = table.to_dict("records")
            texts = [
                f"{number}. {_in_words(verdict)}: {text}"
                for verdict, text in zip(verdicts, texts, strict=True)
            ]
        columns.append(texts)
    return ["\n".join(texts) for texts in zip(*columns, strict=True)]


def _in_words(verdict):
    """A verdict in two words (str)."""
    if verdict["status"] != "ok":
        return verdict["status"].replace("_", " ")
    rating, orientation = (
        None if pd.isna(verdict[name]) else verdict[name]
        for name in ("rating", "orientation")
    )
    number = "?" if rating is None else f"{rating:g}"
    return f"{number} {orientation or '?'}"


def _verdict(row):
    """A verdict for the page (list)."""
    rating, orientation, reason = (
        None if pd.isna(row[name]) else row[name]
        for name in ("rating", "orientation", "reason")
    )
    if rating is not None:
        rating = float(rating)
    return [row["status"], rating, orientation, reason or ""]


def _mode_differences(folder, scores):
    """What the two modes read differently: [system, judge, id, prompt, how]."""
    path = folder / MODE_DIFF
    official = any(entry["official"] for entry in scores["judges"].values())
    if not official or not path.is_file():
        return []
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    return [
        [
            row["system"],
            row["judge"],
            row["id"],
            int(row["prompt_index"]),
            shorten(_readings(row), EXPLANATION_CHARS),
        ]
        for row in table.to_dict("records")
    ]


def _readings(row):
    """How each mode reads a reply, and why they differ (str)."""
    paper, robust = (
        " ".join(
            filter(None, (row[f"{mode}_{what}"], row[f"{mode}_orientation"]))
        )
        for mode, what in (("paper", "score"), ("robust", "rating"))
    )
    robust = robust or row["robust_status"].replace("_", " ")
    # Where the script crashes, it has read nothing.
    return f"paper {paper or 'nothing'}, robust {robust}; {row['why']}"


def _charts(scores):
    """Numbers of the figures: name of a row -> one entry per system."""
    systems = [distinct_rows(result) for result in scores["systems"].values()]
    return {
        name: [_chart(rows[name]) for rows in systems] for name in systems[0]
    }


def _chart(entry):
    """What the figures draw of one system by one judge (dict)."""
    ends = entry["ci95"]
    curves = ("best_of_k", "best_of_k_ungated")
    return {
        "dependence": [entry["dependence"][name] for name in SHARES],
        "dependence_ci": [ends[name] for name in SHARES],
        **{name: entry[name] for name in curves},
        **{f"{name}_ci": ends[name] for name in curves},
    }
