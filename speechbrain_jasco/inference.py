"""Clips x instructions -> predictions.csv, whatever the system.

    clips.csv --> answerer.answer(clips, questions) --> answers.jsonl
                                                             |
                          predictions.csv, failures.csv <----+

Under torchrun the processes share the batches (``sharding.py``); the files
are the same, byte by byte, for any number of processes.

An answerer is anything with ``answer(clips, questions) -> list of str``, one
answer per pair; ``check()`` raises at start-up what would otherwise fail
later; ``config()`` tells everything its answers depend on.

Authors
 * The speechbrain_jasco developers, 2026
"""

import hashlib
from pathlib import Path

import pandas as pd
import torch
from speechbrain.utils.distributed import ddp_barrier, if_main_process
from speechbrain.utils.logger import get_logger
from tqdm import tqdm

from speechbrain_jasco.dataio import (
    CLIP_COLUMNS,
    PREDICTION_COLUMNS,
    write_table,
)
from speechbrain_jasco.journal import content_key
from speechbrain_jasco.sharding import rank_and_size, shared_journal

logger = get_logger(__name__)

# So many clips without any answer at the start are a fault of the system.
FAILED_CLIPS_TO_STOP = 3


def predict(
    answerer, clips, instructions, output_folder, clips_per_batch=1, seed=None
):
    """Ask every instruction of every clip and write the predictions.

    A kill at any point loses at most the batch under way: the next call goes
    on after the last clip in ``answers.jsonl`` and the files come out the
    same. Clips with a failed answer are asked again.

    Arguments
    ---------
    answerer : object
        The system.
    clips : list of Clip
        What to ask about.
    instructions : list of str
        What to ask.
    output_folder : str or Path
        Gets ``predictions.csv``, ``failures.csv`` and ``answers.jsonl``.
    clips_per_batch : int
        Clips handed over at once, each with all its instructions.
    seed : int, optional
        For systems that sample: another seed is asked afresh.

    Returns
    -------
    Path
        ``predictions.csv``.

    Raises
    ------
    RuntimeError
        If the system answers nothing, or not as many texts as asked for.
    ValueError
        If there is nothing to ask.
    """
    if not clips or not instructions or clips_per_batch < 1:
        raise ValueError(
            f"got {len(clips)} clips, {len(instructions)} instructions and "
            f"clips_per_batch {clips_per_batch}; expected at least 1 of each."
        )
    folder = Path(output_folder)
    config = answerer.config()
    if seed is not None:
        config = {**config, "seed": seed}
    keys = [clip_key(clip, instructions, config) for clip in clips]
    with shared_journal(folder / "answers.jsonl") as journal:
        answer_clips(
            answerer, clips, instructions, keys, journal, clips_per_batch
        )
    if if_main_process():
        answers = [a for key in keys for a in journal.rows[key]["answers"]]
        write_predictions(clips, instructions, answers, folder)
    ddp_barrier()
    return folder / "predictions.csv"


def write_predictions(clips, instructions, answers, folder):
    """Write the answers, and the reasons of those that failed.

    Arguments
    ---------
    clips : list of Clip
        The clips.
    instructions : list of str
        The questions.
    answers : list of dict
        ``text`` and ``reason`` of every clip and instruction.
    folder : Path
        Gets ``predictions.csv`` and ``failures.csv``.
    """
    rows = prediction_rows(clips, instructions)
    rows["allm_output"] = [answer["text"] for answer in answers]
    failures = rows[["id", "prompt"]].assign(
        reason=[answer["reason"] for answer in answers]
    )
    failures = failures[failures["reason"] != ""]
    write_table(folder / "failures.csv", failures)
    write_table(folder / "predictions.csv", rows)
    if len(failures):
        logger.warning(
            "%d of %d answers failed, see %s; run again to retry them.",
            len(failures),
            len(rows),
            folder / "failures.csv",
        )


def clip_key(clip, instructions, config):
    """Key of one clip's answers: its samples, the questions and the system.

    Arguments
    ---------
    clip : Clip
        The clip.
    instructions : list of str
        The questions.
    config : dict
        The answerer's ``config()``.

    Returns
    -------
    str
    """
    try:
        audio = hashlib.sha256(clip.path.read_bytes()).hexdigest()
    except OSError:  # the answerer will say why this clip fails
        audio = None
    return content_key(clip.id, audio, instructions, config)


