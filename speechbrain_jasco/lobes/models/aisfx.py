"""aiSFX: a convolutional network on log-mel spectrograms that was trained to
sort nine sound-effects libraries into their classes.

wav 16 kHz -> 44.1 kHz, peak 1 -> 96 mel bands [frames, 96]
    -> blocks of 100 frames (2.3 s), one every 50 (1.2 s) -> 8 convolutions
    -> one 512-wide vector per block

Paper: Ma and Lerch, "Representation Learning for the Automatic Indexing of
Sound Effects Libraries", ISMIR 2022, arXiv 2208.09096. The network is
alisonbma/aiSFX src/aisfx/models/cnn2d.py@1743cdf; the front end its librosa
one (the authors trained on Essentia's and say that librosa's may do worse).

Authors
 * The speechbrain_jasco developers, 2026
"""

import torch
from torch import nn
from torchaudio.functional import melscale_fbanks, resample

from speechbrain_jasco.lobes.frames import SAMPLE_RATE_HZ, FrozenEncoder
from speechbrain_jasco.lobes.models.soundnet import tile

AISFX_RATE_HZ = 44100
N_FFT = 2048
HOP = 1024  # samples
N_MELS = 96
BLOCK = 100  # spectrogram frames
BLOCK_HOP = 50  # spectrogram frames
LARGEST_LOG_MEL = 9.457798957824707  # over the authors' training libraries


def mel_filters():
    """Triangular filters, equally wide in mel (HTK's), each of unit sum.

    Returns
    -------
    torch.Tensor
        Filters [N_FFT / 2 + 1, 96].

    Example
    -------
    >>> mel_filters().shape
    torch.Size([1025, 96])
    """
    filters = melscale_fbanks(
        n_freqs=N_FFT // 2 + 1,
        f_min=0.0,
        f_max=AISFX_RATE_HZ / 2,
        n_mels=N_MELS,
        sample_rate=AISFX_RATE_HZ,
        mel_scale="htk",
    )
    return filters / filters.sum(dim=0)


class ConvBlock(nn.Module):
    """Two 3x3 convolutions with batch norm and ReLU, then max-pooling.

    Arguments
    ---------
    n_in : int
        Input channels.
    n_out : int
        Output channels.
    pool : int
        Side of the max-pooling square.

    Example
    -------
    >>> ConvBlock(1, 4, pool=2)(torch.randn(2, 1, 100, 96)).shape
    torch.Size([2, 4, 50, 48])
    """

    def __init__(self, n_in, n_out, pool):
        super().__init__()
        self.conv1 = nn.Conv2d(n_in, n_out, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(n_out)
        self.conv2 = nn.Conv2d(n_out, n_out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(n_out)
        self.pool = nn.MaxPool2d(pool)

    def forward(self, x):
        """Runs the block.

        Arguments
        ---------
        x : torch.Tensor
            Input [B, n_in, time, mel].

        Returns
        -------
        torch.Tensor
            Output [B, n_out, time / pool, mel / pool].
        """
        x = self.bn1(self.conv1(x)).relu()
        return self.pool(self.bn2(self.conv2(x)).relu())


class Aisfx(FrozenEncoder):
    """The embedding network of aiSFX, frozen (arXiv 2208.09096).

    Clips shorter than one block are tiled; a last block that the clip does
    not fill is dropped, as in the original.

    Arguments
    ---------
    width : int
        Channels of the first block; every block doubles it (the original: 64).

    Example
    -------
    >>> model = Aisfx(width=1)
    >>> frames = model(torch.randn(2, 64000), torch.tensor([1.0, 0.25]))
    >>> frames.x.shape, frames.lens.tolist(), round(frames.rate_hz, 2)
    (torch.Size([2, 2, 8]), [1.0, 0.5], 0.86)
    """

    rate_hz = AISFX_RATE_HZ / HOP / BLOCK_HOP

    def __init__(self, width=64):
        super().__init__()
        sizes = [1, width, 2 * width, 4 * width, 8 * width]
        self.blocks = nn.Sequential(
            *(
                ConvBlock(n_in, n_out, pool)
                for n_in, n_out, pool in zip(sizes, sizes[1:], [2, 2, 2, 1])
            )
        )
        self.n_features = sizes[-1]
        # Neither is a weight: both follow from the constants above.
        self.register_buffer("filters", mel_filters(), persistent=False)
        self.register_buffer(
            "window", torch.hann_window(N_FFT), persistent=False
        )
        self.freeze()

    def log_mel(self, wav):
        """Computes the input of the network.

        Arguments
        ---------
        wav : torch.Tensor
            Waveform [S] at 16 kHz.

        Returns
        -------
        torch.Tensor
            Log-mel spectrogram [frames, 96], mostly in [0, 1].
        """
        wav = resample(wav, SAMPLE_RATE_HZ, AISFX_RATE_HZ)
        wav = wav / wav.abs().max().clamp(min=torch.finfo(wav.dtype).tiny)
        spectrum = torch.stft(
            wav,
            N_FFT,
            HOP,
            window=self.window,
            pad_mode="constant",
            return_complex=True,
        )
        mel = spectrum.abs().square().T @ self.filters
        return (10000 * mel + 1).log10() / LARGEST_LOG_MEL

    def encode(self, wav):
        """Encodes one clip.

        Arguments
        ---------
        wav : torch.Tensor
            Waveform [S] at 16 kHz, without padding.

        Returns
        -------
        torch.Tensor
            One vector per block [T, D].
        """
        # Tiled as a waveform: a spectrogram repeated frame by frame would
        # carry the seam's padding into every repetition.
        shortest = -(-BLOCK * HOP * SAMPLE_RATE_HZ // AISFX_RATE_HZ)
        mel = self.log_mel(tile(wav, shortest))
        blocks = mel.unfold(0, BLOCK, BLOCK_HOP).transpose(1, 2)
        x = self.blocks(blocks.unsqueeze(1))  # [T, D, time, mel]
        return x.mean(dim=3).amax(dim=2)
