"""Clips, instructions and predictions: the files between the stages.

All tables are CSV in UTF-8 with the official column names
(BenoitWang/What_Are_They_Doing evaluation/example.csv@e728f83), read as text:
nothing is guessed to be a number or a missing value.

Authors
 * The speechbrain_jasco developers, 2026
"""

import csv
from dataclasses import dataclass, fields
from pathlib import Path

import pandas as pd
import torch
import torchaudio
from speechbrain.dataio import audio_io

SAMPLE_RATE_HZ = 16000
N_INSTRUCTIONS = 8  # per clip, arXiv 2409.14526 section IV-A

TEXT_COLUMNS = [
    "audio_sound",
    "spoken_text",
    "audio_only_target",
    "speech_only_target",
    "target_keywords",
    "tgt_text",
]
CLIP_COLUMNS = ["id", "audio", "n_frames", *TEXT_COLUMNS]
PREDICTION_COLUMNS = [
    "id",
    "audio",
    "n_frames",
    "audio_sound",
    "spoken_text",
    "prompt",
    "with_speech",
    "audio_only_target",
    "speech_only_target",
    "target_keywords",
    "tgt_text",
    "allm_output",
]

# What pandas would read as NaN, lower-cased: the authors' script turns such
# an answer into a float and shows the judge the word "nan".
_MISSING = {"", "na", "n/a", "<na>", "#na", "#n/a", "#n/a n/a", "nan", "-nan"}
_MISSING |= {"none", "null", "1.#ind", "-1.#ind", "1.#qnan", "-1.#qnan"}


@dataclass(frozen=True)
class Clip:
    """One clip of a manifest.

    Arguments
    ---------
    id : str
        Clip id.
    audio : str
        Path of the recording; may start with ``{data_folder}``.
    n_frames : str
        Number of sample frames in the file, as the manifest has it.
    audio_sound, spoken_text : str
        Description of the background sound; what is said.
    audio_only_target, speech_only_target : str
        Answers that the sound alone and the words alone suggest.
    target_keywords : str
        Comma-separated keywords of the reference.
    tgt_text : str
        Reference answer.
    path : Path
        ``audio`` with the data folder filled in.
    """

    id: str
    audio: str
    n_frames: str
    audio_sound: str
    spoken_text: str
    audio_only_target: str
    speech_only_target: str
    target_keywords: str
    tgt_text: str
    path: Path


def is_missing(text):
    """Whether an answer is no answer: empty, blank or a spelling of NaN.

    Arguments
    ---------
    text : str
        An ``allm_output`` cell.

    Returns
    -------
    bool

    Example
    -------
    >>> [is_missing(text) for text in ["", " NaN ", "None", "None of them."]]
    [True, True, True, False]
    """
    return text.strip().lower() in _MISSING


def read_table(path, columns):
    """Read a CSV file as text and insist on its columns.

    Arguments
    ---------
    path : str or Path
        The file.
    columns : list of str
        Columns that must be there; others are kept.

    Returns
    -------
    pandas.DataFrame
        All cells are str; row ``i`` is line ``i + 2`` of a file without line
        breaks inside cells.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not UTF-8 CSV, lacks columns or holds no rows.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file. Give an existing CSV.")
    try:
        table = pd.read_csv(
            path, dtype=str, keep_default_na=False, encoding="utf-8-sig"
        )
    except pd.errors.EmptyDataError as error:
        raise ValueError(
            f"{path}: empty file; expected a header {columns}."
        ) from error
    except (pd.errors.ParserError, UnicodeDecodeError) as error:
        raise ValueError(
            f"{path}: not a CSV file in UTF-8 ({error}). Save it as one."
        ) from error
    lacking = [column for column in columns if column not in table.columns]
    if lacking:
        raise ValueError(
            f"{path}: columns {lacking} are missing; got "
            f"{list(table.columns)}. Rename or add them."
        )
    if table.empty:
        raise ValueError(f"{path}: a header but no rows. Nothing to do.")
    if not isinstance(table.index, pd.RangeIndex):
        # pandas took the first column for row names and moved the others.
        raise ValueError(
            f"{row_name(path, 0)}: more cells than the header has columns. "
            "Quote the cells that hold commas."
        )
    # A row shorter than the header leaves NaN even with keep_default_na=False.
    return table.fillna("")


def write_table(path, table):
    """Write a CSV file in one step: readers see the old file or the new one.

    All cells are quoted, since Python leaves a cell with a carriage return
    bare and readers take that for the end of the row. Half of a surrogate
    pair, which no UTF-8 file can hold, is written as its escape.

    Arguments
    ---------
    path : str or Path
        Where to write.
    table : pandas.DataFrame
        What to write.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    table.to_csv(
        partial,
        index=False,
        lineterminator="\n",
        quoting=csv.QUOTE_ALL,
        errors="backslashreplace",
    )
    partial.replace(path)


