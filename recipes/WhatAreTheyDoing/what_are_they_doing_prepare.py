"""Prepare clips: validate a data folder and write its manifest.

    data folder                                    output folder
    evaluation/example.csv + dataset/v0/*.wav --+
      (the authors' repository, 80 clips)       +--> clips.csv
    clips.csv + wavs                          --+
      (made by this project)

The authors' repository is https://github.com/BenoitWang/What_Are_They_Doing,
its clips CC BY-NC 4.0: a test set, never redistributed here and never trained
on. Clone it, or let ``download=True`` fetch it at the commit below, every
file checked by sha256.

Authors
 * The speechbrain_jasco developers, 2026
"""

from http.client import HTTPException
from pathlib import Path

import torch
from speechbrain.dataio import audio_io
from speechbrain.utils.logger import get_logger
from tqdm import tqdm

from speechbrain_jasco.dataio import (
    CLIP_COLUMNS,
    N_INSTRUCTIONS,
    PREDICTION_COLUMNS,
    SAMPLE_RATE_HZ,
    TEXT_COLUMNS,
    audio_path,
    read_audio,
    read_table,
    row_name,
    write_table,
)

logger = get_logger(__name__)

COMMIT = "e728f83c6014d97a47294ab4810a6390598f8af5"
URL = (
    f"https://raw.githubusercontent.com/BenoitWang/What_Are_They_Doing/{COMMIT}"
)
SHA256SUMS = Path(__file__).with_name("sha256sums.txt")

OFFICIAL_CSV = "evaluation/example.csv"
OFFICIAL_CLIPS = 80
OWN_CSV = "clips.csv"


def prepare_what_are_they_doing(
    data_folder,
    save_folder,
    download=False,
    url=URL,
    sha256sums=SHA256SUMS,
    split=None,
):
    """Validate a data folder and write ``<save_folder>/clips.csv``.

    Arguments
    ---------
    data_folder : str or Path
        A clone of the authors' repository, or a folder with the project's own
        ``clips.csv``.
    save_folder : str or Path
        Where the manifest goes.
    download : bool
        Whether to fetch the authors' files that ``data_folder`` lacks.
    url : str
        Where from.
    sha256sums : str or Path
        Which files: lines of "sha256  path".
    split : str, optional
        Of a built data set: the rows to take, such as "test_unseen".

    Returns
    -------
    Path
        The manifest.

    Raises
    ------
    FileNotFoundError
        If the folder or a recording is missing.
    ValueError
        If a row or a recording is not usable; the message names all of them.
    RuntimeError
        If the download fails.

    Example
    -------
    >>> manifest = prepare_what_are_they_doing("What_Are_They_Doing", "results")
    ... # doctest: +SKIP
    """
    data_folder = Path(data_folder)
    if download:
        if (data_folder / OWN_CSV).is_file():
            raise ValueError(
                f"{data_folder} holds clips of the project's own ({OWN_CSV}). "
                "Give --data_folder another folder to download into."
            )
        download_files(data_folder, url, sha256sums)
    csv_path = find_csv(data_folder)
    clips = read_clip_rows(csv_path)
    clips = take_split(clips, split, csv_path)
    problems = check_rows(clips, csv_path)
    problems += check_audio(clips, csv_path, data_folder)
    if problems:
        raise ValueError(
            f"{data_folder} is not usable, {len(problems)} problem(s):\n  "
            + "\n  ".join(problems)
        )
    if is_official(data_folder) and len(clips) != OFFICIAL_CLIPS:
        logger.warning(
            "%s: %d clips, the published set has %d. Scores will not be "
            "comparable.",
            csv_path,
            len(clips),
            OFFICIAL_CLIPS,
        )
    manifest = Path(save_folder) / "clips.csv"
    write_table(manifest, clips)
    logger.info("%d clips are ready: %s", len(clips), manifest)
    return manifest


def is_official(data_folder):
    """Whether a folder is (a copy of) the authors' repository (bool)."""
    return (Path(data_folder) / OFFICIAL_CSV).is_file()


def find_csv(data_folder):
    """Find the table of a data folder.

    Arguments
    ---------
    data_folder : Path
        The folder.

    Returns
    -------
    Path
    """
    for name in (OFFICIAL_CSV, OWN_CSV):
        if (data_folder / name).is_file():
            return data_folder / name
    raise FileNotFoundError(
        f"{data_folder} has neither {OFFICIAL_CSV} nor {OWN_CSV}. Give "
        "--data_folder a clone of "
        "https://github.com/BenoitWang/What_Are_They_Doing, or an empty "
        "folder and --download True."
    )


def read_clip_rows(csv_path):
    """Read one row per clip.

    Arguments
    ---------
    csv_path : Path
        The authors' ``example.csv`` (a row per clip and prompt) or the
        project's ``clips.csv`` (a row per clip, with further columns).

    Returns
    -------
    pandas.DataFrame
    """
    if csv_path.name == OWN_CSV:
        return read_table(csv_path, CLIP_COLUMNS)
    rows = read_table(csv_path, PREDICTION_COLUMNS)
    # Keeps the row numbers of the file, for the messages.
    return rows[CLIP_COLUMNS].drop_duplicates()


