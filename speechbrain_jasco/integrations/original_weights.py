"""Somebody else's checkpoint by our names.

    file --> {their name: tensor} --> renamed by a table --> {our name: tensor}

A table is a list of (pattern, ours), tried in order on the whole of a name; a
second list holds what is known and not needed. A name on neither, one of ours
that is not filled, one filled twice or of another shape is an error that
names them all: the originals load with ``strict=False``, and weights that
silently stay random are their users' most frequent trouble.

The tables are in ``salmonn_weights.py``, ``ltu_as_weights.py`` and
``wavllm_weights.py``; ``docs/models.md`` says where the files are to be had.


Authors
 * The speechbrain_jasco developers, 2026
"""

import re

from speechbrain_jasco.fingerprint import fingerprint
from speechbrain_jasco.integrations.checkpoint_file import (
    fault,
    read_checkpoint,
)


def rename(name, table):
    r"""Gives a tensor of an original its name here.

    Arguments
    ---------
    name : str
        Its name there.
    table : list of (str, str)
        Pattern of a whole name, ours.

    Returns
    -------
    str or None
        The name, None if the table does not have it.

    Example
    -------
    >>> rename("proj.weight", [(r"proj\.(.*)", r"fusion.projection.\1")])
    'fusion.projection.weight'
    """
    for pattern, ours in table:
        match = re.fullmatch(pattern, name)
        if match:
            return match.expand(ours)
    return None


def rename_all(tensors, table, unused, expected, path):
    """Renames the tensors of a checkpoint and holds them against a model.

    Arguments
    ---------
    tensors : dict
        Their name -> torch.Tensor.
    table : list of (str, str)
        Pattern of a whole name, ours.
    unused : list of str
        Patterns of names that may be there and are not needed.
    expected : dict
        Our name -> shape.
    path : str or Path
        Where the tensors are from, for the error.

    Returns
    -------
    dict
        Our name -> torch.Tensor, exactly those expected.

    Raises
    ------
    ValueError
        Names every tensor that is missing, not known, there twice or of
        another shape.
    """
    found, faults = {}, []
    for name, tensor in tensors.items():
        ours = rename(name, table)
        if ours is None:
            if not any(re.fullmatch(pattern, name) for pattern in unused):
                faults.append(f"not known: {name}")
        elif ours in found:
            faults.append(f"a second tensor for {ours}: {name}")
        elif ours not in expected:
            faults.append(f"no place in this model: {name} (as {ours})")
        elif tuple(tensor.shape) != tuple(expected[ours]):
            faults.append(
                f"shape of {name}: got {list(tensor.shape)}, expected "
                f"{list(expected[ours])}"
            )
            found[ours] = tensor
        else:
            found[ours] = tensor
    faults += [f"missing: {ours}" for ours in expected if ours not in found]
    if faults:
        raise ValueError(
            f"{path} does not fit this model; is it the checkpoint the YAML "
            f"names, and of this size? {len(faults)} faults:\n  "
            + "\n  ".join(sorted(faults))
        )
    return found


class OriginalCheckpoint:
    r"""Base: one file in somebody else's format.

    A subclass sets ``where``, ``table`` and ``unused``.

    Arguments
    ---------
    path : str
        The file.

    Example
    -------
    >>> class Mine(OriginalCheckpoint):
    ...     table = ((r"proj\.(.*)", r"fusion.projection.\1"),)
    >>> Mine("mine.pt").fingerprint()
    'Mine:mine.pt'
    """

    where = ""
    table = ()
    unused = ()

    def __init__(self, path):
        self.path = path

    def check(self):
        """Fails now rather than later if the file is not a checkpoint.

        Raises
        ------
        ValueError
            Says what is there and where the file is to be had.
        """
        wrong = fault(self.path)
        if wrong:
            raise ValueError(f"{self.path}: {wrong}; expected {self.where}")

    def fingerprint(self):
        """What tells this file from others (str)."""
        return f"{type(self).__name__}:{fingerprint(str(self.path))}"

    def tensors(self):
        """The tensors of the file by their own names (dict)."""
        return read_checkpoint(self.path)

    def read(self, audio_llm):
        """Reads the weights for a model.

        Arguments
        ---------
        audio_llm : AudioLLM
            The model, for its names and shapes.

        Returns
        -------
        dict
            Our name -> torch.Tensor, exactly the trainable parts.

        Raises
        ------
        ValueError
            If the file is not a checkpoint or does not fit the model.
        """
        self.check()
        expected = {
            name: parameter.shape
            for name, parameter in audio_llm.named_parameters()
            if parameter.requires_grad
        }
        return rename_all(
            self.tensors(), self.table, self.unused, expected, self.path
        )