def row_name(path, row):
    """Name a row of a table read by ``read_table`` for an error message.

    Arguments
    ---------
    path : str or Path
        The file.
    row : int
        Row number from 0, header not counted.

    Returns
    -------
    str

    Example
    -------
    >>> row_name("clips.csv", 0)
    'clips.csv, row 1'
    """
    return f"{path}, row {int(row) + 1}"


def read_clips(manifest, data_folder):
    """Read a clips manifest.

    Arguments
    ---------
    manifest : str or Path
        CSV with ``CLIP_COLUMNS``.
    data_folder : str or Path
        Replaces ``{data_folder}`` in the column ``audio``.

    Returns
    -------
    list of Clip
    """
    table = read_table(manifest, CLIP_COLUMNS)
    names = [field.name for field in fields(Clip) if field.name != "path"]
    return [
        Clip(**row, path=audio_path(row["audio"], data_folder))
        for row in table[names].to_dict("records")
    ]


def audio_path(audio, data_folder):
    """Fill the data folder into an ``audio`` cell.

    Arguments
    ---------
    audio : str
        Such as ``{data_folder}/dataset/v0/1.wav``.
    data_folder : str or Path
        The folder.

    Returns
    -------
    Path

    Example
    -------
    >>> audio_path("{data_folder}/1.wav", "data").as_posix()
    'data/1.wav'
    """
    return Path(audio.replace("{data_folder}", str(data_folder)))


def read_audio(path):
    """Read a recording as the models want it, whatever its rate or channels.

    Clip 47 of the official data is 48 kHz: read without resampling it would
    play at a third of its speed.

    Arguments
    ---------
    path : str or Path
        Any file libsndfile reads.

    Returns
    -------
    Tensor [S]
        Mono, 16 kHz, float32.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it cannot be read, is empty or holds NaN.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"{path}: no such recording. Fetch it, or correct the cell audio."
        )
    try:
        wav, rate_hz = audio_io.load(str(path))  # [C, S]
    except (RuntimeError, ValueError, OSError) as error:
        raise ValueError(
            f"{path}: not readable as audio ({error}). Fetch or export it anew."
        ) from error
    wav = wav.float().mean(dim=0)
    if wav.numel() == 0:
        raise ValueError(f"{path}: holds no samples. Fetch or export it anew.")
    if not torch.isfinite(wav).all():
        raise ValueError(
            f"{path}: holds NaN or infinite samples. Export it anew."
        )
    return torchaudio.functional.resample(wav, rate_hz, SAMPLE_RATE_HZ)


def read_predictions(path):
    """Read a ``predictions.csv``, of this project or anybody's.

    Arguments
    ---------
    path : str or Path
        CSV with ``PREDICTION_COLUMNS``.

    Returns
    -------
    pandas.DataFrame
        The columns of the file and ``prompt_index``: the position of the
        row's prompt among the file's prompts, in order of first appearance.

    Raises
    ------
    ValueError
        If two rows have the same id and prompt, a cell the judges need is
        empty, or no row has an answer.
    """
    table = read_table(path, PREDICTION_COLUMNS)
    for column in ["id", "prompt", *TEXT_COLUMNS]:
        blank = table[column].str.strip() == ""
        if blank.any():
            raise ValueError(
                f"{row_name(path, blank.idxmax())}: {column} is empty. "
                "Fill it in: the judges compare answers with it."
            )
    twice = table.duplicated(["id", "prompt"])
    if twice.any():
        row = twice.idxmax()
        raise ValueError(
            f"{row_name(path, row)}: id {table['id'][row]!r} with the prompt "
            f"{table['prompt'][row]!r} stands in an earlier row already "
            f"({twice.sum()} such row(s)). Keep one row per id and prompt."
        )
    if table["allm_output"].map(is_missing).all():
        raise ValueError(
            f"{path}: no row has an answer (allm_output). See failures.csv "
            "beside it, or run the inference again."
        )
    order = {text: i for i, text in enumerate(table["prompt"].unique())}
    return table.assign(prompt_index=table["prompt"].map(order))
