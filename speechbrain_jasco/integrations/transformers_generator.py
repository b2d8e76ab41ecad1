"""A chat model of transformers, in process, as a generator.

Authors
 * The speechbrain_jasco developers, 2026
"""

import time
from pathlib import Path
from typing import Optional

import torch
from speechbrain.utils.logger import get_logger
from tqdm import tqdm
from transformers import AutoModelForCausalLM

from speechbrain_jasco import starter
from speechbrain_jasco.fingerprint import fingerprint
from speechbrain_jasco.integrations.chat_tokenizer import ChatTokenizer
from speechbrain_jasco.integrations.label_form import (
    fill_form,
    parting_tokens,
)
from speechbrain_jasco.integrations.prefix_cache import PromptReader
from speechbrain_jasco.integrations.prefix_generation import CACHE
from speechbrain_jasco.integrations.reply import Reply, form_reply
from speechbrain_jasco.integrations.roomy_cache import make_room

logger = get_logger(__name__)


class TransformersGenerator:
    """Batched chat completion with any causal LM that has a chat template.

    Nothing is loaded until the first use, so that a YAML with a 70B model
    still parses in a second. What prompts share is read once
    (``prefix_cache.py``).

    Arguments
    ---------
    source : str
        Hub name, local folder or ``starter:NAME``.
    batch_size : int
        Chats at a time: more are faster and take more memory.
    max_new_tokens : int
        Longest reply.
    temperature : float
        0 decodes greedily.
    dtype : str
        Name of a torch dtype, or ``auto`` for the checkpoint's own.
    device : str, optional
        ``cpu``, ``cuda:1``, ``auto`` (spread over all GPUs, needs
        accelerate); by default the first GPU where there is one.
    bos : str
        ``single``: a prompt is the model's chat template and no more.
        ``double``: the tokenizer's own special tokens are added to it, which
        gives a second BOS where the template brings one. vllm did so for
        templated text (vllm-project/vllm#16976), hence mode paper does.

    Raises
    ------
    ValueError
        If ``bos`` is neither.

    Example
    -------
    >>> generator = TransformersGenerator("starter:smollm2-135m-instruct")
    >>> generator.config()["max_new_tokens"]
    256
    """

    def __init__(
        self,
        source: str,
        batch_size: int = 8,
        max_new_tokens: int = 256,
        temperature: float = 0.0,
        dtype: str = "float32",
        device: Optional[str] = None,
        bos: str = "single",
    ):
        if bos not in ("single", "double"):
            raise ValueError(f"bos {bos!r}; expected single or double.")
        self.source = source
        self.batch_size = batch_size
        self.max_new_tokens = max_new_tokens
        self.temperature = temperature
        self.dtype = dtype
        self.device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        self.bos = bos
        self.model = None
        self.tokenizer = None

    def config(self):
        """Everything a reply depends on, JSON-able (dict)."""
        return {
            "generator": type(self).__name__,
            "source": fingerprint(self.source),
            "max_new_tokens": self.max_new_tokens,
            "temperature": self.temperature,
            "dtype": self.dtype,
            "bos": self.bos,
        }

    def check(self):
        """Fail now rather than later if the model is not to be had.

        Raises
        ------
        ValueError
            If the folder is not a chat model, or the hub has no such model.
        """
        self._load_tokenizer()

    def load(self):
        """Load model and tokenizer, once."""
        if self.model is not None:
            return
        self.tokenizer = self._load_tokenizer()
        logger.info("Loading %s on %s", self.source, self.device)
        spread = {"device_map": "auto"} if self.device == "auto" else {}
        model = AutoModelForCausalLM.from_pretrained(
            starter.resolve(self.source), dtype=self.dtype, **spread
        )
        self.model = (model if spread else model.to(self.device)).eval()

    def _load_tokenizer(self):
        """Load the tokenizer of what must be a chat model."""
        folder = starter.resolve(self.source)
        return ChatTokenizer(self.source, folder, self.bos == "double")

    def unload(self):
        """Free the memory; the next use loads again."""
        self.model = self.tokenizer = None
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def complete(self, chats, on_reply=None, form=None):
        """Answer chats.

        Arguments
        ---------
        chats : list of list of dict
            Messages with ``role`` and ``content``.
        on_reply : callable, optional
            ``on_reply(index, reply)`` after each batch; long prompts come
            first.
        form : dict, optional
            Field -> list of values. The reply is then not free text but the
            form filled in, each field with its most likely value: "Rating: 1"
            and so on, a line each, with ``probabilities``. A model too small
            to keep to a format still gives its opinion this way, at the price
            of one prefill.

        Returns
        -------
        list of Reply
            In the order of the chats.
        """
        if not chats:
            return []
        self.load()
        replies = [None] * len(chats)

        def note(index, reply):
            replies[index] = reply
            if on_reply is not None:
                on_reply(index, reply)

        prompts = self.tokenizer.encode_chats(chats)
        fits = self._set_aside(prompts, note)
        answer = self._answerer(form)
        reader = PromptReader(self.model, self.tokenizer.tokenizer.pad_token_id)
        batches = reader.batches([prompts[i] for i in fits], self.batch_size)
        with tqdm(
            total=len(fits),
            desc=Path(self.source).name,
            disable=len(fits) <= self.batch_size,
        ) as progress:
            began = time.monotonic()
            for indices, begun, tails in batches:
                texts = answer(reader, begun, tails)
                seconds = round((time.monotonic() - began) / len(indices), 3)
                for i, reply in zip(indices, texts):
                    note(fits[i], reply._replace(seconds=seconds))
                progress.update(len(indices))
                began = time.monotonic()
        return replies

    def _set_aside(self, prompts, note):
        """Fail the prompts the model cannot take; returns the others."""
        config = self.model.config.get_text_config()
        context = getattr(config, "max_position_embeddings", None) or 10**9
        room = context - self.max_new_tokens
        for i, prompt in enumerate(prompts):
            if len(prompt) > room:
                reason = (
                    f"prompt of {len(prompt)} tokens; {self.source} takes "
                    f"{room}"
                )
                note(i, Reply("", "transport_error", reason))
        return [i for i, prompt in enumerate(prompts) if len(prompt) <= room]

    def _answerer(self, form):
        """What is done with each batch: ``(reader, begun, tails) -> replies``."""
        if form is None:
            return self._generate
        parted = {}
        for field, values in form.items():
            ids = self.tokenizer.encode([f"{field}: {v}" for v in values])
            parted[field] = values, *parting_tokens(field, ids)

        def fill(reader, begun, tails):
            forms = fill_form(reader, tails, begun, parted)
            return [form_reply(form) for form in forms]

        return fill

    def _generate(self, reader, begun, tails):
        """Write free text after each prompt; a batch ends with its last."""
        inputs = reader.join(tails, begun)
        sampling = (
            {"do_sample": True, "temperature": self.temperature}
            if self.temperature > 0
            else {"do_sample": False, "temperature": None}
        )
        if inputs.cache is not None:
            n_read = begun.ids.shape[1]
            make_room(
                inputs.cache, inputs.ids.shape[1] - n_read + self.max_new_tokens
            )
            sampling[CACHE] = inputs.cache
        tokens = self.model.generate(
            input_ids=inputs.ids,
            attention_mask=inputs.mask,
            max_new_tokens=self.max_new_tokens,
            pad_token_id=reader.pad_id,
            top_p=None,
            top_k=None,
            # Else the checkpoint's own would apply unseen (Qwen2.5: 1.05).
            repetition_penalty=1.0,
            **sampling,
        )
        new = tokens[:, inputs.ids.shape[1] :]
        return [Reply(text) for text in self.tokenizer.decode(new)]
