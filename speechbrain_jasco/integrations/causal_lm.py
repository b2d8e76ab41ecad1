"""The LLM of an auditory LLM: any causal LM of transformers, frozen, with or
without a small trained adapter.

    source or config --> frozen LLM --> + LoRA of peft (``lora``)
                                        or an adapter of our own (``adapter``)

Authors
 * The speechbrain_jasco developers, 2026
"""

import contextlib
import os
import shutil

import torch
from peft import PeftModel, get_peft_model
from speechbrain.utils.logger import get_logger
from torch import nn
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    GenerationConfig,
)
from transformers.modeling_layers import GradientCheckpointingLayer

from speechbrain_jasco import starter
from speechbrain_jasco.fingerprint import fingerprint
from speechbrain_jasco.integrations.loading import LoadingOptions
from speechbrain_jasco.integrations.lora import lora_config

logger = get_logger(__name__)


class CausalLM(nn.Module):
    """A frozen causal LM with trainable low-rank additions.

    With ``source`` nothing is read before ``load()``. With ``config`` the
    model is built by the constructor, with random weights: for tests and,
    under ``torch.device("meta")``, for counting a 7B model without memory.

    The names of the trained weights are peft's own, such as
    ``model.base_model.model.model.layers.0.self_attn.q_proj.lora_A.default``.

    Arguments
    ---------
    source : str, optional
        Hub name, local folder or ``starter:NAME``.
    config : dict, optional
        ``model_type`` and sizes of a random model instead of a source.
    tokenizer : str, optional
        Where the tokenizer is, if not in ``source``.
    lora : dict, optional
        Arguments of ``lora_config``: ``r``, ``lora_alpha``,
        ``target_modules``, ``upper`` ...
    adapter : object, optional
        In place of ``lora``: ``attach(model)`` adds trainable parts to the
        frozen model in place; ``prepare(llm, questions)`` is called before
        the rows of these questions (None: of none) are run;
        ``depends_on_question`` tells whether it matters; ``config()``.
    gradient_checkpointing : bool
        Whether training keeps one activation per layer and computes the
        others anew: much less memory, a third more time.
    **loading
        ``dtype``, ``device_map``, ``quantization``, ``attention``: see
        ``LoadingOptions``.

    Raises
    ------
    ValueError
        If not exactly one of source and config is given, or both lora and
        adapter.

    Example
    -------
    >>> sizes = {"model_type": "llama", "hidden_size": 16, "vocab_size": 32}
    >>> sizes |= {"num_hidden_layers": 2, "num_attention_heads": 2}
    >>> sizes |= {"intermediate_size": 32}
    >>> lora = {"r": 4, "target_modules": ["q_proj"]}
    >>> llm = CausalLM(config=sizes, lora=lora)
    >>> [name[36:] for name, p in llm.named_parameters() if p.requires_grad][:2]
    ['0.self_attn.q_proj.lora_A.default.weight', '0.self_attn.q_proj.lora_B.default.weight']
    >>> llm.width, llm.embed(torch.tensor([[1, 2, 3]])).shape
    (16, torch.Size([1, 3, 16]))
    """

    def __init__(
        self,
        source=None,
        config=None,
        tokenizer=None,
        lora=None,
        adapter=None,
        gradient_checkpointing=False,
        **loading,
    ):
        super().__init__()
        if (source is None) == (config is None):
            raise ValueError(
                f"got source {source!r} and config {config!r}; expected one "
                "of the two: weights, or sizes for random ones"
            )
        if lora is not None and adapter is not None:
            raise ValueError("got lora and adapter; expected one at most")
        self.source = source
        self.sizes = config
        self.tokenizer_source = tokenizer or source
        self.lora = lora
        self.adapter = adapter
        self.gradient_checkpointing = gradient_checkpointing
        self.loading = LoadingOptions(**loading)
        self.model = None
        self.tokenizer = None
        if config is not None:
            self._adopt(self._build())

    @property
    def network(self):
        """The model of transformers; its layers hold the adapter."""
        if isinstance(self.model, PeftModel):
            return self.model.get_base_model()
        return self.model

    @property
    def width(self):
        """Width of the embeddings (int)."""
        return self.model.get_input_embeddings().weight.shape[1]

    @property
    def device(self):
        """Where tokens go in (torch.device)."""
        return self.model.get_input_embeddings().weight.device

    @property
    def depends_on_question(self):
        """Whether the adapter changes with the question (bool)."""
        return self.adapter is not None and self.adapter.depends_on_question

    def config(self):
        """Everything an answer depends on, JSON-able (dict)."""
        given = {
            "source": self.source and fingerprint(self.source),
            "sizes": self.sizes,
            "tokenizer": self.tokenizer_source
            and fingerprint(self.tokenizer_source),
            "lora": self.lora,
            "adapter": self.adapter and self.adapter.config(),
        }
        given = {k: v for k, v in given.items() if v is not None}
        return {"llm": type(self).__name__, **given, **self.loading.config()}

    def check(self):
        """Fails now rather than later if model or tokenizer are not to be had.

        Raises
        ------
        RuntimeError
            If a package that the options need is missing.
        ValueError
            If the folder or the hub has no such causal LM.
        """
        self.loading.check()
        try:
            if self.source is not None:
                AutoConfig.from_pretrained(starter.resolve(self.source))
            self._read_tokenizer()
        except (OSError, ValueError) as error:
            raise ValueError(
                f"no LLM in {self.source!r}, or no tokenizer in "
                f"{self.tokenizer_source!r}: expected a causal LM of "
                "transformers by hub name, local folder or starter:NAME. "
                f"{error}"
            ) from error

    def load(self, device="cpu"):
        """Reads weights and tokenizer, once, and puts them on a device.

        Arguments
        ---------
        device : str or torch.device
            Where the model shall be, unless ``device_map`` says otherwise.
        """
        if self.model is None:
            logger.info("Loading %s", self.source)
            self._adopt(self._read(device))
        if self.tokenizer is None:
            self.tokenizer = self._read_tokenizer()
            self._forget_decoding()
        if self.source is None or not self.loading.places:
            self.model.to(device)

    def tokenize(self, text):
        """Tokenizes text without adding special tokens to it.

        Arguments
        ---------
        text : str
            The text.

        Returns
        -------
        list of int
        """
        return self.tokenizer(text, add_special_tokens=False)["input_ids"]

    def embed(self, ids):
        """Embeds tokens.

        Arguments
        ---------
        ids : torch.Tensor
            Tokens [B, N] or [N].

        Returns
        -------
        torch.Tensor
            Embeddings [B, N, D] or [N, D].
        """
        return self.model.get_input_embeddings()(ids.to(self.device))

    def prepare(self, questions):
        """Tells the adapter which questions the next rows belong to.

        Arguments
        ---------
        questions : list of str, optional
            One per row; None ends it.
        """
        if self.depends_on_question:
            self.adapter.prepare(self, questions)

    def merge(self):
        """Folds the LoRA into the frozen weights: faster, no longer trained.

        Raises
        ------
        ValueError
            If there is no LoRA of peft.
        """
        if self.lora is None:
            raise ValueError("merge: this LLM has no LoRA of peft to fold in")
        if isinstance(self.model, PeftModel):  # once is enough
            self.model = self.model.merge_and_unload()

    def compile_layers(self):
        """Compiles the layers: what is done element by element, half of a
        training step on a CPU, is fused.

        Lengths and numbers of rows may vary. Without a C++ compiler the layers
        stay as they are, with a warning. Code that does not train says
        ``torch.compiler.set_stance("force_eager")``, since decoding would be
        compiled anew.
        """
        compiler = os.environ.get("CXX", "g++")
        if shutil.which(compiler) is None:
            logger.warning(
                "There is no C++ compiler (%s): the LLM is not compiled, which "
                "takes longer. Install it, or name another in CXX.",
                compiler,
            )
            return
        for module in self.network.modules():
            if isinstance(module, GradientCheckpointingLayer):
                module.compile(dynamic=True)

    @torch.no_grad()
    def interpolate(self, share):
        """Goes to a point between the frozen LLM and the trained one.

        Half of what a LoRA adds keeps most of what it was trained for and
        gives back some of what it has made the LLM forget (WiSE-FT,
        Wortsman et al., arXiv 2109.01903, section 3).

        Arguments
        ---------
        share : float
            Of what is added; 0 leaves the frozen LLM.

        Raises
        ------
        ValueError
            If there is no LoRA of peft.
        """
        for weight in self._lora("interpolate"):
            weight.mul_(share)

    @contextlib.contextmanager
    def untrained(self):
        """Makes it the frozen LLM for as long as the context lasts.

        The weights change, not the modules: nothing is compiled anew.

        Raises
        ------
        ValueError
            If there is no LoRA of peft.
        """
        kept = [(w, w.detach().clone()) for w in self._lora("untrained")]
        self.interpolate(0.0)
        try:
            yield
        finally:
            with torch.no_grad():
                for weight, value in kept:
                    weight.copy_(value)

    def train(self, mode=True):
        """Switches the adapter (its dropout) to a mode; the LLM stays in eval.

        Arguments
        ---------
        mode : bool
            Whether training.

        Returns
        -------
        CausalLM
            Itself.
        """
        super().train(mode)
        for module in getattr(self, "_frozen", ()):
            # A layer looks at this when it decides on checkpointing, and at
            # nothing else: its dropout is in its parts.
            is_layer = isinstance(module, GradientCheckpointingLayer)
            module.training = mode and is_layer and self.gradient_checkpointing
        return self

    def _lora(self, asked):
        """The factors of what a LoRA adds that are 0 before training."""
        if not isinstance(self.model, PeftModel):
            raise ValueError(f"{asked}: this LLM has no LoRA of peft")
        named = self.model.named_parameters()
        return [weight for name, weight in named if ".lora_B." in name]

    def _adopt(self, model):
        """Freezes a model and adds what is trained."""
        model.requires_grad_(False)
        if self.gradient_checkpointing:
            model.gradient_checkpointing_enable({"use_reentrant": False})
        self._frozen = list(model.modules())
        if self.lora is not None:
            n_layers = model.config.get_text_config().num_hidden_layers
            model = get_peft_model(model, lora_config(self.lora, n_layers))
        if self.adapter is not None:
            self.adapter.attach(model)
        self.model = model
        self.train(self.training)

    def _build(self):
        """Makes a random model from ``config``."""
        options = {"dtype": self.loading.torch_dtype(torch.float32)}
        if self.loading.attention is not None:
            options["attn_implementation"] = self.loading.attention
        config = AutoConfig.for_model(**self.sizes)
        return AutoModelForCausalLM.from_config(config, **options)

    def _read(self, device):
        """Reads the weights; every one of the model must be there."""
        model, told = AutoModelForCausalLM.from_pretrained(
            starter.resolve(self.source),
            output_loading_info=True,
            **self.loading.arguments(device),
        )
        if told["missing_keys"]:
            raise ValueError(
                f"{self.source} lacks {sorted(told['missing_keys'])[:3]}...; "
                "expected all weights of the LLM"
            )
        return model

    def _read_tokenizer(self):
        """Reads the tokenizer; what has no padding token pads with its end."""
        if self.tokenizer_source is None:
            raise ValueError("a random LLM needs a tokenizer: name a folder")
        tokenizer = AutoTokenizer.from_pretrained(
            starter.resolve(self.tokenizer_source)
        )
        if tokenizer.pad_token_id is None:
            tokenizer.pad_token = tokenizer.eos_token
        return tokenizer

    def _forget_decoding(self):
        """Leaves nothing of the checkpoint's own decoding but its ends.

        generate() fills every option that is not given from there: an answer
        would depend on a file that nobody reads.
        """
        own = self.network.generation_config
        end = own.eos_token_id
        self.network.generation_config = GenerationConfig(
            bos_token_id=self.tokenizer.bos_token_id,
            eos_token_id=self.tokenizer.eos_token_id if end is None else end,
            pad_token_id=self.tokenizer.pad_token_id,
        )
