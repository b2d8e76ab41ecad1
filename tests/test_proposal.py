"""Tests of proposed triples; the language model is scripted.

Authors
 * The speechbrain_jasco developers, 2026
"""

import json
from pathlib import Path

import pandas as pd
import pytest
import yaml
from test_reasoning_checks import Scripted, statuses, verdict
from test_reasoning_checks import run as run_checks
from test_triples import Words, write

from speechbrain_jasco.building.proposal import propose_triples
from speechbrain_jasco.dataio import CLIP_COLUMNS
from speechbrain_jasco.integrations.reply import Reply

ROOT = Path(__file__).resolve().parents[1]
PROMPT = yaml.safe_load(
    (ROOT / "hparams/prompts/propose_triples.yaml").read_text("utf-8")
)
GOOD = {
    "line": "Is that one mine?",
    "speech_only": "Somebody asks about a coat.",
    "behaviour": "They are sailing toy boats.",
    "keywords": ["toy boats"],
}


class Proposer:
    """Replies with one text to every request."""

    def __init__(self, *replies):
        self.replies, self.chats = replies, []

    def complete(self, chats, on_reply):
        for i, messages in enumerate(chats):
            self.chats.append(messages)
            reply = self.replies[i % len(self.replies)]
            on_reply(i, reply if isinstance(reply, Reply) else Reply(reply))

    def check(self):
        """Nothing to check."""

    def config(self):
        return {"generator": "proposer"}


def propose(tmp_path, *replies, **options):
    """Propose for the tiny content; returns kept and refused rows."""
    (tmp_path / "triples").mkdir(exist_ok=True)
    model = Proposer(*replies)
    text = propose_triples(
        tmp_path / "out",
        model,
        PROMPT,
        write(tmp_path / "triples"),
        Words(),
        {"sounds": ["surf"], "examples": 1, **options},
    )
    kept, refused = (
        pd.read_csv(tmp_path / "out" / name, keep_default_na=False)
        for name in ("proposals.csv", "refused.csv")
    )
    return text, kept, refused, model


def as_json(**changes):
    return json.dumps({**GOOD, **changes})


def test_keeps_what_is_new_and_good(tmp_path):
    reply = f"Here you are:\n```json\n[{as_json()}]\n```"
    text, kept, refused, model = propose(tmp_path, reply)
    assert kept.to_dict("records") == [
        {
            **GOOD,
            "proposal_id": "proposal1",
            "sound_id": "surf",
            "keywords": "toy boats",
        }
    ]
    assert refused.empty
    assert "| kept      | 1      |" in text
    # The model sees the rules, the sound, what is taken, and an example.
    system, user = (message["content"] for message in model.chats[0])
    assert system == PROMPT["system"]
    assert "Sound: Waves\n" in user
    assert "- They are surfing on a board.\n- They seek a shell." in user
    assert '"behaviour": "They fly a kite."' in user  # wind.look is held out


@pytest.mark.parametrize(
    "reply, check",
    [
        ("I cannot do that.", "fields"),
        (Reply("", "transport_error", "the server hung up"), "fields"),
        (as_json(line=""), "fields"),
        (as_json(line=["Up!"]), "fields"),
        (as_json(behaviour=None), "fields"),
        (as_json(behaviour="They sail.|They row."), "fields"),
        (as_json(keywords=[]), "fields"),
        (as_json(keywords=[3]), "fields"),
        (json.dumps({"line": "Look at it."}), "fields"),
        (as_json(line="Up!"), "line"),
        (as_json(line="one two three four five six seven eight nine ten"),
         "line"),
        (as_json(keywords="toy boats,rowing"), "keywords"),
        (as_json(keywords="they,are,toy,boats"), "keywords"),
        (as_json(line="look HERE") + "!", "line"),
        (as_json(behaviour="They are kite-surfing on a board.",
                 keywords="board"), "duplicate"),
        # cos(the sea, see the sea) = 2 / sqrt(6) = 0.82
        (as_json(line="See the sea."), "related"),
        (as_json(speech_only="They are sailing toy boats!"), "one modality"),
    ],
)  # fmt: skip
def test_refuses_with_a_reason(tmp_path, reply, check):
    _, kept, refused, _ = propose(tmp_path, reply)
    assert kept.empty
    assert refused["check"].tolist() == [check]
    assert refused["reason"][0]
    if isinstance(reply, Reply):
        assert "the server hung up" in refused["reply"][0]


def test_a_proposal_made_twice_is_kept_once(tmp_path):
    other = as_json(line="Which of them is mine?")
    again = as_json(behaviour="Somebody counts.", keywords="counts")
    reply = json.dumps(
        {"triples": [json.loads(t) for t in (as_json(), other, again)]}
    )
    _, kept, refused, _ = propose(tmp_path, reply)
    assert len(kept) == 1
    # Another line for the same behaviour; the same line for another one.
    assert refused["check"].tolist() == ["duplicate", "duplicate"]


def test_refuses_what_is_taken_from_a_test_set(tmp_path):
    clip = dict.fromkeys(CLIP_COLUMNS, "x") | {
        "id": "c7",
        "audio_sound": "waves",
        "tgt_text": "Someone is sailing toy boats.",
    }
    # As in the authors' file, a clip has a row per instruction.
    pd.DataFrame([clip, clip]).to_csv(tmp_path / "clips.csv", index=False)
    _, kept, refused, _ = propose(
        tmp_path, as_json(), test_set=str(tmp_path / "clips.csv")
    )
    assert kept.empty
    # Mean of cos(waves) = 1 and cos(sailing toy boats ...) = 3 / 5.
    assert refused["check"].tolist() == ["leak"]
    assert refused["reason"][0] == "0.80 close to clip c7"


def test_each_turn_and_sound_is_asked_once_and_never_again(tmp_path):
    options = {"sounds": None, "turns": 3, "examples": 1}
    _, _, _, model = propose(tmp_path, as_json(), **options)
    users = [chat[1]["content"] for chat in model.chats]
    assert len(users) == len(set(users))
    # Two sounds; each has at most two examples of the other one to show.
    assert 2 <= len(users) <= 4
    assert propose(tmp_path, as_json(), **options)[3].chats == []
    with pytest.raises(ValueError, match=r"sounds: \['moon'\] are not in"):
        propose(tmp_path, as_json(), sounds=["moon"])


def test_proposals_can_be_checked(tmp_path):
    propose(tmp_path, as_json())
    model = Scripted(verdict("yes"), "They row.", verdict("different"))
    path = str(tmp_path / "out" / "proposals.csv")
    _, status = run_checks(
        tmp_path / "checked", tmp_path / "triples", model, proposals=path
    )
    assert statuses(status, "proposal1") == ["pass", "fail", "pass"]
    assert any("They are sailing toy boats." in text for text in model.asked)
