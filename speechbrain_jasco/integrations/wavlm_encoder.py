"""WavLM: all hidden states of a speech encoder.

Paper: Chen et al., "WavLM: Large-Scale Self-Supervised Pre-Training for Full
Stack Speech Processing", arXiv 2110.13900. The network is transformers'.

Authors
 * The speechbrain_jasco developers, 2026
"""

import torch
from transformers import (
    AutoConfig,
    Wav2Vec2FeatureExtractor,
    WavLMConfig,
    WavLMModel,
)

from speechbrain_jasco import starter
from speechbrain_jasco.lobes.pretrained import PretrainedEncoder, pad_to


class WavLMEncoder(PretrainedEncoder):
    """WavLM, frozen; every layer's frames, one per 20 ms.

    State 0 is the input of the first block: the projected output of the
    convolutions with its positions and LayerNorm, as transformers counts
    hidden states. A base model has 13 states, a large one 25. A clip gives
    as many frames as the convolutions fit into it, (S - 400) // 320 + 1; one
    shorter than that is zero-padded to a single frame.

    Arguments
    ---------
    source : str, optional
        Hub name, local folder or ``starter:NAME`` of a WavLM.
    normalize : bool, optional
        Whether a clip is brought to mean 0 and variance 1. By default as the
        preprocessor file of ``source`` says; no with ``config``.
    config : dict, optional
        Sizes of a random ``WavLMConfig`` instead of a source.

    Example
    -------
    >>> sizes = {"hidden_size": 16, "num_hidden_layers": 2}
    >>> sizes |= {"num_attention_heads": 2, "intermediate_size": 32}
    >>> sizes |= {"conv_dim": [8] * 7, "num_conv_pos_embedding_groups": 2}
    >>> encoder = WavLMEncoder(config=sizes)
    >>> frames = encoder(torch.randn(2, 32000), torch.tensor([1.0, 0.5]))
    >>> frames.x.shape, frames.sizes().tolist(), frames.rate_hz
    (torch.Size([2, 99, 3, 16]), [99, 49], 50.0)
    """

    rate_hz = 50.0

    def __init__(self, source=None, normalize=None, config=None):
        super().__init__(source, config)
        self.normalize = normalize

    def build(self, config):
        """Makes a random WavLM.

        Arguments
        ---------
        config : dict
            Arguments of ``WavLMConfig``.

        Returns
        -------
        transformers.WavLMModel
            The network.
        """
        return WavLMModel(WavLMConfig(**config))

    def read(self, source):
        """Reads a WavLM in float32, and how it wants its waveforms.

        Arguments
        ---------
        source : str
            Hub name, local folder or ``starter:NAME``.

        Returns
        -------
        transformers.WavLMModel
            The network on the CPU.

        Raises
        ------
        ValueError
            If weights are missing there.
        """
        folder = starter.resolve(source)
        model, told = WavLMModel.from_pretrained(
            folder, dtype=torch.float32, output_loading_info=True
        )
        # Used in pre-training only; some publications leave it out.
        missing = set(told["missing_keys"]) - {"masked_spec_embed"}
        if missing:
            raise ValueError(
                f"{source} lacks {sorted(missing)[:3]}...; expected a WavLM"
            )
        if self.normalize is None:
            reader = Wav2Vec2FeatureExtractor.from_pretrained(folder)
            self.normalize = reader.do_normalize
        return model

    def check(self):
        """Fails now rather than later if there is no such WavLM.

        Raises
        ------
        ValueError
            If the folder or the hub has none, or it does not say how it
            wants its waveforms.
        """
        if self.source is None:
            return
        folder = starter.resolve(self.source)
        try:
            config = AutoConfig.from_pretrained(folder)
            if self.normalize is None:
                Wav2Vec2FeatureExtractor.from_pretrained(folder)
        except (OSError, ValueError) as error:
            raise ValueError(
                f"{self.source!r} is no model transformers can load: expected "
                "a WavLM with its preprocessor_config.json (or `normalize`), "
                f"by hub name, local folder or starter:NAME. {error}"
            ) from error
        if config.model_type != "wavlm":
            raise ValueError(
                f"{self.source!r}: got a model of type {config.model_type!r}, "
                "expected a WavLM"
            )

    def config(self):
        """Everything the frames depend on, JSON-able (dict)."""
        return {**super().config(), "normalize": self.normalize}

    def encode(self, wav):
        """Encodes one clip.

        Arguments
        ---------
        wav : torch.Tensor
            Waveform [S] at 16 kHz, without padding.

        Returns
        -------
        torch.Tensor
            Hidden states [T, L, D].
        """
        if self.normalize:  # as Wav2Vec2FeatureExtractor does
            wav = (wav - wav.mean()) / (wav.var(correction=0) + 1e-7).sqrt()
        wav = pad_to(wav, self._shortest())
        out = self.model(wav.unsqueeze(0), output_hidden_states=True)
        return torch.cat(out.hidden_states).transpose(0, 1)

    def _shortest(self):
        """Samples under one output of the convolutions (WavLM's: 400)."""
        samples, config = 1, self.model.config
        for kernel, stride in zip(
            reversed(config.conv_kernel), reversed(config.conv_stride)
        ):
            samples = (samples - 1) * stride + kernel
        return samples
