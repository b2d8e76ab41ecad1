"""Several questions about a clip in one sequence, its audio only once.

    row:       before a a a a a | after 1 answer 1 | after 2 answer 2 | ...
    segment:   0      0 0 0 0 0   1     1            2     2
    position:  0      1 2 3 4 5   6     7            6     7

``a`` is an audio token. A branch sees the shared beginning (segment 0) and
itself, and its positions go on from there: it is computed exactly as it would
be in a sequence of its own. A branch that is ``alone`` does not see the
beginning and starts at position 0.

Labels are the answer's tokens, each at the position that predicts it.

Authors
 * The speechbrain_jasco developers, 2026
"""

from typing import NamedTuple

import torch

NO_LABEL = -100
PADDING = -1  # as a segment


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

    Example
    -------
    >>> Branch([5], [6, 7]).alone
    False
    """

    prompt: list[int]
    answer: list[int]
    alone: bool = False
    task: str = ""


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
    >>> Row([1], [Branch([5], [6, 7])]).after
    ()
    """

    before: list[int]
    branches: list[Branch]
    after: list[int] = ()


class Pack(NamedTuple):
    """Rows as tensors; all [B, N] but ``tasks``.

    Arguments
    ---------
    ids : torch.Tensor
        Tokens; 0 for audio and padding.
    is_audio : torch.Tensor
        Where the audio tokens go, in their order.
    positions : torch.Tensor
        Position ids.
    segments : torch.Tensor
        0 for the shared beginning, then the branches from 1, -1 for padding.
    alone : torch.Tensor
        Whether the token does not see the beginning.
    labels : torch.Tensor
        The next token where it belongs to an answer, else -100.
    branch : torch.Tensor
        Number of the branch among all of the batch, else -1.
    tasks : list of str
        The task of each branch.
    """

    ids: torch.Tensor
    is_audio: torch.Tensor
    positions: torch.Tensor
    segments: torch.Tensor
    alone: torch.Tensor
    labels: torch.Tensor
    branch: torch.Tensor
    tasks: list[str]


_PADS = (0, False, 0, PADDING, False, NO_LABEL, -1)


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
    first, laid_out, tasks = 0, [], []
    for row, n in zip(rows, n_audio, strict=True):
        laid_out.append(_lay_out(row, n, first))
        first += len(row.branches)
        tasks += [branch.task for branch in row.branches]
    length = max(len(tokens) for tokens in laid_out)
    padded = [tokens + [_PADS] * (length - len(tokens)) for tokens in laid_out]
    columns = torch.tensor(padded, device=device).unbind(dim=2)
    flags = (1, 4)  # is_audio, alone
    columns = [c.bool() if i in flags else c for i, c in enumerate(columns)]
    return Pack(*columns, tasks)


def _lay_out(row, n_audio, first):
    """Lists the tokens of a row, each with the fields of ``_PADS``."""
    shared = [(token, False) for token in row.before]
    shared += [(0, True)] * n_audio
    shared += [(token, False) for token in row.after]
    tokens = [
        (token, is_audio, i, 0, False, NO_LABEL, -1)
        for i, (token, is_audio) in enumerate(shared)
    ]
    for number, branch in enumerate(row.branches):
        if not branch.prompt:
            raise ValueError(
                "a branch without a prompt: got no token that could predict "
                "the answer's first; move one of the shared ones into it"
            )
        ids = [*branch.prompt, *branch.answer]
        labels = [NO_LABEL] * (len(branch.prompt) - 1) + list(branch.answer)
        start = 0 if branch.alone else len(shared)
        tokens += [
            (ids[i], False, start + i, number + 1, branch.alone, label, of)
            for i, label in enumerate([*labels, NO_LABEL])
            for of in [-1 if label == NO_LABEL else first + number]
        ]
    return tokens


def visible(packed):
    """Which token sees which: causal, itself and the shared beginning.

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
    return ((rows == columns) | shared).tril().unsqueeze(1)
