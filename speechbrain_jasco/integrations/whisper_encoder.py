"""Whisper's encoder: one layer or all of them, on 30 s, on 10 s, or on what
the clip fills.

wav -> log-mel [bands, frames], one per 10 ms -> 2 convolutions -> [T, D], one
    per 20 ms -> transformer blocks -> [T, D] or [T, L, D]

Paper: Radford et al., arXiv 2212.04356 section 2.2. The blocks are
transformers'; its own forward accepts 30 s only, so they are called here.

Authors
 * The speechbrain_jasco developers, 2026
"""

import torch
from torch.nn.functional import avg_pool1d, gelu, pad
from transformers import WhisperConfig, WhisperFeatureExtractor
from transformers.models.whisper import modeling_whisper

from speechbrain_jasco import starter
from speechbrain_jasco.integrations.whisper_asr import insist_on_whisper
from speechbrain_jasco.lobes.frames import SAMPLE_RATE_HZ
from speechbrain_jasco.lobes.pretrained import PretrainedEncoder, pad_to

PIECE_SAMPLES = 30 * SAMPLE_RATE_HZ  # what Whisper was trained on
MEL_HOP = 160  # samples
MEL_WINDOW = 400  # samples
MEL_10_S = 10 * SAMPLE_RATE_HZ // MEL_HOP
WINDOWS = ("trimmed", "30s", "10s")
LAYERS = ("last", "all")


