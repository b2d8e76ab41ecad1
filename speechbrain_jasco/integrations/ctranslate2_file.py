"""Reader of CTranslate2's ``model.bin``.

The layout is that of OpenNMT/CTranslate2
python/ctranslate2/specs/model_spec.py@173f7cb (``_serialize``): little-endian,
without padding. The aliases after the variables are not read: Whisper's only
one says that the output layer is the embedding.

Authors
 * The speechbrain_jasco developers, 2026
"""

import struct
from pathlib import Path

import numpy as np

BINARY_VERSION = 6
DTYPES = (np.float32, np.int8, np.int16, np.int32, np.float16)


def read_variables(path):
    """Read a CTranslate2 model.

    Arguments
    ---------
    path : str or Path
        ``model.bin``; parts joined.

    Returns
    -------
    dict
        Name -> numpy array.

    Raises
    ------
    ValueError
        If it is no Whisper model of binary version 6, or is cut short.
    """
    data = Path(path).read_bytes()
    variables = {}
    try:
        (version,), at = unpack("<I", data, 0)
        spec, at = read_string(data, at)
        if (version, spec) != (BINARY_VERSION, "WhisperSpec"):
            raise ValueError(
                f"{path}: got {spec!r}, binary version {version}; expected "
                f"'WhisperSpec', binary version {BINARY_VERSION}."
            )
        (_, count), at = unpack("<II", data, at)
        for _ in range(count):
            name, at = read_string(data, at)
            variables[name], at = read_array(data, at)
    except (struct.error, UnicodeDecodeError, IndexError) as error:
        raise ValueError(
            f"{path}: not a CTranslate2 model, or cut short ({error}). "
            "Fetch it anew."
        ) from error
    return variables


def unpack(form, data, at):
    """Read numbers: (tuple of values, position after them)."""
    return struct.unpack_from(form, data, at), at + struct.calcsize(form)


def read_string(data, at):
    """Read a string with its length and closing NUL: (str, position)."""
    (length,), at = unpack("<H", data, at)
    return data[at : at + length - 1].decode("utf-8"), at + length


def read_array(data, at):
    """Read rank, shape, type, size and values: (array, position)."""
    (rank,), at = unpack("<B", data, at)
    shape, at = unpack(f"<{rank}I", data, at)
    (kind, size), at = unpack("<BI", data, at)
    values, _ = unpack(f"{size}s", data, at)
    array = np.frombuffer(bytearray(values[0]), dtype=DTYPES[kind])
    return array.reshape(shape), at + size
