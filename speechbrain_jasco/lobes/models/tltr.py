"""TLTR, the time and layer-wise transformer: LTU-AS's way from Whisper's
layers to an LLM.

[B, T, L, D] -> a transformer block over time, on each layer
    -> a transformer block over the layers, at each step -> mean over layers
    -> LayerNorm without weights -> Linear -> [B, T, D_llm]

Papers: Gong et al., "Joint Audio and Speech Understanding", arXiv 2309.14405
section 3; TLTR: "Whisper-AT", arXiv 2307.03183. Sizes and order of operations
after YuanGongND/ltu@2002aad.

The blocks are Whisper's (openai/whisper model.py, ``ResidualAttentionBlock``)
and keep its names; ``audio_encoder.time_tr`` of LTU-AS is ``time_block``
here, ``audio_encoder.layer_tr`` is ``layer_block``, ``audio_proj.1`` is
``projection``.

Authors
 * The speechbrain_jasco developers, 2026
"""

import torch
from speechbrain.dataio.dataio import length_to_mask
from torch import nn
from torch.nn.functional import layer_norm, scaled_dot_product_attention

from speechbrain_jasco.lobes.frames import zero_tail


class Attention(nn.Module):
    """Multi-head self-attention whose keys have no bias.

    Arguments
    ---------
    width : int
        Width of the sequence.
    n_heads : int
        Number of heads.

    Example
    -------
    >>> Attention(8, 2)(torch.randn(3, 5, 8)).shape
    torch.Size([3, 5, 8])
    """

    def __init__(self, width, n_heads):
        super().__init__()
        self.n_heads = n_heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width, bias=False)
        self.value = nn.Linear(width, width)
        self.out = nn.Linear(width, width)

    def forward(self, x, mask=None):
        """Attends.

        Arguments
        ---------
        x : torch.Tensor
            Sequences [B, T, D].
        mask : torch.Tensor, optional
            Steps that may be attended to [B, T], bool.

        Returns
        -------
        torch.Tensor
            Sequences [B, T, D].
        """
        heads = [
            project(x).unflatten(-1, (self.n_heads, -1)).transpose(1, 2)
            for project in (self.query, self.key, self.value)
        ]
        if mask is not None:
            mask = mask[:, None, None]
        y = scaled_dot_product_attention(*heads, attn_mask=mask)
        return self.out(y.transpose(1, 2).flatten(2))


class Block(nn.Module):
    """A pre-norm transformer block.

    Arguments
    ---------
    width : int
        Width of the sequence.
    n_heads : int
        Number of heads.

    Example
    -------
    >>> Block(8, 2)(torch.randn(3, 5, 8)).shape
    torch.Size([3, 5, 8])
    """

    def __init__(self, width, n_heads):
        super().__init__()
        self.attn = Attention(width, n_heads)
        self.attn_ln = nn.LayerNorm(width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )
        self.mlp_ln = nn.LayerNorm(width)

    def forward(self, x, mask=None):
        """Runs the block.

        Arguments
        ---------
        x : torch.Tensor
            Sequences [B, T, D].
        mask : torch.Tensor, optional
            Steps that may be attended to [B, T], bool.

        Returns
        -------
        torch.Tensor
            Sequences [B, T, D].
        """
        x = x + self.attn(self.attn_ln(x), mask)
        return x + self.mlp(self.mlp_ln(x))


class TLTR(nn.Module):
    """Fuses all layers of one encoder into tokens for an LLM.

    Arguments
    ---------
    width : int
        Width of the encoder.
    llm_width : int
        Width of the LLM's embeddings.
    time_heads : int
        Heads of the block over time.
    layer_heads : int
        Heads of the block over layers.

    Example
    -------
    >>> from speechbrain_jasco.lobes.frames import Frames
    >>> fusion = TLTR(16, llm_width=32)
    >>> frames = Frames(torch.randn(2, 25, 4, 16), torch.ones(2), 2.5)
    >>> tokens, lens = fusion([frames])
    >>> tokens.shape, lens
    (torch.Size([2, 25, 32]), tensor([1., 1.]))
    """

    def __init__(self, width=1280, llm_width=4096, time_heads=1, layer_heads=8):
        super().__init__()
        self.time_block = Block(width, time_heads)
        self.layer_block = Block(width, layer_heads)
        self.projection = nn.Linear(width, llm_width)

    def forward(self, streams):
        """Fuses a batch.

        Arguments
        ---------
        streams : list of Frames
            A single stream, [B, T, L, D].

        Returns
        -------
        tokens : torch.Tensor
            Tokens [B, T, D_llm], zero behind the end of a clip.
        lens : torch.Tensor
            Relative lengths [B].

        Raises
        ------
        ValueError
            If there is more than one stream or it has one layer only.
        """
        if len(streams) != 1 or streams[0].x.ndim != 4:
            shapes = [tuple(stream.x.shape) for stream in streams]
            raise ValueError(
                f"got streams of {shapes}; expected one [B, T, L, D]: an "
                "encoder with `layers: all`"
            )
        frames = streams[0]
        n_clips, n_steps, n_layers, _ = frames.x.shape
        sizes = frames.sizes()
        mask = length_to_mask(sizes, n_steps, dtype=torch.bool)
        x = frames.x.transpose(1, 2).flatten(0, 1)  # [B * L, T, D]
        x = self.time_block(x, mask.repeat_interleave(n_layers, dim=0))
        x = x.unflatten(0, (n_clips, n_layers)).transpose(1, 2)
        x = self.layer_block(x.flatten(0, 1)).unflatten(0, (n_clips, n_steps))
        x = x.mean(dim=2)
        x = self.projection(layer_norm(x, x.shape[-1:]))
        return zero_tail(x, sizes), frames.lens
