"""Parts of a build, and built clips in tar files.

A build can be split over machines (``--shard i/n``). What it wrote can be
packed into WebDataset shards: plain tar files in which the files of one clip
are neighbours and share a name before the first dot,

    train-000000.tar: ID.wav  ID.sound.wav  ID.speech.wav  ID.json  ...

so that a training on a cluster reads few large files in order. Packing and
reading need nothing but the standard library and soundfile; the webdataset
package reads the same files.

Authors
 * The speechbrain_jasco developers, 2026
"""

import io
import json
import tarfile
from pathlib import Path

import soundfile
import torch

from speechbrain_jasco.building.workers import write_whole

CLIPS_PER_SHARD = 1000
PARTS = {"audio": "wav", "sound_wav": "sound.wav", "speech_wav": "speech.wav"}


def parse_shard(shard):
    """Read "i/n": part i of n, counted from 1.

    Arguments
    ---------
    shard : str, optional
        None for the whole.

    Returns
    -------
    (int, int)
        Position from 0, and the number of shards.

    Raises
    ------
    ValueError
        If it is not of that form.

    Example
    -------
    >>> parse_shard("2/4")
    (1, 4)
    """
    if shard is None:
        return 0, 1
    first, _, total = str(shard).partition("/")
    if not (first.isdigit() and total.isdigit()) or not (
        1 <= int(first) <= int(total)
    ):
        raise ValueError(
            f"got the shard {shard!r}; expected i/n with 1 <= i <= n, e.g. 2/4."
        )
    return int(first) - 1, int(total)


def add_bytes(tar, name, data):
    """Add a file to a tar, with nothing in it that time or user changes.

    Arguments
    ---------
    tar : tarfile.TarFile
        Open for writing.
    name : str
        Of the file.
    data : bytes
        Its content.
    """
    info = tarfile.TarInfo(name)
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))


def write_shards(rows, folder, clips_per_shard=CLIPS_PER_SHARD):
    """Pack built clips into ``<folder>/shards/<split>-<number>.tar``.

    Arguments
    ---------
    rows : list of dict
        Of the manifest.
    folder : str or Path
        The built data set.
    clips_per_shard : int
        Clips in one file.

    Returns
    -------
    list of Path
        The tar files.
    """
    folder, paths = Path(folder), []
    for split in dict.fromkeys(row["split"] for row in rows):
        those = [row for row in rows if row["split"] == split]
        for number, at in enumerate(range(0, len(those), clips_per_shard)):
            path = folder / "shards" / f"{split}-{number:06d}.tar"
            some = those[at : at + clips_per_shard]
            write_whole(path, lambda tar, some=some: pack(tar, some, folder))
            paths.append(path)
    return paths


def pack(path, rows, folder):
    """Write one tar file.

    Arguments
    ---------
    path : Path
        Where.
    rows : list of dict
        Clips of it.
    folder : Path
        Of their files.
    """
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for row in rows:
            for column, ending in PARTS.items():
                file = Path(row[column].replace("{data_folder}", str(folder)))
                add_bytes(tar, f"{row['id']}.{ending}", file.read_bytes())
            text = json.dumps(row, ensure_ascii=False, sort_keys=True)
            add_bytes(tar, f"{row['id']}.json", text.encode())


def read_shards(paths):
    """Read clips out of shards, in order.

    Arguments
    ---------
    paths : iterable of str or Path
        Tar files of ``write_shards``.

    Yields
    ------
    dict
        The row of the manifest, with ``wav``, ``sound`` and ``speech`` as
        Tensor [S].
    """
    for path in paths:
        clip = {}
        with tarfile.open(path) as tar:
            for info in tar:
                ending = info.name.partition(".")[2]
                data = tar.extractfile(info).read()
                if ending == "json":  # the last file of its clip
                    yield {**json.loads(data), **clip}
                    clip = {}
                    continue
                wav, _ = soundfile.read(io.BytesIO(data), dtype="float32")
                name = ending.removesuffix(".wav")
                clip[name] = torch.from_numpy(wav)
