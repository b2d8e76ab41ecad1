"""Choice among answers in words that nobody was trained on.

Authors
 * The speechbrain_jasco developers, 2026
"""

import csv
from difflib import SequenceMatcher

import pytest
from test_triples import FOLDER

from speechbrain_jasco.building.triples import read_triples
from speechbrain_jasco.training.choice import Alternatives, reworded

ROWS = [
    {
        "triple_id": name,
        "sound_id": s,
        "line_id": line,
        "tgt_text": "They wait.",
    }
    for name, s, line in (("a.x", "a", "x"), ("b.x", "b", "x"), ("", "a", "s1"))
]


def write(path, text):
    path.write_text(f"triple_id,answer\n{text}", encoding="utf-8")
    return path


def test_every_answer_competes_in_other_words(tmp_path):
    path = write(tmp_path / "r.csv", "b.x,B.\na.x,A.\nc.x,C.\n")
    rows = reworded(ROWS, path)
    assert Alternatives(rows).of("a", "x") == {"a.x": "A.", "b.x": "B."}
    assert rows[2] == ROWS[2]  # no behaviour, nothing to say in other words
    assert ROWS[0]["tgt_text"] == "They wait."


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a.x,A.\n", "1 of 2 triples, such as b.x"),
        ("a.x,A.\nb.x,B.\na.x,C.\n", "row 3: got 'a.x' once more"),
    ],
)
def test_none_competes_in_words_that_were_trained(tmp_path, text, message):
    with pytest.raises(ValueError, match=message):
        reworded(ROWS, write(tmp_path / "r.csv", text))


# ----------------------------------------------------------------------------
# The committed ones
# ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def committed():
    """triple_id -> (its answers, the other one)."""
    with (FOLDER / "rewordings.csv").open(encoding="utf-8", newline="") as fin:
        other = {row["triple_id"]: row["answer"] for row in csv.DictReader(fin)}
    triples = read_triples(FOLDER).triples
    assert list(other) == [triple.triple_id for triple in triples]
    return {t.triple_id: (t.answers, other[t.triple_id]) for t in triples}


def test_nobody_was_trained_on_them(committed):
    """Neither as a whole nor nearly so: sentences, read letter by letter."""
    with (FOLDER / "unrecorded.csv").open(encoding="utf-8", newline="") as fin:
        texts = [row["answers"] for row in csv.DictReader(fin)]
    trained = {a.casefold() for text in texts for a in text.split("|")}
    for answers, other in committed.values():
        trained |= {answer.casefold() for answer in answers}
        alike = [SequenceMatcher(None, a, other).ratio() for a in answers]
        assert max(alike) < 0.9, other
    others = {other.casefold() for _, other in committed.values()}
    assert len(others) == len(committed)
    assert not others & trained
    assert all(other.endswith(".") for other in others)


@pytest.mark.weights
def test_they_mean_the_same(committed, embedder):
    """By sentence embeddings most are nearest to their own triple's answers."""
    groups = [answers for answers, _ in committed.values()]
    known = embedder.embed([answer for own in groups for answer in own])
    other = embedder.embed([other for _, other in committed.values()])
    cosines = (other @ known.T).reshape(len(groups), len(groups), -1).amax(-1)
    names = [name.split(".") for name in committed]
    n_nearest = 0
    for i, (sound, line) in enumerate(names):
        competing = [
            j for j, (s, w) in enumerate(names) if s == sound or w == line
        ]
        n_nearest += competing[int(cosines[i, competing].argmax())] == i
    assert n_nearest / len(names) > 0.85  # .88; of a guess about .07
