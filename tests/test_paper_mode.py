"""Mode paper against an independent model of the documented behaviour, and
against the authors' own script where a clone of it is at hand.

Authors
 * The speechbrain_jasco developers, 2026
"""

import ast
import contextlib
import hashlib
import io
import random

import pandas as pd
import pytest
from table_two import TABLE_II

from speechbrain_jasco.judging.paper_mode import (
    NoScoreYet,
    NoShares,
    PaperCrash,
    ReplyIsNotText,
    best_mean,
    follow,
    shares,
)
from speechbrain_jasco.judging.paper_parser import (
    find_orientation,
    find_rating,
    find_reformatted,
)
from speechbrain_jasco.metrics.paper_summary import (
    paper_scores,
    summarize_paper,
)
from speechbrain_jasco.metrics.summary import average
from speechbrain_jasco.reporting.tables import half_up

N_TABLES = 2000
# What pandas takes for NaN; compared with pandas in a test below.
NOT_TEXT = ["", "NA", "N/A", "None", "nan", "NaN", "null", "NULL", "n/a"]
EXCEPTIONS = {
    ReplyIsNotText: "TypeError",
    NoScoreYet: "UnboundLocalError",
    NoShares: "ZeroDivisionError",
}
SCRIPT_SHA256 = (
    "c762c03a44ac0babc5519919a36527e8efbce0f19786b8e77e98dc032067c2cd"
)


def straight_line(ids, replies, reformats):
    """The documented behaviour, one statement after the other.

    Returns the three numbers of each of (best-mean; shares of audio, both,
    speech), or the name of the exception.
    """
    score = "unset"
    best = []
    letters = []
    for clip in sorted(set(map(int, ids))):
        group = []
        for row in range(len(ids)):
            if int(ids[row]) != clip:
                continue
            reply = replies[row]
            if reply in NOT_TEXT:
                return "TypeError"
            if "Orientation: Neither" in reply:
                letter = "N"
            elif "Orientation: \nNeither" in reply:
                letter = "N"
            elif "Orientation: Audio-Oriented" in reply:
                letter = "A"
            elif "Orientation: \nAudio-Oriented" in reply:
                letter = "A"
            elif "Orientation: Speech-Oriented" in reply:
                letter = "S"
            elif "Orientation: \nSpeech-Oriented" in reply:
                letter = "S"
            elif "Orientation: Good" in reply:
                letter = "G"
            elif "Orientation: \nGood" in reply:
                letter = "G"
            elif "Orientation: Both" in reply:
                letter = "G"
            else:
                second = reformats[row] or ""
                letter = "?"
                if "Good" in second:
                    letter = "G"
                if "Speech-Oriented" in second:
                    letter = "S"
                if "Audio-Oriented" in second:
                    letter = "A"
                if "Neither" in second:
                    letter = "N"
            for line in reply.split("\n"):
                if "Rating: " in line:
                    score = 0
                    if "2" in line:
                        score = 2
                    if "1" in line:
                        score = 1
                    if "0" in line:
                        score = 0
            letters.append(letter)
            if letter == "G" and score == "unset":
                return "UnboundLocalError"
            group.append(score if letter == "G" else 0)
        best.append(max(group))
    n_led = sum(letter in "ASG" for letter in letters)
    if n_led == 0:
        return "ZeroDivisionError"
    return (
        sum(best) / len(best),
        *(letters.count(letter) / n_led for letter in ("A", "G", "S")),
    )


def ours(ids, replies, reformats):
    """The same of the project's code."""
    trace = follow(ids, replies, reformats)
    if trace.crash is not None:
        return EXCEPTIONS[type(trace.crash)]
    share = shares(trace.rows)
    return (
        best_mean(trace.rows),
        *(share[name] for name in ("audio", "both", "speech")),
    )


