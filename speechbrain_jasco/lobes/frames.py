"""The encoder contract: what an audio encoder gives, and what it means to be
frozen.

Every encoder maps waveforms [B, S] at 16 kHz and relative lengths [B] to
``Frames``. Frames of different encoders differ in width and rate; both are
written on them, so that a fusion lobe needs to know nothing else.

Authors
 * The speechbrain_jasco developers, 2026
"""

from typing import List, NamedTuple

import torch
from speechbrain.dataio.dataio import length_to_mask
from torch import nn
from torch.nn.utils.rnn import pad_sequence

SAMPLE_RATE_HZ = 16000


class Frames(NamedTuple):
    """A batch of feature sequences.

    Arguments
    ---------
    x : torch.Tensor
        Features [B, T, D], or [B, T, L, D] of an encoder that gives all of
        its L layers; zero behind the end of a clip.
    lens : torch.Tensor
        Relative lengths [B] in (0, 1], as everywhere in SpeechBrain.
    rate_hz : float
        Frames per second.

    Example
    -------
    >>> Frames(torch.ones(2, 4, 3), torch.tensor([1.0, 0.5]), 50.0).sizes()
    tensor([4, 2])
    """

    x: torch.Tensor
    lens: torch.Tensor
    rate_hz: float

    def sizes(self):
        """Lengths in frames.

        Returns
        -------
        torch.Tensor
            Lengths [B], whole numbers.
        """
        return (self.lens * self.x.shape[1]).round().long()


def zero_tail(x, sizes):
    """Sets to zero what lies behind the end of each sequence.

    A layer with a bias turns zero padding into something else. After this a
    sequence looks the same alone and inside a batch.

    Arguments
    ---------
    x : torch.Tensor
        Sequences [B, T, ...].
    sizes : torch.Tensor
        Their lengths [B] in steps.

    Returns
    -------
    torch.Tensor
        Sequences [B, T, ...].

    Example
    -------
    >>> zero_tail(torch.ones(2, 3), torch.tensor([3, 1])).tolist()
    [[1.0, 1.0, 1.0], [1.0, 0.0, 0.0]]
    """
    inside = length_to_mask(sizes, x.shape[1], dtype=torch.bool)
    outside = ~inside.reshape(*inside.shape, *[1] * (x.ndim - 2))
    return x.masked_fill(outside, 0.0)


def split_clips(wavs, wav_lens):
    """Cuts a padded batch into its clips.

    Arguments
    ---------
    wavs : torch.Tensor
        Padded waveforms [B, S].
    wav_lens : torch.Tensor
        Relative lengths [B].

    Returns
    -------
    list of torch.Tensor
        One waveform [S_i] per clip, without padding.

    Raises
    ------
    ValueError
        If the shapes do not fit or a clip is empty.

    Example
    -------
    >>> wavs = torch.arange(8.0).reshape(2, 4)
    >>> [w.tolist() for w in split_clips(wavs, torch.tensor([1.0, 0.5]))]
    [[0.0, 1.0, 2.0, 3.0], [4.0, 5.0]]
    """
    if wavs.ndim != 2 or wav_lens.shape != wavs.shape[:1]:
        raise ValueError(
            f"got wavs {tuple(wavs.shape)} and wav_lens "
            f"{tuple(wav_lens.shape)}; expected [B, S] and [B]"
        )
    sizes = (wav_lens * wavs.shape[1]).round().long().tolist()
    if min(sizes) < 1:
        raise ValueError(
            f"got clips of {sizes} samples; expected at least one sample "
            "each: drop the empty clips"
        )
    return [wav[:size] for wav, size in zip(wavs, sizes)]


def join_frames(sequences: List[torch.Tensor], rate_hz: float) -> Frames:
    """Pads feature sequences [T_i, D] or [T_i, L, D] to one batch.

    Arguments
    ---------
    sequences : list of torch.Tensor
        One sequence per clip.
    rate_hz : float
        Frames per second.

    Returns
    -------
    Frames
        The padded batch.

    Example
    -------
    >>> frames = join_frames([torch.ones(4, 3), torch.ones(2, 3)], 50.0)
    >>> frames.x.shape, frames.lens.tolist()
    (torch.Size([2, 4, 3]), [1.0, 0.5])
    """
    x = pad_sequence(sequences, batch_first=True)
    sizes = torch.tensor([len(s) for s in sequences], device=x.device)
    return Frames(x, sizes / x.shape[1], rate_hz)


class FrozenEncoder(nn.Module):
    """Base of the encoders that are used as they are.

    Frozen is a property, not a call: after ``freeze()`` at the end of the
    constructor no parameter requires a gradient, the module stays in eval
    mode through any ``train()``, and ``forward`` runs without grad. Clips are
    encoded one by one, so a clip gives the same frames alone and inside a
    batch with longer clips.

    A subclass sets ``rate_hz`` and writes ``encode``.

    Example
    -------
    >>> class Samples(FrozenEncoder):
    ...     rate_hz = 16000.0
    ...     def encode(self, wav):
    ...         return wav.unsqueeze(1)
    >>> frames = Samples()(torch.ones(2, 100), torch.tensor([1.0, 0.5]))
    >>> frames.x.shape, frames.lens.tolist()
    (torch.Size([2, 100, 1]), [1.0, 0.5])
    """

    rate_hz: float

    def freeze(self):
        """Switches gradients off and goes to eval mode, for good."""
        self.requires_grad_(False)
        self.train()

    def train(self, mode=True):
        """Stays in eval mode, whatever is asked.

        Arguments
        ---------
        mode : bool
            Ignored.

        Returns
        -------
        FrozenEncoder
            Itself.
        """
        return super().train(False)

    def encode(self, wav):
        """Encodes one clip.

        Arguments
        ---------
        wav : torch.Tensor
            Waveform [S] at 16 kHz, without padding.

        Returns
        -------
        torch.Tensor
            Features [T, D] or [T, L, D].
        """
        raise NotImplementedError

    @torch.no_grad()
    def forward(self, wavs, wav_lens):
        """Encodes a batch.

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
        clips = split_clips(wavs, wav_lens)
        return join_frames([self.encode(clip) for clip in clips], self.rate_hz)
