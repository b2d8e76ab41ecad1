"""An audio-language model of transformers with its processor, loaded late.

Authors
 * The speechbrain_jasco developers, 2026
"""

from pathlib import Path
from typing import Optional

import torch
import transformers
from speechbrain.utils.logger import get_logger

from speechbrain_jasco.fingerprint import fingerprint
from speechbrain_jasco.integrations.loading import LoadingOptions

logger = get_logger(__name__)

ADAPTER_NAME = "audio"


class NativeAudioModel:
    """Any audio-language model that transformers has a class for.

    Arguments
    ---------
    source : str
        Hub name, ``name@revision`` or local folder.
    model_class : str
        Class of transformers. Omni models are loaded by their Thinker: no
        talker, no vocoder, text only.
    adapter : str, optional
        Subfolder of ``source`` with a LoRA that hearing needs.
    **loading
        ``dtype``, ``device_map``, ``quantization``, ``attention``: see
        ``LoadingOptions``. Without a ``device_map`` the model goes to the
        first GPU, or the CPU where there is none.

    Example
    -------
    >>> model = NativeAudioModel(
    ...     "Qwen/Qwen2-Audio-7B-Instruct", "Qwen2AudioForConditionalGeneration"
    ... )
    >>> model.config()["source"]
    'Qwen/Qwen2-Audio-7B-Instruct'
    """

    def __init__(
        self,
        source: str,
        model_class: str,
        adapter: Optional[str] = None,
        **loading,
    ):
        self.source = source
        self.model_class = model_class
        self.adapter = adapter
        self.loading = LoadingOptions(**loading)
        self.model = None
        self.processor = None

    def config(self):
        """Everything an answer depends on, JSON-able (dict)."""
        return {
            "source": fingerprint(self.source),
            "model_class": self.model_class,
            "adapter": self.adapter,
            **self.loading.config(),
        }

    @property
    def audio_token_id(self):
        """The id that stands for one audio embedding (int)."""
        config = self.model.config
        if not hasattr(config, "audio_token_id"):
            config = config.audio_config  # Phi-4-multimodal
        return config.audio_token_id

    def check(self):
        """Fail now rather than later, with everything that is missing.

        Raises
        ------
        RuntimeError
            If a package that the options need is missing.
        ValueError
            If the class, the processor or the weights are not to be had.
        """
        self.loading.check()
        missing = []
        if not hasattr(transformers, self.model_class):
            missing.append(
                f"the class {self.model_class}, which transformers "
                f"{transformers.__version__} does not have: install a newer one"
            )
        try:
            self._load_processor()
        except (OSError, ValueError, ImportError) as error:
            why = " ".join(str(error).split()).rstrip(".")
            missing.append(f"its processor ({why})")
        folder = Path(self.source)
        if folder.is_dir() and not list(folder.glob("*.safetensors")):
            missing.append(f"the weights, {folder}/*.safetensors")
        if missing:
            name = self.source.partition("@")[0]
            raise ValueError(
                f"{self.source} cannot be used. Missing: {'; '.join(missing)}."
                f" Fetch it with `hf download {name}` or give a folder that "
                "has config.json, the processor's files and *.safetensors."
            )

    def load(self):
        """Load processor and model, once.

        Raises
        ------
        ValueError
            If the checkpoint does not fill the model.
        """
        if self.model is not None:
            return
        device = "cuda" if torch.cuda.is_available() else "cpu"
        logger.info("Loading %s", self.source)
        self._load_processor()
        model, info = getattr(transformers, self.model_class).from_pretrained(
            **self._where(),
            **self.loading.arguments(device),
            output_loading_info=True,
        )
        wrong = {
            kind: sorted(map(str, info[kind]))
            for kind in ("missing_keys", "mismatched_keys")
            if info[kind]
        }
        if wrong:
            raise ValueError(
                f"{self.source} does not fill a {self.model_class}: {wrong}. "
                "Give the checkpoint that belongs to this class."
            )
        if self.adapter is not None:
            self._load_adapter(model)
        self.model = model.eval()
        if not self.loading.places:
            self.model.to(device)

    def _where(self):
        """Name and revision of the checkpoint."""
        name, _, revision = self.source.partition("@")
        where = {"pretrained_model_name_or_path": name}
        return {**where, "revision": revision} if revision else where

    def _load_processor(self):
        """Load the processor, once."""
        if self.processor is None:
            self.processor = transformers.AutoProcessor.from_pretrained(
                **self._where()
            )

    def _load_adapter(self, model):
        """Load the LoRA; the first one is switched on by that."""
        where = self._where()
        model.load_adapter(
            where.pop("pretrained_model_name_or_path"),
            adapter_name=ADAPTER_NAME,
            adapter_kwargs={"subfolder": self.adapter, **where},
        )