def random_reply(chance):
    """A reply as judges write them, and as they should not."""
    if chance.random() < 0.01:
        return chance.choice(NOT_TEXT)
    label = chance.choice(
        ["Rating: ", "Rating: ", "**Rating:** ", "**Rating: ", "Rating:"]
        + ["rating: ", "Score: ", "Rating: \n", "I gave Rating: ", ""]
    )
    value = chance.choice(
        ["0", "1", "2", "2", "3", "10", "12", "1/2", "2/2", "two", "1.5", "-1"]
        + ["2 (out of 10)", "2 (scale 0-2)", "", "２", "**2**", "0/1/2"]
    )
    named = chance.choice(
        ["Orientation: ", "Orientation: ", "**Orientation:** ", "Orientation:"]
        + ["Orientation: \n", "orientation: ", "**Orientation: ", ""]
    )
    word = chance.choice(
        ["Audio-Oriented", "Speech-Oriented", "Good", "Both", "Neither"] * 2
        + ["audio-oriented", "Audio", "Audio-Oriented/Speech-Oriented/Good"]
        + ["Good/Neither", "not Neither but Good", "", "**Good**"]
    )
    parts = [
        chance.choice(["Explanation1: so.\n", "", "I see 2 things, 0 wrong. "]),
        f"{label}{value}",
        chance.choice(["\n", "\n\n", " ", "\r\n", "\r"]),
        chance.choice(["Explanation2: both fit.\n", "", "Rating: 1 was far\n"]),
        f"{named}{word}",
    ]
    if chance.random() < 0.1:
        parts.append("\n" + random_reply(chance))
    if chance.random() < 0.1:
        chance.shuffle(parts)
    return "".join(parts)


def random_table(seed):
    """Ids, replies and reformatted replies; ids in any order."""
    chance = random.Random(seed)
    n_clips = chance.randint(1, 4)
    numbers = chance.sample([1, 2, 3, 9, 10, 11, 80, 100], n_clips)
    ids = [str(n) for n in numbers for _ in range(chance.randint(1, 5))]
    if chance.random() < 0.5:
        chance.shuffle(ids)
    replies = [random_reply(chance) for _ in ids]
    # A usual judge begins well: most tables should not crash at once.
    first = min(range(len(ids)), key=lambda row: int(ids[row]))
    if chance.random() < 0.8:
        replies[first] = "Rating: 1\nOrientation: Good"
    if chance.random() < 0.05:
        replies = ["Rating: 2\nOrientation: Neither" for _ in ids]
    words = ["Good", "Both", "Neither", "Audio-Oriented", "Speech-Oriented."]
    words += ["Audio-Oriented/Speech-Oriented/Good/Neither", "unclear", None]
    reformats = [chance.choice(words) for _ in ids]
    return ids, replies, reformats


def close(one, two):
    """Equal, up to the last binary digits of the shares."""
    if isinstance(one, str) or isinstance(two, str):
        return one == two
    return one == pytest.approx(two, abs=1e-12)


def test_equals_the_straight_line_model_on_random_tables():
    outcomes = []
    for seed in range(N_TABLES):
        table = random_table(seed)
        expected = straight_line(*table)
        assert close(ours(*table), expected), (seed, table, expected)
        outcomes.append(expected if isinstance(expected, str) else "scores")
    seen = {name: outcomes.count(name) for name in set(outcomes)}
    # The tables reach everything that can happen, and mostly scores.
    assert set(seen) == {"scores", *EXCEPTIONS.values()}
    assert min(seen.values()) >= 20
    assert seen["scores"] > N_TABLES / 2


