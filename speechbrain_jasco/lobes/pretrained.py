"""Frozen encoders whose weights arrive at the first use.

With ``source`` nothing is read before ``load()``, so that a YAML with the
largest encoder parses at once. With ``config`` the model is built by the
constructor, with random weights: for tests, for the meta device, and for
weights that come out of somebody else's checkpoint.

Authors
 * The speechbrain_jasco developers, 2026
"""

import torch

from speechbrain_jasco.lobes.frames import FrozenEncoder

# What failed downloads begin with.
LFS_POINTER = b"version https://git-lfs.github.com/spec/"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
PAGES = (b"<!doctype", b"<html", b"<?xml", b"<error", b"<head")


class PretrainedEncoder(FrozenEncoder):
    """Base of the encoders around somebody's published model.

    A subclass writes ``build(config)`` and ``read(source)``, which both give
    the module that becomes ``model``, ``check()``, ``encode`` and what it
    adds to ``config()``.

    Arguments
    ---------
    source : str, optional
        Where the weights are.
    config : dict, optional
        Sizes instead of a source.

    Raises
    ------
    ValueError
        If not exactly one of the two is given.

    Example
    -------
    >>> class Scale(PretrainedEncoder):
    ...     rate_hz = 16000.0
    ...     def build(self, config):
    ...         return torch.nn.Linear(1, config["width"])
    ...     def encode(self, wav):
    ...         return self.model(wav.unsqueeze(1))
    >>> encoder = Scale(config={"width": 3})
    >>> encoder(torch.ones(1, 100), torch.ones(1)).x.shape
    torch.Size([1, 100, 3])
    >>> Scale(source="folder").model is None
    True
    """

    def __init__(self, source=None, config=None):
        super().__init__()
        if (source is None) == (config is None):
            raise ValueError(
                f"got source {source!r} and config {config!r}; expected one "
                "of the two: weights, or sizes for random ones"
            )
        self.source = source
        self.sizes = config
        self.model = None
        if config is not None:
            self.model = self.build(config)
            self.freeze()

    def build(self, config):
        """Makes the model with random weights.

        Arguments
        ---------
        config : dict
            Sizes.

        Returns
        -------
        torch.nn.Module
            The model.
        """
        raise NotImplementedError

    def read(self, source):
        """Makes the model with its published weights, on the CPU.

        Arguments
        ---------
        source : str
            Where the weights are.

        Returns
        -------
        torch.nn.Module
            The model.
        """
        raise NotImplementedError

    def config(self):
        """Everything the frames depend on, JSON-able.

        A local source can be trained anew in place: who stores answers by
        this must take a fingerprint of it.

        Returns
        -------
        dict
            The class, ``source`` as it is written, and the sizes if given.
        """
        given = {"source": self.source, "sizes": self.sizes}
        given = {k: v for k, v in given.items() if v is not None}
        return {"encoder": type(self).__name__, **given}

    def load(self, device="cpu"):
        """Reads the weights, once, and puts them on a device.

        Arguments
        ---------
        device : str or torch.device
            Where the model shall be.
        """
        if self.model is None:
            self.model = self.read(self.source)
            self.freeze()
        self.model.to(device)

    @torch.no_grad()
    def forward(self, wavs, wav_lens):
        """Encodes a batch on the device of the waveforms.

        Arguments
        ---------
        wavs : torch.Tensor
            Padded waveforms [B, S] at 16 kHz.
        wav_lens : torch.Tensor
            Relative lengths [B].

        Returns
        -------
        Frames
            Features [B, T, D] or [B, T, L, D] with lengths and rate.
        """
        self.load(wavs.device)
        return super().forward(wavs, wav_lens)


def download_fault(head):
    """Says what a failed download has left in the place of a checkpoint.

    Arguments
    ---------
    head : bytes
        The first bytes of the file, 512 or so.

    Returns
    -------
    str
        The fault; "" if there is none to be seen.

    Example
    -------
    >>> download_fault(b"\\n<!DOCTYPE html>")
    'this is an HTML or XML page, not a checkpoint: its download failed'
    >>> download_fault(b"PK")
    ''
    """
    if not head:
        return "the file is empty"
    if head.startswith(LFS_POINTER):
        return "this is a Git-LFS pointer, not the file: run `git lfs pull`"
    if head.startswith(BYTE_ORDER_MARK):
        head = head[len(BYTE_ORDER_MARK) :]
    if head.lstrip().lower().startswith(PAGES):
        return (
            "this is an HTML or XML page, not a checkpoint: its download failed"
        )
    return ""


def pad_to(wav, n_samples):
    """Appends zeros to a clip that is too short for one frame.

    Arguments
    ---------
    wav : torch.Tensor
        Waveform [S].
    n_samples : int
        The shortest length.

    Returns
    -------
    torch.Tensor
        Waveform of at least ``n_samples`` samples.

    Example
    -------
    >>> pad_to(torch.ones(2), 4).tolist(), pad_to(torch.ones(2), 1).tolist()
    ([1.0, 1.0, 0.0, 0.0], [1.0, 1.0])
    """
    missing = max(0, n_samples - len(wav))
    return torch.nn.functional.pad(wav, (0, missing))
