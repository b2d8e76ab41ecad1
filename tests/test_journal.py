"""Tests of the append-only journal.

Authors
 * The speechbrain_jasco developers, 2026
"""

import json
import os
import signal
import subprocess
import sys

import pytest

from speechbrain_jasco.journal import Journal, content_key

ROWS = [
    {"key": "a", "text": "plain"},
    {"key": "b", "text": "two\nlines\r\nand \u2028 \x85 \x0c \x1c more"},
    {"key": "c", "text": "“curly” ünïcödé \U0001f600"},
    {"key": "d", "text": "half a pair \ud83d, NUL \x00"},
    {"key": "e", "text": "", "answers": [{"text": None}]},
]

# Appends rows of 2 kB for ever.
WRITER = """
import sys
from speechbrain_jasco.journal import Journal
with Journal(sys.argv[1]) as journal:
    print("ready", flush=True)
    for i in range(10**9):
        journal.append({"key": str(i), "text": str(i % 10) * 2000})
"""


def write(path, rows):
    with Journal(path) as journal:
        for row in rows:
            journal.append(row)
    return path.read_bytes()


def read(path):
    with Journal(path) as journal:
        return journal.rows


def test_rows_survive_whatever_they_hold(tmp_path):
    path = tmp_path / "new" / "folder" / "rows.jsonl"
    rows = [*ROWS, {"key": "big", "text": "\u00e9" * 100_000}]
    data = write(path, rows)
    assert read(path) == {row["key"]: row for row in rows}
    assert data.isascii() and data.count(b"\n") == len(rows)
    assert [json.loads(line) for line in data.split(b"\n")[:-1]] == rows
    assert path.read_bytes() == data  # reading changes nothing


def test_cut_at_every_byte(tmp_path):
    data = write(tmp_path / "whole.jsonl", ROWS)
    path = tmp_path / "cut.jsonl"
    for size in range(len(data) + 1):
        path.write_bytes(data[:size])
        n_whole = data[:size].count(b"\n")
        with Journal(path) as journal:
            assert list(journal.rows.values()) == ROWS[:n_whole], size
            journal.append({"key": "new"})
        # Nothing of the torn row is left for the new one to hang on to.
        expected = b"".join(data.splitlines(keepends=True)[:n_whole])
        assert path.read_bytes() == expected + b'{"key": "new"}\n', size


def test_refilling_a_cut_journal_gives_the_same_bytes(tmp_path):
    data = write(tmp_path / "whole.jsonl", ROWS)
    path = tmp_path / "cut.jsonl"
    for size in range(0, len(data), 7):
        path.write_bytes(data[:size])
        with Journal(path) as journal:
            for row in ROWS:
                if row["key"] not in journal.rows:
                    journal.append(row)
        assert path.read_bytes() == data


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"not json",
        b'{"key": "a"',
        b'{"no_key": 1}',
        b'["key"]',
        b'"key"',
        b"7",
        b"null",
        b'{"key": ["unhashable"]}',
        b"\xff\xfe\x00",
        b"\x00\x00\x00\x00",
        b'{"key": "\xe9"}',
    ],
)
@pytest.mark.parametrize("position", [0, 1, 2])
def test_corrupt_line_is_named(tmp_path, line, position):
    path = tmp_path / "rows.jsonl"
    lines = write(path, ROWS[:2]).splitlines()
    lines.insert(position, line)
    data = b"\n".join(lines) + b"\n"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=f"line {position + 1}:.*Remove"):
        Journal(path)
    assert path.read_bytes() == data  # a refusal destroys nothing


def test_last_row_of_a_key_counts(tmp_path):
    path = tmp_path / "rows.jsonl"
    with Journal(path) as journal:
        journal.append({"key": "k", "n": 1})
        journal.append({"key": "other"})
        journal.append({"key": "k", "n": 2})
        assert journal.rows["k"]["n"] == 2
    assert read(path)["k"] == {"key": "k", "n": 2}
    assert path.read_bytes().count(b"\n") == 3


def test_a_row_is_in_the_file_when_append_returns(tmp_path):
    path = tmp_path / "rows.jsonl"
    with Journal(path) as journal:
        for n, row in enumerate(ROWS, start=1):
            journal.append(row)
            assert path.read_bytes().count(b"\n") == n


def test_killed_writer_leaves_whole_rows(tmp_path):
    path = tmp_path / "rows.jsonl"
    seen = 0
    for _ in range(3):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE
        )
        assert process.stdout.readline() == b"ready\n"
        while path.stat().st_size < 50_000 * (seen + 1):
            assert process.poll() is None
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
        seen += 1
        rows = read(path)
        assert list(rows) == [str(i) for i in range(len(rows))]
        assert all(row["text"] == key[-1] * 2000 for key, row in rows.items())
        assert path.read_bytes().endswith(b"\n")


def test_key_depends_on_content_and_not_on_order():
    assert content_key({"a": 1, "b": [2, {"c": 3, "d": 4}]}) == content_key(
        {"b": [2, {"d": 4, "c": 3}], "a": 1}
    )
    assert content_key("\ud83d") != content_key("\ud83e")
    different = [
        ("a", "bc"),
        ("ab", "c"),
        ("abc",),
        (["abc"],),
        (["a", "bc"],),
        ("a", None),
        ("a", "None"),
        ("a", ""),
        ("a",),
        (1,),
        ("1",),
        (1.5,),
        (True,),
    ]
    assert len({content_key(*parts) for parts in different}) == len(different)


def test_a_second_run_on_the_same_file_is_refused(tmp_path):
    with Journal(tmp_path / "rows.jsonl") as journal:
        with pytest.raises(RuntimeError, match="another run"):
            Journal(tmp_path / "rows.jsonl")
        journal.append({"key": "k"})  # the first goes on
    with Journal(tmp_path / "rows.jsonl") as journal:
        assert list(journal.rows) == ["k"]