@pytest.fixture(scope="session")
def authors_stats(official_folder):
    """The authors' own function: (ids, replies, reformats) -> four numbers or
    the name of the exception."""
    path = official_folder / "evaluation" / "eval.py"
    if not path.is_file():
        pytest.skip(f"no {path}: JASCO_OFFICIAL is not a whole clone")
    data = path.read_bytes()
    assert hashlib.sha256(data).hexdigest() == SCRIPT_SHA256
    (function,) = [
        node
        for node in ast.parse(data).body
        if getattr(node, "name", "") == "stats"
    ]
    code = compile(ast.Module([function], []), str(path), "exec")

    class Tokenizer:
        def apply_chat_template(self, messages, **options):
            return messages[1]["content"]

    class Output:
        def __init__(self, text):
            self.outputs = [self]
            self.text = text

    class Model:
        def generate(self, prompt, sampling):
            # The tag tells which row is asked about.
            row = int(prompt.rpartition("<row ")[2].rstrip(">"))
            return [Output(self.reformats[row] or "")]

    def run(ids, replies, reformats):
        # Row numbers go where no rule of the script looks.
        tagged = [
            reply if reply in NOT_TEXT else f"{reply}\n<row {row}>"
            for row, reply in enumerate(replies)
        ]
        written = pd.DataFrame({"id": ids, "llama3_extract": tagged})
        file = io.StringIO(written.to_csv(index=False))
        space = {
            "pd": pd,
            "tokenizer": Tokenizer(),
            "SamplingParams": dict,
        }
        exec(code, space)
        model = Model()
        model.reformats = reformats
        printed = io.StringIO()
        try:
            with contextlib.redirect_stdout(printed):
                space["stats"](file, model, "{explanation}")
        except (TypeError, UnboundLocalError, ZeroDivisionError) as error:
            return type(error).__name__
        lines = printed.getvalue().splitlines()
        return tuple(float(line.split(" : ")[1]) for line in lines)

    return run


@pytest.mark.official
def test_equals_the_untouched_script_on_random_tables(authors_stats):
    for seed in range(400):
        ids, replies, reformats = random_table(seed)
        # A lone carriage return ends a row of the CSV that the script writes.
        replies = [reply.replace("\r", " ") for reply in replies]
        expected = authors_stats(ids, replies, reformats)
        # To the last digit.
        assert ours(ids, replies, reformats) == expected, (seed, expected)


@pytest.mark.parametrize(
    "reply, rating",
    [
        ("Rating: 10", 0),
        ("Rating: 2 (out of 10)", 0),
        ("Rating: 2 (scale 0-2)", 0),
        ("Rating: 12", 1),
        ("Rating: 1/2", 1),
        ("Rating: 2/2", 2),
        ("Rating: 3", 0),
        ("Rating: two", 0),
        ("Rating: \n2", 0),
        ("Rating:2", None),
        ("**Rating:** 2", None),
        ("**Rating: 2**", 2),
        ("Rating: 2\nExplanation2: had it been Rating: 0", 0),
    ],
)
def test_ratings_of_the_documented_table(reply, rating):
    assert find_rating(reply) == rating


@pytest.mark.parametrize(
    "reply, letter",
    [
        ("Orientation: Good", "G"),
        ("Orientation: \nGood", "G"),
        ("Orientation: Both", "G"),
        ("Orientation: \nBoth", None),
        ("Orientation: good", None),
        ("**Orientation:** Good", None),
        ("Orientation: Audio-Oriented/Speech-Oriented/Good/Neither", "A"),
        ("Orientation: Audio-Oriented\nOrientation: Good", "A"),
        ("Orientation: Good\nOrientation: Neither", "N"),
    ],
)
def test_orientations_of_the_documented_table(reply, letter):
    assert find_orientation(reply) == letter


def test_a_reformatted_menu_is_neither_and_both_is_unknown():
    menu = "Audio-Oriented/Speech-Oriented/Good/Neither."
    words = [menu, "Both", "Good", "", None]
    assert [find_reformatted(word) for word in words] == list("N?G??")


def test_a_score_leaks_across_clips_in_numeric_order():
    # As verified on the script: the second row of another clip gets 2.
    ids = ["10", "9"]
    replies = [
        "**Rating:** 0\n**Orientation:** Good",
        "Rating: 2\nOrientation: Good",
    ]
    trace = follow(ids, replies, ["Good", None])
    assert [row.counted for row in trace.rows] == [2, 2]
    assert best_mean(trace.rows) == 2.0