def take_split(clips, split, csv_path):
    """Take the rows of one split of a built data set.

    Arguments
    ---------
    clips : pandas.DataFrame
        One row per clip.
    split : str, optional
        Its name; all rows, if None.
    csv_path : Path
        For the messages.

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    ValueError
        If the table has not this split, or clips without a behaviour are
        among those taken.
    """
    splits = list(clips["split"].unique()) if "split" in clips else []
    if split is not None:
        if split not in splits:
            raise ValueError(
                f"{csv_path}: got the split {split!r}; expected one of "
                f"{splits}, or null for the whole table."
            )
        # Keeps the row numbers of the file, for the messages.
        clips = clips[clips["split"] == split]
    if splits and (clips["tgt_text"] == "").any():
        mute = list(clips["split"][clips["tgt_text"] == ""].unique())
        raise ValueError(
            f"{csv_path}: the clips of {mute} are for hearing and have no "
            "behaviour to ask for. Give a split with one: "
            f"{[name for name in splits if name not in mute]}."
        )
    return clips


def official_instructions(data_folder):
    """Read the authors' eight instructions.

    Arguments
    ---------
    data_folder : str or Path
        A clone of the authors' repository.

    Returns
    -------
    list of str
        In their order; within the pairs (1, 2), (3, 4), (5, 6), (7, 8) only
        the order of audio and speech is swapped.

    Raises
    ------
    ValueError
        If there are not eight, or not the same for every clip.
    """
    path = Path(data_folder) / OFFICIAL_CSV
    rows = read_table(path, PREDICTION_COLUMNS)
    per_clip = rows.groupby("id", sort=False)["prompt"].agg(tuple).unique()
    n_different = {len(per_clip[0]), len(set(per_clip[0]))}
    if len(per_clip) != 1 or n_different != {N_INSTRUCTIONS}:
        raise ValueError(
            f"{path}: expected the same {N_INSTRUCTIONS} prompts for every "
            f"clip, got {len(per_clip)} different list(s), the first with "
            f"{len(set(per_clip[0]))} different prompts. Restore the file."
        )
    return list(per_clip[0])


def check_rows(clips, csv_path):
    """List what is wrong with the texts.

    Arguments
    ---------
    clips : pandas.DataFrame
        One row per clip.
    csv_path : Path
        For the messages.

    Returns
    -------
    list of str
    """
    problems = []
    for column in ["id", "audio", *TEXT_COLUMNS]:
        for row in clips.index[clips[column].str.strip() == ""]:
            problems.append(f"{row_name(csv_path, row)}: {column} is empty")
    for row in clips.index[clips["id"].duplicated()]:
        problems.append(
            f"{row_name(csv_path, row)}: id {clips['id'][row]!r} is there "
            "twice, with different texts or recordings"
        )
    for row, words in clips["target_keywords"].items():
        if words.strip() and not all(w.strip() for w in words.split(",")):
            problems.append(
                f"{row_name(csv_path, row)}: target_keywords {words!r} has an "
                "empty keyword; separate them by single commas"
            )
    return problems


def check_audio(clips, csv_path, data_folder):
    """List what is wrong with the recordings; warn of what is only odd.

    Arguments
    ---------
    clips : pandas.DataFrame
        One row per clip.
    csv_path : Path
        For the messages.
    data_folder : Path
        Replaces ``{data_folder}``.

    Returns
    -------
    list of str
    """
    problems = []
    for clip in clips.itertuples():
        path = audio_path(clip.audio, data_folder)
        try:
            read_audio(path)
        except (FileNotFoundError, ValueError) as error:
            problems.append(f"{row_name(csv_path, clip.Index)}: {error}")
            continue
        info = audio_io.info(str(path))
        for name, got, expected in [
            ("sample rate", info.sample_rate, SAMPLE_RATE_HZ),
            ("channels", info.num_channels, 1),
        ]:
            if got != expected:
                logger.warning(
                    "%s: %s %s, expected %s; converted on load.",
                    path,
                    name,
                    got,
                    expected,
                )
        if str(info.num_frames) != clip.n_frames:
            logger.warning(
                "%s: %d frames, n_frames says %s; used as it is.",
                path,
                info.num_frames,
                clip.n_frames,
            )
    return problems


def download_files(data_folder, url, sha256sums):
    """Fetch the files a folder lacks, each checked by its sha256.

    Arguments
    ---------
    data_folder : Path
        Where they go; files that are there stay.
    url : str
        Where they come from.
    sha256sums : str or Path
        Lines of "sha256  path".
    """
    entries = [
        line.split() for line in Path(sha256sums).read_text().splitlines()
    ]
    todo = [
        (sha256, name)
        for sha256, name in entries
        if not (data_folder / name).is_file()
    ]
    for sha256, name in tqdm(todo, desc="download", disable=not todo):
        target = data_folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            # Writes beside the target and moves: no half file is left.
            torch.hub.download_url_to_file(
                f"{url}/{name}", target, hash_prefix=sha256, progress=False
            )
        except (OSError, HTTPException, RuntimeError, ValueError) as error:
            raise RuntimeError(
                f"{url}/{name} could not be fetched: {error}. Run again (what "
                "is there stays), or clone the authors' repository and give "
                "its folder as --data_folder."
            ) from error
