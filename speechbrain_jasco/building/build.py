"""Build a data set: check, plan, speak, mix, write the manifest.

    triples, banks, voices --> check --> plan --> speech --> clips --> clips.csv
                                                    |          |
                                                 cache    journal/*.jsonl

Work is spread over processes or machines by joblib. A clip is in the journal
only when its files are whole; a killed build goes on where it stopped and
ends with the same bytes. A shard builds its part of the plan; the build
without a shard that follows finds all clips made and writes the manifest.

Authors
 * The speechbrain_jasco developers, 2026
"""

import warnings
from pathlib import Path
from typing import NamedTuple

import joblib
import pandas as pd
from speechbrain.utils.logger import get_logger
from tqdm import tqdm

from speechbrain_jasco.building.manifest import texts, write_manifest
from speechbrain_jasco.building.recipe import (
    check_recipe,
    keep_to,
    make_plan,
)
from speechbrain_jasco.building.render import Job, Workshop, render_clip
from speechbrain_jasco.building.shards import parse_shard
from speechbrain_jasco.building.workers import name_full_disk, sweep
from speechbrain_jasco.dataio import write_table
from speechbrain_jasco.journal import Journal

logger = get_logger(__name__)


class Books(NamedTuple):
    """The journal of a build, and the rows already known by key."""

    journal: Journal
    done: dict


class Built(NamedTuple):
    """The manifest and what became of the plan."""

    manifest: Path
    rows: list
    failures: list


def build(recipe, folder, parallel, shard=None):
    """Build a data set, or what is left of it to build.

    Arguments
    ---------
    recipe : Recipe
        What it is made of.
    folder : str or Path
        Where it goes.
    parallel : dict
        Arguments of ``joblib.parallel_config``.
    shard : str, optional
        "i/n": this part of the plan only, and no manifest.

    Returns
    -------
    Built
        ``manifest`` is None for a shard.

    Raises
    ------
    ValueError
        If the recipe cannot be built; the message says why.
    RuntimeError
        If another build is at work in the folder, or the disk is full.
    """
    folder = Path(folder)
    position, total = parse_shard(shard)
    name = "all" if shard is None else f"{position + 1}-of-{total}"
    with Journal(folder / "journal" / f"{name}.jsonl") as journal:
        wanted = {n for names in recipe.voice_splits.values() for n in names}
        recipe.speech.speakers = recipe.speech.speakers.only(wanted)
        check_recipe(recipe)
        keep_to(folder, recipe)
        clips = make_plan(recipe)
        mine = clips[position::total]
        logger.info("%d clips planned, %d of them here", len(clips), len(mine))
        known = read_journals(folder, journal, shard)
        books = Books(journal, known)
        with (
            joblib.parallel_config(**parallel),
            name_full_disk(folder),
            warnings.catch_warnings(),
        ):
            # loky replaces a worker that has grown, by a model it loaded.
            warnings.filterwarnings("ignore", message="A worker stopped")
            rows, failures = produce(recipe, folder, mine, books)
    if shard is not None:
        return Built(None, rows, failures)
    sweep(folder)
    write_table(
        folder / "failures.csv",
        pd.DataFrame(failures, columns=["id", "text", "reason"]),
    )
    write_manifest(folder / "clips.csv", rows)
    return Built(folder / "clips.csv", rows, failures)


def read_journals(folder, journal, shard):
    """What is rendered already, by this build or by shards of it.

    Arguments
    ---------
    folder : Path
        Of the build.
    journal : Journal
        This build's own, open.
    shard : str, optional
        A shard leaves the others alone, which may be at work.

    Returns
    -------
    dict
        Key of a clip -> its row.
    """
    rows = dict(journal.rows)
    for path in sorted((folder / "journal").glob("*.jsonl")):
        if shard is None and path != journal.path:
            with Journal(path) as other:
                rows |= other.rows
    return rows


def produce(recipe, folder, clips, books):
    """Speak and render clips.

    Arguments
    ---------
    recipe : Recipe
        What they are made of.
    folder : Path
        Where they go.
    clips : list of PlannedClip
        Those to make, unless they are there.
    books : Books
        Where rows are written, and those already known.

    Returns
    -------
    list of dict, list of dict
        Rows of the manifest and of failures, in the order of the plan.
    """
    workshop = Workshop(
        recipe.bank,
        recipe.rooms,
        recipe.ranges["clip_s"],
        folder,
        recipe.speech.folder,
    )
    spoken = recipe.speech.make((clip.text, clip.voices) for clip in clips)
    recordings = {r.name: r for r in recipe.bank.recordings()}
    voices = {v.name: v for v in recipe.speech.speakers.voices()}
    jobs, failures = [], []
    for clip in clips:
        said = spoken[clip.text, clip.voices]
        if said.voice:
            recording = recordings[clip.recording]
            jobs.append(Job(clip, recording, voices[said.voice], said))
        else:
            failures.append(failure(clip, said.reason))
    failures += render_all(jobs, workshop, books)
    triples = {t.triple_id: t for t in recipe.triples.triples}
    rows = [
        {
            **texts(job.clip, recipe.triples, triples.get(job.clip.triple_id)),
            **books.done[workshop.key(job)],
        }
        for job in jobs
        if workshop.key(job) in books.done
    ]
    return rows, failures


def failure(clip, reason):
    """A row of ``failures.csv`` (dict)."""
    return {"id": clip.id, "text": clip.text, "reason": reason}


def render_all(jobs, workshop, books):
    """Render what is not there yet, and note each clip when it is.

    Arguments
    ---------
    jobs : list of Job
        The clips.
    workshop : Workshop
        Bank, rooms and folders.
    books : Books
        Where rows are written, and those already known.

    Returns
    -------
    list of dict
        The clips that cannot be, with the reason.
    """
    todo = [
        job
        for job in jobs
        if workshop.key(job) not in books.done or not workshop.has(job.clip)
    ]
    logger.info(
        "%d clips to render, %d there", len(todo), len(jobs) - len(todo)
    )
    replies = joblib.Parallel(return_as="generator")(
        joblib.delayed(try_render)(job, workshop) for job in todo
    )
    failures = []
    progress = tqdm(replies, "render", len(todo), disable=not todo)
    for job, (row, reason) in zip(todo, progress, strict=True):
        if reason:
            failures.append(failure(job.clip, reason))
            continue
        row = {"key": workshop.key(job), **row}
        books.journal.append(row)
        books.done[row["key"]] = row
    return failures


def try_render(job, workshop):
    """Render a clip; runs in a worker.

    Arguments
    ---------
    job : Job
        What to render.
    workshop : Workshop
        Bank, rooms and folders.

    Returns
    -------
    (dict, str)
        The row, or None and why it cannot be.
    """
    try:
        return render_clip(job, workshop), ""
    except ValueError as error:
        return None, str(error)
