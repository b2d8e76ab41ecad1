"""Tests of the tables and of reading recordings.

Authors
 * The speechbrain_jasco developers, 2026
"""

import csv
import io

import numpy as np
import pandas as pd
import pytest
import soundfile as sf
import torch
from scipy.signal import resample_poly

from speechbrain_jasco.dataio import (
    CLIP_COLUMNS,
    PREDICTION_COLUMNS,
    SAMPLE_RATE_HZ,
    TEXT_COLUMNS,
    is_missing,
    read_audio,
    read_clips,
    read_predictions,
    read_table,
    write_table,
)

HEADER = b"id,text\n"


def table_error(path, data, columns=("id", "text")):
    """What ``read_table`` says about a file with this content."""
    path.write_bytes(data)
    with pytest.raises(ValueError) as caught:
        read_table(path, list(columns))
    assert str(path) in str(caught.value)
    return str(caught.value)


def texts(path, data):
    """The column text of a file with this content."""
    path.write_bytes(data)
    return read_table(path, ["id", "text"])["text"].tolist()


# ----------------------------------------------------------------------------
# read_table, write_table
# ----------------------------------------------------------------------------


def test_missing_file_names_it(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no.csv: no such file\. Give"):
        read_table(tmp_path / "no.csv", [])
    with pytest.raises(FileNotFoundError, match="no such file"):
        read_table(tmp_path, [])  # a folder


@pytest.mark.parametrize("data", [b"", b"\n\n", b"\xef\xbb\xbf", b"\r\n"])
def test_empty_file(tmp_path, data):
    message = table_error(tmp_path / "a.csv", data)
    assert "empty file; expected a header ['id', 'text']" in message


@pytest.mark.parametrize("data", [b"id,text", b"id,text\n", b"id,text\r\n\r\n"])
def test_header_only(tmp_path, data):
    assert "no rows" in table_error(tmp_path / "a.csv", data)


def test_missing_columns_are_all_named(tmp_path):
    message = table_error(
        tmp_path / "a.csv", b"id,other\n1,2\n", "id x y".split()
    )
    assert "columns ['x', 'y'] are missing; got ['id', 'other']" in message
    message = table_error(tmp_path / "a.csv", b"id;text\n1;2\n")
    assert "got ['id;text']" in message


@pytest.mark.parametrize(
    "data",
    [
        HEADER + "1,naïve\n".encode("latin-1"),
        HEADER + "1,it’s\n".encode("cp1252"),
        "id,text\n1,2\n".encode("utf-16"),
        np.random.default_rng(0).bytes(5000),
        b"\x89PNG\r\n\x1a\n" + bytes(100),
    ],
)
def test_not_utf8(tmp_path, data):
    assert "UTF-8" in table_error(tmp_path / "a.csv", data)


@pytest.mark.parametrize("seed", range(20))
def test_garbage_is_refused_whatever_it_is(tmp_path, seed):
    generator = np.random.default_rng(seed)
    data = generator.integers(0, 128, 3000).astype(np.uint8).tobytes()
    table_error(tmp_path / "a.csv", data)
    table_error(tmp_path / "a.csv", bytes(1000))


def test_quote_left_open(tmp_path):
    message = table_error(tmp_path / "a.csv", HEADER + b'1,a\n2,"b\n3,c\n')
    assert "not a CSV file" in message and "row 2" in message


def test_row_with_too_many_cells(tmp_path):
    """Wherever it stands; pandas would shift the columns for the first one."""
    path = tmp_path / "a.csv"
    assert "line 3" in table_error(path, HEADER + b"1,a\n2,b,c\n")
    for first in (b"1,a,b\n", b"1,a,\n", b"1,a,b,c\n"):
        for rest in (b"", b"2,b\n", b"2,b,\n"):
            message = table_error(path, HEADER + first + rest)
            assert "row 1: more cells than the header" in message
            assert "Quote" in message


def test_row_with_too_few_cells_is_filled_with_nothing(tmp_path):
    assert texts(tmp_path / "a.csv", HEADER + b"1\n2,b\n") == ["", "b"]


def test_text_is_not_guessed_at(tmp_path):
    cells = ["007", "1.0", "1e5", "True", "nan", "None", "NA", "", " x ", "-0"]
    rows = "".join(f"{cell},{cell}\n" for cell in cells if cell.strip())
    path = tmp_path / "a.csv"
    path.write_text("id,text\n" + rows)
    table = read_table(path, ["id"])
    assert table["id"].tolist() == [cell for cell in cells if cell.strip()]
    assert table["text"].tolist() == table["id"].tolist()


def test_byte_order_mark_and_line_ends(tmp_path):
    path = tmp_path / "a.csv"
    rows = 'id,text\n1,“é”\n2,"a,\nb"\n'
    expected = ["“é”", "a,\nb"]
    assert texts(path, rows.encode("utf-8-sig")) == expected
    assert texts(path, b"id,text\r\n1,a\r\n2,b\r\n") == ["a", "b"]
    assert texts(path, b"id,text\r1,a\r2,b\r") == ["a", "b"]
    assert texts(path, b'id,text\r\n1,"a\r\nb"\r\n') == ["a\r\nb"]


NASTY = [
    "plain",
    "",
    " blanks around ",
    "comma, semicolon; tab\t",
    'say "hello"',
    '"',
    "“curly” ‘quotes’ – ünïcödé 漢字 \U0001f600",
    "line\nbreak",
    "line\r\nbreak",
    "bare\rreturn",
    "\r",
    "\n",
    "NUL \x00 bell \x07 form feed \x0c end \x1a",
    "\u2028 \x85 \ufeff",
    "nan",
    "NA",
    "007",
    "=1+1",
    "# no comment",
    "x" * 100_000,
    "é,\n" * 30_000,
]


def test_any_text_survives_the_file(tmp_path):
    table = pd.DataFrame({"id": [str(i) for i in range(len(NASTY))]})
    table["text"] = NASTY
    path = tmp_path / "new" / "a.csv"
    write_table(path, table)
    assert read_table(path, ["id", "text"])["text"].tolist() == NASTY
    # Python's own reader as the independent ruler.
    csv.field_size_limit(10**6)
    content = path.read_bytes().decode("utf-8")
    rows = list(csv.reader(io.StringIO(content, newline="")))
    assert rows == [["id", "text"], *table.to_numpy().tolist()]
    assert [p.name for p in path.parent.iterdir()] == ["a.csv"]


def test_half_a_surrogate_pair_is_written_as_its_escape(tmp_path):
    path = tmp_path / "a.csv"
    write_table(path, pd.DataFrame({"id": ["1"], "text": ["a \ud83d b"]}))
    assert read_table(path, ["text"])["text"].tolist() == [r"a \ud83d b"]


def test_write_is_all_or_nothing(tmp_path, monkeypatch):
    path = tmp_path / "a.csv"
    write_table(path, pd.DataFrame({"id": ["old"]}))
    before = path.read_bytes()

    def full(self, target, **options):
        target.write_text('"id"\n"ne')
        raise OSError("No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_csv", full)
    with pytest.raises(OSError, match="No space"):
        write_table(path, pd.DataFrame({"id": ["new"]}))
    assert path.read_bytes() == before


# ----------------------------------------------------------------------------
# read_clips, read_predictions
# ----------------------------------------------------------------------------


def prediction(**cells):
    """A row of predictions.csv: every cell is its column's name."""
    return {**{column: column for column in PREDICTION_COLUMNS}, **cells}


def write_predictions(path, *rows):
    pd.DataFrame([prediction(**row) for row in rows]).to_csv(path, index=False)
    return path


def predictions_error(path, *rows):
    write_predictions(path, *rows)
    with pytest.raises(ValueError) as caught:
        read_predictions(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_clips(tmp_path):
    path = tmp_path / "clips.csv"
    row = {column: f"the {column}" for column in CLIP_COLUMNS}
    row |= {"id": "007", "audio": "{data_folder}/a b.wav", "n_frames": "1.0"}
    pd.DataFrame([{"licence": "CC0", **row}]).to_csv(path, index=False)
    (clip,) = read_clips(path, tmp_path / "data")
    assert clip.path == tmp_path / "data" / "a b.wav"
    assert {name: getattr(clip, name) for name in CLIP_COLUMNS} == row
    pd.DataFrame([row]).drop(columns="tgt_text").to_csv(path, index=False)
    with pytest.raises(ValueError, match=r"\['tgt_text'\] are missing"):
        read_clips(path, tmp_path)


def test_predictions_keep_rows_and_number_prompts(tmp_path):
    rows = [
        {"id": i, "prompt": p, "allm_output": i + p}
        for i in ("2", "1", "01")
        for p in ("b", "a", "c")
    ]
    table = read_predictions(write_predictions(tmp_path / "p.csv", *rows))
    assert table["allm_output"].tolist() == [
        i["id"] + i["prompt"] for i in rows
    ]
    assert table["prompt_index"].tolist() == [0, 1, 2] * 3
    assert list(table.columns) == [*PREDICTION_COLUMNS, "prompt_index"]


@pytest.mark.parametrize("column", PREDICTION_COLUMNS)
def test_predictions_without_a_column(tmp_path, column):
    path = tmp_path / "p.csv"
    row = prediction()
    del row[column]
    pd.DataFrame([row]).to_csv(path, index=False)
    with pytest.raises(ValueError, match=rf"\['{column}'\] are missing"):
        read_predictions(path)


@pytest.mark.parametrize("column", ["id", "prompt", *TEXT_COLUMNS])
@pytest.mark.parametrize("blank", ["", " \t", "\u00a0"])
def test_predictions_with_an_empty_cell(tmp_path, column, blank):
    rows = [{"prompt": "a"}, {"prompt": "b"}, {"prompt": "c"}]
    rows[1][column] = rows[2][column] = blank
    message = predictions_error(tmp_path / "p.csv", *rows)
    assert f"row 2: {column} is empty. Fill it in" in message


def test_predictions_cut_in_the_last_row(tmp_path):
    path = write_predictions(tmp_path / "p.csv", {"id": "1"}, {"id": "2"})
    data = path.read_text().rstrip()
    path.write_text(data.rpartition(",tgt_text")[0])
    with pytest.raises(ValueError, match="row 2: tgt_text is empty"):
        read_predictions(path)
    path.write_text(data.rpartition(",allm_output")[0])
    assert read_predictions(path)["allm_output"].tolist() == ["allm_output", ""]


def test_predictions_with_a_row_twice(tmp_path):
    rows = [{"id": "1"}, {"id": "2"}, {"id": "3"}]
    message = predictions_error(tmp_path / "p.csv", *rows, {"id": "2"})
    assert "row 4: id '2' with the prompt 'prompt'" in message
    assert "(1 such row(s)). Keep one" in message
    message = predictions_error(tmp_path / "p.csv", *rows, *rows)
    assert "row 4: id '1'" in message and "(3 such row(s))" in message
    # The same id with another prompt, and 1 next to 01, are fine.
    rows += [{"id": "1", "prompt": "other"}, {"id": "01"}]
    assert (
        len(read_predictions(write_predictions(tmp_path / "p.csv", *rows))) == 5
    )


def test_predictions_without_any_answer(tmp_path):
    blanks = ["", " ", "NA", "None", "nan", "NaN", "null"]
    rows = [
        {"id": str(i), "allm_output": text} for i, text in enumerate(blanks)
    ]
    message = predictions_error(tmp_path / "p.csv", *rows)
    assert "no row has an answer" in message and "failures.csv" in message
    rows.append({"allm_output": "None of them."})
    table = read_predictions(write_predictions(tmp_path / "p.csv", *rows))
    assert table["allm_output"].tolist() == [*blanks, "None of them."]


def test_missing_is_what_pandas_would_read_as_nan():
    na_values = pd._libs.parsers.STR_NA_VALUES
    assert len(na_values) > 10 and all(map(is_missing, na_values))
    assert all(map(is_missing, [" nan\n", "NONE", "\t", "n/A"]))
    answers = ["no", "0", "None of them.", "nan bread", "N", "-", "?", "."]
    assert not any(map(is_missing, answers))


def test_predictions_of_any_text(tmp_path):
    rows = [
        {"id": str(i), "allm_output": text, "spoken_text": "“It’s, naïve\n”"}
        for i, text in enumerate(NASTY)
    ]
    path = tmp_path / "p.csv"
    write_table(path, pd.DataFrame([prediction(**row) for row in rows]))
    table = read_predictions(path)
    assert table["allm_output"].tolist() == NASTY
    assert set(table["spoken_text"]) == {"“It’s, naïve\n”"}


# ----------------------------------------------------------------------------
# read_audio
# ----------------------------------------------------------------------------


def sine(frequency_hz, rate_hz, seconds=1.0):
    times = np.arange(round(seconds * rate_hz)) / rate_hz
    return (0.5 * np.sin(2 * np.pi * frequency_hz * times)).astype("float32")


def audio_error(path):
    with pytest.raises(ValueError) as caught:
        read_audio(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_missing_recording(tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"no.wav: no such recording\. "
    ):
        read_audio(tmp_path / "no.wav")
    with pytest.raises(FileNotFoundError, match="no such recording"):
        read_audio(tmp_path)  # what an empty cell leads to


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<!DOCTYPE html><title>404</title>" * 50,
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
        b"RIFF\x24\x00\x00\x00WAVEfmt ",
        np.random.default_rng(0).bytes(3000),
    ],
)
def test_not_a_recording(tmp_path, data):
    path = tmp_path / "1.wav"
    path.write_bytes(data)
    assert "not readable as audio" in audio_error(path)
    assert "anew" in audio_error(path)


def test_damaged_recordings(tmp_path):
    wav, flac = tmp_path / "1.wav", tmp_path / "1.flac"
    sf.write(wav, sine(440, 16000), 16000)
    sf.write(flac, sine(440, 16000), 16000)
    header = bytearray(wav.read_bytes())
    header[24:28] = bytes(4)  # a sample rate of 0
    wav.write_bytes(header)
    assert "not readable" in audio_error(wav)
    flac.write_bytes(flac.read_bytes()[:5000])
    assert "not readable" in audio_error(flac)


def test_recording_without_samples(tmp_path):
    path = tmp_path / "1.wav"
    for shape in [0, (0, 2)]:
        sf.write(path, np.zeros(shape, "float32"), 16000)
        assert "holds no samples" in audio_error(path)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("position", [0, 12345, -1])
def test_recording_with_a_bad_sample(tmp_path, value, position):
    path = tmp_path / "1.wav"
    wav = np.stack([sine(440, 48000), sine(440, 48000)], axis=1)
    wav[position, 1] = value
    sf.write(path, wav, 48000, subtype="FLOAT")
    assert "NaN or infinite" in audio_error(path)


def test_right_rate_is_left_alone(tmp_path):
    path = tmp_path / "1.wav"
    wav = np.random.default_rng(0).uniform(-1, 1, 1000).astype("float32")
    sf.write(path, wav, SAMPLE_RATE_HZ, subtype="FLOAT")
    got = read_audio(path)
    assert got.dtype == torch.float32 and got.shape == (1000,)
    assert np.array_equal(got.numpy(), wav)


@pytest.mark.parametrize("channels", [2, 3, 6])
def test_channels_are_averaged(tmp_path, channels):
    path = tmp_path / "1.wav"
    wav = np.random.default_rng(0).uniform(-1, 1, (999, channels))
    sf.write(path, wav, SAMPLE_RATE_HZ, subtype="FLOAT")
    expected = wav.sum(axis=1) / channels
    assert np.allclose(read_audio(path).numpy(), expected, atol=1e-6)


@pytest.mark.parametrize(
    "rate_hz", [8000, 11025, 22050, 24000, 32000, 44100, 48000, 96000]
)
def test_other_rates_keep_length_pitch_and_level(tmp_path, rate_hz):
    path = tmp_path / "1.wav"
    sf.write(path, sine(1000, rate_hz), rate_hz, subtype="FLOAT")
    got = read_audio(path).numpy()
    assert len(got) == SAMPLE_RATE_HZ  # one second
    spectrum = np.abs(np.fft.rfft(got * np.hanning(len(got))))
    assert spectrum.argmax() == 1000  # bins of 1 Hz
    inner = slice(1000, -1000)  # the filter's edges aside
    exact = sine(1000, SAMPLE_RATE_HZ)
    assert np.abs(got[inner] - exact[inner]).max() < 2e-3


@pytest.mark.parametrize("rate_hz, up, down", [(48000, 1, 3), (8000, 2, 1)])
def test_resampling_agrees_with_scipy(tmp_path, rate_hz, up, down):
    path = tmp_path / "1.wav"
    # Noise below 3 kHz, where no filter of either has begun to roll off.
    spectrum = np.fft.rfft(np.random.default_rng(0).normal(size=rate_hz))
    spectrum[3000:] = 0
    wav = np.fft.irfft(spectrum)
    wav *= 0.5 / np.abs(wav).max()
    sf.write(path, wav, rate_hz, subtype="FLOAT")
    got = read_audio(path).numpy()
    expected = resample_poly(wav, up, down, window=("kaiser", 12.0))
    inner = slice(500, -500)
    assert got.shape == expected.shape
    assert np.abs(got[inner] - expected[inner]).max() < 5e-3


def test_no_alias_of_what_16_khz_cannot_hold(tmp_path):
    path = tmp_path / "1.wav"
    sf.write(path, sine(11000, 48000), 48000)
    assert read_audio(path)[1000:-1000].abs().max() < 0.01


@pytest.mark.parametrize(
    "n_samples, expected", [(1, 1), (3, 1), (4, 2), (301, 101)]
)
def test_short_recordings(tmp_path, n_samples, expected):
    path = tmp_path / "1.wav"
    sf.write(path, np.full(n_samples, 0.1), 48000)
    assert len(read_audio(path)) == expected


@pytest.mark.parametrize(
    "name, subtype, tolerance",
    [
        ("1.flac", "PCM_16", 1e-4),
        ("1.flac", "PCM_24", 1e-6),
        ("1.wav", "PCM_U8", 1e-2),
        ("1.wav", "PCM_24", 1e-6),
        ("1.wav", "PCM_32", 1e-6),
        ("1.wav", "DOUBLE", 1e-6),
        ("1.ogg", "VORBIS", 0.1),
        ("no_suffix", "PCM_16", 1e-4),
        ("ünïcödé “1”.wav", "PCM_16", 1e-4),
    ],
)
def test_formats(tmp_path, name, subtype, tolerance):
    path = tmp_path / name
    formats = {".flac": "FLAC", ".ogg": "OGG"}
    wav = sine(440, 16000)
    kind = formats.get(path.suffix, "WAV")
    sf.write(path, wav, 16000, subtype=subtype, format=kind)
    got = read_audio(path).numpy()
    assert got.shape == wav.shape and got.dtype == np.float32
    assert np.abs(got - wav).max() < tolerance
