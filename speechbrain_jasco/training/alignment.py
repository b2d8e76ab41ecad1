"""Teaching audio tokens to be what the LLM reads, without running the LLM.

    audio tokens [B, N, D] --cosine--> embeddings of words  --> CTC
       mean over N         --cosine--> embeddings of sounds --> cross-entropy

Both compare with the LLM's own input embeddings: after this an audio token
lies near the token of the word that is spoken, and their mean near the name
of the sound.

Authors
 * The speechbrain_jasco developers, 2026
"""

from typing import NamedTuple

import torch
from speechbrain.dataio.dataio import length_to_mask
from torch import nn
from torch.nn.functional import cross_entropy, ctc_loss, normalize


class Targets(NamedTuple):
    """What a batch should sound like.

    Arguments
    ---------
    words : list of list of int
        Tokens of what is said.
    sounds : list of int
        Number of the sound.

    Example
    -------
    >>> Targets([[5, 6]], [0]).sounds
    [0]
    """

    words: list[list[int]]
    sounds: list[int]


class Heard(NamedTuple):
    """What was heard, and how far off it is.

    Arguments
    ---------
    ctc : torch.Tensor
        CTC loss per word token [B].
    sound : torch.Tensor
        Cross-entropy of the sound [B].
    words : list of list of int
        Tokens read off greedily.
    sounds : list of int
        Most similar sound.
    """

    ctc: torch.Tensor
    sound: torch.Tensor
    words: list[list[int]]
    sounds: list[int]


class Alignment(nn.Module):
    """CTC and sound names through the LLM's embeddings.

    Arguments
    ---------
    width : int
        Width of the LLM's embeddings.
    sharpness : float
        Factor of the cosines, at the start.

    Example
    -------
    >>> alignment = Alignment(8)
    >>> alignment.set_vocabulary(torch.randn(20, 8), [5, 6, 7], [[1, 2], [3]])
    >>> tokens = torch.randn(2, 4, 8, requires_grad=True)
    >>> targets = Targets([[5, 6], [7]], [1, 0])
    >>> heard = alignment(tokens, torch.tensor([4, 3]), targets)
    >>> heard.ctc.shape, heard.sound.shape
    (torch.Size([2]), torch.Size([2]))
    """

    def __init__(self, width, sharpness=20.0):
        super().__init__()
        self.blank = nn.Parameter(torch.randn(width))
        self.scales = nn.Parameter(torch.full((2,), float(sharpness)).log())
        # Neither is learned: both come from the LLM and the data.
        self.register_buffer("words", torch.empty(0, width), False)
        self.register_buffer("sounds", torch.empty(0, width), False)
        self.vocabulary = []

    def set_vocabulary(self, embeddings, words, sounds):
        """Takes the embeddings of what is to be heard.

        Arguments
        ---------
        embeddings : torch.Tensor
            The LLM's input embeddings [V, D].
        words : list of int
            Tokens that occur in what is said.
        sounds : list of list of int
            Tokens of each sound's names.
        """
        embeddings = embeddings.detach().to(self.blank)
        self.vocabulary = sorted(set(words))
        self._index = {t: i + 1 for i, t in enumerate(self.vocabulary)}
        self.words = normalize(embeddings[self.vocabulary], dim=1)
        means = torch.stack([embeddings[ids].mean(dim=0) for ids in sounds])
        # What all names have in common does not tell them apart.
        self.sounds = normalize(means - means.mean(dim=0), dim=1)

    def forward(self, tokens, sizes, targets):
        """Compares.

        Arguments
        ---------
        tokens : torch.Tensor
            Audio tokens [B, N, D], zero behind the end of a clip.
        sizes : torch.Tensor
            Their numbers [B].
        targets : Targets
            What should be heard; words out of the vocabulary are left out.

        Returns
        -------
        Heard
        """
        tokens = tokens.float()
        table = torch.cat([normalize(self.blank[None], dim=1), self.words])
        scales = self.scales.exp()
        words = normalize(tokens, dim=2) @ table.T * scales[0]
        pooled = tokens.sum(dim=1) / sizes.unsqueeze(1)
        sounds = normalize(pooled, dim=1) @ self.sounds.T
        sounds = sounds * scales[1]
        known = [
            [self._index[t] for t in ids if t in self._index]
            for ids in targets.words
        ]
        n_words = torch.tensor([len(ids) for ids in known])
        ctc = ctc_loss(
            words.float().log_softmax(dim=2).transpose(0, 1),
            torch.tensor(
                [t for ids in known for t in ids], device=words.device
            ),
            sizes.cpu(),
            n_words,
            reduction="none",
            zero_infinity=True,  # more words than tokens
        )
        sound = cross_entropy(
            sounds,
            torch.tensor(targets.sounds, device=words.device),
            reduction="none",
        )
        return Heard(
            ctc / n_words.clamp(min=1).to(ctc),
            sound,
            self._read_off(words, sizes),
            sounds.argmax(dim=1).tolist(),
        )

    def _read_off(self, words, sizes):
        """Best path without repetitions and blanks, as tokens."""
        best = words.detach().argmax(dim=2)
        inside = length_to_mask(sizes, best.shape[1], dtype=torch.bool)
        change = best != torch.nn.functional.pad(best, (1, 0), value=0)[:, :-1]
        keep = inside & change & (best > 0)
        return [
            [self.vocabulary[i - 1] for i in row[k].tolist()]
            for row, k in zip(best, keep, strict=True)
        ]
