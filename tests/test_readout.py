"""Tests of the readout: audio tokens to what the LLM reads.

Authors
 * The speechbrain_jasco developers, 2026
"""

import pytest
import torch
from tiny_systems import randomize, tiny_audio_llm, write_llama_tokenizer

from speechbrain_jasco.integrations.trained_weights import export
from speechbrain_jasco.lobes.models.readout import Readout
from speechbrain_jasco.lobes.models.vocabulary import (
    NO_TOKEN,
    UNKNOWN,
    Scores,
    Targets,
)

NAMES = {
    "sound": [[[10, 11], [12]], [[13]], [[14, 15, 16]]],
    "speaker": [[[17]], [[18, 19]]],
}
LAYOUT = "A{sound}B{words}C{speaker}"
PIECES = {"A": [20], "B": [21, 22], "C": [23]}
WORDS = [4, 7, 9]


@pytest.fixture
def readout():
    torch.manual_seed(0)
    return ready(Readout(24, LAYOUT, sharpness=80.0)).eval()


def ready(readout):
    readout.set_vocabulary(WORDS, NAMES)
    readout.bind(torch.randn(30, readout.blank.shape[0]), PIECES.get)
    return readout


def tokens_of(readout, ids):
    """Audio tokens that are words, or blank for 0, and nothing else."""
    table = readout.table
    return torch.stack([table[i] if i else readout.blank.detach() for i in ids])


def sure(logits, best):
    """Scores that leave no doubt."""
    return logits.new_full(logits.shape, -1e4).scatter(
        -1, torch.tensor(best).unsqueeze(-1), 1e4
    )


def test_where_it_is_sure_the_llm_reads_text(readout):
    tokens = tokens_of(readout, [0, 9, 9, 0, 9, 4, 4, 0])[None]
    sizes = torch.tensor([8])
    scores = readout.scores(tokens, sizes)
    names = {"sound": [2], "speaker": [0]}
    for kind, best in names.items():
        scores.names[kind] = sure(scores.names[kind], best)
    read, sizes = readout.read(scores, sizes)
    expected = [20, 14, 15, 16, 21, 22, 9, 9, 4, 23, 17]
    assert sizes.tolist() == [len(expected)]
    assert torch.allclose(read[0], readout.table[expected], atol=1e-3)
    # The same from the truth, whatever is heard.
    targets = Targets([[9, 9, 4]], names)
    unsure = readout.scores(torch.randn(1, 8, 24), torch.tensor([8]))
    given, _ = readout.read(unsure, torch.tensor([8]), targets, [0])
    assert given[0].equal(readout.table[expected])
    alone, n = readout.give(targets)
    assert alone.equal(given) and n.tolist() == [len(expected)]


def test_doubt_is_a_mean(readout):
    """Two words or names, equally likely: half of each; blank has no part."""
    sizes = torch.tensor([2])
    scores = readout.scores(torch.randn(1, 2, 24), sizes)
    words = torch.full((1, 2, 4), -1e4)
    words[0, 0, [0, 1, 3]] = torch.tensor([0.0, 1.0, 1.0])
    words[0, 1, 1] = 1e4  # the same run: of words 4 and 9, then of 4
    names = {
        "sound": torch.tensor([[0.0, 0.0, -1e4]]),
        "speaker": torch.tensor([[-1e4, 0.0]]),
    }
    read, _ = readout.read(scores._replace(words=words, names=names), sizes)
    t = readout.table
    # As long as the first of the most likely; "13" has nothing to add there.
    sound = [(t[10] + t[13]) / 2, t[11]]
    word = ((t[4] + t[9]) / 2 + t[4]) / 2
    expected = [t[20], *sound, t[21], t[22], word, t[23], t[18], t[19]]
    assert torch.allclose(read[0], torch.stack(expected), atol=1e-4)


