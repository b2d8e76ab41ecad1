"""A chat model of transformers, in process, as a generator.

Authors
 * The speechbrain_jasco developers, 2026
"""

import copy
import os
import time
from pathlib import Path
from typing import Optional

import torch
from jinja2 import TemplateError
from speechbrain.utils.logger import get_logger
from tqdm import tqdm
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from speechbrain_jasco import starter
from speechbrain_jasco.fingerprint import fingerprint
from speechbrain_jasco.integrations.prompt_template import break_up_specials
from speechbrain_jasco.integrations.reply import Reply

logger = get_logger(__name__)


class TransformersGenerator:
    """Batched chat completion with any causal LM that has a chat template.

    Nothing is loaded until the first use, so that a YAML with a 70B model
    still parses in a second.

    Arguments
    ---------
    source : str
        Hub name, local folder or ``starter:NAME``.
    batch_size : int
        Chats per forward pass.
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
        self._load_tokenizer(starter.resolve(self.source))

    def load(self):
        """Load model and tokenizer, once."""
        if self.model is not None:
            return
        folder = starter.resolve(self.source)
        logger.info("Loading %s on %s", self.source, self.device)
        self.tokenizer = self._load_tokenizer(folder)
        spread = {"device_map": "auto"} if self.device == "auto" else {}
        model = AutoModelForCausalLM.from_pretrained(
            folder, dtype=self.dtype, **spread
        )
        self.model = (model if spread else model.to(self.device)).eval()

    def _load_tokenizer(self, folder):
        """Load the tokenizer of what must be a chat model."""
        try:
            AutoConfig.from_pretrained(folder)
            tokenizer = AutoTokenizer.from_pretrained(
                folder, padding_side="left"
            )
        except (OSError, ValueError) as error:
            raise ValueError(
                f"{self.source!r} is not a model transformers can load "
                f"({error}). Give a hub name, a folder or starter:NAME."
            ) from error
        if tokenizer.chat_template is None:
            raise ValueError(
                f"{self.source!r} has no chat template: it is a base model. "
                "Give an instruct model."
            )
        if tokenizer.pad_token is None:
            tokenizer.pad_token = tokenizer.eos_token
        return tokenizer

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
            ``on_reply(index, reply)`` after each batch.
        form : dict, optional
            Field -> list of values. The reply is then not free text but the
            form filled in, each field with its most likely value: "Rating: 1"
            and so on, a line each. A model too small to keep to a format
            still gives its opinion this way, at the price of one prefill.

        Returns
        -------
        list of Reply
        """
        if chats:
            self.load()
        replies = []
        starts = range(0, len(chats), self.batch_size)
        name = Path(self.source).name
        for start in tqdm(starts, desc=name, disable=len(starts) < 2):
            batch = chats[start : start + self.batch_size]
            for reply in self._batch(batch, form):
                if on_reply is not None:
                    on_reply(len(replies), reply)
                replies.append(reply)
        return replies

    def _batch(self, chats, form):
        """Complete one batch, setting aside prompts the model cannot take."""
        began = time.monotonic()
        prompts = [self._prompt(chat) for chat in chats]
        room = self._context() - self.max_new_tokens
        lengths = [len(ids) for ids in self._encode(prompts)["input_ids"]]
        fits = [i for i, length in enumerate(lengths) if length <= room]
        fitting = [prompts[i] for i in fits]
        texts = iter(
            self._generate(fitting)
            if form is None
            else self._fill(fitting, form)
        )
        seconds = round((time.monotonic() - began) / len(chats), 3)
        return [
            Reply(next(texts), seconds=seconds)
            if length <= room
            else Reply(
                "",
                "transport_error",
                f"prompt of {length} tokens; {self.source} takes {room}",
            )
            for length in lengths
        ]

    def _prompt(self, chat):
        """Write a chat in the model's own format.

        A special token spelled out in a message would close the turn and let
        the text speak for the assistant: it is broken up.
        """
        chat = [
            {
                **message,
                "content": break_up_specials(
                    message["content"], self.tokenizer
                ),
            }
            for message in chat
        ]
        options = {"tokenize": False, "add_generation_prompt": True}
        try:
            return self.tokenizer.apply_chat_template(chat, **options)
        except TemplateError:
            if chat[0]["role"] != "system":
                raise
        # Gemma 2 and others take no system message: the user says it.
        system, user, *rest = chat
        both = f"{system['content']}\n\n{user['content']}"
        chat = [{**user, "content": both}, *rest]
        return self.tokenizer.apply_chat_template(chat, **options)

    def _tokenize(self, texts, add_special_tokens=False, **options):
        """Tokenize text as it is: templated prompts bring their own BOS."""
        return self.tokenizer(
            texts, add_special_tokens=add_special_tokens, **options
        )

    def _encode(self, prompts, **options):
        """Tokenize whole prompts, with a second BOS where that is wanted."""
        double = {"add_special_tokens": self.bos == "double"}
        return self._tokenize(prompts, **double, **options)

    def _padded(self, prompts):
        """Tokenize into one left-padded batch on the model's device."""
        inputs = self._encode(prompts, padding=True, return_tensors="pt")
        return inputs.to(self.model.device)

    def _context(self):
        """Longest sequence the model takes (int)."""
        config = self.model.config.get_text_config()
        return getattr(config, "max_position_embeddings", None) or 10**9

    @torch.inference_mode()
    def _generate(self, prompts):
        """Generate from templated prompts (list of str -> list of str)."""
        if not prompts:
            return []
        inputs = self._padded(prompts)
        sampling = (
            {"do_sample": True, "temperature": self.temperature}
            if self.temperature > 0
            else {"do_sample": False, "temperature": None}
        )
        tokens = self.model.generate(
            input_ids=inputs["input_ids"],
            attention_mask=inputs["attention_mask"],
            max_new_tokens=self.max_new_tokens,
            pad_token_id=self.tokenizer.pad_token_id,
            top_p=None,
            top_k=None,
            # Else the checkpoint's own would apply unseen (Qwen2.5: 1.05).
            repetition_penalty=1.0,
            **sampling,
        )
        new = tokens[:, inputs["input_ids"].shape[1] :]
        texts = self.tokenizer.batch_decode(new, skip_special_tokens=True)
        return [text.strip() for text in texts]

    @torch.inference_mode()
    def _fill(self, prompts, form):
        """Fill in a form after each prompt (list of str -> list of str).

        The prompts are read once; every field is then asked from the same
        cache, so that no field depends on the ones before it.
        """
        if not prompts:
            return []
        inputs = self._padded(prompts)
        mask = inputs["attention_mask"]
        cache = self.model(
            input_ids=inputs["input_ids"],
            attention_mask=mask,
            position_ids=(mask.cumsum(1) - 1).clamp(min=0),
            use_cache=True,
            logits_to_keep=1,
        ).past_key_values
        lines = [[] for _ in prompts]
        for field, values in form.items():
            best = self._most_likely(field, values, cache, mask)
            for line, index in zip(lines, best):
                line.append(f"{field}: {values[index]}")
        return ["\n".join(line) for line in lines]

    def _most_likely(self, field, values, cache, mask):
        """Index of the likeliest value of one field, per row of the cache."""
        ids = self._tokenize([f"{field}: {value}" for value in values])
        ids = ids["input_ids"]
        # The values part at the first token in which they differ.
        split = len(os.path.commonprefix(ids))
        rivals = [row[split] for row in ids if len(row) > split]
        if len(set(rivals)) < len(values):
            raise ValueError(
                f"{self.source}: the values {values} of {field!r} begin with "
                "the same token. Word them so that they begin differently."
            )
        n_rows = mask.shape[0]
        prefix = torch.tensor([ids[0][:split]] * n_rows, device=mask.device)
        full_mask = torch.cat([mask, torch.ones_like(prefix)], dim=1)
        logits = self.model(
            input_ids=prefix,
            attention_mask=full_mask,
            position_ids=(full_mask.cumsum(1) - 1)[:, -split:],
            # A copy: sliding windows and recurrent states cannot be wound back.
            past_key_values=copy.deepcopy(cache),
            use_cache=True,
            logits_to_keep=1,
        ).logits[:, -1]
        return logits[:, rivals].argmax(dim=1).tolist()
