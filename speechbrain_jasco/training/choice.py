"""Choice: does the model prefer the right answer to those that share a half?

The alternatives of a clip are the answers of all triples with its line or its
sound, the right one among them: who hears only one of the two cannot tell
them apart. The right answer is chosen if its mean log-probability per token
is the highest; ``contrast`` is the loss that trains it. Trained answers are
known word for word: ``reworded`` says all of them, right or wrong, in words
that nobody was trained on, so that what they mean decides.

Authors
 * The speechbrain_jasco developers, 2026
"""

import math
from typing import NamedTuple

import numpy as np
import torch

from speechbrain_jasco.dataio import read_table, row_name
from speechbrain_jasco.training.packing import Branch, Row, pack


class Pick(NamedTuple):
    """The choice for one clip.

    Arguments
    ---------
    chosen : str
        triple_id of the answer with the highest score.
    scores : dict
        triple_id -> mean log-probability.
    learned : str, optional
        What the LLM has learned to choose, where it is not sure and has
        chosen as before training.

    Example
    -------
    >>> Pick("rain.hold", {"rain.hold": -1.0, "dog.hold": -2.0}).chosen
    'rain.hold'
    """

    chosen: str
    scores: dict[str, float]
    learned: str | None = None

    def stands_out(self):
        """By how much the chosen answer is above the mean of the others.

        Returns
        -------
        float
            In nats per token; infinite where there are no others.

        Example
        -------
        >>> Pick("a", {"a": -1.0, "b": -2.0, "c": -4.0}).stands_out()
        2.0
        """
        others = [s for name, s in self.scores.items() if name != self.chosen]
        if not others:
            return math.inf
        return self.scores[self.chosen] - sum(others) / len(others)


class Alternatives:
    """The answers that compete.

    Arguments
    ---------
    rows : list of dict
        Of the manifest, all splits; those without a triple do not count.

    Example
    -------
    >>> cells = [("rain", "hold"), ("dog", "hold"), ("dog", "sit")]
    >>> rows = [dict(triple_id=f"{s}.{l}", sound_id=s, line_id=l,
    ...     tgt_text=f"{s} {l}") for s, l in cells]
    >>> list(Alternatives(rows).of("rain", "hold"))
    ['rain.hold', 'dog.hold']
    """

    def __init__(self, rows):
        self.triples = {
            row["triple_id"]: (row["sound_id"], row["line_id"], row["tgt_text"])
            for row in rows
            if row["triple_id"]
        }
        self.by_pair = {own[:2]: name for name, own in self.triples.items()}

    def of(self, sound_id, line_id):
        """The answers to choose from.

        Arguments
        ---------
        sound_id, line_id : str
            What the clip is made of.

        Returns
        -------
        dict
            triple_id -> answer.
        """
        return {
            name: answer
            for name, (sound, line, answer) in self.triples.items()
            if sound == sound_id or line == line_id
        }

    def right(self, sound_id, line_id):
        """The triple of a sound and a line.

        Arguments
        ---------
        sound_id, line_id : str
            What the clip is made of.

        Returns
        -------
        str
            triple_id; None if nobody has written it.
        """
        return self.by_pair.get((sound_id, line_id))


def reworded(rows, path):
    """The same clips, their answers in words that nobody was trained on.

    Arguments
    ---------
    rows : list of dict
        Of the manifest.
    path : str or Path
        CSV with ``triple_id`` and ``answer``, one row per triple.

    Returns
    -------
    list of dict
        ``tgt_text`` is the other answer, if there is a triple.

    Raises
    ------
    ValueError
        If a triple of the clips is missing, or one is there twice.
    """
    table = read_table(path, ["triple_id", "answer"])
    twice = table.index[table["triple_id"].duplicated()]
    if len(twice):
        name = table["triple_id"][twice[0]]
        raise ValueError(
            f"{row_name(path, twice[0])}: got {name!r} once more; expected one "
            "answer per triple. Remove one of them."
        )
    answers = dict(zip(table["triple_id"], table["answer"], strict=True))
    wanted = {row["triple_id"] for row in rows} - {""}
    lacking = sorted(wanted - set(answers))
    if lacking:
        raise ValueError(
            f"{path}: got no answer of {len(lacking)} of {len(wanted)} "
            f"triples, such as {', '.join(lacking[:3])}; expected one of each, "
            "or some would compete in words that were trained. Write them."
        )
    return [
        {**row, "tgt_text": answers.get(row["triple_id"], row["tgt_text"])}
        for row in rows
    ]


