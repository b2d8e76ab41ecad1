"""A Q-Former over windows of frames: SALMONN's way from encoders to an LLM.

streams [B, T_i, D_i] -> LayerNorm each -> side by side [B, T, sum D_i]
    -> windows of 1/3 s -> Q queries per window look at its frames
    -> [B, W * Q, D] -> Linear -> [B, N, D_llm]

Paper: Tang et al., "SALMONN: Towards Generic Hearing Abilities for Large
Language Models", arXiv 2310.13289 section 3.1; sizes and order of operations
after bytedance/SALMONN models/salmonn.py@a58bba7, whose weights fit by these
names:

| here | SALMONN |
|---|---|
| norms.0, norms.1 | ln_speech, ln_audio |
| qformer.queries | speech_query_tokens |
| qformer.* | speech_Qformer.bert.*, see qformer.py |
| projection | speech_llama_proj |

Authors
 * The speechbrain_jasco developers, 2026
"""

import torch
from torch import nn
from torch.nn.functional import pad

from speechbrain_jasco.lobes.frames import zero_tail
from speechbrain_jasco.lobes.models.qformer import QFormer


class WindowQFormer(nn.Module):
    """Fuses streams of frames into tokens for an LLM (arXiv 2310.13289).

    The first stream sets the frame rate. A stream of another rate is read at
    the first's frame times (nearest frame); of streams of one rate the
    shorter is padded with zeros behind its LayerNorm, as in SALMONN, whose
    two streams both have 50 frames per second. Windows do not overlap; a
    last one that a clip does not fill is dropped, but a clip shorter than one
    window is padded with zeros to one. So 30 s at 50 Hz give 88 windows of
    17 frames, and any clip gives at least one.

    Arguments
    ---------
    stream_widths : list of int
        Width of each stream, in the order of the streams.
    llm_width : int
        Width of the LLM's embeddings.
    width : int
        Width of the queries.
    n_layers : int
        Layers of the Q-Former.
    n_heads : int
        Heads of the Q-Former.
    n_queries : int
        Queries per window.
    window_s : float
        Length of a window in seconds.

    Example
    -------
    >>> from speechbrain_jasco.lobes.frames import Frames
    >>> fusion = WindowQFormer([6, 4], 32, width=8, n_heads=2)
    >>> lens = torch.tensor([1.0, 0.5])
    >>> speech = Frames(torch.randn(2, 100, 6), lens, 50.0)
    >>> sounds = Frames(torch.randn(2, 6, 4), lens, 2.7)
    >>> tokens, lens = fusion([speech, sounds])
    >>> tokens.shape, (lens * 5).round().tolist()
    (torch.Size([2, 5, 32]), [5.0, 2.0])
    """

    def __init__(
        self,
        stream_widths,
        llm_width,
        width=768,
        n_layers=2,
        n_heads=12,
        n_queries=1,
        window_s=0.333333,
    ):
        super().__init__()
        self.window_s = window_s
        self.norms = nn.ModuleList(nn.LayerNorm(d) for d in stream_widths)
        self.qformer = QFormer(
            width, sum(stream_widths), n_layers, n_heads, n_queries
        )
        self.projection = nn.Linear(width, llm_width)

    def forward(self, streams):
        """Fuses a batch.

        Arguments
        ---------
        streams : list of Frames
            One per stream, [B, T_i, D_i].

        Returns
        -------
        tokens : torch.Tensor
            Tokens [B, N, D_llm], zero behind the end of a clip.
        lens : torch.Tensor
            Relative lengths [B].
        """
        x, sizes = self.join(streams)
        length = round(self.window_s * streams[0].rate_hz)
        x = pad(x, (0, 0, 0, max(0, length - x.shape[1])))
        windows = x.unfold(1, length, length).transpose(2, 3)  # [B, W, T, D]
        n_windows = (sizes // length).clamp(min=1)
        y = self.projection(self.qformer(windows.flatten(0, 1)))
        y = y.unflatten(0, windows.shape[:2])  # [B, W, Q, D_llm]
        lens = n_windows / windows.shape[1]
        return zero_tail(y, n_windows).flatten(1, 2), lens

    def join(self, streams):
        """Normalises the streams and lays them side by side.

        Arguments
        ---------
        streams : list of Frames
            One per stream, [B, T_i, D_i].

        Returns
        -------
        x : torch.Tensor
            Frames [B, T, sum D_i] at the rate of the first stream.
        sizes : torch.Tensor
            Lengths [B] in frames.

        Raises
        ------
        ValueError
            If there are not as many streams as widths.
        """
        if len(streams) != len(self.norms):
            raise ValueError(
                f"got {len(streams)} streams; expected {len(self.norms)}, one "
                "for each of `stream_widths`"
            )
        first = streams[0]
        parts, sizes = [], first.sizes()
        for stream, norm in zip(streams, self.norms):
            x = zero_tail(norm(stream.x), stream.sizes())
            if stream.rate_hz == first.rate_hz:
                sizes = torch.maximum(sizes, stream.sizes())
            else:
                x = read_at(x, stream.rate_hz, first.x.shape[1], first.rate_hz)
                x = zero_tail(x, first.sizes())
            parts.append(x)
        longest = max(part.shape[1] for part in parts)
        parts = [pad(x, (0, 0, 0, longest - x.shape[1])) for x in parts]
        return torch.cat(parts, dim=2), sizes


def read_at(x, rate_hz, n_frames, new_rate_hz):
    """Reads a stream at the frame times of another.

    Arguments
    ---------
    x : torch.Tensor
        Frames [B, T, D].
    rate_hz : float
        Their rate.
    n_frames : int
        Frames wanted.
    new_rate_hz : float
        Rate wanted.

    Returns
    -------
    torch.Tensor
        Frames [B, n_frames, D]: at each time the frame that covers it, zero
        behind the last.

    Example
    -------
    >>> read_at(torch.tensor([[[1.0], [2.0]]]), 1.0, 5, 2.0).flatten().tolist()
    [1.0, 1.0, 2.0, 2.0, 0.0]
    """
    times_s = (torch.arange(n_frames, device=x.device) + 0.5) / new_rate_hz
    index = (times_s * rate_hz).long()
    x = pad(x, (0, 0, 0, 1))  # the frame behind the last
    return x[:, index.clamp(max=x.shape[1] - 1)]
