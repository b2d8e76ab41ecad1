"""What happens in the processes that do the work.

joblib sends a task's arguments along with it. Engines and banks travel
unloaded and are loaded once per process.

Authors
 * The speechbrain_jasco developers, 2026
"""

import errno
import io
import os
from contextlib import contextmanager
from pathlib import Path

import soundfile

SAMPLE_RATE = 16000

_HERE = {}


def once_per_process(key, thing):
    """The first object of a key in this process, which may be loaded already.

    Arguments
    ---------
    key : str
        Hash of everything the object depends on.
    thing : object
        To be used if there is none yet.

    Returns
    -------
    object

    Example
    -------
    >>> once_per_process("k", ["first"]), once_per_process("k", ["second"])
    (['first'], ['first'])
    """
    return _HERE.setdefault(key, thing)


def write_whole(path, write):
    """Write a file so that it is there whole or not at all.

    Arguments
    ---------
    path : Path
        Where; a file there is replaced.
    write : callable
        ``write(partial)`` writes beside it; then it is renamed.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Other processes may be making the same file.
    partial = path.with_name(f"{path.stem}.{os.getpid()}.partial{path.suffix}")
    try:
        write(partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def write_wav(path, samples):
    """Write 16 kHz mono PCM16, whole or not at all.

    Arguments
    ---------
    path : Path
        Where.
    samples : numpy.ndarray [S]
        int16, or floats within -1 to 1.
    """
    buffer = io.BytesIO()  # libsndfile would not say that the disk is full
    soundfile.write(buffer, samples, SAMPLE_RATE, "PCM_16", format="WAV")
    write_whole(path, lambda partial: partial.write_bytes(buffer.getvalue()))


@contextmanager
def name_full_disk(folder):
    """Say what to do when the disk is full.

    Arguments
    ---------
    folder : Path
        Where files are written.

    Raises
    ------
    RuntimeError
        Instead of the system's error.
    """
    try:
        yield
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise RuntimeError(
            f"the disk of {folder} is full. Make room and run again: what is "
            "finished stays valid, and the build goes on where it stopped."
        ) from error


def sweep(folder):
    """Remove what a killed process left half written.

    Arguments
    ---------
    folder : Path
        Looked through with its subfolders.
    """
    for path in Path(folder).rglob("*.partial.*"):
        path.unlink(missing_ok=True)
