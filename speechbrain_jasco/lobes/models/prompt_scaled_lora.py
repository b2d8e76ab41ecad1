"""LoRA whose strength depends on the prompt: WavLLM's adapter of its LLM.

question -> the LLM without LoRA -> last block's output [B, N, D]
    -> ``PromptScale`` -> s [B, D], between 0 and 3
y = W x + s * (x A B)    in q, k, v and o of every block, the same s in all

Paper: Hu et al., "WavLLM: Towards Robust and Adaptive Speech Large Language
Model", arXiv 2404.00656 section 3.2; order of operations after
microsoft/SpeechT5 WavLLM/wavllm/models/llama.py@5d66cf5. alpha / r of an
ordinary LoRA is not used there: s stands in its place.

WavLLM's LLaMA has Meta's layout: the two numbers that a rotary position turns
lie side by side. transformers' have half a head between them. ``half_split``
moves one into the other; what comes out of q and k must move together: rows
of their weights, columns of their B, and s.

| here, in each block's ``self_attn`` | WavLLM, in each block's ``attention`` |
|---|---|
| q_proj.lora_A, k_proj, v_proj, o_proj | wq_lora_A, wk, wv, wo |
| q_proj.lora_B, k_proj | wq_lora_B, wk_lora_B, columns moved |
| v_proj.lora_B, o_proj | wv_lora_B, wo_lora_B |
| **here** | **WavLLM** |
| prompt_scale.fc_1, fc_2 | scale_fc_1, scale_fc_2 |
| prompt_scale.attention | scale_weight_attention |

Authors
 * The speechbrain_jasco developers, 2026
"""

import math

import torch
from speechbrain.dataio.dataio import length_to_mask
from torch import nn
from torch.nn.functional import gelu

DROPOUT = 0.1
MAX_SCALE = 3.0
ROTATED = ("q_proj", "k_proj")
ADAPTED = (*ROTATED, "v_proj", "o_proj")


def half_split(x, n_heads, dim=0):
    """Moves the outputs of q or k from Meta's layout to transformers'.

    Arguments
    ---------
    x : torch.Tensor
        A tensor with one entry per output along ``dim``.
    n_heads : int
        Heads of the attention.
    dim : int
        The dimension, counted from the front.

    Returns
    -------
    torch.Tensor
        The same entries; in each head first those of even number, then those
        of odd number.

    Example
    -------
    >>> half_split(torch.arange(8), n_heads=2).tolist()
    [0, 2, 1, 3, 4, 6, 5, 7]
    """
    x = x.unflatten(dim, (n_heads, -1, 2)).transpose(dim + 1, dim + 2)
    return x.flatten(dim, dim + 2)


