"""Tests of packed rows: what stands where, and that sharing changes nothing.

The oracle is the way without packing: one question, one sequence, one forward.

Authors
 * The speechbrain_jasco developers, 2026
"""

from types import SimpleNamespace

import pytest
import torch
from tiny_training import tiny_trainee
from torch import nn

from speechbrain_jasco.training.packing import (
    NO_LABEL,
    Branch,
    Row,
    attention_mask,
    pack,
    together,
    visible,
)
from speechbrain_jasco.training.tasks import Turn
from speechbrain_jasco.training.trainee import Trainee

ROWS = [
    Row([1, 7], [Branch([5, 6], [8, 9], task="a"), Branch([4], [3], task="b")]),
    Row([1], [Branch([5, 5], [9, 8, 7], alone=True, task="c")], [11, 12]),
    Row([], [Branch([6], [10, 3], task="a")]),
]
RIVALS = [
    Row([1], [Branch([5, 6], [8], rivals=[[9, 9], [7]]), Branch([4], [3])]),
    Row([1], [Branch([5, 6], [8], alone=True, rivals=[[9]])]),
]
N_AUDIO = [3, 1, 4]


@pytest.fixture(scope="module")
def trainee(tmp_path_factory):
    return tiny_trainee(tmp_path_factory.mktemp("tokenizer"))


@pytest.fixture
def audio(trainee):
    torch.manual_seed(1)
    tokens = torch.randn(len(ROWS), max(N_AUDIO), trainee.model.llm.width)
    return tokens, torch.tensor(N_AUDIO)


def alone(trainee, row, branch, tokens):
    """Mean loss of one branch, as a sequence of its own."""
    llm = trainee.model.llm
    shared = [
        llm.embed(torch.tensor(row.before).long()),
        tokens,
        llm.embed(torch.tensor(row.after).long()),
    ]
    ids = torch.tensor([*branch.prompt, *branch.answer])
    parts = [] if branch.alone else shared
    embeds = torch.cat([*parts, llm.embed(ids)])
    logits = llm.network(inputs_embeds=embeds[None]).logits[0]
    n = len(branch.answer)
    predicted = logits[-n - 1 : -1].log_softmax(dim=1)
    return -predicted[range(n), branch.answer].mean()


def test_losses_are_those_of_separate_sequences(trainee, audio):
    tokens, sizes = audio
    tokens.requires_grad_(True)
    got = trainee.answer_losses(pack(ROWS, N_AUDIO), tokens, sizes)
    expected = torch.stack(
        [
            alone(trainee, row, branch, own[:n])
            for row, own, n in zip(ROWS, tokens, N_AUDIO, strict=True)
            for branch in row.branches
        ]
    )
    assert torch.allclose(got, expected, atol=1e-5)
    assert len(set(got.tolist())) == 4
    # So are the gradients: of what is heard and of what is learned.
    weights = torch.tensor([1.0, -2.0, 0.5, 3.0])
    learned = [tokens, *trainee.parts()["llm"]]
    ours, theirs = (
        torch.autograd.grad((weights * x).sum(), learned, retain_graph=True)
        for x in (got, expected)
    )
    for mine, other in zip(ours, theirs, strict=True):
        assert torch.allclose(mine, other, atol=1e-4)
    assert ours[0][1].abs().max() == 0  # alone: unheard


def test_what_nobody_hears_is_not_there(trainee, audio):
    text = Branch([5, 5], [9, 8], alone=True)
    rows = [Row([1], [text]), Row([1], [text, Branch([4], [3])]), Row([1], [])]
    packed = pack(rows[:1], [2])
    assert packed.ids.tolist() == [[5, 5, 9, 8]]
    # A clip without questions, and one whose audio nobody hears.
    tokens, sizes = audio[0], torch.tensor([2, 3, 4])
    trainee.fuse, fuse = lambda streams: (tokens, sizes), trainee.fuse
    losses = trainee([], rows).answers
    trainee.fuse = fuse
    expected = [
        alone(trainee, row, branch, own[:n])
        for row, own, n in zip(rows, tokens, [2, 3, 4], strict=True)
        for branch in row.branches
    ]
    assert torch.allclose(losses, torch.stack(expected), atol=1e-5)


def test_rivals_answer_the_same_prompt(trainee, audio):
    tokens, sizes = audio[0][:2], audio[1][:2]
    packed = pack(RIVALS, N_AUDIO[:2])
    got = trainee.answer_losses(packed, tokens, sizes)
    expected = [
        alone(trainee, row, branch._replace(answer=answer), own[:n])
        for row, own, n in zip(RIVALS, tokens, N_AUDIO, strict=False)
        for branch in row.branches
        for answer in [branch.answer, *branch.rivals]
    ]
    assert torch.allclose(got, torch.stack(expected), atol=1e-5)
    assert packed.rival_of == [0, 0, 0, 3, 4, 4]


def test_a_row_alone_and_in_a_batch(trainee, audio):
    tokens, sizes = audio
    together = trainee.answer_losses(pack(ROWS, N_AUDIO), tokens, sizes)
    single = [
        trainee.answer_losses(pack([row], [n]), own[None, :n], size[None])
        for row, n, own, size in zip(ROWS, N_AUDIO, *audio, strict=True)
    ]
    assert torch.allclose(together, torch.cat(single), atol=1e-5)


