"""Tests of reading shared beginnings once: the plan, the count, equality.

What is shared is compared with each chat alone, which shares nothing (and is
compared with full forward passes in ``test_transformers_generator.py``).

Authors
 * The speechbrain_jasco developers, 2026
"""

import functools
import logging
import random

import pytest
import torch
from test_transformers_generator import FORM, variant

from speechbrain_jasco.integrations.prefix_cache import PromptReader
from speechbrain_jasco.integrations.prompt_batches import (
    find_families,
    plan_batches,
    shared_length,
)
from speechbrain_jasco.integrations.transformers_generator import (
    TransformersGenerator,
)

RUBRIC = "Rate what the speakers are doing. " * 6
CLIPS = ["the beach: waves, shells", "a kitchen: pans", "hall: applause, feet"]
CHATS = [
    [
        {"role": "system", "content": RUBRIC},
        {"role": "user", "content": f"Clip: {clip * 4}\nAnswer: {answer}"},
    ]
    for clip in CLIPS
    for answer in ["They swim.", "No. " * 9, "", "Rating: 2" * 3, "They swim."]
]


def texts(replies):
    return [reply.text for reply in replies]


@pytest.fixture
def passes(monkeypatch):
    """Note the shape of every forward pass of a generator's model."""

    def watch(generator):
        generator.load()
        forward, shapes = generator.model.forward, []

        @functools.wraps(forward)
        def spy(*args, **kwargs):
            shapes.append(tuple(kwargs["input_ids"].shape))
            return forward(*args, **kwargs)

        monkeypatch.setattr(generator.model, "forward", spy)
        return shapes

    return watch


def random_rows(chance):
    """Rows with beginnings in common, as trees have them; odd ones too."""
    letters = [1, 2]
    return [
        [chance.choice(letters) for _ in range(chance.randint(1, 9))]
        for _ in range(chance.randint(1, 30))
    ]


@pytest.mark.parametrize("seed", range(50))
def test_a_plan_has_every_row_once_and_families_begin_alike(seed):
    chance = random.Random(seed)
    rows = random_rows(chance)
    size = chance.randint(1, 8)
    shared = shared_length(rows)
    plans = plan_batches(rows, size, shared)
    found = [i for plan in plans for b in plan.batches for _, i in b]
    assert sorted(found) == list(range(len(rows)))
    for families, batches in plans:
        assert len(families) <= size
        for batch in batches:
            assert len(batch) <= size
            left = [len(rows[i]) - families[k].shared for k, i in batch]
            assert left == sorted(left, reverse=True)
            assert min(left) >= 1
        for family in families:
            first = rows[family.indices[0]][: family.shared]
            assert all(rows[i][: family.shared] == first for i in family[1])


@pytest.mark.parametrize("seed", range(20))
def test_a_plan_does_not_depend_on_the_order_and_saves_tokens(seed):
    chance = random.Random(seed)
    rows = random_rows(chance)
    shared = shared_length(rows)

    def plan(order):
        shuffled = [rows[i] for i in order]
        return [
            [[tuple(shuffled[i]) for _, i in batch] for batch in batches]
            for _, batches in plan_batches(shuffled, 4, shared)
        ]

    order = list(range(len(rows)))
    expected = plan(order)
    chance.shuffle(order)
    assert plan(order) == expected
    families = find_families(rows, shared)
    cost = sum(
        f.shared - shared + sum(len(rows[i]) - f.shared for i in f.indices)
        for f in families
    )
    assert cost <= sum(len(row) - shared for row in rows)


