"""Tests of the authored content, of its reader and of its checks.

Authors
 * The speechbrain_jasco developers, 2026
"""

import re
from collections import Counter
from pathlib import Path

import pytest
import torch

from speechbrain_jasco.building.leakage import leak_findings
from speechbrain_jasco.building.triple_checks import (
    meaning_findings,
    sentence_findings,
    text_findings,
)
from speechbrain_jasco.building.triples import Sentence, read_triples
from speechbrain_jasco.dataio import Clip, read_clips

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "recipes" / "WhatAreTheyDoing" / "triples"

TINY = {
    "sounds": "sound_id,names,audio_only\n"
    "surf,Waves|Surf|The sea,They rest.|They swim.|They walk.\n"
    "wind,Wind|Gusts|A gale,They run.|They hide.|They freeze.\n",
    "lines": "line_id,text,speech_only,gender,age,emotion\n"
    "hold,Hold it.,They lift.|They carry.|They wait.,any,adult,calm\n"
    "look,Look here.,They look.|They stare.|They see.,any,any,happy\n",
    "triples": "triple_id,sound_id,line_id,split,keywords,answers\n"
    'surf.hold,surf,hold,train,"surfing,board",'
    "They are surfing on a board.|They surf.|Someone surfs.\n"
    "wind.hold,wind,hold,train,kite,They fly a kite.|A kite.|Kites.\n"
    "surf.look,surf,look,train,shell,They seek a shell.|Shells.|A shell.\n"
    "wind.look,wind,look,test_unseen,mill,A mill turns.|Mills.|A mill.\n",
    "sentences": "sentence_id,text,split\n"
    "s1,The soup is hot.,train\ns2,My cat sleeps.,test_open\n",
}


def write(folder, **changes):
    """Write the tiny content; ``changes``: file -> (old, new)."""
    for name, text in TINY.items():
        if name in changes:
            old, new = changes[name]
            assert old in text
            text = text.replace(old, new, 1)
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def committed():
    return read_triples(FOLDER)


def test_reads_lists_and_texts(tmp_path):
    tiny = read_triples(write(tmp_path))
    assert tiny.sounds["surf"].names == ["Waves", "Surf", "The sea"]
    assert tiny.lines["look"].emotion == "happy"
    assert tiny.triples[0].keywords == ["surfing", "board"]
    assert tiny.triples[0].answers[0] == "They are surfing on a board."
    assert tiny.sentences[1] == Sentence("s2", "My cat sleeps.", "test_open")


@pytest.mark.parametrize(
    "name, old, new, message",
    [
        ("sounds", "Waves|Surf|The sea", "", "row 1: names is empty"),
        ("sounds", "|The sea", "", "at least 3 different ones"),
        ("sounds", "Surf|The", "Waves|The", "at least 3 different ones"),
        ("sounds", "Waves|Surf", "Waves||Surf", "none empty"),
        ("sounds", "wind,", "surf,", "row 2: sound_id 'surf' stand in row 1"),
        ("lines", ",any,adult", ",both,adult", "gender 'both'; expected one"),
        ("lines", ",any,adult", ",any,teen", "age 'teen'; expected one of any"),
        ("lines", "Look here.", "Hold it.", "row 2: text 'hold it.' stand"),
        ("lines", "emotion", "mood", "columns ['emotion'] are missing"),
        ("triples", "surf,hold", "sea,hold", "sound_id 'sea'; expected one"),
        ("triples", "wind,hold", "wind,hole", "row 2: got the line_id 'hole'"),
        ("triples", "test_unseen", "test_seen", "split 'test_seen'; expected"),
        ("triples", "surf,look", "surf,hold", "sound_id and line_id"),
        ("triples", ",kite,", ",,", "row 2: keywords is empty"),
        ("sentences", "My cat sleeps.", "the soup is hot.", "row 2: text"),
        ("sentences", "test_open", "test", "split 'test'; expected one of"),
    ],
)
def test_names_what_is_wrong_in_a_file(tmp_path, name, old, new, message):
    folder = write(tmp_path, **{name: (old, new)})
    with pytest.raises(ValueError, match=re.escape(message)) as error:
        read_triples(folder)
    assert f"{name}.csv" in str(error.value)


def test_names_a_file_that_is_not_there(tmp_path):
    (write(tmp_path) / "lines.csv").unlink()
    with pytest.raises(FileNotFoundError, match="lines.csv: no such file"):
        read_triples(tmp_path)


def checks(folder):
    return Counter(f.check for f in text_findings(read_triples(folder)))


def test_text_checks_find_what_is_wrong(tmp_path):
    # Two lines per sound are too few; all else is in order.
    assert checks(write(tmp_path)) == {"crossing": 2}
    upper = write(tmp_path, triples=(",kite,", ",Kite,"))
    assert checks(upper) == {"crossing": 2, "keywords": 1}
    twice = write(tmp_path, triples=("|Mills.|", "|kites.|"))
    assert checks(twice) == {"crossing": 2, "wordings": 1}
    # Without it the held-out pair's line would be heard for the first time.
    alone = write(tmp_path, triples=("surf,look,train", "surf,look,valid"))
    assert checks(alone) == {"crossing": 2, "splits": 1}


class Words:
    """An embedder whose cosines can be worked out: bags of words."""

    def __init__(self):
        self.index = {}

    def embed(self, texts):
        rows = torch.zeros(len(texts), 500)
        for row, text in zip(rows, texts, strict=True):
            for word in re.findall(r"\w+", text.lower()):
                row[self.index.setdefault(word, len(self.index))] += 1
        return torch.nn.functional.normalize(rows, dim=1)


