"""Tensors out of a checkpoint that pickles more than tensors.

fairseq saves its configuration objects beside the weights. ``torch.load``
with ``weights_only=True`` refuses such a file, and without it the file may run
any code. Here the pickle is read with a look-up table of the few functions
that make tensors and plain containers; every other global it names becomes an
inert stand-in: an object that is made without calling anything, takes any
state and does nothing.

    final.pt --> {"model": {name: tensor}, "cfg": <stand-in>} --> safetensors

Run once, offline:

    python -m speechbrain_jasco.integrations.tensor_pickle \
        final.pt wavllm.safetensors

Authors
 * The speechbrain_jasco developers, 2026
"""

import collections
import pickle
import sys
import types
import zipfile
from pathlib import Path

import torch
from safetensors.torch import save_file

# What a file of tensors needs. The storage types are looked up by torch
# itself, which reads their names and never calls them.
ALLOWED = {
    ("torch._utils", "_rebuild_tensor_v2"): torch._utils._rebuild_tensor_v2,
    ("torch._utils", "_rebuild_parameter"): torch._utils._rebuild_parameter,
    ("torch", "Size"): torch.Size,
    ("collections", "OrderedDict"): collections.OrderedDict,
}
STORAGES = {
    "BFloat16Storage",
    "BoolStorage",
    "ByteStorage",
    "CharStorage",
    "DoubleStorage",
    "FloatStorage",
    "HalfStorage",
    "IntStorage",
    "LongStorage",
    "ShortStorage",
}


class Inert:
    """Stands where the pickle wants an object of a foreign class.

    Example
    -------
    >>> Inert("any", "argument").__setstate__({"any": "state"})
    """

    def __new__(cls, *args, **kwargs):
        """Makes the object and forgets the arguments."""
        return super().__new__(cls)

    def __init__(self, *args, **kwargs):
        pass

    def __setstate__(self, state):
        pass

    def __setitem__(self, key, value):
        pass

    def append(self, item):
        """Forgets an item of what would have been a list.

        Arguments
        ---------
        item : object
            Ignored.
        """

    def extend(self, items):
        """Forgets the items of what would have been a list.

        Arguments
        ---------
        items : object
            Ignored.
        """


class TensorUnpickler(pickle.Unpickler):
    """Unpickles tensors and containers; anything else becomes ``Inert``.

    Example
    -------
    >>> import io, os
    >>> data = pickle.dumps({"step": 3, "cfg": os.system})
    >>> TensorUnpickler(io.BytesIO(data)).load()["cfg"] is Inert
    True
    """

    def find_class(self, module, name):
        """Looks up a global of the pickle.

        Arguments
        ---------
        module : str
            Module the pickle names; it is never imported.
        name : str
            Function or class the pickle names.

        Returns
        -------
        callable
            A maker of tensors, or ``Inert``.
        """
        if module == "torch" and name in STORAGES:
            return getattr(torch, name)
        return ALLOWED.get((module, name), Inert)


# What torch.load wants of a "pickle module".
PICKLE_MODULE = types.SimpleNamespace(
    __name__="speechbrain_jasco tensors only",
    Unpickler=TensorUnpickler,
    load=lambda file, **options: TensorUnpickler(file, **options).load(),
    UnpicklingError=pickle.UnpicklingError,
)


def read_tensors(path, at="model"):
    """Reads the tensors of a checkpoint, whatever else is pickled with them.

    Arguments
    ---------
    path : str or Path
        A file of ``torch.save``.
    at : str
        Key of the dictionary of tensors.

    Returns
    -------
    dict
        Name -> torch.Tensor.

    Raises
    ------
    ValueError
        If there is no dictionary of tensors at ``at``.

    Example
    -------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     torch.save({"model": {"w": torch.ones(2)}}, f"{folder}/a.pt")
    ...     read_tensors(f"{folder}/a.pt")
    {'w': tensor([1., 1.])}
    """
    # weights_only=False, yet nothing of the file's choosing is ever called:
    # PICKLE_MODULE decides what its names mean.
    checkpoint = torch.load(
        path,
        map_location="cpu",
        weights_only=False,
        pickle_module=PICKLE_MODULE,
        mmap=zipfile.is_zipfile(path),  # read from the disk as it is used
    )
    tensors = checkpoint.get(at) if isinstance(checkpoint, dict) else None
    if not isinstance(tensors, dict) or not all(
        isinstance(tensor, torch.Tensor) for tensor in tensors.values()
    ):
        keys = list(checkpoint) if isinstance(checkpoint, dict) else "no dict"
        raise ValueError(
            f"{path}: expected a dictionary of tensors under {at!r}, got "
            f"{keys}. Is this the checkpoint its name says?"
        )
    return tensors


def main(argv):
    """Converts one checkpoint.

    Arguments
    ---------
    argv : list of str
        Checkpoint, safetensors file to write.
    """
    if len(argv) != 2 or Path(argv[1]).suffix != ".safetensors":
        raise SystemExit(
            f"got {argv}; expected a checkpoint and a name that ends in "
            ".safetensors"
        )
    tensors = read_tensors(argv[0])
    # Tied and turned weights share memory, which safetensors refuses.
    packed = {
        name: tensor.clone(memory_format=torch.contiguous_format)
        for name, tensor in tensors.items()
    }
    save_file(packed, argv[1])
    print(f"Wrote {len(tensors)} tensors to {argv[1]}")


if __name__ == "__main__":
    main(sys.argv[1:])
