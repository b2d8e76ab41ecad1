"""The starter kit's sound encoder as an encoder with a ``source``.

Authors
 * The speechbrain_jasco developers, 2026
"""

from pathlib import Path

from speechbrain_jasco import starter
from speechbrain_jasco.integrations.sound_weights import load_aisfx
from speechbrain_jasco.lobes.models.aisfx import Aisfx
from speechbrain_jasco.lobes.pretrained import PretrainedEncoder


class AisfxEncoder(PretrainedEncoder):
    """aiSFX, frozen: a 512-wide vector every 1.2 s.

    Arguments
    ---------
    source : str, optional
        ``starter:aisfx`` or a folder that ``sound_weights.convert_aisfx``
        has written.
    config : dict, optional
        Arguments of ``Aisfx`` instead, for random weights.

    Example
    -------
    >>> import torch
    >>> encoder = AisfxEncoder(config={"width": 1})
    >>> frames = encoder(torch.randn(1, 64000), torch.ones(1))
    >>> frames.x.shape, round(frames.rate_hz, 2)
    (torch.Size([1, 2, 8]), 0.86)
    """

    rate_hz = Aisfx.rate_hz

    def build(self, config):
        """Makes the network with random weights.

        Arguments
        ---------
        config : dict
            Arguments of ``Aisfx``.

        Returns
        -------
        Aisfx
            The network.
        """
        return Aisfx(**config)

    def read(self, source):
        """Reads a converted folder.

        Arguments
        ---------
        source : str
            ``starter:aisfx`` or the folder.

        Returns
        -------
        Aisfx
            The network on the CPU.
        """
        return load_aisfx(source)

    def check(self):
        """Fails now rather than later if there is no such folder.

        Raises
        ------
        ValueError
            If it does not hold a converted aiSFX.
        """
        if self.source is None:
            return
        folder = Path(starter.resolve(self.source))
        for name in ("config.json", "model.safetensors"):
            if not (folder / name).is_file():
                raise ValueError(
                    f"no aiSFX in {self.source!r} ({name} is missing); "
                    "expected starter:aisfx or a folder that "
                    "sound_weights.convert_aisfx has written"
                )

    def encode(self, wav):
        """Encodes one clip.

        Arguments
        ---------
        wav : torch.Tensor
            Waveform [S] at 16 kHz, without padding.

        Returns
        -------
        torch.Tensor
            One vector per block [T, D].
        """
        return self.model.encode(wav)
