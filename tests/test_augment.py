"""Tests of the noise for frames.

Authors
 * The speechbrain_jasco developers, 2026
"""

import pytest
import torch

from speechbrain_jasco.lobes.frames import Frames
from speechbrain_jasco.training.augment import FrameAugment

LENS = torch.ones(50)


def streams():
    torch.manual_seed(0)
    speech = Frames(torch.ones(50, 200, 32), LENS, 50.0)
    return [speech, Frames(torch.ones(50, 10, 16), LENS, 2.5)]


def test_the_share_of_dropped_values_and_the_mean():
    for stream in FrameAugment(p=0.3, n_stretches=0)(streams()):
        dropped = (stream.x == 0).float().mean().item()
        assert dropped == pytest.approx(0.3, abs=0.02)
        assert stream.x.mean().item() == pytest.approx(1.0, abs=0.03)


def test_stretches_of_the_first_stream_are_silent():
    speech, sounds = FrameAugment(p=0.0, n_stretches=2, longest_s=0.2)(
        streams()
    )
    silent = (speech.x == 0).all(dim=2)
    assert silent.equal((speech.x == 0).any(dim=2))  # all values of a frame
    begins = silent & ~silent.roll(1, dims=1)
    assert (begins[:, 1:].sum(dim=1) <= 2).all()
    lengths = silent.sum(dim=1)
    assert 1 <= lengths.min() and lengths.max() <= 2 * 10
    assert lengths.unique().numel() > 3  # not always the same
    assert sounds.x.equal(torch.ones(50, 10, 16))


def test_what_is_cached_stays_as_it_is():
    given = streams()
    FrameAugment(p=0.0)(given)
    FrameAugment()(given)
    assert all((stream.x == 1).all() for stream in given)


def test_the_seed_decides():
    torch.manual_seed(3)
    a = FrameAugment()(streams())
    b = FrameAugment()(streams())
    assert all(x.x.equal(y.x) for x, y in zip(a, b, strict=True))