def test_every_token_stands_where_it_should(trainee, audio):
    """A pass-through LLM: what goes in is seen as it is."""
    tokens, sizes = audio
    seen = {}

    class PassThrough(nn.Module):
        config = SimpleNamespace(_attn_implementation="sdpa")

        def base_model(self, inputs_embeds, **inputs):
            seen.update(inputs, embeds=inputs_embeds)
            return SimpleNamespace(last_hidden_state=inputs_embeds)

        def get_output_embeddings(self):
            return lambda hidden: hidden @ table.T

    table = trainee.model.llm.model.get_input_embeddings().weight
    llm = SimpleNamespace(embed=trainee.model.llm.embed, network=PassThrough())
    system = SimpleNamespace(llm=llm)
    packed = pack(ROWS, N_AUDIO)
    losses = Trainee.answer_losses(system, packed, tokens, sizes)
    # The longest row first; none of the others fits behind another.
    for i, number in enumerate([0, 2, 1]):
        row, n = ROWS[number], N_AUDIO[number]
        if not row.is_heard:
            row, n = row._replace(before=[], after=[]), 0
        start = len(row.before)
        heard = seen["embeds"][i, start : start + n]
        assert torch.equal(heard, tokens[number, :n])
        texts = [*row.before, *row.after]
        for branch in row.branches:
            texts += [*branch.prompt, *branch.answer]
        rest = torch.cat(
            [seen["embeds"][i, :start], seen["embeds"][i, start + n :]]
        )
        assert torch.equal(rest[: len(texts)], table[texts])
        # The label of a position is the token behind it, in answers only.
        labels = packed.labels[i]
        learned = [t for b in row.branches for t in b.answer]
        assert labels[labels != NO_LABEL].tolist() == learned
        behind = packed.ids[i, 1:][labels[:-1] != NO_LABEL]
        assert behind.tolist() == learned
    # And the loss is that of the answer's tokens, worked out by hand.
    logits = table[[6, 8]] @ table.T
    by_hand = -logits.log_softmax(dim=1)[[0, 1], [8, 9]].mean()
    assert torch.allclose(losses[0], by_hand, atol=1e-5)


def test_who_sees_whom():
    packed = pack(ROWS[:2], [1, 2])
    seen = visible(packed)[:, 0]
    # Row 0: 1 7 a | 5 6 8 9 | 4 3
    assert seen[0, 8].nonzero().flatten().tolist() == [0, 1, 2, 7, 8]
    assert seen[0, 4].nonzero().flatten().tolist() == [0, 1, 2, 3, 4]
    assert packed.positions[0].tolist() == [0, 1, 2, 3, 4, 5, 6, 3, 4]
    # Row 1: 5 5 9 8 7, alone
    assert seen[1, 4].nonzero().flatten().tolist() == [0, 1, 2, 3, 4]
    assert packed.positions[1].tolist() == [0, 1, 2, 3, 4, 0, 0, 0, 0]
    assert seen.any(dim=2).all()  # no row of the softmax is empty


def test_rows_behind_each_other_do_not_see_each_other(trainee, audio):
    short = Row([1], [Branch([5, 6], [8], rivals=[[9]])])
    rows, sizes = [ROWS[0], short, short], [3, 1, 1]
    assert together([11, 7, 7]) == [[0], [1], [2]]
    long = ROWS[0]._replace(before=[1, 7, 7, 7, 7])
    packed = pack([long, short, short], sizes)
    assert packed.ids.shape == (2, 14) and packed.heard == [0, 1, 2]
    seen = visible(packed)[1, 0]
    assert not seen[7:, :7].any() and not seen[:7, 7:].any()
    tokens = audio[0]
    got = trainee.answer_losses(packed, tokens, torch.tensor(sizes))
    expected = [
        alone(trainee, row, branch._replace(answer=answer), own[:n])
        for row, own, n in zip([long, *rows[1:]], tokens, sizes, strict=True)
        for branch in row.branches
        for answer in [branch.answer, *branch.rivals]
    ]
    assert torch.allclose(got, torch.stack(expected), atol=1e-5)


def test_a_branch_needs_a_prompt():
    with pytest.raises(ValueError, match="without a prompt"):
        pack([Row([1], [Branch([], [2])])], [0])


def test_eager_attention_gets_numbers_and_flash_is_refused(trainee, audio):
    packed = pack(ROWS, N_AUDIO)
    embeds = torch.zeros(1)
    eager = SimpleNamespace(_attn_implementation="eager")
    mask = attention_mask(packed, eager, embeds)
    assert torch.equal(mask == 0, visible(packed))
    assert mask.min() == torch.finfo(torch.float32).min
    flash = SimpleNamespace(_attn_implementation="flash_attention_2")
    with pytest.raises(ValueError, match="Set attention: sdpa"):
        attention_mask(packed, flash, embeds)


def test_rows_of_turns(trainee):
    llm = trainee.model.llm
    turns = [
        Turn("direct", "Who?", "They go."),
        Turn("text_direct", "Who?", "They go.", "Sound: a dog."),
    ]
    row = trainee.row(turns)
    prompt = trainee.model.prompt("Who?")
    answer = [*llm.tokenize("They go."), llm.tokenizer.eos_token_id]
    assert row.before == prompt.before
    assert row.branches[0] == Branch(prompt.after, answer, False, "direct", [])
    text = [*prompt.before, *llm.tokenize("Sound: a dog."), *prompt.after]
    assert row.branches[1] == Branch(text, answer, True, "text_direct", [])
    assert trainee.row([]) == Row([], [])
