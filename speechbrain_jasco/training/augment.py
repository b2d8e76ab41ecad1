"""Noise for frames of frozen encoders: other voices, other rooms, for free.

The encoders run once and their frames are cached, so that waveforms cannot be
changed from epoch to epoch; their frames can. Without, the fusion learns the
few voices of the training set by heart (docs/LOG.md has the figures).

Authors
 * The speechbrain_jasco developers, 2026
"""

from speechbrain.augment.freq_domain import SpectrogramDrop
from torch import nn
from torch.nn.functional import dropout


class FrameAugment(nn.Module):
    """Drops values everywhere, and stretches of time of the first stream.

    Arguments
    ---------
    p : float
        Share of the values that are dropped; the others grow, as in dropout.
    n_stretches : int
        Stretches of time that are dropped of each clip.
    longest_s : float
        Length of the longest in seconds; it must be longer than a frame.

    Example
    -------
    >>> import torch
    >>> from speechbrain_jasco.lobes.frames import Frames
    >>> speech = Frames(torch.ones(1, 100, 4), torch.ones(1), 50.0)
    >>> (heard,) = FrameAugment(p=0.0)([speech])
    >>> silent = (heard.x == 0).all(dim=2).sum()
    >>> bool(0 < silent <= 3 * 0.2 * 50)
    True
    """

    def __init__(self, p=0.2, n_stretches=3, longest_s=0.2):
        super().__init__()
        self.p = p
        self.n_stretches = n_stretches
        self.longest_s = longest_s

    def forward(self, streams):
        """Augments a batch.

        Arguments
        ---------
        streams : list of Frames
            One per encoder, the speech encoder's first.

        Returns
        -------
        list of Frames
        """
        first, *others = [s._replace(x=dropout(s.x, self.p)) for s in streams]
        drop = SpectrogramDrop(
            drop_length_low=1,
            drop_length_high=round(self.longest_s * first.rate_hz) + 1,
            drop_count_low=self.n_stretches,
            drop_count_high=self.n_stretches,
        )
        # It writes in place; the cached frames are not to be touched.
        return [first._replace(x=drop(first.x.clone())), *others]
