"""Is a type one that this CPU can compute in?

A CPU without instructions for bfloat16 (AVX512-BF16, AMX, those of Arm)
emulates them: the same training takes many times as long, and nothing says
why. So it is measured, which needs no list of CPUs.

Authors
 * The speechbrain_jasco developers, 2026
"""

import torch
from speechbrain.utils.logger import get_logger
from torch.utils.benchmark import Timer

logger = get_logger(__name__)

TOLERATED = 1.5  # times as long as in float32


def product_seconds(dtype):
    """Time of a matrix product on the CPU, of the size of a layer's.

    Arguments
    ---------
    dtype : torch.dtype
        Of both factors.

    Returns
    -------
    float
        Seconds, a median.

    Example
    -------
    >>> product_seconds(torch.float32) > 0
    True
    """
    factors = {
        "frames": torch.ones(256, 576, dtype=dtype),
        "weight": torch.ones(576, 1536, dtype=dtype),
    }
    timer = Timer(
        "frames @ weight",
        globals=factors,
        num_threads=torch.get_num_threads(),
    )
    return timer.blocked_autorange(min_run_time=0.05).median


def warn_of_emulation(dtype, device, remedy):
    """Warns of a type that this CPU computes more slowly than float32.

    Arguments
    ---------
    dtype : torch.dtype
        What is computed in.
    device : str or torch.device
        Where; of a GPU nothing is said.
    remedy : str
        What to do about it, a sentence for the user.

    Returns
    -------
    float or None
        How many times as long a matrix product takes as in float32, where
        that was measured.

    Example
    -------
    >>> warn_of_emulation(torch.float32, "cpu", "Nothing.")
    """
    if torch.device(device).type != "cpu" or dtype == torch.float32:
        return None
    slower = product_seconds(dtype) / product_seconds(torch.float32)
    if slower > TOLERATED:
        logger.warning(
            "This CPU emulates %s: a matrix product takes %.1f times as long "
            "as in float32. %s",
            str(dtype).removeprefix("torch."),
            slower,
            remedy,
        )
    return slower
