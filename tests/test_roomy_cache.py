"""Tests of the cache with room: it holds what transformers' own holds.

Authors
 * The speechbrain_jasco developers, 2026
"""

import pytest
import torch
from transformers import DynamicCache, MistralConfig
from transformers.cache_utils import DynamicLayer

from speechbrain_jasco.integrations.roomy_cache import RoomyLayer, make_room

N_PROMPTS, N_BEAMS, N_HEADS, WIDTH = 3, 4, 2, 5


def read_prompts(cache, n_tokens=6):
    """A layer of a cache that knows prompts, once for each of their beams."""
    keys, values = torch.randn(2, N_PROMPTS, N_HEADS, n_tokens, WIDTH)
    cache.update(keys, values, 0)
    cache.batch_repeat_interleave(N_BEAMS)


@pytest.mark.parametrize("seed", range(3))
def test_beams_that_grow_and_change_places(seed):
    torch.manual_seed(seed)
    plain = DynamicCache()
    read_prompts(plain)
    roomy = DynamicCache()
    roomy.update(plain.layers[0].keys, plain.layers[0].values, 0)
    make_room(roomy, 8)
    assert isinstance(roomy.layers[0], RoomyLayer)
    first = torch.arange(N_PROMPTS).repeat_interleave(N_BEAMS) * N_BEAMS
    for step in range(8):
        new = torch.randn(2, N_PROMPTS * N_BEAMS, N_HEADS, 1, WIDTH)
        expected = plain.update(*new, 0)
        seen = roomy.update(*new, 0)
        assert all(map(torch.equal, seen, expected))
        # Each beam goes on from any of its own prompt's.
        places = first + torch.randint(N_BEAMS, first.shape)
        plain.reorder_cache(places)
        roomy.reorder_cache(places)
        assert torch.equal(roomy.layers[0].keys, plain.layers[0].keys)
        assert torch.equal(roomy.layers[0].values, plain.layers[0].values)
        assert roomy.get_seq_length() == plain.get_seq_length() == 7 + step


def test_a_sliding_window_gets_no_room():
    """It drops what leaves the window; a room would keep it."""
    sizes = {"num_hidden_layers": 1, "sliding_window": 4}
    cache = DynamicCache(config=MistralConfig(**sizes))
    layer = cache.layers[0]
    assert type(layer) is not DynamicLayer
    make_room(cache, 3)
    assert cache.layers == [layer]
