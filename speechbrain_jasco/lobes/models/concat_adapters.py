"""Convolution adapters whose outputs are laid side by side: WavLLM's way from
encoders to an LLM.

each stream [B, T, D_i] (of all layers: [B, T, L, D_i] -> softmax-weighted sum)
    -> convolutions with GLU, each halves the frames -> bottleneck -> Linear
all streams cut to the shortest -> side by side -> Linear -> [B, N, D_llm]

Paper: Hu et al., "WavLLM: Towards Robust and Adaptive Speech Large Language
Model", arXiv 2404.00656 section 3.1; sizes and order of operations after
microsoft/SpeechT5 WavLLM@5d66cf5.

| here | WavLLM (``audio_encoder``: branch 0, ``wavlm_encoder``: branch 1) |
|---|---|
| branches.i.layer_weights | output_weights |
| branches.i.convs.j | subsample.conv_layers.j |
| branches.i.down, up, norm | adapter.down_layer, up_layer, layer_norm |
| branches.i.projection | projector |
| projection | wavlm_audio_proj |

The published file also has an ``audio_proj``, which WavLLM does not use.

Authors
 * The speechbrain_jasco developers, 2026
"""

import torch
from torch import nn
from torch.nn.functional import gelu, glu

from speechbrain_jasco.lobes.frames import zero_tail


class ConvAdapter(nn.Module):
    """The branch of one stream; the defaults are WavLLM's.

    Arguments
    ---------
    in_width : int
        Width of the stream.
    conv_widths : list of int
        Output channels of all convolutions but the last, which has those that
        ``width`` needs; GLU halves them, and each convolution the number of
        frames.
    n_layers : int
        Layers of the stream; beyond 1 they are summed with learned weights.
    width : int
        Width behind the convolutions.
    bottleneck : int
        Width inside the bottleneck.
    out_width : int
        Width of the output.
    conv_norm : bool
        Whether to normalise what the convolutions say. An untrained
        bottleneck, whose output is of unit size, drowns it otherwise: trained
        from nothing, the fusion hears no words (docs/LOG.md, 2026-11-28).

    Example
    -------
    >>> branch = ConvAdapter(6, [8], 3, width=4, bottleneck=2, out_width=5)
    >>> x, sizes = branch(torch.randn(2, 10, 3, 6), torch.tensor([10, 5]))
    >>> x.shape, sizes.tolist()
    (torch.Size([2, 3, 5]), [3, 2])
    """

    def __init__(
        self,
        in_width,
        conv_widths,
        n_layers=1,
        width=1024,
        bottleneck=512,
        out_width=2048,
        conv_norm=False,
    ):
        super().__init__()
        self.out_width = out_width
        self.layer_weights = None
        if n_layers > 1:
            self.layer_weights = nn.Parameter(torch.zeros(n_layers))
        n_outs = [*conv_widths, 2 * width]
        n_ins = [in_width, *(n_out // 2 for n_out in conv_widths)]
        self.convs = nn.ModuleList(
            nn.Conv1d(n_in, n_out, kernel_size=3, stride=2, padding=1)
            for n_in, n_out in zip(n_ins, n_outs, strict=True)
        )
        self.conv_norm = nn.LayerNorm(width) if conv_norm else nn.Identity()
        self.down = nn.Linear(width, bottleneck)
        self.up = nn.Linear(bottleneck, width)
        self.norm = nn.LayerNorm(width)
        self.projection = nn.Linear(width, out_width)

    def forward(self, x, sizes):
        """Runs the branch.

        Arguments
        ---------
        x : torch.Tensor
            Frames [B, T, D], or [B, T, L, D] of more than one layer.
        sizes : torch.Tensor
            Lengths [B] in frames.

        Returns
        -------
        x : torch.Tensor
            Frames [B, N, out_width], N = ceil(T / 4) with two convolutions.
        sizes : torch.Tensor
            Lengths [B] in frames.
        """
        if self.layer_weights is not None:
            weights = self.layer_weights.softmax(dim=0)
            x = torch.einsum("btld,l->btd", x, weights)
        for conv in self.convs:
            # A convolution sees over the end of a clip: zeros, as if alone.
            x = zero_tail(x, sizes)
            x = glu(conv(x.transpose(1, 2)), dim=1).transpose(1, 2)
            sizes = (sizes + 1) // 2
        x = self.conv_norm(x)
        x = x + self.norm(self.up(gelu(self.down(x))))
        return self.projection(x), sizes


class ConcatAdapters(nn.Module):
    """Fuses streams of frames into tokens for an LLM (arXiv 2404.00656).

    Each clip is cut to the shortest of its branches' outputs. The streams
    need one rate: there is no other alignment.

    Arguments
    ---------
    branches : list of ConvAdapter
        One per stream.
    llm_width : int
        Width of the LLM's embeddings.

    Example
    -------
    >>> from speechbrain_jasco.lobes.frames import Frames
    >>> sizes = {"width": 4, "bottleneck": 2, "out_width": 5}
    >>> branches = [ConvAdapter(6, [8], **sizes), ConvAdapter(4, [8], 3, **sizes)]
    >>> fusion = ConcatAdapters(branches, llm_width=16)
    >>> whisper = Frames(torch.randn(1, 100, 6), torch.ones(1), 50.0)
    >>> wavlm = Frames(torch.randn(1, 95, 3, 4), torch.ones(1), 50.0)
    >>> tokens, lens = fusion([whisper, wavlm])
    >>> tokens.shape, lens
    (torch.Size([1, 24, 16]), tensor([1.]))
    """

    def __init__(self, branches, llm_width):
        super().__init__()
        self.branches = nn.ModuleList(branches)
        self.projection = nn.Linear(
            sum(branch.out_width for branch in branches), llm_width
        )

    def forward(self, streams):
        """Fuses a batch.

        Arguments
        ---------
        streams : list of Frames
            One per branch, [B, T_i, D_i] or [B, T_i, L, D_i].

        Returns
        -------
        tokens : torch.Tensor
            Tokens [B, N, D_llm], zero behind the end of a clip.
        lens : torch.Tensor
            Relative lengths [B].

        Raises
        ------
        ValueError
            If there are not as many streams as branches, or their rates
            differ.
        """
        rates = [stream.rate_hz for stream in streams]
        if len(rates) != len(self.branches) or len(set(rates)) != 1:
            raise ValueError(
                f"got streams of {rates} Hz; expected {len(self.branches)} "
                "of one rate"
            )
        parts, all_sizes = zip(
            *(
                branch(stream.x, stream.sizes())
                for branch, stream in zip(self.branches, streams)
            )
        )
        sizes = torch.stack(all_sizes).amin(dim=0)
        longest = int(sizes.max())
        x = torch.cat([part[:, :longest] for part in parts], dim=2)
        return zero_tail(self.projection(x), sizes), sizes / longest