class ScaledLora(nn.Module):
    """A linear layer with a LoRA whose outputs are scaled row by row.

    Arguments
    ---------
    base : torch.nn.Module
        The layer, left as it is.
    rank : int
        Rank of the LoRA.

    Example
    -------
    >>> layer = ScaledLora(nn.Linear(4, 6), rank=2)
    >>> layer.scale = torch.ones(3, 6)
    >>> layer(torch.randn(3, 5, 4)).shape
    torch.Size([3, 5, 6])
    """

    def __init__(self, base, rank):
        super().__init__()
        self.base = base
        device = base.weight.device
        self.lora_A = nn.Parameter(
            torch.empty(base.in_features, rank, device=device)
        )
        self.lora_B = nn.Parameter(
            torch.zeros(rank, base.out_features, device=device)
        )
        nn.init.kaiming_uniform_(self.lora_A, a=math.sqrt(5))
        self.dropout = nn.Dropout(DROPOUT)
        self.scale = None

    def forward(self, x):
        """Runs the layer; without ``scale`` the LoRA is off.

        Arguments
        ---------
        x : torch.Tensor
            Input [B, T, D_in]; B may be a multiple of the rows of ``scale``,
            as in a search with beams.

        Returns
        -------
        torch.Tensor
            Output [B, T, D_out].
        """
        y = self.base(x)
        if self.scale is None:
            return y
        # In the precision of the LoRA, which may be finer than the LLM's.
        update = self.dropout(x.to(self.lora_A.dtype)) @ self.lora_A
        scale = self.scale.repeat_interleave(len(x) // len(self.scale), dim=0)
        update = (update @ self.lora_B) * scale.unsqueeze(1).to(update.device)
        return y + update.to(y.dtype)


class PromptScale(nn.Module):
    """From what the LLM makes of a question to the scale of its LoRA.

    Arguments
    ---------
    width : int
        Width of the LLM.
    hidden : int
        Width between the two layers.

    Example
    -------
    >>> scale = PromptScale(8, 4)(torch.randn(2, 5, 8), torch.tensor([5, 3]))
    >>> scale.shape, bool((scale >= 0).all() and (scale <= 3).all())
    (torch.Size([2, 8]), True)
    """

    def __init__(self, width, hidden):
        super().__init__()
        self.fc_1 = nn.Linear(width, hidden)
        self.fc_2 = nn.Linear(hidden, width)
        self.attention = nn.Linear(width, 1)

    def forward(self, x, sizes):
        """Pools over time.

        Arguments
        ---------
        x : torch.Tensor
            Hidden states of the questions [B, N, D].
        sizes : torch.Tensor
            Lengths [B] in tokens.

        Returns
        -------
        torch.Tensor
            Scale [B, D], between 0 and 3.
        """
        x = self.fc_2(gelu(self.fc_1(x.to(self.fc_1.weight.dtype))))
        inside = length_to_mask(sizes, x.shape[1], dtype=torch.bool)
        logits = self.attention(x).squeeze(2).masked_fill(~inside, -math.inf)
        pooled = torch.einsum("bnd,bn->bd", x, logits.softmax(dim=1))
        return pooled.clamp(0.0, MAX_SCALE)


class PromptScaledLora:
    """Puts the LoRA into a LLaMA of transformers and sets its scale.

    Arguments
    ---------
    rank : int
        Rank of the LoRA.
    hidden : int
        Width inside the network that gives the scale.
    template : str
        What of the question the scale is computed from.

    Example
    -------
    >>> PromptScaledLora(rank=32).depends_on_question
    True
    """

    depends_on_question = True

    def __init__(self, rank=32, hidden=1024, template='"{question}"'):
        self.rank = rank
        self.hidden = hidden
        self.template = template

    def config(self):
        """Everything but weights that answers depend on (dict)."""
        return {"adapter": type(self).__name__, **vars(self)}

    def attach(self, model):
        """Adds the trainable parts to a LLaMA.

        Arguments
        ---------
        model : transformers.LlamaForCausalLM
            The model; its own weights are left as they are.

        Raises
        ------
        ValueError
            If q, k, v and o are not all as wide as the model.
        """
        width = model.config.hidden_size
        for block in model.model.layers:
            for name in ADAPTED:
                base = getattr(block.self_attn, name)
                if base.out_features != width:
                    raise ValueError(
                        f"{name} has {base.out_features} outputs; expected "
                        f"{width}, the width of the model: one scale serves "
                        "all, so the heads of k and v cannot be shared"
                    )
                setattr(block.self_attn, name, ScaledLora(base, self.rank))
        last = model.model.layers[-1].self_attn.o_proj.lora_A
        model.prompt_scale = PromptScale(width, self.hidden).to(last.device)

    def prepare(self, llm, questions):
        """Sets the scale of the rows to come, or switches the LoRA off.

        Arguments
        ---------
        llm : CausalLM
            The language model with its tokenizer.
        questions : list of str, optional
            One per row; None switches off.
        """
        self.set_scale(llm.model, None)
        if questions is None:
            return
        distinct = list(dict.fromkeys(questions))
        tokens = [
            llm.tokenize(self.template.replace("{question}", question))
            for question in distinct
        ]
        scale = self.scale(llm.model, tokens)
        rows = [distinct.index(question) for question in questions]
        self.set_scale(llm.model, scale[rows])

    def scale(self, model, tokens):
        """Computes the scale of each question.

        Arguments
        ---------
        model : transformers.LlamaForCausalLM
            The model; its LoRA must be off.
        tokens : list of list of int
            The questions.

        Returns
        -------
        torch.Tensor
            Scale [B, D] in Meta's layout.
        """
        device = model.get_input_embeddings().weight.device
        sizes = torch.tensor([len(row) for row in tokens], device=device)
        ids = torch.zeros(len(tokens), int(sizes.max()), dtype=torch.long)
        for row, values in zip(ids, tokens):
            row[: len(values)] = torch.tensor(values)
        # Padding stands on the right, where a causal model does not see it.
        states = last_block_output(model, ids.to(device))
        return model.prompt_scale(states, sizes.to(states.device))

    def set_scale(self, model, scale):
        """Hands the scale to every layer.

        Arguments
        ---------
        model : transformers.LlamaForCausalLM
            The model.
        scale : torch.Tensor, optional
            Scale [B, D] in Meta's layout; None switches the LoRA off.
        """
        moved = scale
        if scale is not None:
            moved = half_split(scale, model.config.num_attention_heads, dim=1)
        for block in model.model.layers:
            for name in ADAPTED:
                layer = getattr(block.self_attn, name)
                layer.scale = moved if name in ROTATED else scale


@torch.no_grad()
def last_block_output(model, ids):
    """Runs a LLaMA up to its last block, before the final norm.

    Arguments
    ---------
    model : transformers.LlamaForCausalLM
        The model.
    ids : torch.Tensor
        Tokens [B, N].

    Returns
    -------
    torch.Tensor
        Hidden states [B, N, D].
    """
    seen = []
    handle = model.model.norm.register_forward_pre_hook(
        lambda module, inputs: seen.append(inputs[0])
    )
    try:
        model.model(input_ids=ids, use_cache=False)
    finally:
        handle.remove()
    return seen[0]
