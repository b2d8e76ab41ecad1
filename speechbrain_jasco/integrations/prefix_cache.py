"""What prompts share is read once: key-value caches of their beginnings.

    all rows ---> rubric --+--> clip a --+--> answer 1
    (one call)             |             +--> answer 2
                           +--> clip b ----> answer 3

The rubric is read once per call and a clip once; the caches are copied to the
rows that go on from there. Rows of unequal length are padded on the
left of what is new, so padding may stand in the middle; masks and positions
skip it.

Authors
 * The speechbrain_jasco developers, 2026
"""

import copy
import inspect
from typing import NamedTuple

import torch
from speechbrain.utils.logger import get_logger
from transformers.cache_utils import DynamicLayer

from speechbrain_jasco.integrations.prefix_generation import CACHE, pad_left
from speechbrain_jasco.integrations.prompt_batches import (
    plan_batches,
    shared_length,
)

logger = get_logger(__name__)


class Reading(NamedTuple):
    """Rows of tokens and what the model remembers of them.

    Arguments
    ---------
    ids : torch.Tensor
        [B, N] token ids.
    mask : torch.Tensor
        [B, N], 0 where a row is padded.
    cache : transformers.Cache, optional
        Of these rows, or of their beginning.
    """

    ids: torch.Tensor
    mask: torch.Tensor
    cache: object = None


class PromptReader:
    """Reads prompts through a causal LM, shared beginnings once.

    Arguments
    ---------
    model : transformers.PreTrainedModel
        The model, loaded.
    pad_id : int
        Fills the gaps; never attended to.
    """

    def __init__(self, model, pad_id: int):
        self.model = model
        self.pad_id = pad_id
        known = inspect.signature(type(model).forward).parameters
        self._takes_positions = "position_ids" in known
        self._takes_keep = "logits_to_keep" in known
        attention = getattr(model.config, "_attn_implementation", None)
        masks = attention in ("sdpa", "eager")  # others take no mask per query
        self._takes_any_mask = masks and self._takes_keep

    def batches(self, rows, batch_size: int):
        """Prepare rows batch by batch.

        Arguments
        ---------
        rows : list of list of int
            Token ids of whole prompts.
        batch_size : int
            Rows at a time.

        Yields
        ------
        indices : list of int
            Which rows these are.
        begun : Reading or None
            What they share, read; None where nothing is shared.
        tails : list of list of int
            What is left to read of each, at least one token.
        """
        root = self._root(rows)
        if root is None:
            rest = sorted(
                range(len(rows)), key=lambda i: (-len(rows[i]), rows[i])
            )
            for start in range(0, len(rest), batch_size):
                indices = rest[start : start + batch_size]
                yield indices, None, [rows[i] for i in indices]
            return
        shared_by_all = root.ids.shape[1]
        for families, batches in plan_batches(rows, batch_size, shared_by_all):
            begun = self._begin(root, families, rows)
            for batch in batches:
                yield (
                    [i for _, i in batch],
                    branch(begun, [k for k, _ in batch]),
                    [rows[i][families[k].shared :] for k, i in batch],
                )

    @torch.inference_mode()
    def read(self, rows, before=None):
        """Read on from where the model is.

        Arguments
        ---------
        rows : list of list of int
            New tokens of each row; a row without any is padding.
        before : Reading, optional
            What stands before; its cache is used up.

        Returns
        -------
        Reading
            All of it.
        torch.Tensor
            [B, V] logits of what comes next.
        """
        whole = self.join(rows, before)
        width = max(len(row) for row in rows)
        options = {}
        if self._takes_keep:
            options["logits_to_keep"] = 1
        if self._takes_positions:
            positions = (whole.mask.cumsum(1) - 1).clamp(min=0)
            options["position_ids"] = positions[:, -width:]
        if whole.cache is not None:
            options[CACHE] = whole.cache
        out = self.model(
            input_ids=whole.ids[:, -width:],
            attention_mask=whole.mask,
            use_cache=True,
            **options,
        )
        cache = out.get(CACHE)
        return whole._replace(cache=cache), out.logits[:, -1]

    @torch.inference_mode()
    def read_endings(self, rows, endings, before=None):
        """Read on, then each of several endings as if it were the only one.

        Arguments
        ---------
        rows : list of list of int
            New tokens of each row.
        endings : list of list of int
            Tokens that are tried after each row.
        before : Reading, optional
            What stands before; its cache is used up.

        Returns
        -------
        list of torch.Tensor
            Per ending: [B, V] logits of what comes next.
        """
        if before is None or not self._takes_any_mask:
            reading, _ = self.read(rows, before)
            return [
                self.read([ending] * len(rows), branch(reading))[1]
                for ending in endings
            ]
        # One pass for all: an ending sees what stands before, not the others.
        added = [token for ending in endings for token in ending]
        whole = self.join([row + added for row in rows], before)
        start = before.ids.shape[1]
        mask, positions = _side_by_side(whole.mask, endings)
        lengths = torch.tensor([len(ending) for ending in endings])
        width = whole.ids.shape[1] - start
        sees = torch.zeros(mask[:, None, start:].shape, dtype=self.model.dtype)
        sees.masked_fill_(~mask[:, None, start:], torch.finfo(sees.dtype).min)
        return self.model(
            input_ids=whole.ids[:, start:],
            attention_mask=sees.to(self.model.device),
            position_ids=positions[:, start:].to(self.model.device),
            use_cache=True,
            logits_to_keep=width - len(added) + lengths.cumsum(0) - 1,
            **{CACHE: whole.cache},
        ).logits.unbind(1)

    def join(self, rows, before=None):
        """Put new tokens behind what has been read, without reading them.

        Arguments
        ---------
        rows : list of list of int
            New tokens of each row.
        before : Reading, optional
            What stands before.

        Returns
        -------
        Reading
            Its cache is that of ``before``.
        """
        new = Reading(*pad_left(rows, self.model.device, self.pad_id))
        if before is None:
            return new
        return Reading(
            torch.cat([before.ids, new.ids], dim=1),
            torch.cat([before.mask, new.mask], dim=1),
            before.cache,
        )

    def _root(self, rows):
        """Read what all rows share; None where that cannot be done."""
        shared = shared_length(rows) if len(rows) > 1 else 0
        if not shared:
            return None
        root, reason = None, "the model takes no position_ids"
        if self._takes_positions:
            root, _ = self.read([rows[0][:shared]])
            reason = _why_not_shared(root.cache)
        if reason:
            name = type(self.model).__name__
            logger.info("%s reads every prompt whole: %s", name, reason)
            return None
        logger.info("%d tokens are common to %d prompts", shared, len(rows))
        return root

    def _begin(self, root, families, rows):
        """Read what families share; returns a row for each."""
        start = root.ids.shape[1]
        parts = [rows[f.indices[0]][start : f.shared] for f in families]
        begun = branch(root, [0] * len(parts))
        return self.read(parts, begun)[0] if any(parts) else begun