def test_the_rubric_and_each_clip_are_read_once(tiny_llm, passes):
    generator = TransformersGenerator(str(tiny_llm), 4)
    shapes = passes(generator)
    generator.complete(CHATS, form=FORM)
    rows = generator.tokenizer.encode_chats(CHATS)
    rubric = shared_length(rows)
    clips = [shared_length(rows[i : i + 5]) for i in range(0, 15, 5)]
    assert rubric > 0.4 * min(len(row) for row in rows)
    # One pass for the rubric, one for the clips, then the batches.
    assert shapes[0] == (1, rubric)
    assert shapes[1] == (3, max(clips) - rubric)
    fields = {name: f"{name}: {values[0]}" for name, values in FORM.items()}
    added = len(sum(generator.tokenizer.encode(list(fields.values())), []))
    longest = added + max(
        len(row) - clips[i // 5] for i, row in enumerate(rows)
    )
    # A form takes no passes of its own.
    assert len(shapes) == 2 + 4
    assert sum(n for n, _ in shapes[2:]) == len(CHATS)
    assert all(width <= longest < rubric for _, width in shapes[2:])
    read = sum(n * width for n, width in shapes)
    assert read < 0.5 * sum(len(row) for row in rows)


@pytest.mark.parametrize("form", [None, FORM], ids=["text", "form"])
@pytest.mark.parametrize("batch_size", [1, 2, 4, 16])
def test_shared_is_as_alone_in_any_order(tiny_llm, form, batch_size):
    alone = TransformersGenerator(str(tiny_llm), max_new_tokens=8)
    expected = [alone.complete([one], form=form)[0] for one in CHATS]
    generator = TransformersGenerator(str(tiny_llm), batch_size, 8)
    order = list(range(len(CHATS)))
    for seed in range(2):
        chats = [CHATS[i] for i in order]
        replies = generator.complete(chats, form=form)
        assert texts(replies) == [expected[i].text for i in order]
        if form:
            for i, reply in zip(order, replies, strict=True):
                for field, chances in expected[i].probabilities.items():
                    got = reply.probabilities[field]
                    assert got == pytest.approx(chances, abs=1e-4)
        random.Random(seed).shuffle(order)
    assert len({reply.text for reply in expected}) > 2


def test_sampled_replies_do_not_depend_on_the_order(tiny_llm):
    generator = TransformersGenerator(
        str(tiny_llm), 4, max_new_tokens=8, temperature=1.0
    )
    distinct = [CHATS[i] for i in (0, 1, 2, 3, 6, 7, 8, 12, 13)]

    def sample(chats):
        torch.manual_seed(0)
        return texts(generator.complete(chats))

    forwards, backwards = sample(distinct), sample(distinct[::-1])
    assert forwards == backwards[::-1]
    greedy = TransformersGenerator(str(tiny_llm), 4, max_new_tokens=8)
    assert forwards != texts(greedy.complete(distinct))  # it does sample


def test_each_chat_is_tokenized_once(tiny_llm, monkeypatch):
    generator = TransformersGenerator(str(tiny_llm), 4, max_new_tokens=2)
    generator.load()
    encode, seen = generator.tokenizer.encode, []

    def spy(strings, *args):
        seen.extend(strings)
        return encode(strings, *args)

    monkeypatch.setattr(generator.tokenizer, "encode", spy)
    generator.complete(CHATS, form=FORM)
    assert len(seen) == len(CHATS) + sum(map(len, FORM.values()))


def as_mistral(name, content):
    if name == "config.json":
        content.update(
            model_type="mistral",
            architectures=["MistralForCausalLM"],
            sliding_window=16,
        )


@pytest.mark.parametrize("form", [None, FORM], ids=["text", "form"])
def test_a_window_that_slides_is_not_shared(tiny_llm, tmp_path, caplog, form):
    folder = str(variant(tiny_llm, tmp_path / "sliding", as_mistral))
    alone = TransformersGenerator(folder, max_new_tokens=8)
    expected = [alone.complete([one], form=form)[0].text for one in CHATS]
    with caplog.at_level(logging.INFO):
        generator = TransformersGenerator(folder, 4, max_new_tokens=8)
        replies = generator.complete(CHATS, form=form)
    assert texts(replies) == expected
    assert "reads every prompt whole: its cache has layers of" in caplog.text
    assert "DynamicSlidingWindowLayer" in caplog.text


def test_a_recurrent_model_is_not_shared(tiny_llm, tmp_path, caplog):
    from transformers import AutoTokenizer, MambaConfig, MambaForCausalLM

    tokenizer = AutoTokenizer.from_pretrained(tiny_llm)
    tokenizer.save_pretrained(tmp_path)
    torch.manual_seed(0)
    config = MambaConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        state_size=4,
        num_hidden_layers=2,
        pad_token_id=tokenizer.pad_token_id,
    )
    MambaForCausalLM(config).save_pretrained(tmp_path)
    alone = TransformersGenerator(str(tmp_path), max_new_tokens=4)
    expected = [alone.complete([one])[0].text for one in CHATS[:4]]
    with caplog.at_level(logging.INFO):
        generator = TransformersGenerator(str(tmp_path), 1, max_new_tokens=4)
        assert texts(generator.complete(CHATS[:4])) == expected
    assert "MambaForCausalLM reads every prompt whole" in caplog.text


def test_a_cache_goes_on_in_several_ways_and_stays_as_it_is(tiny_llm):
    generator = TransformersGenerator(str(tiny_llm))
    generator.load()
    reader = PromptReader(generator.model, pad_id=0)
    rows = [[5, 6, 7, 8, 9, 10], [5, 6, 7, 20, 21], [5, 6, 7, 30]]
    whole = [reader.read([row])[1][0] for row in rows]
    for _ in range(2):  # the second time from the same caches
        for indices, begun, tails in reader.batches(rows, 2):
            assert begun.ids.shape == (len(indices), 3)
            _, logits = reader.read(tails, begun)
            for i, got in zip(indices, logits, strict=True):
                torch.testing.assert_close(got, whole[i])