def test_pandas_decides_what_is_text():
    for text in NOT_TEXT:
        replies = ["Rating: 1\nOrientation: Good", text]
        crash = follow(["1", "1"], replies, [None, None]).crash
        assert isinstance(crash, ReplyIsNotText), text
    # A column of nothing but numbers is not text either.
    crash = follow(["1", "2"], ["2", "1"], ["Good", "Good"]).crash
    assert isinstance(crash, ReplyIsNotText)
    assert "row 1 (id 1) is '2'" in str(crash)


def test_a_missing_score_crashes_only_where_it_would_count():
    silent = "Orientation: Audio-Oriented"
    good = "Rating: 2\nOrientation: Good"
    trace = follow(["1", "1"], [silent, good], [None, None])
    assert trace.crash is None and best_mean(trace.rows) == 2
    trace = follow(["1", "2"], [silent, "Orientation: Good"], [None, None])
    assert isinstance(trace.crash, NoScoreYet) and trace.stopped_at == 1


def judged(ids, replies):
    """A table as the panel returns it."""
    return pd.DataFrame(
        {
            "id": ids,
            "prompt_index": range(len(ids)),
            "status": "ok",
            "reply": replies,
            "reformat": None,
        }
    )


def test_crashes_name_system_judge_and_exception():
    tables = {
        "TypeError": judged(["1", "1"], ["Rating: 1\nOrientation: Good", ""]),
        "UnboundLocalError": judged(["1"], ["Orientation: Good"]),
        "ZeroDivisionError": judged(["1"], ["Rating: 1"]),
    }
    for name, table in tables.items():
        with pytest.raises(PaperCrash, match=f"A, judge j: .*{name}"):
            paper_scores({("A", "j"): table})


def test_a_lost_reply_is_not_scored():
    table = judged(["1"], ["Rating: 1\nOrientation: Good"])
    with pytest.raises(RuntimeError, match="1 of 1 replies.*Run again"):
        summarize_paper(table.assign(status="transport_error"))


@pytest.mark.parametrize("system", TABLE_II)
def test_table_two_comes_out_of_replies(system):
    totals, printed, mean = TABLE_II[system]
    verdicts = {}
    for judge, total in zip("LQM", totals, strict=True):
        # The best of each clip: twos, perhaps a one, then zeros.
        best = [min(2, max(0, total - 2 * clip)) for clip in range(80)]
        assert sum(best) == total
        rows = [
            (str(clip + 1), f"Rating: {score}\nOrientation: Good")
            for clip in range(80)
            for score in (0, best[clip], min(1, best[clip]))
        ]
        verdicts[system, judge] = judged(*zip(*rows, strict=True))
    result = paper_scores(verdicts)[system]
    entries = result["judges"].values()
    assert [half_up(entry["best_mean"]) for entry in entries] == printed
    assert half_up(result["average"]["best_mean"]) == mean


def test_every_total_of_the_lattice_prints_as_its_exact_half_up():
    for total in range(161):
        # In integers: hundredths, halves up.
        hundredths = (200 * total + 80) // 160
        expected = f"{hundredths // 100}.{hundredths % 100:02d}"
        assert half_up(total / 80) == expected
    for total in range(0, 481):
        thirds = [total // 3, (total + 1) // 3, (total + 2) // 3]
        empty = dict.fromkeys(("audio", "both", "speech"), 0.0)
        judges = {
            i: {"best_mean": t / 80, "mean": 0.0, "dependence": empty}
            for i, t in enumerate(thirds)
        }
        hundredths = (200 * total + 240) // 480
        expected = f"{hundredths // 100}.{hundredths % 100:02d}"
        assert half_up(average(judges)["best_mean"]) == expected, total
