"""How a large model is read: precision, devices, 4 bits, attention.

These options change the memory and the time that a model takes and, a little,
its rounding; they are the same for every model of transformers.

| on a GPU of | a 7B model | a 13B model |
|---|---|---|
| 80 GB | ``dtype: float16`` (14 GB) | ``dtype: float16`` (26 GB) |
| 24 GB | ``dtype: float16`` | ``quantization: 4bit`` (8 GB) |
| several | ``device_map: auto`` lays the layers over all of them | the same |

Authors
 * The speechbrain_jasco developers, 2026
"""

from importlib.util import find_spec
from typing import Optional, Union

import torch
from transformers import BitsAndBytesConfig


class LoadingOptions:
    """Arguments of ``from_pretrained``, checked before anything is read.

    Arguments
    ---------
    dtype : str
        Name of a torch dtype, or ``auto`` for the checkpoint's own (float32
        for random weights).
    device_map : str or dict, optional
        ``auto`` to spread the layers over all GPUs, a device, or accelerate's
        map of modules to devices. By default one device holds the model.
    quantization : str, optional
        ``4bit``: weights of 4 bits (NF4), computed in ``dtype``, or bfloat16
        where that is ``auto``. Needs a GPU.
    attention : str, optional
        ``eager``, ``sdpa``, ``flash_attention_2`` ...; by default what
        transformers takes.

    Raises
    ------
    ValueError
        If there is no such dtype or quantization.

    Example
    -------
    >>> LoadingOptions("float16", attention="sdpa").arguments("cpu")
    {'dtype': torch.float16, 'attn_implementation': 'sdpa'}
    """

    def __init__(
        self,
        dtype: str = "auto",
        device_map: Optional[Union[str, dict]] = None,
        quantization: Optional[str] = None,
        attention: Optional[str] = None,
    ):
        known = isinstance(getattr(torch, str(dtype), None), torch.dtype)
        if dtype != "auto" and not known:
            raise ValueError(
                f"got dtype {dtype!r}; expected auto, float32, float16 or "
                "bfloat16"
            )
        if quantization not in (None, "4bit"):
            raise ValueError(
                f"got quantization {quantization!r}; expected 4bit or null"
            )
        self.dtype = dtype
        self.device_map = device_map
        self.quantization = quantization
        self.attention = attention

    @property
    def places(self):
        """Whether transformers puts the weights on their devices (bool)."""
        return self.device_map is not None or self.quantization is not None

    def config(self):
        """What answers depend on beyond rounding order, JSON-able (dict)."""
        return {"dtype": self.dtype, "quantization": self.quantization}

    def check(self):
        """Fails now rather than later if a package or the GPU is missing.

        Raises
        ------
        RuntimeError
            If so.
        """
        needs = ["accelerate"] if self.places else []
        if self.quantization is not None:
            needs.append("bitsandbytes")
        missing = [name for name in needs if find_spec(name) is None]
        if missing:
            raise RuntimeError(
                f"device_map {self.device_map!r} and quantization "
                f"{self.quantization!r} need {' and '.join(missing)}: "
                f"pip install {' '.join(missing)}, or leave the options out"
            )
        if self.quantization is not None and not torch.cuda.is_available():
            raise RuntimeError(
                "quantization: 4bit needs a GPU and torch sees none. Leave it "
                "out, or install the CUDA build of torch."
            )

    def arguments(self, device):
        """Arguments of ``from_pretrained``.

        Arguments
        ---------
        device : str or torch.device
            Where a quantized model goes if ``device_map`` does not say.

        Returns
        -------
        dict
        """
        arguments = {"dtype": self.torch_dtype("auto")}
        if self.attention is not None:
            arguments["attn_implementation"] = self.attention
        if self.quantization is not None:
            arguments["quantization_config"] = BitsAndBytesConfig(
                load_in_4bit=True,
                bnb_4bit_quant_type="nf4",
                bnb_4bit_compute_dtype=self.torch_dtype(torch.bfloat16),
            )
        if self.device_map is not None:
            arguments["device_map"] = self.device_map
        elif self.quantization is not None:
            arguments["device_map"] = {"": device}
        return arguments

    def torch_dtype(self, auto):
        """The torch dtype, or ``auto`` where none is named.

        Arguments
        ---------
        auto : object
            What stands for ``auto``.

        Returns
        -------
        torch.dtype or object
        """
        return auto if self.dtype == "auto" else getattr(torch, self.dtype)
