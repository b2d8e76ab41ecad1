"""Debian packages as data: fetched by apt without root, read without dpkg.

``apt-get download`` only stores a package in the working folder, by the
user's own mirror and proxy settings. The file's sha256 is compared with the
pinned one, then members are read out of it: nothing is installed, no script
of a package runs, and no name inside an archive becomes a path on disk.

Authors
 * The speechbrain_jasco developers, 2026
"""

import io
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import NamedTuple

from speechbrain_jasco.integrations.pinned_wheels import sha256_of

APT_REPORT_LINES = 8
AR_MAGIC = b"!<arch>\n"
AR_HEADER = 60  # bytes: name 16, date 12, uid 6, gid 6, mode 8, size 10, end 2


class Package(NamedTuple):
    """A Debian package of architecture ``all``, pinned."""

    name: str
    version: str
    sha256: str

    def file_name(self):
        """What apt calls the file (str): the colon of an epoch is escaped."""
        version = self.version.replace(":", "%3a")
        return f"{self.name}_{version}_all.deb"


def get_package(package, folder, debs=None):
    """Fetch a package, or take it from a folder, and verify it.

    Arguments
    ---------
    package : Package
        Which one.
    folder : str or Path
        Where a downloaded one goes.
    debs : str or Path, optional
        A folder with packages that were fetched by hand.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    FileNotFoundError
        If it is not in ``debs``.
    RuntimeError
        If there is no apt, it does not find the package, or the hash differs.
    """
    path = Path(debs or folder) / package.file_name()
    if debs is None:
        _apt_download(package, Path(folder))
    elif not path.is_file():
        raise FileNotFoundError(
            f"{path}: no such package; fetch it from a Debian mirror, "
            "where the folder pool/main keeps it."
        )
    got = sha256_of(path)
    if got != package.sha256:
        raise RuntimeError(
            f"{path}: got sha256 {got}, expected {package.sha256}. It is "
            "another build of the package; do not use it."
        )
    return path


def _apt_download(package, folder):
    """Let apt store a package in a folder."""
    help_text = (
        "Fetch the file by hand from a Debian mirror and name its folder as "
        "`debs`, or do without this bank."
    )
    if shutil.which("apt-get") is None:
        raise RuntimeError(
            f"{package.name} needs apt-get, which is not here. {help_text}"
        )
    run = subprocess.run(
        ["apt-get", "download", f"{package.name}={package.version}"],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if run.returncode != 0 or not (folder / package.file_name()).is_file():
        report = "\n".join(run.stdout.splitlines()[-APT_REPORT_LINES:])
        raise RuntimeError(
            f"apt could not download {package.name}={package.version} "
            f"(is it in this release, are the lists up to date?):\n{report}\n"
            f"{help_text}"
        )


def ar_members(path):
    """Read an ar archive: what a .deb is, with three members.

    Arguments
    ---------
    path : str or Path
        The archive.

    Returns
    -------
    dict
        Name -> bytes.

    Raises
    ------
    ValueError
        If it is no ar archive, or cut off.

    Example
    -------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "a.deb"
    ...     header = b"debian-binary   0           0     0     100644  4"
    ...     _ = path.write_bytes(AR_MAGIC + header.ljust(58) + b"`\\n2.0\\n")
    ...     ar_members(path)
    {'debian-binary': b'2.0\\n'}
    """
    data = Path(path).read_bytes()
    if not data.startswith(AR_MAGIC):
        raise ValueError(f"{path}: is no Debian package (no ar archive).")
    members, at = {}, len(AR_MAGIC)
    while at < len(data):
        header = data[at : at + AR_HEADER]
        if header[58:] != b"`\n" or not header[48:58].strip().isdigit():
            raise ValueError(f"{path}: is damaged at byte {at}; fetch it anew.")
        name, size = header[:16].decode("ascii"), int(header[48:58])
        start = at + AR_HEADER
        if start + size > len(data):
            raise ValueError(f"{path}: is cut off; fetch it anew.")
        members[name.strip().rstrip("/")] = data[start : start + size]
        at = start + size + size % 2  # members start at even bytes
    return members


def read_members(path, names):
    """Read files out of a Debian package.

    Arguments
    ---------
    path : str or Path
        The package.
    names : iterable of str
        Files in it, without the leading slash: ``usr/share/...``.

    Returns
    -------
    dict
        Name -> bytes.

    Raises
    ------
    ValueError
        If it is no package, or lacks a file.
    """
    members = ar_members(path)
    data = [name for name in members if name.startswith("data.tar")]
    if len(data) != 1:
        raise ValueError(
            f"{path}: got the members {sorted(members)}; expected a data.tar."
        )
    wanted, found = set(names), {}
    with tarfile.open(fileobj=io.BytesIO(members[data[0]])) as archive:
        for info in archive:
            name = info.name[2:] if info.name[:2] == "./" else info.name
            if info.isfile() and name in wanted:
                found[name] = archive.extractfile(info).read()
    missing = sorted(wanted - set(found))
    if missing:
        raise ValueError(f"{path}: lacks {missing}; is it the pinned version?")
    return found