@torch.no_grad()
def choose(trainee, heard, clips, question, sure=None):
    """Chooses an answer for each clip of a batch.

    The answer to a trained pair is known and stands out. Where none does, what
    was learned by heart is of no help, and the LLM as it was before training
    chooses instead.

    Arguments
    ---------
    trainee : Trainee
        In eval mode.
    heard : (torch.Tensor, torch.Tensor)
        What the LLM hears of the clips [B, N, D] and the sizes [B], as of
        ``Trainee.listen``.
    clips : list of dict
        The alternatives of each.
    question : str
        The instruction.
    sure : float, optional
        By how many nats per token the chosen answer must stand out; without
        it any will do.

    Returns
    -------
    list of Pick
    """
    tokens, sizes = heard
    ids = trainee.model.prompt(question)
    rows = [_row(trainee.llm, ids.before, ids.after, own) for own in clips]
    packed = pack(rows, sizes.tolist(), tokens.device)
    picks = _picks(trainee.answer_losses(packed, tokens, sizes), clips)
    unsure = [
        i
        for i, pick in enumerate(picks)
        if sure is not None and pick.stands_out() < sure
    ]
    if unsure:
        heard = tokens[unsure], sizes[unsure]
        with trainee.llm.untrained():
            own = [clips[i] for i in unsure]
            again = choose(trainee, heard, own, question)
        for i, pick in zip(unsure, again, strict=True):
            picks[i] = pick._replace(learned=picks[i].chosen)
    return picks


def sure_bound(picks, triples, unsure):
    """By how much an answer must stand out that was learned.

    Arguments
    ---------
    picks : list of Pick
        Of clips that were trained on.
    triples : list of str
        What they should be.
    unsure : float
        Share of the right ones that may stand out less.

    Returns
    -------
    float
        In nats per token, for ``choose``; 0 if none is right.

    Example
    -------
    >>> picks = [Pick("a", {"a": -1.0, "b": -1.0 - n}) for n in range(5)]
    >>> sure_bound(picks, ["a"] * 5, 0.25)
    1.0
    """
    right = [
        pick.stands_out()
        for pick, triple in zip(picks, triples, strict=True)
        if pick.chosen == triple and len(pick.scores) > 1
    ]
    return float(np.quantile(right, unsure)) if right else 0.0


@torch.no_grad()
def choose_by_text(trainee, contexts, clips, question):
    """Chooses with a text in the audio's place: the LLM's own reasoning.

    Arguments
    ---------
    trainee : Trainee
        In eval mode.
    contexts : list of str
        What stands in the audio's place.
    clips : list of dict
        The alternatives of each.
    question : str
        The instruction.

    Returns
    -------
    list of Pick
    """
    llm = trainee.llm
    ids = trainee.model.prompt(question)
    rows = [
        _row(llm, ids.before + llm.tokenize(context), ids.after, own)
        for context, own in zip(contexts, clips, strict=True)
    ]
    packed = pack(rows, [0] * len(rows), llm.device)
    none = torch.zeros(len(rows), 0, llm.width, device=llm.device)
    sizes = torch.zeros(len(rows), dtype=torch.long, device=llm.device)
    return _picks(trainee.answer_losses(packed, none, sizes), clips)


def _row(llm, before, after, alternatives):
    """A row whose branches are the alternatives."""
    branches = [
        Branch(after[-1:], [*llm.tokenize(answer), llm.tokenizer.eos_token_id])
        for answer in alternatives.values()
    ]
    return Row(before, branches, after[:-1])


def _picks(losses, clips):
    """Reads losses of all branches as choices."""
    scores = (-losses).split([len(alternatives) for alternatives in clips])
    return [
        Pick(
            list(alternatives)[int(own.argmax())],
            dict(zip(alternatives, own.tolist(), strict=True)),
        )
        for alternatives, own in zip(clips, scores, strict=True)
    ]


def share_right(picks, triples):
    """Share of choices that are the triple they should be.

    Arguments
    ---------
    picks : list of Pick
        The choices; at least one.
    triples : list of str
        What they should be.

    Returns
    -------
    float

    Example
    -------
    >>> share_right([Pick("a", {}), Pick("b", {})], ["a", "a"])
    0.5
    """
    right = [p.chosen == t for p, t in zip(picks, triples, strict=True)]
    return sum(right) / len(right)


def contrast(losses, rival_of):
    """How far the right answers are from being preferred to their rivals.

    The probability of an answer among its rivals is that of its tokens'
    geometric mean, squared so that the clearly worse ones are left alone.

    Arguments
    ---------
    losses : torch.Tensor
        Mean loss per token of each answer and rival.
    rival_of : list of int
        Of each rival the number of the answer, of an answer its own.

    Returns
    -------
    torch.Tensor
        Cross-entropy of each answer that has rivals.

    Example
    -------
    >>> contrast(torch.tensor([1.0, 1.0, 0.5]), [0, 0, 2])
    tensor([0.6931])
    """
    groups = {}
    for number, answer in enumerate(rival_of):
        groups.setdefault(answer, []).append(number)
    scores = -2 * losses
    against = [
        scores[own].logsumexp(dim=0) - scores[answer]
        for answer, own in groups.items()
        if len(own) > 1
    ]
    return torch.stack(against) if against else losses.new_zeros(0)
