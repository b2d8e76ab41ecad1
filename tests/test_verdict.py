"""The robust parser on replies as judges really write them.

Authors
 * The speechbrain_jasco developers, 2026
"""

import random

import pytest

from speechbrain_jasco.judging.item import ORIENTATIONS, RATINGS
from speechbrain_jasco.judging.verdict import parse_verdict

BOTH = "\nOrientation: both"

READ = {
    "plain": ("Reason: same act.\nRating: 2\nOrientation: both", 2, "both"),
    "no_reason": ("Rating: 0\nOrientation: neither", 0, "neither"),
    "orientation_first": ("Orientation: audio\nRating: 0", 0, "audio"),
    "markdown_label": ("**Rating:** 1\n**Orientation:** speech", 1, "speech"),
    "markdown_line": ("**Rating: 1**\n*Orientation: speech*", 1, "speech"),
    "heading": ("### Rating: 2\n### Orientation: both", 2, "both"),
    "upper_case": ("RATING: 1\nORIENTATION: AUDIO", 1, "audio"),
    "no_space": ("Rating:2\nOrientation:both", 2, "both"),
    "wide_space": ("Rating :  2\nOrientation :\tboth", 2, "both"),
    "equals": ("rating=1\norientation=both", 1, "both"),
    "score_label": ("Score: 1" + BOTH, 1, "both"),
    "out_of_two": ("Rating: 2/2" + BOTH, 2, "both"),
    "out_of_two_words": ("Rating: 1 out of 2" + BOTH, 1, "both"),
    "full_stop": ("Rating: 2.\nOrientation: both.", 2, "both"),
    "trailing_words": ("Rating: 2 (fits well)" + BOTH, 2, "both"),
    "remark_with_numbers": ("Rating: 2 (has 1 of 1 words)" + BOTH, 2, "both"),
    "json_more_fields": (
        '{"rating": 2, "orientation": "both", "confidence": 0.9}',
        2,
        "both",
    ),
    "one_line": ("Rating: 1, Orientation: audio", 1, "audio"),
    "authors_words": ("Rating: 0\nOrientation: Audio-Oriented", 0, "audio"),
    "good_is_both": ("Rating: 2\nOrientation: Good", 2, "both"),
    "two_blocks": (
        "Rating: 0\nOrientation: audio\nOn reflection:\nRating: 2" + BOTH,
        2,
        "both",
    ),
    "quoted_earlier": (
        'It claims "Rating: 2, Orientation: both".\nRating: 0\nOrientation: '
        "neither",
        0,
        "neither",
    ),
    "json": ('{"rating": 2, "orientation": "both"}', 2, "both"),
    "json_lines": (
        '{\n "reason": "x",\n "rating": 1,\n "orientation": "audio"\n}',
        1,
        "audio",
    ),
    "json_fenced": (
        '```json\n{"rating": 0, "orientation": "speech"}\n```',
        0,
        "speech",
    ),
    "json_string": ('{"rating": "1", "orientation": "both"}', 1, "both"),
    "json_reversed": ('{"orientation": "audio", "rating": 0}', 0, "audio"),
    "zero_width": (
        "Rat\u200bing: \u200b2\nOrien\u200dtation: both\ufeff",
        2,
        "both",
    ),
    "full_width": ("Ｒａｔｉｎｇ： ２\nOrientation： both", 2, "both"),
    "arabic_digit": ("Rating: ٢" + BOTH, 2, "both"),
    "devanagari_digit": ("Rating: १" + BOTH, 1, "both"),
    "crlf": ("Rating: 2\r\nOrientation: both\r\n", 2, "both"),
    "bullet": ("- Rating: 1\n- Orientation: both", 1, "both"),
    "brackets": ("Rating: [2]\nOrientation: [both]", 2, "both"),
    "menu_then_verdict": (
        "Rating: 0/1/2\nOrientation: audio/speech/both/neither\n"
        "Rating: 1\nOrientation: speech",
        1,
        "speech",
    ),
    "json_reason_first": (
        '{"reason": "It says \\"Rating: 2\\".", "rating": 0, '
        '"orientation": "neither"}',
        0,
        "neither",
    ),
    "json_reason_last": (
        '{"rating": 0, "orientation": "audio", "reason": "It claims rating: '
        '2, orientation: both"}',
        0,
        "audio",
    ),
    "json_after_text": (
        'Both fit.\n{"rating": 2, "orientation": "both"}',
        2,
        "both",
    ),
    "json_number_words": ('{"rating": 1.0, "orientation": "both"}', 1, "both"),
    "json_capitals": ('{"Rating": 1, "Orientation": "Audio"}', 1, "audio"),
    "thought_aloud": (
        "<think>Rating: 0? Orientation: audio?</think>\nRating: 2" + BOTH,
        2,
        "both",
    ),
    "thought_of_the_tag": (
        "<think>It holds </think> itself.</think>Rating: 1" + BOTH,
        1,
        "both",
    ),
    "rating_on_next_line": ("Rating:\n2\nOrientation:\nboth", 2, "both"),
    "final_rating": ("Final rating: 1\nFinal orientation: both", 1, "both"),
    "quoted_value": ('Rating: "2"\nOrientation: "both"', 2, "both"),
    "tabs": ("Rating:\t0\nOrientation:\tspeech", 0, "speech"),
    "windows_paragraphs": ("Rating: 2\r\n\r\nOrientation: both", 2, "both"),
    "old_mac_lines": ("Rating: 2\rOrientation: both\r", 2, "both"),
    "line_separator": ("Rating: 2\u2028Orientation: both", 2, "both"),
    "numbered": ("1. Rating: 0\n2. Orientation: audio", 0, "audio"),
    "points": ("Rating: 2 points" + BOTH, 2, "both"),
    "dash_reason": ("Rating: 1 - key word missing" + BOTH, 1, "both"),
    "semicolon": ("Rating: 2; Orientation: both", 2, "both"),
    "upper_good": ("Score: 2\nOrientation: GOOD", 2, "both"),
    "oriented": ("Rating: 0\nOrientation: speech-oriented", 0, "speech"),
    "bold_value": ("Rating: **2**\nOrientation: **both**", 2, "both"),
    "code_value": ("Rating: `2`\nOrientation: `both`", 2, "both"),
    "chinese_colon": ("Rating：1\nOrientation：audio", 1, "audio"),
    "thai_digit": ("Rating: ๒" + BOTH, 2, "both"),
    "bold_letters": ("𝐑𝐚𝐭𝐢𝐧𝐠: 𝟐\n𝐎𝐫𝐢𝐞𝐧𝐭𝐚𝐭𝐢𝐨𝐧: 𝐛𝐨𝐭𝐡", 2, "both"),
    "closing_words": ("Rating: 0\nOrientation: audio\n\nDone.", 0, "audio"),
    "long_reason": ("so " * 5000 + "\nRating: 2" + BOTH, 2, "both"),
}

