"""The authors' judge prompts, read from the user's clone of their repository.

This project holds no copy of them, only their hashes: a prompt of other bytes
would give other scores, so it is refused.

Authors
 * The speechbrain_jasco developers, 2026
"""

import ast
import hashlib
from pathlib import Path
from typing import NamedTuple

SYSTEM = "You are an NLP assistant"
URL = "https://github.com/BenoitWang/What_Are_They_Doing"
COMMIT = "e728f83"
SCRIPT = "evaluation/eval.py"


class _Source(NamedTuple):
    """Where one prompt stands and what it hashes to."""

    constant: str  # in SCRIPT
    extract: str  # the same text alone, in a copy without SCRIPT
    sha256: str


_JUDGE = _Source(
    "general_prompt",
    "evaluation/judge_prompt.txt",
    "8a84f16233486f5b50c42610a3f9a48a8566f23dc6bdeae1e5d5277172dd29eb",
)
_REFORMAT = _Source(
    "post_process_prompt",
    "evaluation/reformat_prompt.txt",
    "aa31092a3d3c1f148c4e5d24d9d893b337dc5eb9657744d189273f3e3e937bae",
)
SHA256 = {"judge": _JUDGE.sha256, "reformat": _REFORMAT.sha256}


class PaperPrompts(NamedTuple):
    """The two prompts, with fields in braces.

    Arguments
    ---------
    judge : str
        Asks for rating and orientation.
    reformat : str
        Asks what orientation an explanation means; has ``{explanation}``.
    """

    judge: str
    reformat: str


def load_prompts(data_folder):
    """Read the authors' prompts and check them byte for byte.

    Arguments
    ---------
    data_folder : str or Path
        A clone of the authors' repository. Its script is parsed, never run.

    Returns
    -------
    PaperPrompts

    Raises
    ------
    FileNotFoundError
        If the folder does not hold them.
    ValueError
        If they are not those of the paper.
    """
    folder = Path("" if data_folder is None else data_folder)
    return PaperPrompts(_load(folder, _JUDGE), _load(folder, _REFORMAT))


def _load(folder, source):
    """Read one prompt and check it (str)."""
    if (folder / SCRIPT).is_file():
        path = folder / SCRIPT
        text = _constant(path, source.constant)
    elif (folder / source.extract).is_file():
        path = folder / source.extract
        text = _decoded(path)
    else:
        raise FileNotFoundError(
            f"mode: paper needs the authors' judge prompts, but data_folder "
            f"{str(folder)!r} has no {SCRIPT}. Get it by `git clone {URL}` and "
            "give --data_folder that folder."
        )
    got = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    if got != source.sha256:
        raise ValueError(
            f"{path}: {source.constant} is not the paper's: got sha256 {got}, "
            f"expected {source.sha256}. Restore the file: `git checkout "
            f"{COMMIT} -- {SCRIPT}` in a clone of {URL}."
        )
    return text


def _constant(path, name):
    """Find the string that a script assigns to a name (str)."""
    try:
        tree = ast.parse(_decoded(path))
    except (SyntaxError, ValueError) as error:
        raise ValueError(
            f"{path}: not a Python script ({error}). Restore the file from {URL}."
        ) from error
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Assign)
            and any(getattr(t, "id", None) == name for t in node.targets)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        ):
            return node.value.value
    raise ValueError(
        f"{path}: got no string assigned to {name}, expected one. Restore the "
        f"file from {URL}."
    )


def _decoded(path):
    """Read UTF-8 without touching line ends (str)."""
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path}: not UTF-8 ({error}). Restore the file from {URL}."
        ) from error
