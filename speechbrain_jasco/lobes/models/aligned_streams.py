"""Streams of any rate for a fusion that wants one.

Authors
 * The speechbrain_jasco developers, 2026
"""

from torch import nn

from speechbrain_jasco.lobes.frames import Frames, zero_tail
from speechbrain_jasco.lobes.models.window_qformer import read_at


class AlignedStreams(nn.Module):
    """Reads every stream at the frame times of the first, then fuses.

    Arguments
    ---------
    fusion : torch.nn.Module
        list of ``Frames`` of one rate -> tokens and lengths.

    Example
    -------
    >>> import torch
    >>> class Add(nn.Module):
    ...     def forward(self, streams):
    ...         return streams[0].x + streams[1].x, streams[0].lens
    >>> fast = Frames(torch.zeros(1, 4, 1), torch.ones(1), 2.0)
    >>> slow = Frames(torch.tensor([[[1.0], [2.0]]]), torch.ones(1), 1.0)
    >>> AlignedStreams(Add())([fast, slow])[0].flatten().tolist()
    [1.0, 1.0, 2.0, 2.0]
    """

    def __init__(self, fusion):
        super().__init__()
        self.fusion = fusion

    @property
    def projection(self):
        """The fusion's last layer, as wide as the LLM."""
        return self.fusion.projection

    def forward(self, streams):
        """Fuses a batch.

        Arguments
        ---------
        streams : list of Frames
            One per encoder, [B, T_i, D_i].

        Returns
        -------
        tokens : torch.Tensor
            Tokens [B, N, D_llm].
        lens : torch.Tensor
            Relative lengths [B].
        """
        first = streams[0]
        aligned = [first]
        for stream in streams[1:]:
            x = read_at(
                zero_tail(stream.x, stream.sizes()),
                stream.rate_hz,
                first.x.shape[1],
                first.rate_hz,
            )
            x = zero_tail(x, first.sizes())
            aligned.append(Frames(x, first.lens, first.rate_hz))
        return self.fusion(aligned)
