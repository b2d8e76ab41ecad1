"""A key-value cache with room for what is going to be written.

transformers' own grows by one token at a time and copies itself to do so, at
every step of every layer; for a batch of long prompts that takes longer than
the model's arithmetic.

Authors
 * The speechbrain_jasco developers, 2026
"""

import torch
from transformers.cache_utils import DynamicLayer


class RoomyLayer(DynamicLayer):
    """One layer of a cache, on tensors that are longer than what they hold.

    Arguments
    ---------
    keys : torch.Tensor
        [B, H, T, D] what the cache holds so far.
    values : torch.Tensor
        [B, H, T, D] likewise.
    n_new : int
        Tokens that will be added at most.

    Example
    -------
    >>> layer = RoomyLayer(*torch.zeros(2, 1, 1, 2, 4), n_new=3)
    >>> keys, values = layer.update(*torch.ones(2, 1, 1, 1, 4))
    >>> keys.shape, keys[0, 0, :, 0].tolist()
    (torch.Size([1, 1, 3, 4]), [0.0, 0.0, 1.0])
    """

    def __init__(self, keys: torch.Tensor, values: torch.Tensor, n_new: int):
        super().__init__()
        self.lazy_initialization(keys, values)
        self._rooms = [_with_room(old, n_new) for old in (keys, values)]
        self._n_old = keys.shape[-2]
        self._show(self._n_old)

    def update(self, key_states, value_states, *args, **kwargs):
        """Write new tokens into the room that is left.

        Arguments
        ---------
        key_states, value_states : torch.Tensor
            [B, H, N, D] of the new tokens.
        *args, **kwargs
            Of the interface; unused.

        Returns
        -------
        (torch.Tensor, torch.Tensor)
            All keys and all values.
        """
        start = self.get_seq_length()
        end = start + key_states.shape[-2]
        for room, new in zip(self._rooms, (key_states, value_states)):
            room[:, :, start:end] = new
        self._show(end)
        return self.keys, self.values

    def reorder_cache(self, beam_idx):
        """Exchange rows for one another, as a search with beams does.

        Only what was added is copied: the beams of a prompt agree on what was
        there before they parted.

        Arguments
        ---------
        beam_idx : torch.Tensor
            [B] the row that each row is to go on from, one of its prompt's.
        """
        end = self.get_seq_length()
        for room in self._rooms:
            added = room[:, :, self._n_old : end]
            added.copy_(added.index_select(0, beam_idx.to(room.device)))

    def _show(self, length):
        """Show what is filled."""
        self.keys, self.values = (room[:, :, :length] for room in self._rooms)


def make_room(cache, n_new: int):
    """Give a cache room, in place.

    Arguments
    ---------
    cache : transformers.DynamicCache
        Layers of sliding windows, and of other kinds, stay as they are.
    n_new : int
        Tokens that will be added at most.
    """
    for i, layer in enumerate(cache.layers):  # one at a time is there twice
        if type(layer) is DynamicLayer:
            cache.layers[i] = RoomyLayer(layer.keys, layer.values, n_new)


def _with_room(old, n_new):
    """Copy a tensor into a longer one."""
    shape = list(old.shape)
    shape[-2] += n_new
    room = old.new_empty(shape)
    room[:, :, : old.shape[-2]] = old
    return room
