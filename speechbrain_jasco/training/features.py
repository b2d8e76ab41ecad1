"""What the frozen encoders say of a clip, computed once.

    clip --> in the cache?  yes --> frames
                            no  --> waveform --> encoders --> frames, kept

One file per clip and encoder, named by a hash of the recording's bytes and of
everything the encoder's frames depend on: another encoder, or a clip that was
made anew, is computed anew and the rest stays. Without a folder nothing is
kept and the encoders run every time; the frames are the same.

Authors
 * The speechbrain_jasco developers, 2026
"""

import hashlib
import os
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors.torch import load_file, save_file

from speechbrain_jasco.dataio import read_audio
from speechbrain_jasco.fingerprint import fingerprint
from speechbrain_jasco.integrations.whisper_asr import quiet_transformers
from speechbrain_jasco.journal import content_key
from speechbrain_jasco.lobes.frames import join_frames


class Item(NamedTuple):
    """What a worker of the data loader gets of a clip.

    Arguments
    ---------
    known : list
        Per encoder the frames [T, D], the file they will be kept in, or None
        where nothing is kept.
    wav : torch.Tensor, optional
        Waveform [S], if any frames are missing.

    Example
    -------
    >>> Item([None], torch.zeros(16000)).known
    [None]
    """

    known: list
    wav: torch.Tensor | None = None


class Features:
    """Frames of all encoders, cached or computed on the fly.

    Arguments
    ---------
    encoders : list of PretrainedEncoder
        They are loaded only when a clip is not in the cache.
    folder : str or Path, optional
        The cache; None keeps nothing.
    dtype : str
        Precision of the frames, cached or not.

    Example
    -------
    >>> from speechbrain_jasco.integrations.aisfx_encoder import AisfxEncoder
    >>> features = Features([AisfxEncoder(config={"width": 1})])
    >>> frames = features.frames(
    ...     [Item([None], torch.randn(64000))], "cpu"
    ... )
    >>> frames[0].x.shape
    torch.Size([1, 2, 8])
    """

    def __init__(self, encoders, folder=None, dtype="float16"):
        self.encoders = list(encoders)
        self.folder = None if folder is None else Path(folder)
        self.dtype = getattr(torch, dtype)
        self._identities = None  # of the encoders, for file names
        self._contents = {}  # path -> hash of the recording

    def item(self, path):
        """Reads what is there of a clip; works in a loader's process.

        Arguments
        ---------
        path : str or Path
            The recording.

        Returns
        -------
        Item
        """
        if self.folder is None:
            return Item([None] * len(self.encoders), read_audio(path))
        files = self._files(path)
        known = [load_file(f)["x"] if f.is_file() else f for f in files]
        missing = any(isinstance(x, Path) for x in known)
        return Item(known, read_audio(path) if missing else None)

    def frames(self, items, device):
        """Completes and pads a batch.

        Arguments
        ---------
        items : list of Item
            From ``item``.
        device : str or torch.device
            Where encoders run and frames go.

        Returns
        -------
        list of Frames
            One per encoder, float32.
        """
        streams = []
        for number, encoder in enumerate(self.encoders):
            sequences = [
                self._sequence(encoder, number, item, device).float()
                for item in items
            ]
            streams.append(join_frames(sequences, encoder.rate_hz))
        return streams

    def _sequence(self, encoder, number, item, device):
        """The frames of one clip by one encoder."""
        known = item.known[number]
        if isinstance(known, torch.Tensor):
            return known.to(device)
        with quiet_transformers():  # it reports the decoder of a Whisper
            encoder.load(device)
        wav = item.wav.to(device)
        # Not in the precision of the training around: the cache outlives it.
        with torch.autocast(torch.device(device).type, enabled=False):
            x = encoder(wav.unsqueeze(0), torch.ones(1, device=device)).x[0]
        x = x.to(self.dtype)
        if known is not None:
            _save(x, known)
        return x

    def _files(self, path):
        """Where the frames of a clip are, one file per encoder."""
        if self._identities is None:
            self._identities = [identity(e) for e in self.encoders]
        if path not in self._contents:
            content = hashlib.sha256(Path(path).read_bytes()).hexdigest()
            self._contents[path] = content
        keys = [
            content_key(self._contents[path], own, str(self.dtype))
            for own in self._identities
        ]
        return [
            self.folder / key[:2] / f"{key[:32]}.safetensors" for key in keys
        ]


def identity(encoder):
    """Everything the frames of an encoder depend on.

    Arguments
    ---------
    encoder : PretrainedEncoder
        The encoder.

    Returns
    -------
    dict
        Its ``config()``, a source with its fingerprint; JSON-able.
    """
    config = encoder.config()
    if "source" in config:
        config["source"] = fingerprint(config["source"])
    return config


def _save(x, path):
    """Writes a file in one step; processes may write the same one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.partial")
    save_file({"x": x.cpu().contiguous()}, partial)
    partial.replace(path)
