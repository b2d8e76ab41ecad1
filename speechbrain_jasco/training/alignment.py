"""Teaching audio tokens to be what the LLM reads, without running the LLM.

    scores of words by time --> CTC
    scores of names         --> cross-entropy of the sound, of the speaker

Both compare with the LLM's own input embeddings (``readout.py``): after this
an audio token lies near the token of the word that is spoken, and their mean
near the names of sound and speaker.

Authors
 * The speechbrain_jasco developers, 2026
"""

from typing import NamedTuple

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from speechbrain_jasco.lobes.models.ctc import loss_per_word


class Heard(NamedTuple):
    """What was heard, and how far off it is.

    Arguments
    ---------
    ctc : torch.Tensor
        CTC loss per word token [B].
    sound, speaker : torch.Tensor
        Cross-entropies [B], 0 where the truth is unknown.
    words : list of list of int
        Tokens read off greedily.
    names : dict
        "sound", "speaker" -> list of int: the most similar ones.
    """

    ctc: torch.Tensor
    sound: torch.Tensor
    speaker: torch.Tensor
    words: list[list[int]]
    names: dict[str, list[int]]


class Alignment(nn.Module):
    """CTC and names through the LLM's embeddings.

    Arguments
    ---------
    readout : Readout
        Compares; its parameters are trained here.

    Example
    -------
    >>> from speechbrain_jasco.lobes.models.readout import Readout
    >>> from speechbrain_jasco.lobes.models.vocabulary import Targets
    >>> readout = Readout(8, layout="{words}")
    >>> readout.set_vocabulary([5, 6, 7], {"sound": [[[1, 2]], [[3]]], "speaker": [[[4]]]})
    >>> readout.bind(torch.randn(20, 8), lambda text: [])
    >>> sizes = torch.tensor([4, 3])
    >>> scores = readout.scores(torch.randn(2, 4, 8), sizes)
    >>> targets = Targets([[5, 6], [7]], {"sound": [1, 0], "speaker": [0, -100]})
    >>> heard = Alignment(readout)(scores, sizes, targets)
    >>> heard.ctc.shape, heard.sound.shape
    (torch.Size([2]), torch.Size([2]))
    """

    def __init__(self, readout):
        super().__init__()
        self.readout = readout

    def forward(self, scores, sizes, targets):
        """Compares what was heard with the truth.

        Arguments
        ---------
        scores : Scores
            Of audio tokens.
        sizes : torch.Tensor
            Their numbers [B].
        targets : Targets
            What should be heard; words out of the vocabulary are left out.

        Returns
        -------
        Heard
        """
        losses = {
            kind: cross_entropy(
                logits,
                torch.tensor(targets.names[kind], device=logits.device),
                reduction="none",
            )
            for kind, logits in scores.names.items()
        }
        return Heard(
            loss_per_word(
                scores.words, sizes, self.readout.classes(targets.words)
            ),
            losses["sound"],
            losses["speaker"],
            self.readout.words(scores, sizes),
            {k: own.argmax(dim=1).tolist() for k, own in scores.names.items()},
        )
