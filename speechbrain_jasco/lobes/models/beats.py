"""BEATs: a transformer on 16x16 patches of a spectrogram, for sounds.

wav x 2^15 -> Kaldi log-mel [frames, 128], one per 10 ms -> normalised
    -> patches: 8 frequency bands per 160 ms, band after band -> 50 per second
    -> LayerNorm, projection -> transformer -> [T, D]

Frame i is band i % 8 of the 160 ms step i // 8.

Paper: Chen et al., "BEATs: Audio Pre-Training with Acoustic Tokenizers",
arXiv 2212.09058. The transformer is SpeechBrain's
(speechbrain/lobes/models/beats.py); the parts around it have the names of the
checkpoints of microsoft/unilm beats@768a3c8. Three things differ from
SpeechBrain's ``BEATs``: it needs no ``wav_lens``, its weights are frozen and
not only in eval mode, and the classifier of a fine-tuned checkpoint is left
out.

Authors
 * The speechbrain_jasco developers, 2026
"""

import torch
from speechbrain.lobes.models.beats import BEATsConfig, TransformerEncoder
from torch import nn
from torchaudio.compliance import kaldi

from speechbrain_jasco.lobes.frames import SAMPLE_RATE_HZ
from speechbrain_jasco.lobes.pretrained import (
    PretrainedEncoder,
    download_fault,
    pad_to,
)

N_MELS = 128
FBANK_MEAN = 15.41663  # over AudioSet, as in the original
FBANK_STD = 6.55582
WINDOW, HOP = 400, 160  # samples


def log_mel(wav):
    """Computes the normalised input of BEATs.

    Arguments
    ---------
    wav : torch.Tensor
        Waveform [S] at 16 kHz, at least 400 samples.

    Returns
    -------
    torch.Tensor
        Log-mel spectrogram [(S - 400) // 160 + 1, 128], without dither.

    Example
    -------
    >>> log_mel(torch.zeros(16000)).shape
    torch.Size([98, 128])
    """
    fbank = kaldi.fbank(
        wav.unsqueeze(0) * 2**15,
        num_mel_bins=N_MELS,
        sample_frequency=SAMPLE_RATE_HZ,
        frame_length=1000 * WINDOW / SAMPLE_RATE_HZ,
        frame_shift=1000 * HOP / SAMPLE_RATE_HZ,
        dither=0.0,
    )
    return (fbank - FBANK_MEAN) / (2 * FBANK_STD)


class BeatsModel(nn.Module):
    """The network: patches, LayerNorm, projection, transformer.

    Arguments
    ---------
    config : dict
        What differs from SpeechBrain's ``BEATsConfig``; the ``cfg`` of a
        checkpoint.

    Example
    -------
    >>> sizes = {"encoder_layers": 1, "encoder_embed_dim": 16}
    >>> sizes |= {"encoder_attention_heads": 2, "encoder_ffn_embed_dim": 32}
    >>> BeatsModel(sizes).eval()(torch.randn(98, 128)).shape
    torch.Size([48, 16])
    """

    def __init__(self, config):
        super().__init__()
        config = BEATsConfig(config)
        width, patch = config.embed_dim, config.input_patch_size
        self.patch_embedding = nn.Conv2d(
            1, width, patch, stride=patch, bias=config.conv_bias
        )
        self.layer_norm = nn.LayerNorm(width)
        self.post_extract_proj = None
        if width != config.encoder_embed_dim:
            self.post_extract_proj = nn.Linear(width, config.encoder_embed_dim)
        self.encoder = TransformerEncoder(config)

    @property
    def shortest(self):
        """The least number of samples that fill one patch (int)."""
        return WINDOW + HOP * (self.patch_embedding.kernel_size[0] - 1)

    def forward(self, mel):
        """Runs the network on one clip.

        Arguments
        ---------
        mel : torch.Tensor
            Normalised log-mel spectrogram [frames, 128].

        Returns
        -------
        torch.Tensor
            Features [8 * (frames // 16), D] of the last layer.
        """
        x = self.patch_embedding(mel[None, None]).flatten(2).transpose(1, 2)
        x = self.layer_norm(x)
        if self.post_extract_proj is not None:
            x = self.post_extract_proj(x)
        x, _ = self.encoder(x, padding_mask=None)
        return x.squeeze(0)


class Beats(PretrainedEncoder):
    """BEATs, frozen (arXiv 2212.09058), 50 frames per second.

    A clip shorter than one patch (0.175 s: 16 windows of 25 ms, one every
    10 ms) is zero-padded to it; windows that do not fill a last patch are
    dropped, as in the original.

    Arguments
    ---------
    source : str, optional
        A published checkpoint: a ``.pt`` file of {"cfg", "model"}.
    config : dict, optional
        ``cfg`` instead, for random weights. Not on the meta device:
        SpeechBrain's initialisation copies the weights.

    Example
    -------
    >>> sizes = {"encoder_layers": 1, "encoder_embed_dim": 16}
    >>> sizes |= {"encoder_attention_heads": 2, "encoder_ffn_embed_dim": 32}
    >>> encoder = Beats(config=sizes)
    >>> frames = encoder(torch.randn(2, 32000), torch.tensor([1.0, 0.5]))
    >>> frames.x.shape, frames.sizes().tolist(), frames.rate_hz
    (torch.Size([2, 96, 16]), [96, 48], 50.0)
    """

    rate_hz = 50.0

    def build(self, config):
        """Makes the network with random weights.

        Arguments
        ---------
        config : dict
            ``cfg`` of a checkpoint.

        Returns
        -------
        BeatsModel
            The network.
        """
        return BeatsModel(config)

    def read(self, source):
        """Reads a checkpoint; every weight of the network must be there.

        Arguments
        ---------
        source : str
            Path of the ``.pt`` file.

        Returns
        -------
        BeatsModel
            The network on the CPU.

        Raises
        ------
        ValueError
            If the file is not a checkpoint of BEATs.
        pickle.UnpicklingError
            If it holds more than tensors and plain values.
        """
        # weights_only: nothing in the file is run; torch says what it refused.
        checkpoint = torch.load(source, map_location="cpu", weights_only=True)
        try:
            model = BeatsModel(checkpoint["cfg"])
            weights = {
                key: value
                for key, value in checkpoint["model"].items()
                if not key.startswith("predictor")
            }
            model.load_state_dict(weights)
        except (KeyError, RuntimeError, TypeError) as error:
            raise ValueError(
                f"{source} is not a checkpoint of BEATs: expected a file of "
                "{'cfg', 'model'} as microsoft/unilm publishes them, e.g. "
                f"BEATs_iter3_plus_AS2M_finetuned_on_AS2M_cpt2.pt. {error}"
            ) from error
        return model

    def check(self):
        """Fails now rather than later if there is no checkpoint.

        Raises
        ------
        ValueError
            If the file cannot be opened, or is what a failed download leaves.
        """
        if self.source is None:
            return
        try:
            with open(self.source, "rb") as fin:
                fault = download_fault(fin.read(512))
        except OSError as error:
            fault = error.strerror
        if fault:
            raise ValueError(
                f"no BEATs checkpoint: got {self.source!r} ({fault});"
                " expected the path of a .pt file of microsoft/unilm beats"
            )

    def encode(self, wav):
        """Encodes one clip.

        Arguments
        ---------
        wav : torch.Tensor
            Waveform [S] at 16 kHz, without padding.

        Returns
        -------
        torch.Tensor
            Features [T, D].
        """
        return self.model(log_mel(pad_to(wav, self.model.shortest)))