def test_a_clip_does_not_depend_on_its_neighbours(readout):
    tokens = 3 * torch.randn(3, 9, 24)
    sizes = torch.tensor([9, 4, 1])
    for i, n in enumerate(sizes):
        tokens[i, n:] = 0
    together, lens = readout(tokens, sizes / 9)
    for i, n in enumerate(sizes):
        alone, _ = readout(tokens[i : i + 1, :n], torch.ones(1))
        n_read = round(lens[i].item() * together.shape[1])
        assert n_read == alone.shape[1]
        assert torch.allclose(together[i, :n_read], alone[0], atol=1e-5)
        assert not together[i, n_read:].any()


def test_silence_has_no_words(readout):
    tokens = tokens_of(readout, [0, 0])[None]
    read, sizes = readout.read(
        readout.scores(tokens, torch.tensor([2])), torch.tensor([2])
    )
    names = sizes.item() - len("ABBC")
    assert 2 <= names <= 5 and torch.isfinite(read).all()


def test_a_recogniser_is_believed_where_the_tokens_allow_it(readout):
    """It says 9 4 of two clips, one in which 9 and a doubtful 4 are heard and
    one in which 7 7 is; 25 is out of the vocabulary, and read all the same."""
    unsure = (tokens_of(readout, [4]) + tokens_of(readout, [7])) / 2
    first = torch.cat([tokens_of(readout, [9, 0]), unsure.squeeze(1)])
    tokens = torch.stack([first, tokens_of(readout, [7, 0, 7])])
    heard, lens = readout(tokens, torch.ones(2))
    read, n = readout(tokens, torch.ones(2), [[9, 25, 4], [9, 25, 4]])
    sizes = (n * read.shape[1]).round().long().tolist()
    assert read[1, : sizes[1]].equal(heard[1])
    start = [i for i in range(sizes[0]) if read[0, i].equal(readout.table[22])]
    words = read[0, start[0] + 1 :][:3]
    assert words.equal(readout.table[[9, 25, 4]])
    # Sound and speaker are those heard, before the words and behind them.
    assert read[0, : start[0] + 1].equal(heard[0, : start[0] + 1])
    tail = sizes[0] - start[0] - 4
    own = round(lens[0].item() * heard.shape[1])
    assert read[0, sizes[0] - tail : sizes[0]].equal(heard[0, own - tail : own])
    for nothing in (None, [[], []]):
        same, _ = readout(tokens, torch.ones(2), nothing)
        assert same.equal(heard)
    readout.tolerance = -1.0  # believed never
    same, _ = readout(tokens, torch.ones(2), [[9, 25, 4], [9, 25, 4]])
    assert same.equal(heard)


def test_a_known_sentence_is_read_where_it_is_hardly_less_probable(readout):
    """9 and then a word that is 4 rather than 7, by little; 9 7 is known."""
    names = torch.zeros(1, 3), torch.zeros(1, 2)
    words = torch.full((1, 3, 4), -20.0)
    words[0, 0, 3] = words[0, 1, 0] = 20.0
    words[0, 2, 1], words[0, 2, 2] = 1.0, 0.0
    sizes = torch.tensor([3])
    scores = Scores(words, dict(zip(("sound", "speaker"), names, strict=True)))
    assert readout.words(scores, sizes) == [[9, 4]]
    doubtful, _ = readout.read(scores, sizes)
    readout.set_vocabulary(WORDS, NAMES, [[4, 4], [9, 7]])
    assert readout.known(scores, sizes) == {0: [9, 7]}
    assert readout.words(scores, sizes) == [[9, 4]]  # what alignment measures
    read, _ = readout.read(scores, sizes)
    here = [i for i in range(3, 6) if read[0, i].equal(readout.table[9])]
    assert read[0, here[0] + 1].equal(readout.table[7])
    with torch.autocast("cpu", torch.bfloat16):
        half = scores._replace(words=words.bfloat16())
        assert readout.known(half, sizes) == {0: [9, 7]}
    # One nat over two words.
    readout.familiarity = 0.49
    assert readout.read(scores, sizes)[0].equal(doubtful)
    readout.familiarity = 0.51
    assert readout.read(scores, sizes)[0].equal(read)
    # Before a recogniser, and not while training.
    assert readout.allowed(scores, sizes, [[9, 4]]) == []
    readout.familiarity = None
    assert readout.read(scores, sizes)[0].equal(doubtful)
    readout.familiarity = 0.51
    readout.train()
    assert readout.allowed(scores, sizes, [[9, 4]]) == [0]
    assert readout.known(scores, sizes) == {}


