"""Generation for prompts that share a long beginning: it is read once.

                       prefixes, read once        suffixes, one per question
    clip 1   . . BOS USER : a a a a a a a   |   . . What is going on ? ASSISTANT :
             (the same row of the cache)    |   Where are they now ? ASSISTANT :
    clip 2   BOS USER : a a a a a a a a a   |   . . What is going on ? ASSISTANT :

``a`` is an audio token, ``.`` padding, left of either part and masked. The
rows of the cache are repeated for the questions of their clip; suffixes are
plain token ids, and the beams of a search share theirs, too. Positions count
what is not masked, so a row is computed as it would be alone. (The exception
is an LLM with a sliding window shorter than the sequence: a window counts
masked padding, too. A warning says so; one prompt at once has no padding.)

Authors
 * The speechbrain_jasco developers, 2026
"""

import copy
import inspect
from typing import List, NamedTuple

import torch
from speechbrain.utils.logger import get_logger
from torch.nn.functional import pad
from transformers import DynamicCache, GenerationConfig, GenerationMixin

from speechbrain_jasco.integrations.roomy_cache import make_room

logger = get_logger(__name__)

# transformers renamed the argument within version 5.
_STEP = inspect.signature(GenerationMixin.prepare_inputs_for_generation)
CACHE = "cache" if "cache" in _STEP.parameters else "past_key_values"

NO_TOKEN = -1


class Prefix(NamedTuple):
    """The beginning of prompts: text, then audio.

    Arguments
    ---------
    ids : list of int
        Tokens of the text.
    audio : torch.Tensor
        Audio tokens [N, D].

    Example
    -------
    >>> len(Prefix([1, 2], torch.zeros(3, 8)))
    2
    """

    ids: List[int]
    audio: torch.Tensor


class PrefixCache:
    """Keys and values of some prefixes, ready for many suffixes.

    Arguments
    ---------
    llm : CausalLM
        The language model; its adapter is prepared for the prefixes.
    prefixes : list of Prefix
        One per row of the cache.

    Example
    -------
    >>> from speechbrain_jasco.integrations.causal_lm import CausalLM
    >>> sizes = {"model_type": "llama", "hidden_size": 16, "vocab_size": 32}
    >>> sizes |= {"num_hidden_layers": 2, "num_attention_heads": 2}
    >>> llm = CausalLM(config=sizes | {"intermediate_size": 32})
    >>> prefixes = [Prefix([1], torch.randn(n, 16)) for n in (4, 2)]
    >>> cache = PrefixCache(llm, prefixes)
    >>> cache.mask.tolist()
    [[1, 1, 1, 1, 1], [0, 0, 1, 1, 1]]
    >>> decoding = {"max_new_tokens": 3, "do_sample": False}
    >>> rows = cache.generate([0, 0, 1], [[5, 6], [7], [5, 6]], decoding)
    >>> len(rows), len(rows[0])
    (3, 3)
    """

    @torch.inference_mode()
    def __init__(self, llm, prefixes):
        self.llm = llm
        embeds = [
            torch.cat([llm.embed(torch.tensor(p.ids).long()), p.audio])
            for p in prefixes
        ]
        ids = [p.ids + [NO_TOKEN] * len(p.audio) for p in prefixes]
        self.ids, self.mask = pad_left(ids, llm.device)
        length = self.mask.shape[1]
        embeds = [pad(e, (0, 0, length - len(e), 0)) for e in embeds]
        network = llm.network
        self.cache = DynamicCache(config=network.config.get_text_config())
        network.base_model(
            inputs_embeds=torch.stack(embeds),
            attention_mask=self.mask,
            position_ids=(self.mask.cumsum(1) - 1).clamp(min=0),
            use_cache=True,
            **{CACHE: self.cache},
        )

    @torch.inference_mode()
    def generate(self, rows, suffixes, decoding, rescore=None):
        """Continues prompts.

        A repetition penalty sees the text of the prompt, as it does where a
        prompt is text only: audio and padding stand there as a token that the
        row's text has anyway.

        Arguments
        ---------
        rows : list of int
            The prefix of each prompt.
        suffixes : list of list of int
            Tokens that follow it, at least one each.
        decoding : dict
            Arguments of ``transformers.GenerationConfig``.
        rescore : transformers.LogitsProcessor, optional
            Changes the scores of the next tokens of all rows.

        Returns
        -------
        list of list of int
            New tokens, up to the end of the longest answer of the batch.
        """
        rows = torch.tensor(rows)  # on the CPU: layers may be on several GPUs
        ids, mask = pad_left(suffixes, self.mask.device)
        ids = torch.cat([self.ids[rows], ids], dim=1)
        ids = torch.where(ids == NO_TOKEN, ids[:, -1:], ids)
        mask = torch.cat([self.mask[rows], mask], dim=1)
        self._warn_of_window(mask, decoding)
        cache = copy.deepcopy(self.cache)  # generate() writes into it
        cache.batch_select_indices(rows)
        n_beams = decoding.get("num_beams", 1)
        if n_beams > 1:  # the beams of a prompt part after its last token
            self._read(cache, ids[:, :-1], mask[:, :-1])
            cache.batch_repeat_interleave(n_beams)
        n_unread = ids.shape[1] - cache.get_seq_length()
        make_room(cache, n_unread + decoding["max_new_tokens"])
        options = self.llm.network.generation_config.to_dict()
        out = self.llm.network.generate(
            input_ids=ids,
            attention_mask=mask,
            generation_config=GenerationConfig(**{**options, **decoding}),
            logits_processor=[] if rescore is None else [rescore],
            **{CACHE: cache},
        )
        return out[:, ids.shape[1] :].tolist()

    def _read(self, cache, ids, mask):
        """Reads what of ``ids`` the cache does not hold yet."""
        n_read = cache.get_seq_length()
        if ids.shape[1] > n_read:
            self.llm.network.base_model(
                input_ids=ids[:, n_read:],
                attention_mask=mask,
                position_ids=(mask.cumsum(1) - 1).clamp(min=0)[:, n_read:],
                use_cache=True,
                **{CACHE: cache},
            )

    def _warn_of_window(self, mask, decoding):
        """Says when a sliding window would see the padding."""
        config = self.llm.network.config.get_text_config()
        window = getattr(config, "sliding_window", None)
        length = mask.shape[1] + decoding["max_new_tokens"]
        if window is not None and length > window and not mask.all():
            logger.warning(
                "The LLM has a sliding window of %d tokens, prompt and answer "
                "may have %d: answers may differ from those of single "
                "prompts. Set batch_size 1 to be sure.",
                window,
                length,
            )


def pad_left(rows, device, fill=NO_TOKEN):
    """Pads rows of ids on the left.

    Arguments
    ---------
    rows : list of list of int
        The ids.
    device : torch.device
        Where the result goes.
    fill : int
        What stands in the padding.

    Returns
    -------
    ids : torch.Tensor
        Ids [B, N].
    mask : torch.Tensor
        1 for ids, 0 for padding [B, N].

    Example
    -------
    >>> pad_left([[5, 6], [7]], "cpu")[0].tolist()
    [[5, 6], [-1, 7]]
    """
    length = max(len(row) for row in rows)
    missing = [length - len(row) for row in rows]
    ids = [[fill] * n + list(row) for n, row in zip(missing, rows)]
    mask = [[0] * n + [1] * len(row) for n, row in zip(missing, rows)]
    return torch.tensor(ids, device=device), torch.tensor(mask, device=device)
