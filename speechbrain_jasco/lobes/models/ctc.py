"""Connectionist temporal classification over audio tokens: what is said, and
whether it may have been said.

    scores of blank and words by time --best path--> runs --> words heard
                                      --all paths--> loss of any other words
                                                 --> nearest known sentence

Method: Graves et al., ICML 2006. Scores that also judge what another
recogniser has understood: Hori, Watanabe and Hershey, ACL 2017 (joint decoding
of CTC and attention), there while decoding, here afterwards.

Authors
 * The speechbrain_jasco developers, 2026
"""

import torch
from speechbrain.dataio.dataio import length_to_mask
from torch.nn.functional import ctc_loss, pad

BLANK = 0


def best_path(logits, sizes):
    """Finds the best class of each token, and where runs of a word begin.

    Arguments
    ---------
    logits : torch.Tensor
        Of blank and words [B, N, 1 + V].
    sizes : torch.Tensor
        Numbers of tokens [B].

    Returns
    -------
    best : torch.Tensor
        Classes [B, N]; blank behind the end of a clip.
    starts : torch.Tensor
        Booleans [B, N].

    Example
    -------
    >>> classes = torch.tensor([[0, 2, 2, 0, 2, 1]])
    >>> best, starts = best_path(torch.eye(3)[classes], torch.tensor([5]))
    >>> best[starts].tolist()
    [2, 2]
    """
    inside = length_to_mask(sizes, logits.shape[1], dtype=torch.bool)
    best = logits.argmax(dim=2).masked_fill(~inside, BLANK)
    before = pad(best, (1, 0), value=BLANK)[:, :-1]
    return best, (best != before) & (best != BLANK)


def loss_per_word(logits, sizes, words):
    """Computes the CTC loss of words, per word.

    Arguments
    ---------
    logits : torch.Tensor
        Of blank and words [B, N, 1 + V].
    sizes : torch.Tensor
        Numbers of tokens [B].
    words : list of list of int
        Classes from 1 on.

    Returns
    -------
    torch.Tensor
        Losses [B] in nats; 0 of more words than there are tokens, as there is
        no path; of no words the loss of silence.

    Example
    -------
    >>> loss_per_word(torch.zeros(1, 2, 2), torch.tensor([2]), [[1]])
    tensor([0.2877])
    """
    n_words = torch.tensor([len(own) for own in words])
    losses = ctc_loss(
        logits.log_softmax(dim=2).transpose(0, 1),
        torch.tensor([w for own in words for w in own], device=logits.device),
        sizes.cpu(),
        n_words,
        reduction="none",
        zero_infinity=True,
    )
    return losses / n_words.clamp(min=1).to(losses)


@torch.no_grad()
def may_be_said(logits, sizes, words, tolerance):
    """Says whose words the scores allow: those hardly less probable than what
    is heard, by the loss per word.

    Arguments
    ---------
    logits : torch.Tensor
        Of blank and words [B, N, 1 + V].
    sizes : torch.Tensor
        Numbers of tokens [B].
    words : list of list of int
        Classes from 1 on, of each clip.
    tolerance : float
        The highest difference, in nats per word.

    Returns
    -------
    list of int
        Numbers of the clips. One without words, or with more of them than it
        has tokens, is not among them.

    Example
    -------
    >>> heard = 9 * torch.eye(3)[torch.tensor([[0, 2, 0, 1]] * 3)]
    >>> may_be_said(heard, torch.tensor([4, 4, 4]), [[2, 1], [1, 2], []], 1.0)
    [0]
    """
    own = _heard(logits, sizes)
    further = loss_per_word(logits, sizes, words) - loss_per_word(
        logits, sizes, own
    )
    return [
        clip
        for clip, (ids, nats) in enumerate(zip(words, further.tolist()))
        if ids and nats <= tolerance and _fits(ids, int(sizes[clip]))
    ]


@torch.no_grad()
def nearest(logits, sizes, sentences, tolerance):
    """Finds the known sentence that is most probable, where one is hardly less
    probable than what is heard.

    What a path of single best words gets wrong, the sum over the paths of a
    whole sentence often has right: it need not be sure of any word.

    Arguments
    ---------
    logits, sizes
        As for ``may_be_said``.
    sentences : list of list of int
        Classes from 1 on, at least one each.
    tolerance : float
        The highest difference of the losses, in nats per word of the sentence.

    Returns
    -------
    dict
        Number of a clip -> number of its sentence; none of other clips.

    Example
    -------
    >>> heard = 9 * torch.eye(4)[torch.tensor([[1, 0, 2, 0], [3, 3, 0, 3]])]
    >>> nearest(heard, torch.tensor([4, 4]), [[2, 1], [1, 2]], 1.0)
    {0: 1}
    """
    if not sentences:
        return {}
    own = _heard(logits, sizes)
    counts = sizes.new_tensor([len(words) for words in own]).clamp(min=1)
    heard = loss_per_word(logits, sizes, own) * counts
    labels = torch.tensor([w for words in sentences for w in words])
    lengths = torch.tensor([len(words) for words in sentences])
    found = {}
    for clip, size in enumerate(sizes.tolist()):
        # In float32 before autocast copies what is expanded without copying.
        scores = logits[clip, :size, None].float().log_softmax(dim=2)
        losses = ctc_loss(  # infinite where there is no path
            scores.expand(-1, len(sentences), -1),
            labels.to(logits.device),
            torch.full_like(lengths, size),
            lengths,
            reduction="none",
        )
        further = (losses - heard[clip]) / lengths.to(losses)
        nearest_one = int(losses.argmin())
        if further[nearest_one] <= tolerance:
            found[clip] = nearest_one
    return found


def _heard(logits, sizes):
    """Words of the best path, as lists of classes."""
    best, starts = best_path(logits, sizes)
    return [row[at].tolist() for row, at in zip(best, starts, strict=True)]


def _fits(words, size):
    """Whether there is a path: a repeated word needs a blank in between."""
    repeated = sum(a == b for a, b in zip(words, words[1:]))
    return len(words) + repeated <= size
