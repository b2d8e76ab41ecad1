"""An append-only JSON-lines file that survives a kill at any instant.

Both slow stages write through it: answers in ``infer.py``, verdicts in
``evaluate.py``. A row has a content key, so a re-run does only what is new.

Authors
 * The speechbrain_jasco developers, 2026
"""

import hashlib
import json
from pathlib import Path

from filelock import FileLock, Timeout


def content_key(*parts):
    """Hash anything JSON can hold, independent of dict order.

    Arguments
    ---------
    *parts : JSON-able
        What the result depends on.

    Returns
    -------
    str
        sha256 in hex.

    Example
    -------
    >>> content_key({"a": 1, "b": 2}) == content_key({"b": 2, "a": 1})
    True
    >>> content_key("ab", "c") == content_key("a", "bc")
    False
    """
    text = json.dumps(parts, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def strict_json(value, **options):
    """Write JSON that every reader takes: NaN, which it has not, is null.

    Arguments
    ---------
    value : object
        Of dicts, lists, tuples, texts and numbers.
    **options
        Of ``json.dumps``.

    Returns
    -------
    str

    Example
    -------
    >>> strict_json({"share": float("nan"), "ends": (0.5, 1)})
    '{"share": null, "ends": [0.5, 1]}'
    """
    return json.dumps(_no_nan(value), allow_nan=False, **options)


def _no_nan(value):
    """Replace NaN by None, at any depth."""
    if isinstance(value, dict):
        return {key: _no_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_no_nan(item) for item in value]
    return None if value != value else value


class Journal:
    """Rows on disk, indexed by their ``key``; the last row of a key counts.

    Arguments
    ---------
    path : str or Path
        The ``.jsonl`` file; made with its folder where absent.

    Raises
    ------
    RuntimeError
        If another process has the file open: two runs on one output folder.
    ValueError
        If a line other than a torn last one is not a JSON object with a key.

    Example
    -------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with Journal(folder + "/rows.jsonl") as journal:
    ...         journal.append({"key": "k", "value": 1})
    ...     with Journal(folder + "/rows.jsonl") as journal:
    ...         print(journal.rows["k"]["value"])
    1
    """

    def __init__(self, path):
        self.path = Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.rows = {}
        self._lock = FileLock(f"{self.path}.lock")  # freed by a kill, too
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise RuntimeError(
                f"{self.path} is being written by another run. Wait for it, "
                "or give another --output_folder."
            ) from None
        self._file = self.path.open("a+b")
        self._read()

    def _read(self):
        """Index the complete lines and cut off a torn last one."""
        self._file.seek(0)
        data = self._file.read()
        whole = data.rfind(b"\n") + 1
        if whole < len(data):  # killed in the middle of a write
            self._file.truncate(whole)
        for number, line in enumerate(data[:whole].splitlines(), start=1):
            try:
                row = json.loads(line)
                self.rows[row["key"]] = row
            except (ValueError, KeyError, TypeError) as error:
                raise ValueError(
                    f"{self.path}, line {number}: not a row of this journal "
                    f"({error!r}). Remove that line, or the file to start anew."
                ) from error

    def append(self, row):
        """Add one row; it is on its way to the disk when this returns.

        Arguments
        ---------
        row : dict
            JSON-able, with a ``key``.
        """
        line = json.dumps(row, ensure_ascii=True) + "\n"
        self._file.write(line.encode())
        self._file.flush()
        self.rows[row["key"]] = row

    def close(self):
        """Close the file; the rows stay readable."""
        self._file.close()
        self._lock.release()

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self.close()
