"""Have a language model propose new triples; keep those that pass the checks.

    sound, what is taken, examples --> model --> JSON --> proposals.csv
                                                     \\--> refused.csv (why)

arXiv 2409.14526, section III-A, tried this with GPT-4 and found the samples
not good enough to be used as they are. So proposals are drafts: what is kept
here goes through ``verification.py`` and then to a person, who adds it to the
triples.

Authors
 * The speechbrain_jasco developers, 2026
"""

import json
import random
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from speechbrain.utils.logger import get_logger

from speechbrain_jasco.building.asking import Asker, chat
from speechbrain_jasco.building.json_reply import json_objects
from speechbrain_jasco.building.reasoning_checks import Case
from speechbrain_jasco.building.screening import FIELDS, Screen
from speechbrain_jasco.building.triples import read_triples
from speechbrain_jasco.dataio import read_clips, read_table, write_table
from speechbrain_jasco.journal import Journal
from speechbrain_jasco.reporting.tables import markdown

logger = get_logger(__name__)

# Beside FIELDS, what the two files of proposals hold.
KEPT = ["proposal_id", "sound_id", *FIELDS]
REFUSED = ["sound_id", "check", "reason", "reply"]


class Wanted(NamedTuple):
    """What to ask for.

    Arguments
    ---------
    sounds : list of str, optional
        sound_ids; all, if None.
    turns : int
        Requests per sound, each with other examples.
    number : int
        Triples per request.
    examples : int
        How many triples of other sounds the model is shown.
    seed : int
        Draws them.
    test_set : str, optional
        CSV of clips that nothing may be taken from: a ``clips.csv`` or the
        authors' ``example.csv``.
    """

    sounds: list | None = None
    turns: int = 1
    number: int = 5
    examples: int = 3
    seed: int = 0
    test_set: str | None = None


def propose_triples(
    output_folder, generator, prompt, triples_folder, embedder, options
):
    """Ask for triples and keep the good ones.

    Arguments
    ---------
    output_folder : str or Path
        Gets ``replies.jsonl``, ``proposals.csv`` and ``refused.csv``.
    generator : object
        Any language model.
    prompt : dict
        ``hparams/prompts/propose_triples.yaml``.
    triples_folder : str or Path
        What there is already.
    embedder : object
        ``embed(texts) -> Tensor [n, D]`` of unit rows.
    options : dict
        The fields of ``Wanted``.

    Returns
    -------
    str
        How many were kept, and why others were not, as Markdown.
    """
    triples = read_triples(triples_folder)
    wanted = Wanted(**options)
    clips = read_test_set(wanted.test_set) if wanted.test_set else []
    generator.check()
    folder = Path(output_folder)
    with Journal(folder / "replies.jsonl") as journal:
        requests = list(make_chats(triples, prompt, wanted))
        rows = Asker(generator, journal).ask([c for _, c in requests])
    screen = Screen(triples, clips, embedder)
    kept, refused = [], []
    for (sound_id, _), row in zip(requests, rows, strict=True):
        for reply, check, reason in screen.sift(sound_id, proposals_in(row)):
            if check is None:
                name = f"proposal{len(kept) + 1}"
                kept.append(
                    {"proposal_id": name, "sound_id": sound_id, **reply}
                )
                continue
            written = json.dumps(reply, ensure_ascii=False)
            refused.append((sound_id, check, reason, written))
    return _write(folder, kept, pd.DataFrame(refused, columns=REFUSED))


def make_chats(triples, prompt, wanted):
    """Write the requests.

    Arguments
    ---------
    triples : TripleSet
        What there is already: taken behaviours and examples.
    prompt : dict
        ``system`` and ``case``.
    wanted : Wanted
        What to ask for.

    Yields
    ------
    tuple of (str, list of dict)
        sound_id and chat; each turn shows other examples.

    Raises
    ------
    ValueError
        If a sound is not in the triples.
    """
    sounds = wanted.sounds or list(triples.sounds)
    unknown = sorted(set(sounds) - triples.sounds.keys())
    if unknown:
        raise ValueError(
            f"sounds: {unknown} are not in sounds.csv; add them there, with "
            "the answer they suggest alone."
        )
    train = [triple for triple in triples.triples if triple.split == "train"]
    for turn in range(wanted.turns):
        for sound_id in sounds:
            rng = random.Random(f"{wanted.seed} {turn} {sound_id}")
            others = [t for t in train if t.sound_id != sound_id]
            shown = rng.sample(others, min(wanted.examples, len(others)))
            taken = [t for t in triples.triples if t.sound_id == sound_id]
            text = prompt["case"].format(
                sound=triples.sounds[sound_id].names[0],
                number=wanted.number,
                taken="\n".join(f"- {t.answers[0]}" for t in taken) or "-",
                examples="\n".join(_example(triples, t) for t in shown),
            )
            yield sound_id, chat(text, prompt["system"])


def _example(triples, triple):
    """A triple as the model is to write one (str)."""
    line = triples.lines[triple.line_id]
    fields = {
        "line": line.text,
        "speech_only": line.speech_only[0],
        "behaviour": triple.answers[0],
        "keywords": triple.keywords,
    }
    sound = triples.sounds[triple.sound_id].names[0]
    return f"Sound: {sound}\n{json.dumps(fields)}"


def proposals_in(row):
    """What a reply proposes, right or wrong.

    Arguments
    ---------
    row : dict
        Of ``replies.jsonl``.

    Returns
    -------
    list of dict
        JSON objects; where there is none, one that holds the text.

    Example
    -------
    >>> proposals_in({"text": '{"triples": [{"line": "Up!"}]}', "reason": ""})
    [{'line': 'Up!'}]
    >>> proposals_in({"text": "I cannot.", "reason": ""})
    [{'text': 'I cannot.'}]
    """
    objects = []
    for found in json_objects(row["text"]):
        lists = [v for v in found.values() if isinstance(v, list)]
        inner = [o for v in lists for o in v if isinstance(o, dict)]
        objects += inner or [found]  # a model may wrap them up
    return objects or [{"text": row["text"] or row["reason"]}]


def read_test_set(path):
    """Read clips that nothing may be taken from.

    Arguments
    ---------
    path : str or Path
        See ``Wanted``; a file may have several rows per clip.

    Returns
    -------
    list of Clip
        One per id.
    """
    clips = read_clips(path, Path(path).parent)
    return list({clip.id: clip for clip in clips}.values())


def proposal_cases(path, triples):
    """Read proposals for the three checks.

    Arguments
    ---------
    path : str or Path
        A ``proposals.csv``.
    triples : TripleSet
        With their sounds.

    Returns
    -------
    list of Case
    """
    return [
        Case(
            row["proposal_id"],
            triples.sounds[row["sound_id"]].names[0],
            row["line"],
            row["behaviour"],
        )
        for row in read_table(path, KEPT).to_dict("records")
    ]


def _write(folder, kept, refused):
    """Write both files; returns the summary."""
    write_table(folder / "proposals.csv", pd.DataFrame(kept, columns=KEPT))
    write_table(folder / "refused.csv", refused)
    counts = Counter({"kept": len(kept), **Counter(refused["check"])})
    rows = [{"proposals": k, "number": str(n)} for k, n in counts.items()]
    logger.info("Wrote %s", folder / "proposals.csv")
    return markdown(pd.DataFrame(rows))