def test_words_are_left_out_in_training_only(readout):
    readout.dropout = 0.5
    tokens = tokens_of(readout, [4, 9] * 200)[None]
    sizes = torch.tensor([400])
    targets = Targets([[4, 9] * 200], {"sound": [0], "speaker": [UNKNOWN]})
    for given in ([], [0]):
        scores = readout.scores(tokens, sizes)
        _, (whole,) = readout.read(scores, sizes, targets, given)
        readout.train()
        _, (left,) = readout.read(scores, sizes, targets, given)
        readout.eval()
        assert 400 <= whole.item() and 150 < whole.item() - left.item() < 250


def test_given_words_are_confused_in_training_only(readout):
    readout.confusion = 0.25
    targets = Targets([[4] * 400], {"sound": [0], "speaker": [UNKNOWN]})
    scores = readout.scores(tokens_of(readout, [9])[None], torch.tensor([1]))

    def n_others():
        read, _ = readout.read(scores, torch.tensor([1]), targets, [0])
        here = [(read[0] == readout.table[i]).all(dim=1).sum() for i in WORDS]
        four, *others = (int(n) for n in here)
        assert four + sum(others) == 400
        return others

    assert n_others() == [0, 0]
    readout.train()
    # A third of 100 each, since a word may stand for itself; deviation 5.6.
    assert all(10 < n < 57 for n in n_others())


def test_gradients_reach_the_tokens(readout):
    tokens = (tokens_of(readout, [4, 0, 9])[None]).requires_grad_()
    readout.scales.data.fill_(1.0)
    read, _ = readout(tokens, torch.ones(1))
    read.pow(2).sum().backward()
    assert tokens.grad.abs().sum(dim=2).gt(0).all()


def test_the_vocabulary_travels_with_the_weights(tmp_path):
    write_llama_tokenizer(tmp_path)

    def model(checkpoint=None):
        readout = Readout(32, "It is{sound}:{words}{speaker}")
        own = tiny_audio_llm(tmp_path, readout=readout, checkpoint=checkpoint)
        return own

    trained = model()
    trained.load()
    randomize(trained)
    trained.readout.set_vocabulary(WORDS, NAMES, [[4, 9], [7]])
    llm = trained.llm
    trained.readout.bind(llm.model.get_input_embeddings().weight, llm.tokenize)
    export(trained, tmp_path / "weights.safetensors", torch.float16)
    again = model(tmp_path / "weights.safetensors")
    again.llm, again.encoders = trained.llm, trained.encoders
    again.load()
    wav = torch.randn(1, 16000)
    for own in (trained, again):
        own.eval()
    expected, _ = trained.tokens(wav, torch.ones(1))
    got, _ = again.tokens(wav, torch.ones(1))
    assert again.readout.word_ids.tolist() == WORDS
    assert again.readout.sentence_ids.tolist() == [[4, 9], [7, NO_TOKEN]]
    assert got.shape == expected.shape
    assert torch.allclose(got, expected, atol=0.05)  # half precision
    # A file without the vocabulary is not of this model.
    export(tiny_loaded(tmp_path), tmp_path / "without.safetensors")
    with pytest.raises(ValueError, match="missing: readout.word_ids"):
        model(tmp_path / "without.safetensors").load()


def tiny_loaded(folder):
    model = tiny_audio_llm(folder)
    model.load()
    return model