@pytest.mark.parametrize(
    "name, old, new, expected",
    [
        # cos(hold it, hold it firmly) = 2 / sqrt(6) = 0.82
        ("sounds", "|Surf|", "|Hold it firmly|", ["related"]),
        ("sounds", "They rest.", "They seek a shell.", ["sound alone"]),
        ("lines", "They stare.", "They seek a shell!", ["words alone"]),
        # 4 of 5 words in common: 4 / 5 is not above the bound, 5 / 6 is.
        ("triples", "They fly a kite.", "They are surfing on a kite.", ["5/6"]),
    ],
)
def test_meaning_checks_find_what_is_wrong(tmp_path, name, old, new, expected):
    assert meaning_findings(read_triples(write(tmp_path)), Words()) == []
    folder = write(tmp_path, **{name: (old, new)})
    findings = meaning_findings(read_triples(folder), Words())
    assert {f.check for f in findings} == {
        "behaviour" if check == "5/6" else check for check in expected
    }
    assert expected != ["5/6"] or "cosine 0.83" in findings[0].reason


def clip(sound, words, behaviour):
    texts = dict.fromkeys(Clip.__dataclass_fields__, "")
    texts |= {"id": "c7", "audio_sound": sound, "spoken_text": words}
    return Clip(**{**texts, "tgt_text": behaviour})


@pytest.mark.parametrize(
    "foreign, names",
    [
        (clip("waves", "Up!", "They are sleeping."), []),
        (clip("waves", "Hold that.", "Someone surfs."), ["surf.hold"]),
        (clip("bells", "Hold it", "someone surfs"), ["surf.hold", "hold"]),
        (clip("bells", "my cat sleeps!", "They run."), ["s2"]),
    ],
)
def test_a_copy_of_a_foreign_clip_is_found(tmp_path, foreign, names):
    tiny = read_triples(write(tmp_path))
    findings = leak_findings(tiny, [foreign], Words())
    assert [finding.name for finding in findings] == names
    assert all("clip c7" in finding.reason for finding in findings)


def test_sentences_of_two_splits_are_compared(tmp_path):
    tiny = read_triples(write(tmp_path))
    assert sentence_findings(tiny, Words()) == []
    near = tiny._replace(
        sentences=[
            tiny.sentences[0],
            Sentence("s3", "The soup is hot, hot.", "test_open"),
        ]
    )
    assert [f.name for f in sentence_findings(near, Words())] == ["s3"]


# The committed content


def test_there_is_enough_of_everything(committed):
    assert len(committed.sounds) >= 40
    assert len(committed.triples) >= 320
    assert len(committed.sentences) >= 1500
    splits = Counter(triple.split for triple in committed.triples)
    assert splits["train"] >= 0.8 * len(committed.triples)
    assert splits["test_unseen"] >= 32
    assert splits["valid"] >= 16
    parts = Counter(sentence.split for sentence in committed.sentences)
    assert 0.1 <= parts["test_open"] / len(committed.sentences) <= 0.15


def test_the_committed_triples_are_crossed_and_literal(committed):
    assert text_findings(committed) == []


def test_texts_can_be_spoken_and_read(committed):
    for line in committed.lines.values():
        assert 3 <= len(re.findall(r"[\w'-]+", line.text)) <= 9, line
    for sentence in committed.sentences:
        words = re.findall(r"[\w'-]+", sentence.text)
        assert 4 <= len(words) <= 12, sentence
    spoken = [line.text for line in committed.lines.values()]
    spoken += [sentence.text for sentence in committed.sentences]
    for text in spoken:
        assert re.fullmatch(r"[A-Z][A-Za-z ,.;'?!-]*[.?!]", text), text
    answers = [a for t in committed.triples for a in t.answers]
    for sound in committed.sounds.values():
        answers += sound.audio_only
    for line in committed.lines.values():
        answers += line.speech_only
    for answer in answers:
        assert re.fullmatch(r"[A-Z][A-Za-z ,'-]*\.", answer), answer
    for triple in committed.triples:
        assert triple.triple_id == f"{triple.sound_id}.{triple.line_id}"
        assert 1 <= len(triple.keywords) <= 3


def test_lines_and_sentences_have_nothing_in_common(committed):
    lines = {line.text.casefold() for line in committed.lines.values()}
    assert not lines & {s.text.casefold() for s in committed.sentences}


@pytest.mark.weights
def test_neither_sound_nor_words_give_the_behaviour_away(committed, embedder):
    assert meaning_findings(committed, embedder) == []


@pytest.mark.weights
def test_the_open_test_has_no_paraphrase_in_training(committed, embedder):
    assert sentence_findings(committed, embedder) == []


@pytest.mark.weights
def test_the_demo_clips_are_not_trained(committed, embedder):
    demo = ROOT / "tests" / "samples" / "demo"
    assert (
        leak_findings(committed, read_clips(demo / "clips.csv", demo), embedder)
        == []
    )


@pytest.mark.weights
@pytest.mark.official
def test_nothing_of_the_official_clips_is_in_there(
    committed, embedder, official_clips
):
    clips = official_clips
    assert leak_findings(committed, clips, embedder) == []
    # The check has teeth: a clip of theirs, rephrased by rule, is found.
    first, name = clips[0], committed.triples[0].triple_id
    ours = committed.triples[0]
    sound = committed.sounds[ours.sound_id]
    stolen = committed._replace(
        triples=[ours._replace(answers=[first.tgt_text.upper()])],
        sounds={ours.sound_id: sound._replace(names=[first.audio_sound])},
    )
    assert [f.name for f in leak_findings(stolen, clips, embedder)] == [name]
