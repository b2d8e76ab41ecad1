"""What identifies the weights behind a ``source`` string of a YAML.

Authors
 * The speechbrain_jasco developers, 2026
"""

from pathlib import Path

from speechbrain_jasco import starter
from speechbrain_jasco.journal import content_key


def fingerprint(source):
    """Name weights so that a cached answer of other weights is not reused.

    Arguments
    ---------
    source : str
        Hub name, local folder or ``starter:NAME``.

    Returns
    -------
    str
        The source; for a local folder also a hash of its files' names, sizes
        and times, since a folder can be trained anew in place.

    Example
    -------
    >>> fingerprint("Qwen/Qwen2.5-72B-Instruct")
    'Qwen/Qwen2.5-72B-Instruct'
    """
    if source.startswith(starter.PREFIX):
        # The folder's name carries the hash of the published weights.
        return starter.folder(source[len(starter.PREFIX) :]).name
    folder = Path(source)
    if not folder.is_dir():
        return source
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    stats = [
        (path.relative_to(folder).as_posix(), path.stat()) for path in files
    ]
    rows = [[name, stat.st_size, stat.st_mtime_ns] for name, stat in stats]
    return f"{source}@{content_key(rows)[:16]}"
