"""Waveform and spectrogram of a clip, small enough to stand in a page.

A page opened from disk may play a recording but not read it, so what it draws
is computed here.

Authors
 * The speechbrain_jasco developers, 2026
"""

import base64

import torch
import torchaudio

from speechbrain_jasco.dataio import SAMPLE_RATE_HZ

N_COLUMNS = 240  # of both pictures
N_BANDS = 48
RANGE_DB = 70  # below the loudest point all is black


def sound_picture(wav):
    """Reduce a recording to what a page draws.

    Arguments
    ---------
    wav : Tensor [S]
        Mono, 16 kHz.

    Returns
    -------
    dict
        ``seconds``; ``peaks``, the largest magnitude of each of ``columns``
        stretches, 0 to 100 of the loudest; ``mel``, base64 of a byte per band
        (low to high) and column, row by row.

    Example
    -------
    >>> picture = sound_picture(torch.sin(torch.arange(16000) * 0.5))
    >>> picture["seconds"], picture["columns"], max(picture["peaks"])
    (1.0, 240, 100)
    """
    magnitude = wav.abs()[None, None]  # [1, 1, S]
    peaks = torch.nn.functional.adaptive_max_pool1d(magnitude, N_COLUMNS)[0, 0]
    peaks = 100 * peaks / peaks.max().clamp_min(1e-6)
    transform = torchaudio.transforms.MelSpectrogram(
        SAMPLE_RATE_HZ, n_fft=1024, hop_length=256, n_mels=N_BANDS
    )
    power = transform(wav[None])  # [1, bands, T]
    power = torch.nn.functional.adaptive_avg_pool1d(power, N_COLUMNS)[0]
    level = 10 * power.clamp_min(1e-10).log10()  # [bands, columns]
    grey = 255 * (1 + (level - level.max()) / RANGE_DB).clamp(0, 1)
    return {
        "seconds": round(wav.numel() / SAMPLE_RATE_HZ, 2),
        "columns": N_COLUMNS,
        "bands": N_BANDS,
        "peaks": peaks.round().int().tolist(),
        "mel": base64.b64encode(
            grey.round().to(torch.uint8).numpy().tobytes()
        ).decode(),
    }
