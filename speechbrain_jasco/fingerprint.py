"""What identifies the weights behind a ``source`` string of a YAML.

Authors
 * The speechbrain_jasco developers, 2026
"""

from pathlib import Path

from torch import nn

from speechbrain_jasco import starter
from speechbrain_jasco.journal import content_key


def fingerprint(source):
    """Name weights so that a cached answer of other weights is not reused.

    Arguments
    ---------
    source : str
        Hub name, local folder or file, or ``starter:NAME``.

    Returns
    -------
    str
        The source; for a local one also a hash of its files' names, sizes
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
    if folder.is_file():
        folder, files = folder.parent, [folder]
    elif folder.is_dir():
        files = sorted(path for path in folder.rglob("*") if path.is_file())
    else:
        return source
    stats = [
        (path.relative_to(folder).as_posix(), path.stat()) for path in files
    ]
    rows = [[name, stat.st_size, stat.st_mtime_ns] for name, stat in stats]
    return f"{source}@{content_key(rows)[:16]}"


def describe(module: nn.Module):
    """Name the structure of a network: its parts and their settings.

    Arguments
    ---------
    module : torch.nn.Module
        The network.

    Returns
    -------
    str
        A hash; weights do not count.

    Example
    -------
    >>> describe(nn.Linear(2, 3)) == describe(nn.Linear(2, 3))
    True
    >>> describe(nn.Dropout(0.1)) == describe(nn.Dropout(0.2))
    False
    """
    plain = (bool, int, float, str, tuple)
    parts = [
        [
            name,
            type(part).__name__,
            {
                key: value
                for key, value in vars(part).items()
                if isinstance(value, plain) and key != "training"
            },
        ]
        for name, part in module.named_modules()
    ]
    return content_key(parts)