class WhisperEncoder(PretrainedEncoder):
    """Whisper's encoder, frozen.

    Arguments
    ---------
    source : str, optional
        Hub name, local folder or ``starter:NAME`` of a Whisper.
    layers : str
        "last": the output, after the final LayerNorm [T, D]. "all": the
        output of every block, without that norm [T, L, D].
    window : str
        "trimmed": the clip is zero-padded to 30 s, the frames of the padding
        are dropped behind the encoder; a longer clip is encoded in pieces of
        30 s (WavLLM). "30s": the first 30 s, zero-padded, 1500 frames always
        (SALMONN). "10s": the log-mel of the whole clip, scaled by its
        maximum, is cut or padded with 0 to 1000 frames; a 0 there is not
        silence (LTU-AS: ``YuanGongND/ltu@2002aad``).
    multiple_s : int
        For "trimmed": a piece is padded to a multiple of so many seconds
        instead of the 30 that Whisper was trained on. 10 takes a short clip a
        third of the time and gives slightly other frames.
    pool : int
        Mean over so many frames; a last mean may be of fewer.
    config : dict, optional
        Sizes of a random ``WhisperConfig`` instead of a source.

    Raises
    ------
    ValueError
        If there is no such choice of layers or window, or ``multiple_s`` does
        not divide 30.

    Example
    -------
    >>> sizes = {"d_model": 16, "encoder_layers": 2, "encoder_ffn_dim": 32}
    >>> sizes["encoder_attention_heads"] = 2
    >>> encoder = WhisperEncoder(config=sizes)
    >>> frames = encoder(torch.randn(2, 32000), torch.tensor([1.0, 0.5]))
    >>> frames.x.shape, frames.sizes().tolist(), frames.rate_hz
    (torch.Size([2, 100, 16]), [100, 50], 50.0)
    >>> encoder = WhisperEncoder(None, "all", "10s", pool=20, config=sizes)
    >>> frames = encoder(torch.randn(1, 32000), torch.ones(1))
    >>> frames.x.shape, frames.rate_hz
    (torch.Size([1, 25, 2, 16]), 2.5)
    """

    def __init__(
        self,
        source=None,
        layers="last",
        window="trimmed",
        pool=1,
        config=None,
        multiple_s=30,
    ):
        if layers not in LAYERS or window not in WINDOWS:
            raise ValueError(
                f"got layers {layers!r} and window {window!r}; expected one "
                f"of {', '.join(LAYERS)} and one of {', '.join(WINDOWS)}"
            )
        if multiple_s < 1 or 30 % multiple_s:
            raise ValueError(
                f"got multiple_s {multiple_s}; expected a divisor of 30, "
                "Whisper's window in seconds"
            )
        super().__init__(source, config)
        self.layers = layers
        self.window = window
        self.pool = pool
        self.multiple_s = multiple_s
        self.rate_hz = SAMPLE_RATE_HZ / MEL_HOP / 2 / pool

    def build(self, config):
        """Makes a random encoder.

        Arguments
        ---------
        config : dict
            Arguments of ``WhisperConfig``.

        Returns
        -------
        transformers.models.whisper.modeling_whisper.WhisperEncoder
            The encoder.
        """
        return modeling_whisper.WhisperEncoder(WhisperConfig(**config))

    def read(self, source):
        """Reads the encoder's half of a Whisper, in float32.

        Arguments
        ---------
        source : str
            Hub name, local folder or ``starter:NAME``.

        Returns
        -------
        transformers.models.whisper.modeling_whisper.WhisperEncoder
            The encoder on the CPU.

        Raises
        ------
        ValueError
            If weights of the encoder are missing there.
        """
        model, told = modeling_whisper.WhisperEncoder.from_pretrained(
            starter.resolve(source),
            dtype=torch.float32,
            key_mapping={r"^(model\.)?encoder\.": ""},
            output_loading_info=True,
        )
        if told["missing_keys"]:
            raise ValueError(
                f"{source} lacks {sorted(told['missing_keys'])[:3]}...; "
                "expected a Whisper with its encoder"
            )
        return model

    def check(self):
        """Fails now rather than later if there is no such Whisper.

        Raises
        ------
        ValueError
            If the folder or the hub has none.
        """
        if self.source is not None:
            insist_on_whisper(self.source)

    def config(self):
        """Everything the frames depend on, JSON-able (dict)."""
        options = {
            "layers": self.layers,
            "window": self.window,
            "pool": self.pool,
        }
        if self.multiple_s != 30:
            options["multiple_s"] = self.multiple_s
        return {**super().config(), **options}

    def log_mel(self, wav):
        """Computes the input of the encoder.

        Arguments
        ---------
        wav : torch.Tensor
            Waveform [S] at 16 kHz.

        Returns
        -------
        torch.Tensor
            Log-mel spectrogram [bands, 3000], or [bands, 1000] for "10s".
        """
        extractor = WhisperFeatureExtractor(self.model.config.num_mel_bins)
        whole = self.window == "10s"
        if whole:
            wav = pad_to(wav, MEL_WINDOW)
        length = None  # 30 s
        if self.window == "trimmed":
            step = self.multiple_s * SAMPLE_RATE_HZ
            length = -(-len(wav) // step) * step
        mel = extractor(
            wav.cpu().numpy(),
            sampling_rate=SAMPLE_RATE_HZ,
            padding="do_not_pad" if whole else "max_length",
            max_length=length,
            truncation=not whole,
            return_tensors="pt",
        ).input_features[0]
        if whole:  # a negative amount of padding cuts
            mel = pad(mel, (0, MEL_10_S - mel.shape[1]))
        return mel.to(wav.device)

    def run_blocks(self, mel):
        """Runs convolutions and blocks on a spectrogram of any length.

        Arguments
        ---------
        mel : torch.Tensor
            Log-mel spectrogram [bands, frames], at most 3000 frames.

        Returns
        -------
        torch.Tensor
            Features [T, D] or, of all layers, [T, L, D].
        """
        model = self.model
        x = gelu(model.conv2(gelu(model.conv1(mel.unsqueeze(0)))))
        x = x.transpose(1, 2)
        x = x + model.embed_positions.weight[: x.shape[1]]
        outputs = []
        for block in model.layers:
            x = block(x, None)
            outputs.append(x)
        if self.layers == "last":
            return model.layer_norm(x).squeeze(0)
        return torch.cat(outputs).transpose(0, 1)

    def encode(self, wav):
        """Encodes one clip.

        Arguments
        ---------
        wav : torch.Tensor
            Waveform [S] at 16 kHz, without padding.

        Returns
        -------
        torch.Tensor
            Features [T, D] or, of all layers, [T, L, D].
        """
        if self.window != "trimmed":
            return pool_frames(self.run_blocks(self.log_mel(wav)), self.pool)
        pieces = []
        for piece in wav.split(PIECE_SAMPLES):
            n_frames = -(-len(piece) // (2 * MEL_HOP))
            pieces.append(self.run_blocks(self.log_mel(piece))[:n_frames])
        return pool_frames(torch.cat(pieces), self.pool)


def pool_frames(x, size):
    """Averages blocks of frames.

    Arguments
    ---------
    x : torch.Tensor
        Features [T, ...].
    size : int
        Frames per block; the last block may have fewer.

    Returns
    -------
    torch.Tensor
        Features [ceil(T / size), ...].

    Example
    -------
    >>> pool_frames(torch.tensor([[1.0], [3.0], [5.0]]), 2).tolist()
    [[2.0], [5.0]]
    """
    if size == 1:
        return x
    flat = x.flatten(1).T.unsqueeze(0)
    means = avg_pool1d(flat, size, ceil_mode=True).squeeze(0).T
    return means.reshape(-1, *x.shape[1:])
