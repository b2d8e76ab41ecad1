"""The Q-Former: learned queries that gather what a sequence of frames holds.

A BERT of few layers (post-norm) on the queries, with cross-attention to the
frames in every layer; no positions, no words.

Paper: Li et al., "BLIP-2", arXiv 2301.12597 section 3.1; sizes as SALMONN uses
it (bytedance/SALMONN models/Qformer.py@a58bba7).

The original's weights fit by these names:

| here | SALMONN, under ``speech_Qformer.bert`` |
|---|---|
| norm | embeddings.LayerNorm |
| layers.n | encoder.layer.n |
| self_attention.{query, key, value} | attention.self.{query, key, value} |
| self_attention.{dense, norm} | attention.output.{dense, LayerNorm} |
| cross_attention.* | crossattention.*, in the same way |
| feed_forward.expand | intermediate_query.dense |
| feed_forward.{dense, norm} | output_query.{dense, LayerNorm} |

transformers' ``Blip2QFormerModel`` has the same names, but ``layernorm`` for
``embeddings.LayerNorm`` and ``attention.attention`` for ``attention.self``.
``queries`` lie outside of both: SALMONN's ``speech_query_tokens``.

Authors
 * The speechbrain_jasco developers, 2026
"""

import torch
from torch import nn
from torch.nn.functional import gelu, scaled_dot_product_attention

NORM_EPS = 1e-12  # BERT's
DROPOUT = 0.1


class Attention(nn.Module):
    """Multi-head attention, residual, LayerNorm.

    Arguments
    ---------
    width : int
        Width of the queries and of the output.
    memory_width : int
        Width of what is attended to.
    n_heads : int
        Number of heads.

    Example
    -------
    >>> Attention(8, 6, 2)(torch.randn(3, 1, 8), torch.randn(3, 5, 6)).shape
    torch.Size([3, 1, 8])
    """

    def __init__(self, width, memory_width, n_heads):
        super().__init__()
        self.n_heads = n_heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(memory_width, width)
        self.value = nn.Linear(memory_width, width)
        self.dense = nn.Linear(width, width)
        self.norm = nn.LayerNorm(width, eps=NORM_EPS)
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, x, memory):
        """Attends.

        Arguments
        ---------
        x : torch.Tensor
            Queries [B, Q, width].
        memory : torch.Tensor
            What is attended to [B, T, memory_width].

        Returns
        -------
        torch.Tensor
            Output [B, Q, width].
        """
        heads = [
            y.unflatten(-1, (self.n_heads, -1)).transpose(1, 2)
            for y in (self.query(x), self.key(memory), self.value(memory))
        ]
        drop = DROPOUT if self.training else 0.0
        y = scaled_dot_product_attention(*heads, dropout_p=drop)
        y = self.dense(y.transpose(1, 2).flatten(2))
        return self.norm(self.dropout(y) + x)


class FeedForward(nn.Module):
    """Two linear layers with GELU, residual, LayerNorm.

    Arguments
    ---------
    width : int
        Width outside; four times that inside.

    Example
    -------
    >>> FeedForward(8)(torch.randn(3, 1, 8)).shape
    torch.Size([3, 1, 8])
    """

    def __init__(self, width):
        super().__init__()
        self.expand = nn.Linear(width, 4 * width)
        self.dense = nn.Linear(4 * width, width)
        self.norm = nn.LayerNorm(width, eps=NORM_EPS)
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, x):
        """Runs the layers.

        Arguments
        ---------
        x : torch.Tensor
            Input [..., width].

        Returns
        -------
        torch.Tensor
            Output [..., width].
        """
        return self.norm(self.dropout(self.dense(gelu(self.expand(x)))) + x)


class QFormerLayer(nn.Module):
    """The queries look at each other, then at the frames, then inward.

    Arguments
    ---------
    width : int
        Width of the queries.
    memory_width : int
        Width of the frames.
    n_heads : int
        Number of heads.

    Example
    -------
    >>> QFormerLayer(8, 6, 2)(torch.randn(3, 1, 8), torch.randn(3, 5, 6)).shape
    torch.Size([3, 1, 8])
    """

    def __init__(self, width, memory_width, n_heads):
        super().__init__()
        self.self_attention = Attention(width, width, n_heads)
        self.cross_attention = Attention(width, memory_width, n_heads)
        self.feed_forward = FeedForward(width)

    def forward(self, x, memory):
        """Runs the layer.

        Arguments
        ---------
        x : torch.Tensor
            Queries [B, Q, width].
        memory : torch.Tensor
            Frames [B, T, memory_width].

        Returns
        -------
        torch.Tensor
            Queries [B, Q, width].
        """
        x = self.cross_attention(self.self_attention(x, x), memory)
        return self.feed_forward(x)


class QFormer(nn.Module):
    """Learned queries that gather what a sequence of frames holds.

    Arguments
    ---------
    width : int
        Width of the queries.
    memory_width : int
        Width of the frames.
    n_layers : int
        Number of layers.
    n_heads : int
        Number of heads.
    n_queries : int
        Number of queries.

    Example
    -------
    >>> QFormer(8, 6, 2, 2, 4)(torch.randn(3, 17, 6)).shape
    torch.Size([3, 4, 8])
    """

    def __init__(self, width, memory_width, n_layers, n_heads, n_queries):
        super().__init__()
        self.queries = nn.Parameter(torch.empty(1, n_queries, width))
        nn.init.normal_(self.queries, std=0.02)
        self.norm = nn.LayerNorm(width, eps=NORM_EPS)
        self.dropout = nn.Dropout(DROPOUT)
        self.layers = nn.ModuleList(
            QFormerLayer(width, memory_width, n_heads) for _ in range(n_layers)
        )

    def forward(self, memory):
        """Asks every sequence.

        Arguments
        ---------
        memory : torch.Tensor
            Frames [B, T, memory_width].

        Returns
        -------
        torch.Tensor
            What the queries found [B, Q, width].
        """
        x = self.dropout(self.norm(self.queries)).expand(len(memory), -1, -1)
        for layer in self.layers:
            x = layer(x, memory)
        return x
