"""A file of tensors from somebody else: is it one, and what is in it?

A download that failed often leaves a file of the right name: an error page, a
Git-LFS pointer, the first half. Here they are told apart before any torch
does.

Authors
 * The speechbrain_jasco developers, 2026
"""

import pickle
import zipfile
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file

from speechbrain_jasco.lobes.pretrained import download_fault

ZIP = b"PK\x03\x04"  # torch.save since torch 1.6


def fault(path):
    """Says what is wrong with a checkpoint without reading its weights.

    Arguments
    ---------
    path : str or Path
        The file.

    Returns
    -------
    str
        The fault; "" if the file looks like a checkpoint.

    Example
    -------
    >>> fault("salmonn.pth")
    'there is no such file'
    """
    path = Path(path)
    if not path.is_file():
        return "there is no such file"
    with path.open("rb") as fin:
        head = fin.read(512)
    failed = download_fault(head)
    if failed:
        return failed
    if path.suffix == ".safetensors":
        try:
            with safe_open(path, framework="pt"):
                return ""
        except SafetensorError as error:
            return f"not a whole safetensors file, load it again ({error})"
    if head.startswith(ZIP) and not zipfile.is_zipfile(path):
        return "the file breaks off, load it again"
    return ""


def read_checkpoint(path):
    """Reads a file of tensors and plain values; runs nothing in it.

    Arguments
    ---------
    path : str or Path
        A file of ``torch.save`` or safetensors.

    Returns
    -------
    object
        What was saved, on the CPU; of safetensors a dict of tensors.

    Raises
    ------
    ValueError
        If it cannot be read, or holds more than tensors and plain values.
    """
    path = Path(path)
    wrong = fault(path)
    if wrong:
        raise ValueError(f"{path}: {wrong}")
    if path.suffix == ".safetensors":
        return load_file(path)
    try:
        return torch.load(
            path,
            map_location="cpu",
            weights_only=True,
            mmap=zipfile.is_zipfile(path),
        )
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise ValueError(
            f"{path} cannot be read as a file of tensors and plain values. "
            "Load it again; if it pickles other objects beside its weights, "
            "`python -m speechbrain_jasco.integrations.tensor_pickle` makes "
            f"a safetensors file of them, which is read as well. {error}"
        ) from error