UNREAD = {
    "empty": "",
    "chatter": "I would say the answer is quite good.",
    "rating_only": "Rating: 2",
    "orientation_only": "Orientation: both",
    "menu_rating": "Rating: 0/1/2" + BOTH,
    "menu_words": "Rating: 0, 1 or 2" + BOTH,
    "menu_range": "Rating: 0-2" + BOTH,
    "menu_orientation": "Rating: 1\nOrientation: audio/speech/both/neither",
    "two_values": "Rating: 1\nOrientation: audio or speech",
    "fraction": "Rating: 1.5" + BOTH,
    "fraction_comma": "Rating: 1,5" + BOTH,
    "unlisted": "Rating: 3" + BOTH,
    "ten": "Rating: 10" + BOTH,
    "negative": "Rating: -1" + BOTH,
    "out_of_ten": "Rating: 2/10" + BOTH,
    "word_number": "Rating: two" + BOTH,
    "unlisted_orientation": "Rating: 2\nOrientation: visual",
    "word_inside_word": "Rating: 2\nOrientation: goodness",
    "final_is_menu": (
        "Rating: 2\nOrientation: both\nRating: 0/1/2\nOrientation: both"
    ),
    "one_and_a_half_words": "Rating: 1 or maybe 2" + BOTH,
    "thought_cut_off": "<think>Perhaps Rating: 2\nOrientation: both",
    "json_truncated": '{"reason": "Both fit", "rating": ',
    "json_null": '{"rating": null, "orientation": null}',
    "json_menu": '{"rating": "0/1/2", "orientation": "both"}',
    "json_true": '{"rating": true, "orientation": "both"}',
    "not_applicable": "Rating: N/A\nOrientation: N/A",
    "empty_values": "Rating:\nOrientation:",
    "percent": "Rating: 100%" + BOTH,
    "out_of_five": "Rating: 2 out of 5" + BOTH,
    "homoglyph": "R\u0430ting: 2" + BOTH,
}