def branch(reading, rows=None):
    """Go on from a reading that stays as it is.

    Arguments
    ---------
    reading : Reading
        What has been read.
    rows : list of int, optional
        The rows to go on with, one as often as it stands here; all by
        default.

    Returns
    -------
    Reading
    """
    if _why_not_shared(reading.cache):
        # Sliding windows and recurrent states are written in place.
        return reading._replace(cache=copy.deepcopy(reading.cache))
    cache = copy.copy(reading.cache)
    # Such a layer never writes into its tensors, it makes longer ones.
    cache.layers = [copy.copy(layer) for layer in cache.layers]
    if rows is None:
        return reading._replace(cache=cache)
    rows = torch.tensor(rows)  # on the CPU: layers may be on several GPUs
    cache.batch_select_indices(rows)
    return Reading(reading.ids[rows], reading.mask[rows], cache)


def _side_by_side(mask, endings):
    """Who sees whom, and where everyone stands, with endings side by side.

    Returns [B, N, N] (bool) and [B, N] on the CPU.
    """
    mask = mask.cpu()
    n_text = mask.shape[1] - sum(len(ending) for ending in endings)
    owners = [[k] * len(ending) for k, ending in enumerate(endings, start=1)]
    owner = torch.tensor([0] * n_text + sum(owners, []))
    order = torch.arange(mask.shape[1])
    alike = (owner == 0) | (owner == owner[:, None])
    sees = alike & (order <= order[:, None])
    text = mask[:, :n_text]
    after = torch.tensor([i for ending in endings for i in range(len(ending))])
    positions = torch.cat(
        [(text.cumsum(1) - 1).clamp(min=0), text.sum(1, keepdim=True) + after],
        dim=1,
    )
    return sees & mask[:, None].bool(), positions


def _why_not_shared(cache):
    """Why a cache cannot be copied to other rows; None if it can (str)."""
    layers = getattr(cache, "layers", None)
    if not layers:
        return f"its cache is a {type(cache).__name__}"
    # Padding in the middle would use up a window; a state has no rows to skip.
    odd = {type(x).__name__ for x in layers if type(x) is not DynamicLayer}
    return f"its cache has layers of {', '.join(sorted(odd))}" if odd else None
