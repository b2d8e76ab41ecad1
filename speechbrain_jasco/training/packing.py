"""Several questions about a clip in one sequence, its audio only once.

    row:       before a a a a a | after 1 answer 1 | after 2 answer 2 | ...
    segment:   0      0 0 0 0 0   1     1            2     2
    position:  0      1 2 3 4 5   6     7            6     7

Rivals of an answer branch off at the last token of its prompt, which they
repeat, since it predicts another first token for each:

               prompt . answer | . rival 1 | . rival 2 | next prompt ...

``a`` is an audio token. A branch sees the shared beginning (segment 0) and
itself, and its positions go on from there: it is computed exactly as it would
be in a sequence of its own. A branch that is ``alone`` does not see the
beginning and starts at position 0; where all are, there is no beginning.

Labels are the answer's tokens, each at the position that predicts it.

Authors
 * The speechbrain_jasco developers, 2026
"""

from typing import NamedTuple

import torch

NO_LABEL = -100
PADDING = -1  # as a segment
NO_PARENT = -2


class Branch(NamedTuple):
    """One question and its answer, as tokens.

    Arguments
    ---------
    prompt : list of int
        What follows the shared beginning; never empty.
    answer : list of int
        What is learned; the end token included.
    alone : bool
        Whether the shared beginning stays unseen.
    task : str
        What its loss counts for.
    rivals : list of list of int
        Other answers to the same prompt.

    Example
    -------
    >>> Branch([5], [6, 7]).alone
    False
    """

    prompt: list[int]
    answer: list[int]
    alone: bool = False
    task: str = ""
    rivals: list[list[int]] = ()


class Row(NamedTuple):
    """A clip with its questions.

    Arguments
    ---------
    before : list of int
        Tokens before the audio.
    branches : list of Branch
        The questions.
    after : list of int
        Tokens behind the audio that all branches share; may be empty.

    Example
    -------
    >>> Row([1], [Branch([5], [6, 7])]).is_heard
    True
    """

    before: list[int]
    branches: list[Branch]
    after: list[int] = ()

    @property
    def is_heard(self):
        """Whether any branch sees the beginning (bool)."""
        return not all(branch.alone for branch in self.branches)


class Pack(NamedTuple):
    """Rows as tensors; all [B, N] but ``tasks`` and ``rival_of``.

    Arguments
    ---------
    ids : torch.Tensor
        Tokens; 0 for audio and padding.
    is_audio : torch.Tensor
        Where the audio tokens go, in their order.
    positions : torch.Tensor
        Position ids.
    segments : torch.Tensor
        0 for the shared beginning, then answers and rivals from 1, -1 for
        padding.
    alone : torch.Tensor
        Whether the token does not see the beginning.
    parents : torch.Tensor
        Of a rival the segment of the answer, else -2.
    starts : torch.Tensor
        Position at which the token's segment begins.
    labels : torch.Tensor
        The next token where it belongs to an answer, else -100.
    branch : torch.Tensor
        Number of the answer or rival among all of the batch, else -1.
    tasks : list of str
        The task of each answer or rival.
    rival_of : list of int
        Of each rival the number of the answer, of an answer its own.
    """

    ids: torch.Tensor
    is_audio: torch.Tensor
    positions: torch.Tensor
    segments: torch.Tensor
    alone: torch.Tensor
    parents: torch.Tensor
    starts: torch.Tensor
    labels: torch.Tensor
    branch: torch.Tensor
    tasks: list[str]
    rival_of: list[int]


_PADS = (0, False, 0, PADDING, False, NO_PARENT, 0, NO_LABEL, -1)