def answer_clips(answerer, clips, instructions, keys, journal, clips_per_batch):
    """Answer the clips whose row is not in the journal or has a failure.

    The clips are cut into batches before it is known what is done or who does
    it, and a batch is asked as a whole: a resumed or shared run sees the very
    batches an uninterrupted one sees, so rounding cannot change an answer.

    Arguments
    ---------
    answerer : object
        The system.
    clips : list of Clip
        The clips.
    instructions : list of str
        The questions.
    keys : list of str
        ``clip_key`` of each clip.
    journal : Journal
        Gets one row per clip.
    clips_per_batch : int
        Size of a batch.
    """
    rank, size = rank_and_size()
    starts = range(0, len(clips), clips_per_batch)[rank::size]
    answered, n_seen = False, 0
    quiet = not if_main_process()
    for start in tqdm(starts, desc="clips", unit="batch", disable=quiet):
        batch = slice(start, start + clips_per_batch)
        if not all(_is_done(journal, key) for key in keys[batch]):
            _answer_batch(
                answerer, clips[batch], instructions, keys[batch], journal
            )
        rows = [journal.rows[key] for key in keys[batch]]
        texts = [answer["text"] for row in rows for answer in row["answers"]]
        answered = answered or any(texts)
        n_seen += len(rows)
        if not answered and n_seen >= min(FAILED_CLIPS_TO_STOP, len(clips)):
            raise RuntimeError(
                f"The first {n_seen} clips got no answer at all: "
                f"{rows[-1]['answers'][-1]['reason']}"
            )


def _is_done(journal, key):
    """Whether the journal has all answers of a clip."""
    row = journal.rows.get(key)
    return row is not None and all(not a["reason"] for a in row["answers"])


def _answer_batch(answerer, clips, instructions, keys, journal):
    """Answer a batch of clips and write a row for each that is not done.

    An answer of an earlier run stays, so that a retry can only add answers.
    What is sampled depends on the batch and not on what was asked before it.
    """
    torch.manual_seed(int(content_key(*keys)[:15], 16))
    pairs = [(clip, text) for clip in clips for text in instructions]
    answers = iter(ask(answerer, pairs))
    for clip, key in zip(clips, keys, strict=True):
        new = [next(answers) for _ in instructions]
        old = journal.rows[key]["answers"] if key in journal.rows else new
        if not _is_done(journal, key):
            mine = [
                o if o["text"] else n for o, n in zip(old, new, strict=True)
            ]
            journal.append({"key": key, "id": clip.id, "answers": mine})


def ask(answerer, pairs):
    """Ask all pairs at once; if that fails, each alone to find the culprit.

    Arguments
    ---------
    answerer : object
        The system.
    pairs : list of (Clip, str)
        Clip and question.

    Returns
    -------
    list of dict
        ``text`` and ``reason``; one of the two is "".

    Raises
    ------
    RuntimeError
        If the answerer does not return one text per pair.

    Example
    -------
    >>> class Moody:
    ...     def answer(self, clips, questions):
    ...         if "bad" in questions:
    ...             raise RuntimeError("no")
    ...         return ["fine" for _ in questions]
    >>> [a["reason"] for a in ask(Moody(), [(None, "good"), (None, "bad")])]
    ['', 'RuntimeError: no']
    """
    clips, questions = zip(*pairs, strict=True)
    try:
        texts = answerer.answer(list(clips), list(questions))
    except (OSError, RuntimeError, ValueError) as error:
        if len(pairs) == 1:
            return [{"text": "", "reason": f"{type(error).__name__}: {error}"}]
        return [answer for pair in pairs for answer in ask(answerer, [pair])]
    is_list = isinstance(texts, list) and len(texts) == len(pairs)
    if not is_list or not all(isinstance(text, str) for text in texts):
        raise RuntimeError(
            f"{type(answerer).__name__}.answer returned {texts!r:.200}; "
            f"expected a list of {len(pairs)} str, one per question."
        )
    return [
        {"text": text, "reason": ""}
        if text.strip()
        else {"text": "", "reason": "empty answer"}
        for text in texts
    ]


def prediction_rows(clips, instructions):
    """Cross clips and instructions as the official ``example.csv`` does.

    Arguments
    ---------
    clips : list of Clip
        The clips.
    instructions : list of str
        The instructions.

    Returns
    -------
    pandas.DataFrame
        ``PREDICTION_COLUMNS`` but ``allm_output``, clip by clip.
    """
    clips = pd.DataFrame(clips)[CLIP_COLUMNS].assign(with_speech="True")
    rows = clips.merge(pd.DataFrame({"prompt": instructions}), how="cross")
    return rows[PREDICTION_COLUMNS[:-1]]
