"""Triples that nobody has recorded: whole, held out of the tests, not heard.

Authors
 * The speechbrain_jasco developers, 2026
"""

import pytest
import torch
from test_training import NoSound
from test_triples import FOLDER, ROOT, write
from tiny_training import tiny_trainee

from speechbrain_jasco.building.leakage import leak_findings
from speechbrain_jasco.building.triple_checks import (
    meaning_findings,
    text_findings,
)
from speechbrain_jasco.building.triples import Triple, read_triples
from speechbrain_jasco.dataio import read_clips
from speechbrain_jasco.lobes.frames import Frames
from speechbrain_jasco.training.curriculum import Stage
from speechbrain_jasco.training.data import ClipData
from speechbrain_jasco.training.tasks import Task
from speechbrain_jasco.training.unrecorded import UNRECORDED, unrecorded_rows

HEADER = "triple_id,sound_id,line_id,answers\n"
# Without these the tiny content leaves no pair free.
FREE = (
    "surf.look,surf,look,train,shell,They seek a shell.|Shells.|A shell.\n",
    "",
)


def tiny(folder, text="surf.look,surf,look,They dive.|A dive.\n"):
    """A folder of triples with one that is unrecorded."""
    write(folder, triples=FREE)
    path = folder / "unrecorded.csv"
    path.write_text(HEADER + text, encoding="utf-8")
    return path


def clip(name, split="hearing"):
    """A row of the manifest without a behaviour."""
    cells = dict.fromkeys(("triple_id", "line_id", "tgt_text", "answers"), "")
    return cells | {
        "id": name,
        "audio": f"{name}.wav",
        "n_frames": 16000,
        "split": split,
        "spoken_text": "Hello.",
        "sound_id": "wind",
        "sound_names": "Wind",
        "voice": "joe",
    }


def test_a_row_says_what_is_written_and_borrows_the_rest(tmp_path):
    (row,) = unrecorded_rows(tiny(tmp_path), [], [clip("a"), clip("b")])
    assert row == clip("a") | {
        "id": "unrecorded.surf.look",
        "split": UNRECORDED,
        "triple_id": "surf.look",
        "sound_id": "surf",
        "sound_names": "Waves|Surf|The sea",
        "line_id": "look",
        "spoken_text": "Look here.",
        "tgt_text": "They dive.",
        "answers": "They dive.|A dive.",
    }


@pytest.mark.parametrize(
    ("text", "recorded"),
    [
        ("a,surf,hold,They dive.\n", []),  # a triple of triples.csv
        ("a,wind,look,They dive.\n", []),  # a pair that is held out
        ("a,surf,look,They dive.\n", [{"sound_id": "surf", "line_id": "look"}]),
        ("a,surf,look,A.\nb,surf,look,B.\n", []),
        ("a,sea,look,They dive.\n", []),
        ("a,surf,listen,They dive.\n", []),
    ],
)
def test_a_pair_must_be_known_and_free(tmp_path, text, recorded):
    with pytest.raises(ValueError, match=r"unrecorded.csv.*got the sound and"):
        unrecorded_rows(tiny(tmp_path, text), recorded, [clip("a")])


def test_there_is_nothing_to_align_with():
    with pytest.raises(ValueError, match="nothing to hear"):
        Stage("a", 1, {}, align={"ctc": 1.0}, splits=["train", UNRECORDED])


@pytest.fixture
def trainee(tmp_path):
    torch.manual_seed(0)
    return tiny_trainee(tmp_path / "llm")


def prepared(trainee, rows):
    tasks = {"direct": Task(["What?"], "{answer}")}
    data = ClipData(NoSound(), tasks, {"joe": ["A man."]}, seed=1)
    data.prepare(trainee, rows)
    return data


def test_what_is_unrecorded_is_given_and_not_heard(trainee, tmp_path):
    """Its loss is the same over any audio; that of a clip is not."""
    trainee.model.readout = trainee.alignment.readout
    heard = clip("a", "train") | {
        "triple_id": "wind.hold",
        "line_id": "hold",
        "answers": "They fly a kite.",
    }
    rows = [heard, *unrecorded_rows(tiny(tmp_path), [], [clip("b")])]
    data = prepared(trainee, rows)
    data.turn_to(1, Stage("a", 1, {}, {"direct": 1}, turns=1, given=0.0))
    dataset = data.dataset(rows)
    batch = data.collate([dataset[0], dataset[1]])
    assert batch.given == [1]
    losses = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        widths = [norm.normalized_shape[0] for norm in trainee.fusion.norms]
        streams = [
            Frames(torch.randn(2, 100, w), torch.ones(2), 50.0) for w in widths
        ]
        with torch.no_grad():
            got = trainee(streams, batch.rows, batch.targets, batch.given)
        losses.append(got.answers)
    one, two = losses
    assert one[1] == two[1]
    assert one[0] != two[0]


def test_without_a_readout_nothing_can_be_given(trainee, tmp_path):
    trainee.model.readout = None
    rows = unrecorded_rows(tiny(tmp_path), [], [clip("a")])
    with pytest.raises(ValueError, match="unrecorded: null"):
        prepared(trainee, rows)


# ----------------------------------------------------------------------------
# The committed ones
# ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def everything():
    """The recorded triples and the others as if they were recorded."""
    recorded = read_triples(FOLDER)
    rows = unrecorded_rows(FOLDER / "unrecorded.csv", [], [clip("a")])
    others = [
        Triple(
            row["triple_id"],
            row["sound_id"],
            row["line_id"],
            "train",
            [row["answers"].split()[0].lower()],
            row["answers"].split("|"),
        )
        for row in rows
    ]
    return recorded._replace(triples=recorded.triples + others), others


def test_the_committed_ones_are_whole(everything):
    triples, others = everything
    assert len(others) > 1300
    assert text_findings(triples) == []  # no wording twice, held-out included
    for triple in others:
        assert triple.triple_id == f"{triple.sound_id}.{triple.line_id}"
        assert len(triple.answers) == 2
        assert all(answer.endswith(".") for answer in triple.answers)


@pytest.mark.weights
def test_none_says_what_a_held_out_one_says(everything, embedder):
    """Those that share a sound or a line are told apart, as ever."""
    assert meaning_findings(everything[0], embedder) == []


@pytest.mark.weights
def test_none_copies_a_demo_clip(everything, embedder):
    demo = ROOT / "tests" / "samples" / "demo"
    others = everything[0]._replace(triples=everything[1])
    clips = read_clips(demo / "clips.csv", demo)
    assert leak_findings(others, clips, embedder) == []


@pytest.mark.weights
@pytest.mark.official
def test_none_copies_an_official_clip(everything, embedder, official_clips):
    others = everything[0]._replace(triples=everything[1])
    assert leak_findings(others, official_clips, embedder) == []