def pack(rows, n_audio, device="cpu"):
    """Lays out rows of different length, padded on the right.

    Arguments
    ---------
    rows : list of Row
        The clips.
    n_audio : list of int
        Audio tokens of each.
    device : str or torch.device
        Where the tensors go.

    Returns
    -------
    Pack

    Raises
    ------
    ValueError
        If a branch has no prompt: nothing would predict its first token.

    Example
    -------
    >>> row = Row([1], [Branch([5], [6, 7]), Branch([8], [9])])
    >>> packed = pack([row], [2])
    >>> packed.ids.tolist()
    [[1, 0, 0, 5, 6, 7, 8, 9]]
    >>> packed.positions.tolist()
    [[0, 1, 2, 3, 4, 5, 3, 4]]
    >>> packed.labels.tolist()
    [[-100, -100, -100, 6, 7, -100, 9, -100]]
    """
    laid_out, tasks, rival_of = [], [], []
    for row, n in zip(rows, n_audio, strict=True):
        laid_out.append(_lay_out(row, n, len(tasks)))
        for branch in row.branches:
            n_answers = 1 + len(branch.rivals)
            rival_of += [len(tasks)] * n_answers
            tasks += [branch.task] * n_answers
    length = max(len(tokens) for tokens in laid_out)
    padded = [tokens + [_PADS] * (length - len(tokens)) for tokens in laid_out]
    columns = torch.tensor(padded, device=device).unbind(dim=2)
    flags = (1, 4)  # is_audio, alone
    columns = [c.bool() if i in flags else c for i, c in enumerate(columns)]
    return Pack(*columns, tasks, rival_of)


class _Segment(NamedTuple):
    """Tokens of an answer or a rival, and where they hang."""

    prompt: list[int]
    answer: list[int]
    alone: bool
    parent: int
    start: int


def _segments(branch, number, n_shared):
    """An answer with its prompt, then its rivals with the prompt's end."""
    if not branch.prompt:
        raise ValueError(
            "a branch without a prompt: got no token that could predict "
            "the answer's first; move one of the shared ones into it"
        )
    start = 0 if branch.alone else n_shared
    yield _Segment(branch.prompt, branch.answer, branch.alone, NO_PARENT, start)
    start += len(branch.prompt) - 1
    for rival in branch.rivals:
        yield _Segment(branch.prompt[-1:], rival, branch.alone, number, start)


def _lay_out(row, n_audio, first):
    """Lists the tokens of a row, each with the fields of ``_PADS``."""
    shared = []
    if row.is_heard:
        shared += [(token, False) for token in row.before]
        shared += [(0, True)] * n_audio
        shared += [(token, False) for token in row.after]
    tokens = [
        (token, is_audio, i, 0, False, NO_PARENT, 0, NO_LABEL, -1)
        for i, (token, is_audio) in enumerate(shared)
    ]
    number = 1
    for branch in row.branches:
        for own in _segments(branch, number, len(shared)):
            tokens += _tokens(own, number, first + number - 1)
            number += 1
    return tokens


def _tokens(own, number, branch):
    """Lists the tokens of an answer or a rival."""
    ids = [*own.prompt, *own.answer]
    labels = [NO_LABEL] * (len(own.prompt) - 1) + [*own.answer, NO_LABEL]
    place = number, own.alone, own.parent, own.start
    return [
        (token, False, own.start + i, *place, label, of)
        for i, (token, label) in enumerate(zip(ids, labels, strict=True))
        for of in [-1 if label == NO_LABEL else branch]
    ]


def visible(packed):
    """Which token sees which: causal, itself, the beginning, its prompt.

    Arguments
    ---------
    packed : Pack
        The rows.

    Returns
    -------
    torch.Tensor
        True where it sees [B, 1, N, N]. Padding sees padding.

    Example
    -------
    >>> row = Row([1], [Branch([5], [6]), Branch([8], [9], alone=True)])
    >>> visible(pack([row], [0]))[0, 0].int().tolist()
    [[1, 0, 0, 0, 0], [1, 1, 0, 0, 0], [1, 1, 1, 0, 0], [0, 0, 0, 1, 0], [0, 0, 0, 1, 1]]
    """
    rows, columns = packed.segments.unsqueeze(2), packed.segments.unsqueeze(1)
    shared = (columns == 0) & (rows > 0) & ~packed.alone.unsqueeze(2)
    before = packed.positions.unsqueeze(1) < packed.starts.unsqueeze(2)
    prompt = (columns == packed.parents.unsqueeze(2)) & before
    return ((rows == columns) | shared | prompt).tril().unsqueeze(1)
