"""A CPU that emulates a precision is told so; others are left alone.

Authors
 * The speechbrain_jasco developers, 2026
"""

import logging

import pytest
import torch

from speechbrain_jasco import precision


@pytest.fixture
def times(monkeypatch):
    """dtype -> seconds of a matrix product; what is missing is not asked."""
    known = {}
    monkeypatch.setattr(precision, "product_seconds", known.__getitem__)
    return known


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_an_emulated_type_is_told(times, caplog, dtype):
    """The warning has the type, the factor and what to do."""
    times |= {dtype: 0.6, torch.float32: 0.1}
    with caplog.at_level(logging.WARNING):
        slower = precision.warn_of_emulation(dtype, "cpu", "Do this.")
    assert slower == pytest.approx(6)
    (record,) = caplog.records
    message = record.getMessage()
    assert f"emulates {str(dtype).split('.')[1]}:" in message
    assert "6.0 times" in message
    assert message.endswith("Do this.")


@pytest.mark.parametrize("seconds", [0.05, 0.1, 0.149])
def test_a_type_that_pays_is_not(times, caplog, seconds):
    """As fast, faster, and slower by less than it matters."""
    times |= {torch.bfloat16: seconds, torch.float32: 0.1}
    with caplog.at_level(logging.WARNING):
        slower = precision.warn_of_emulation(torch.bfloat16, "cpu", "")
    assert slower == pytest.approx(seconds / 0.1)
    assert not caplog.records


@pytest.mark.parametrize(
    "dtype, device",
    [
        (torch.float32, "cpu"),
        (torch.bfloat16, "cuda"),
        (torch.float16, torch.device("cuda:1")),
    ],
)
def test_float32_and_gpus_are_not_measured(times, dtype, device):
    """``times`` is empty: measuring would fail."""
    assert precision.warn_of_emulation(dtype, device, "") is None


def test_what_is_measured_is_a_product_in_that_precision(monkeypatch):
    """Both factors have the type, and the CPU all of its threads."""
    seen = []

    class Timer:
        def __init__(self, statement, globals, num_threads):
            result = eval(statement, {}, globals)
            seen.append((result.dtype, tuple(result.shape), num_threads))

        def blocked_autorange(self, min_run_time):
            return self

        median = 0.25

    monkeypatch.setattr(precision, "Timer", Timer)
    assert precision.product_seconds(torch.bfloat16) == 0.25
    threads = torch.get_num_threads()
    assert seen == [(torch.bfloat16, (256, 1536), threads)]
