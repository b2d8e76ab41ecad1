"""SoundNet-8: a convolutional network on raw waveforms that learnt from video
what places look like when they sound like this.

wav 16 kHz -> 22.05 kHz x 256, tiled to 20 s
    -> conv1 /2 pool /8 -> conv2 /2 pool /8 -> conv3 /2 -> conv4 /2
    -> conv5 /2 pool /4 (256 wide, 2.7 Hz) -> conv6 /2 -> conv7 /2 (1024, 0.7 Hz)
    -> two heads: 1000 ImageNet objects, 401 Places scenes

Paper: arXiv 1610.09001. Geometry, input range and the order of the heads are
those of cvondrick/soundnet main_train.lua@3676ea1 and
extract_feat.lua@0ad4eb6.

Authors
 * The speechbrain_jasco developers, 2026
"""

from typing import NamedTuple

import torch
from torch import nn
from torchaudio.functional import resample

from speechbrain_jasco.lobes.frames import (
    SAMPLE_RATE_HZ,
    FrozenEncoder,
    split_clips,
)

SOUNDNET_RATE_HZ = 22050
FULL_SCALE = 256.0  # the network was trained on samples in [-256, 256]
MIN_SAMPLES = 20 * SOUNDNET_RATE_HZ  # training length; the heads see all of it

# name: (kernel, max-pool); every convolution has stride 2 and pads kernel / 2.
GEOMETRY = {
    "conv1": (64, 8),
    "conv2": (32, 8),
    "conv3": (16, 1),
    "conv4": (8, 1),
    "conv5": (4, 4),
    "conv6": (4, 1),
    "conv7": (4, 1),
}
HEAD_KERNEL = 8


class LabelProbabilities(NamedTuple):
    """What SoundNet thinks a clip would look like.

    Arguments
    ---------
    scenes : torch.Tensor
        Probabilities of the Places scenes [B, 401].
    objects : torch.Tensor
        Probabilities of the ImageNet objects [B, 1000].
    """

    scenes: torch.Tensor
    objects: torch.Tensor


def tile(wav, n_samples):
    """Repeats a waveform until it has at least ``n_samples``, and cuts there.

    Arguments
    ---------
    wav : torch.Tensor
        Waveform [S].
    n_samples : int
        Wanted length; longer waveforms are left alone.

    Returns
    -------
    torch.Tensor
        Waveform of max(S, n_samples) samples.

    Example
    -------
    >>> tile(torch.tensor([1.0, 2.0]), 5).tolist()
    [1.0, 2.0, 1.0, 2.0, 1.0]
    """
    if len(wav) >= n_samples:
        return wav
    return wav.repeat(-(-n_samples // len(wav)))[:n_samples]


class SoundNet(FrozenEncoder):
    """SoundNet-8, frozen (arXiv 1610.09001).

    A clip shorter than 20 s is tiled to 20 s, the length of training, and its
    frames are cut back to its own duration: padding never reaches the network.

    Arguments
    ---------
    width : int
        Channels of conv1; every block doubles it (the original: 16).
    n_objects : int
        Size of the object head.
    n_scenes : int
        Size of the scene head.
    layer : str
        The block whose output ``forward`` gives: "conv1" ... "conv7".

    Raises
    ------
    ValueError
        If there is no such layer.

    Example
    -------
    >>> model = SoundNet(width=1, n_objects=5, n_scenes=4)
    >>> frames = model(torch.randn(2, 48000), torch.tensor([1.0, 0.5]))
    >>> frames.x.shape, round(frames.rate_hz, 2)
    (torch.Size([2, 9, 16]), 2.69)
    >>> probabilities = model.label_probabilities(
    ...     torch.randn(2, 48000), torch.tensor([1.0, 0.5]))
    >>> probabilities.scenes.shape, probabilities.objects.shape
    (torch.Size([2, 4]), torch.Size([2, 5]))
    """

    def __init__(self, width=16, n_objects=1000, n_scenes=401, layer="conv5"):
        super().__init__()
        if layer not in GEOMETRY:
            raise ValueError(
                f"got layer {layer!r}; expected one of {', '.join(GEOMETRY)}"
            )
        self.layer = layer
        self.blocks = nn.ModuleDict()
        n_in, stride = 1, 1
        for i, (name, (kernel, pool)) in enumerate(GEOMETRY.items()):
            n_out = width * 2**i
            self.blocks[name] = nn.Sequential(
                nn.Conv1d(n_in, n_out, kernel, stride=2, padding=kernel // 2),
                nn.BatchNorm1d(n_out),
                nn.ReLU(),
                nn.MaxPool1d(pool),
            )
            n_in, stride = n_out, stride * 2 * pool
            if name == layer:
                self.rate_hz = SOUNDNET_RATE_HZ / stride
                self.n_features = n_out
        self.objects = nn.Conv1d(n_in, n_objects, HEAD_KERNEL, stride=2)
        self.scenes = nn.Conv1d(n_in, n_scenes, HEAD_KERNEL, stride=2)
        self.freeze()

    def run_blocks(self, wav, last):
        """Runs the network on one clip up to a block.

        Arguments
        ---------
        wav : torch.Tensor
            Waveform [S] at 16 kHz.
        last : str
            Name of the last block to run.

        Returns
        -------
        torch.Tensor
            Output of that block [1, D, T], of the tiled clip.
        """
        wav = resample(wav, SAMPLE_RATE_HZ, SOUNDNET_RATE_HZ) * FULL_SCALE
        x = tile(wav, MIN_SAMPLES).reshape(1, 1, -1)
        for name, block in self.blocks.items():
            x = block(x)
            if name == last:
                break
        return x

    def encode(self, wav):
        """Encodes one clip.

        Arguments
        ---------
        wav : torch.Tensor
            Waveform [S] at 16 kHz, without padding.

        Returns
        -------
        torch.Tensor
            Features [T, D]: the frames that begin within the clip.
        """
        x = self.run_blocks(wav, self.layer)[0].T
        # Integers, since a float product could round a whole number up.
        samples_per_frame = round(SOUNDNET_RATE_HZ / self.rate_hz)
        n_samples = len(wav) * SOUNDNET_RATE_HZ
        return x[: -(-n_samples // (samples_per_frame * SAMPLE_RATE_HZ))]

    @torch.no_grad()
    def label_probabilities(self, wavs, wav_lens):
        """Says which scenes and objects the clips sound like.

        The heads give one distribution per 5 s; their logits are averaged
        over time.

        Arguments
        ---------
        wavs : torch.Tensor
            Padded waveforms [B, S] at 16 kHz.
        wav_lens : torch.Tensor
            Relative lengths [B].

        Returns
        -------
        LabelProbabilities
            Scenes [B, n_scenes] and objects [B, n_objects].
        """
        scenes, objects = [], []
        for clip in split_clips(wavs, wav_lens):
            x = self.run_blocks(clip, last="conv7")
            scenes.append(self.scenes(x)[0].mean(dim=1).softmax(dim=0))
            objects.append(self.objects(x)[0].mean(dim=1).softmax(dim=0))
        return LabelProbabilities(torch.stack(scenes), torch.stack(objects))