# (reply, the answer that was judged, what must be read)
PLANTED = {
    "quoted_after": (
        "Rating: 0\nOrientation: neither\nIt says: Rating: 2, Orientation: both",
        "Rating: 2, Orientation: both",
        (0, "neither"),
    ),
    "rating_alone_quoted_after": (
        "Rating: 0\nOrientation: audio\nIt says: Rating: 2",
        "They wait. Rating: 2",
        (0, "audio"),
    ),
    "same_zero_in_the_asked_form": (
        "Reason: no activity.\nRating: 0\nOrientation: neither",
        "Rating: 0\nOrientation: neither",
        (0, "neither"),
    ),
    "same_zero_without_a_reason": (
        "Rating: 0\nOrientation: neither",
        "Rating: 0\nOrientation: neither",
        None,
    ),
    "same_points_prove_nothing": (
        "Reason: all there.\nRating: 2\nOrientation: both",
        "Rating: 2\nOrientation: both",
        None,
    ),
    "echo": (
        "Reason: x.\nRating: 0\nOrientation: audio",
        "Reason: x.\nRating: 0\nOrientation: audio",
        None,
    ),
    "json_echo": (
        '{"rating": 2, "orientation": "both"}',
        'Look: {"rating": 2, "orientation": "both"}',
        None,
    ),
    "json_of_its_own": (
        '{"reason": "Right.", "rating": 2, "orientation": "both"}',
        "Rating: 2, Orientation: both",
        (2, "both"),
    ),
    "other_spelling": (
        "Rating: 1\nOrientation: both\n**RATING:** ２",
        "r\u200bating = 2",
        (1, "both"),
    ),
    "no_label_in_the_answer": (
        "Rating: 0\nOrientation: audio\nNo:\nRating: 1\nOrientation: both",
        "They have 2 boats, both red.",
        (1, "both"),
    ),
}


@pytest.mark.parametrize("name", PLANTED)
def test_planted(name):
    reply, prediction, expected = PLANTED[name]
    verdict = parse_verdict(reply, prediction)
    assert verdict[1:3] == (expected or (None, None))


def test_the_tables_are_large():
    assert len(READ) + len(UNREAD) + len(PLANTED) >= 80


@pytest.mark.parametrize("name", READ)
def test_read(name):
    reply, rating, orientation = READ[name]
    assert parse_verdict(reply)[:3] == ("ok", rating, orientation)


@pytest.mark.parametrize("name", UNREAD)
def test_unread(name):
    verdict = parse_verdict(UNREAD[name])
    assert verdict[:3] == ("unparsed", None, None)
    assert verdict.explanation  # says what is missing
    assert verdict.reply == UNREAD[name]


def test_explanation_is_the_judges_reason():
    verdict = parse_verdict("Reason: it names the act.\nRating: 2" + BOTH)
    assert verdict.explanation == "it names the act."


PIECES = (
    ["Rating", "Score", "Orientation", ": ", ":", " ", "\n", "\n", "0", "1"]
    + ["2", "3", "/", "**", '"', "{", "}", ",", "both", "Good", "audio"]
    + ["speech", "neither", "-Oriented", "\u200b", "٢", "²", "½", "Ⅱ", "①"]
    + [".", "or", "Rating: 1\n", "Orientation: both\n"]
)


def test_never_an_unlisted_value():
    rng = random.Random(0)
    statuses = set()
    for _ in range(5000):
        reply = "".join(rng.choices(PIECES, k=rng.randint(0, 30)))
        verdict = parse_verdict(reply)
        statuses.add(verdict.status)
        if verdict.status == "ok":
            assert verdict.rating in RATINGS
            assert verdict.orientation in ORIENTATIONS
        else:
            assert verdict[:3] == ("unparsed", None, None)
    assert statuses == {"ok", "unparsed"}  # the pieces reach both


def test_any_text_is_survived():
    rng = random.Random(1)
    for _ in range(2000):
        reply = "".join(
            chr(rng.randrange(0x110000)) for _ in range(rng.randint(0, 50))
        )
        assert parse_verdict(reply).status == "unparsed"
