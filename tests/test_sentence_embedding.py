"""Tests of the sentence embedder, tiny and random, and with its weights.

Authors
 * The speechbrain_jasco developers, 2026
"""

import pytest
import torch
from transformers import (
    AutoModel,
    AutoTokenizer,
    BertConfig,
    BertModel,
    BertTokenizer,
)

from speechbrain_jasco import starter
from speechbrain_jasco.integrations.sentence_embedding import SentenceEmbedder

TEXTS = ["a b c d e", "b", "a b c d e a b c", "d d"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A tiny random BERT whose words are letters."""
    folder = tmp_path_factory.mktemp("bert")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcde"]
    vocabulary = {word: index for index, word in enumerate(words)}
    BertTokenizer(vocab=vocabulary).save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=24,
        initializer_range=0.5,
    )
    BertModel(config).save_pretrained(folder)
    return str(folder)


@torch.no_grad()
def mean_of_tokens(folder, text):
    """The definition, one sentence at a time: no padding, no mask."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder).eval()
    ids = tokenizer(text, truncation=True, max_length=256).input_ids
    states = model(torch.tensor([ids])).last_hidden_state[0]
    mean = torch.stack(list(states)).mean(dim=0)
    return mean / mean.pow(2).sum().sqrt()


def test_equals_the_definition_in_any_batch(folder):
    expected = torch.stack([mean_of_tokens(folder, text) for text in TEXTS])
    assert (expected[0] - expected[1]).abs().max() > 0.1
    for batch_size in (1, 3, 64):
        got = SentenceEmbedder(folder, batch_size).embed(TEXTS)
        torch.testing.assert_close(got, expected, atol=1e-5, rtol=0)


def test_empty_list(folder):
    assert SentenceEmbedder(folder).embed([]).shape == (0, 16)


def test_nothing_counts_beyond_256_tokens(folder):
    same = "a b " * 127  # 254 words, [CLS] and [SEP]
    rows = SentenceEmbedder(folder).embed([same, same + "c", "c" + same[1:]])
    assert torch.equal(rows[0], rows[1])
    assert not torch.allclose(rows[0], rows[2])


@pytest.mark.weights
def test_minilm_knows_a_paraphrase():
    if not starter.is_ready("minilm-l6-v2"):
        pytest.skip("python -m speechbrain_jasco.starter minilm-l6-v2")
    texts = [
        "They are collecting seashells on the beach.",
        "People gather shells by the sea.",
        "The judge postponed the tax hearing.",
    ]
    rows = SentenceEmbedder("starter:minilm-l6-v2").embed(texts)
    assert rows.shape == (3, 384)
    cosines = rows @ rows.T
    assert cosines[0, 1] > 0.6  # measured 0.68
    assert cosines[0, 2] < 0.2 and cosines[1, 2] < 0.2
    path = starter.resolve("starter:minilm-l6-v2")
    expected = torch.stack([mean_of_tokens(path, text) for text in texts])
    torch.testing.assert_close(rows, expected, atol=1e-5, rtol=0)
