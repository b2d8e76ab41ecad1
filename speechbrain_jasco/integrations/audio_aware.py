"""Decoding that prefers what the audio makes more likely.

    audio, question --> LLM --> log p(token | audio) --+
                                                       +--> (1 + w) with - w without
           question --> LLM --> log p(token)         --+

What an LLM would say anyway, whatever it hears, loses; what it says because
of this clip gains. Nothing is trained for it.

Method: audio-aware decoding, Hsu et al., arXiv 2506.07233, with the
plausibility constraint of contrastive decoding, Li et al., arXiv 2210.15097
section 3. There "without" is silence of the same length, here a prompt
without any audio tokens.

Authors
 * The speechbrain_jasco developers, 2026
"""

import math

from transformers import LogitsProcessor


class AudioAware(LogitsProcessor):
    """Contrasts prompts with their twins that have no audio.

    The first half of the rows has audio; the second half has the same
    prompts without. Both get the same scores, so that both are continued by
    the same tokens, in greedy search and in beam search.

    Arguments
    ---------
    weight : float
        How much of what the audio adds is added once more. With 0
        ``AudioAnswerer`` leaves it out: the usual decoding.
    plausibility : float
        Only tokens with at least this share of the probability of the most
        likely one, given the audio, can be chosen.

    Raises
    ------
    ValueError
        If weight is negative, or plausibility not above 0 and at most 1.

    Example
    -------
    >>> import torch
    >>> heard = torch.tensor([[0.4, 0.4, 0.2]]).log()
    >>> deaf = torch.tensor([[0.4, 0.2, 0.4]]).log()
    >>> scores = AudioAware(1.0)(None, torch.cat([heard, deaf]))
    >>> scores.exp() * 1.3  # heard times heard / deaf
    tensor([[0.4000, 0.8000, 0.1000],
            [0.4000, 0.8000, 0.1000]])
    """

    def __init__(self, weight=0.5, plausibility=0.1):
        if weight < 0 or not 0 < plausibility <= 1:
            raise ValueError(
                f"got weight {weight} and plausibility {plausibility}; "
                "expected a weight of 0 or more and a plausibility above 0, "
                "at most 1"
            )
        self.weight = weight
        self.plausibility = plausibility

    def config(self):
        """What an answer depends on, JSON-able (dict)."""
        return {"weight": self.weight, "plausibility": self.plausibility}

    def __call__(self, input_ids, scores):
        """Scores the next tokens.

        Arguments
        ---------
        input_ids : torch.Tensor
            Not used.
        scores : torch.Tensor
            Logits [2 B, V].

        Returns
        -------
        torch.Tensor
            Log-probabilities [2 B, V], twice the same [B, V].
        """
        heard, deaf = scores.log_softmax(dim=1).chunk(2)
        floor = heard.amax(dim=1, keepdim=True) + math.log(self.plausibility)
        mixed = (1 + self.weight) * heard - self.weight * deaf
        mixed = mixed.masked_fill(heard < floor, -math.inf)
        return mixed.log_softmax(dim=1).repeat(2, 1)
