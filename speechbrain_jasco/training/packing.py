"""Several questions about a clip in one sequence, its audio only once.

    row:       before a a a a a | after 1 answer 1 | after 2 answer 2 | ...
    segment:   0      0 0 0 0 0   1     1            2     2
    position:  0      1 2 3 4 5   6     7            6     7

``a`` is an audio token. A branch sees the shared beginning (its root) and
itself, and its positions go on from there: it is computed exactly as it would
be in a sequence of its own. A branch that is ``alone`` does not see the
beginning and starts at position 0; where all are, there is no beginning.

Rivals of an answer branch off at the last token of its prompt, which they
repeat, since it predicts another first token for each:

    prompt . answer | . rival 1 | . rival 2 | next prompt ...

Rows that fit behind each other share a sequence and do not see each other.
Labels are the answer's tokens, each at the position that predicts it.

Authors
 * The speechbrain_jasco developers, 2026
"""

from typing import NamedTuple

import torch

NO_LABEL = -100
PADDING = -1  # as a segment
NOWHERE = -2  # a segment that is none


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


class Token(NamedTuple):
    """A token and its place; the fields are columns of ``Pack``."""

    id: int = 0
    is_audio: bool = False
    position: int = 0
    segment: int = PADDING
    root: int = NOWHERE
    parent: int = NOWHERE
    start: int = 0
    label: int = NO_LABEL
    branch: int = -1


class Pack(NamedTuple):
    """Rows as tensors [B, N] and what belongs to them.

    Arguments
    ---------
    ids : torch.Tensor
        Tokens; 0 for audio and padding.
    is_audio : torch.Tensor
        Where the audio tokens go, in their order.
    positions : torch.Tensor
        Position ids.
    segments : torch.Tensor
        Numbers of beginnings, answers and rivals; -1 for padding.
    roots : torch.Tensor
        Segment of the beginning that a token sees, else -2.
    parents : torch.Tensor
        Of a rival the segment of the answer, else -2.
    starts : torch.Tensor
        Position at which the token's segment begins.
    labels : torch.Tensor
        The next token where it belongs to an answer, else -100.
    branches : torch.Tensor
        Number of the answer or rival among all of the batch, else -1.
    tasks : list of str
        The task of each answer or rival.
    rival_of : list of int
        Of each rival the number of the answer, of an answer its own.
    heard : list of int
        Rows whose audio stands somewhere, in that order.
    """

    ids: torch.Tensor
    is_audio: torch.Tensor
    positions: torch.Tensor
    segments: torch.Tensor
    roots: torch.Tensor
    parents: torch.Tensor
    starts: torch.Tensor
    labels: torch.Tensor
    branches: torch.Tensor
    tasks: list[str]
    rival_of: list[int]
    heard: list[int]


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
    for number, (row, n) in enumerate(zip(rows, n_audio, strict=True)):
        laid_out.append(_lay_out(row, n, len(tasks) + number, len(tasks)))
        for branch in row.branches:
            n_answers = 1 + len(branch.rivals)
            rival_of += [len(tasks)] * n_answers
            tasks += [branch.task] * n_answers
    sequences = together([len(tokens) for tokens in laid_out])
    lines = [[t for i in own for t in laid_out[i]] for own in sequences]
    length = max(len(line) for line in lines)
    padded = [line + [Token()] * (length - len(line)) for line in lines]
    columns = list(torch.tensor(padded, device=device).unbind(dim=2))
    columns[1] = columns[1].bool()
    heard = [i for own in sequences for i in own if rows[i].is_heard]
    return Pack(*columns, tasks, rival_of, heard)


def together(lengths):
    """Decides which rows share a sequence: first fit, longest first.

    Arguments
    ---------
    lengths : list of int
        Tokens of each row.

    Returns
    -------
    list of list of int
        Rows of each sequence; none is longer than the longest row.

    Example
    -------
    >>> together([3, 9, 5, 4])
    [[1], [2, 3], [0]]
    """
    sequences, room = [], []
    for i in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        fitting = [k for k, left in enumerate(room) if left >= lengths[i]]
        if not fitting:
            fitting = [len(sequences)]
            sequences.append([])
            room.append(max(lengths))
        sequences[fitting[0]].append(i)
        room[fitting[0]] -= lengths[i]
    return sequences


def _lay_out(row, n_audio, root, branch):
    """Lists the tokens of a row.

    ``root`` is its first segment and ``branch`` its first branch."""
    shared = []
    if row.is_heard:
        shared += [(token, False) for token in row.before]
        shared += [(0, True)] * n_audio
        shared += [(token, False) for token in row.after]
    tokens = [
        Token(token, is_audio, i, root)
        for i, (token, is_audio) in enumerate(shared)
    ]
    segment = root
    for own in row.branches:
        start = 0 if own.alone else len(shared)
        seen = NOWHERE if own.alone else root
        for place, prompt, answer in _answers(own, segment + 1, start):
            segment += 1
            where = place._replace(segment=segment, root=seen, branch=branch)
            tokens += _tokens(where, prompt, answer)
            branch += 1
    return tokens


def _answers(branch, segment, start):
    """An answer with its prompt, then its rivals with the prompt's end."""
    if not branch.prompt:
        raise ValueError(
            "a branch without a prompt: got no token that could predict "
            "the answer's first; move one of the shared ones into it"
        )
    yield Token(start=start), branch.prompt, branch.answer
    fork = Token(start=start + len(branch.prompt) - 1, parent=segment)
    for rival in branch.rivals:
        yield fork, branch.prompt[-1:], rival


def _tokens(place, prompt, answer):
    """Lists the tokens of an answer or a rival."""
    ids = [*prompt, *answer]
    labels = [NO_LABEL] * (len(prompt) - 1) + [*answer, NO_LABEL]
    return [
        place._replace(
            id=token,
            position=place.start + i,
            label=label,
            branch=-1 if label == NO_LABEL else place.branch,
        )
        for i, (token, label) in enumerate(zip(ids, labels, strict=True))
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
    columns = packed.segments.unsqueeze(1)
    own = columns == packed.segments.unsqueeze(2)
    shared = columns == packed.roots.unsqueeze(2)
    before = packed.positions.unsqueeze(1) < packed.starts.unsqueeze(2)
    prompt = (columns == packed.parents.unsqueeze(2)) & before
    return (own | shared | prompt).tril().unsqueeze(1)


def attention_mask(packed, config, embeds):
    """Writes ``visible`` as the LLM's attention wants it.

    Arguments
    ---------
    packed : Pack
        The rows.
    config : transformers.PreTrainedConfig
        The LLM's.
    embeds : torch.Tensor
        Gives the precision.

    Returns
    -------
    torch.Tensor
        [B, 1, N, N], True or 0 where a token is seen.

    Raises
    ------
    ValueError
        If the attention takes no such mask.
    """
    seen = visible(packed)
    kind = config._attn_implementation
    if kind == "sdpa":
        return seen
    if kind == "eager":
        lowest = torch.finfo(embeds.dtype).min
        return torch.zeros_like(seen, dtype=embeds.dtype).masked_fill(
            ~seen, lowest
        )
    raise ValueError(
        f"attention: got {kind!r}; training packs the questions of a clip "
        "behind one mask, which sdpa and eager take. Set attention: sdpa."
    )
