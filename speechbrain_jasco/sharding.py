"""Several processes share one journal, under torchrun.

    rank 0   answers.jsonl  <-- what the others wrote, at the start (after a
    rank 1   answers.1.jsonl    kill) and at the end
    rank 2   answers.2.jsonl

Every process starts with the rows that are done, whoever did them, so a run
can go on with another number of processes. One process is rank 0 of 1.

Authors
 * The speechbrain_jasco developers, 2026
"""

from contextlib import contextmanager, nullcontext
from pathlib import Path

import torch
from speechbrain.utils.distributed import (
    ddp_barrier,
    ddp_broadcast,
    if_main_process,
    is_distributed_initialized,
)

from speechbrain_jasco.journal import Journal


def rank_and_size():
    """Which of how many processes this is.

    Returns
    -------
    rank : int
        From 0.
    size : int
        Number of processes.

    Example
    -------
    >>> rank_and_size()
    (0, 1)
    """
    if not is_distributed_initialized():
        return 0, 1
    return torch.distributed.get_rank(), torch.distributed.get_world_size()


@contextmanager
def shared_journal(path):
    """Open a journal that several processes write.

    All processes must get here. When rank 0 leaves, its journal has the rows
    of all; the others have theirs.

    Arguments
    ---------
    path : str or Path
        The ``.jsonl`` file.

    Yields
    ------
    Journal
        This process's own, with all rows that were done before.

    Example
    -------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with Journal(folder + "/rows.1.jsonl") as shard:  # of a killed run
    ...         shard.append({"key": "k"})
    ...     with shared_journal(folder + "/rows.jsonl") as journal:
    ...         print(list(journal.rows), len(list(Path(folder).glob("*.1.*"))))
    ['k'] 0
    """
    path = Path(path)
    is_main = if_main_process()
    with Journal(path) if is_main else nullcontext() as whole:
        if is_main:
            collect(whole)
        rows = ddp_broadcast(whole.rows if is_main else None)
        if is_main:
            yield whole
        else:
            rank, _ = rank_and_size()
            with Journal(path.with_suffix(f".{rank}{path.suffix}")) as own:
                own.rows.update(rows)
                yield own
        ddp_barrier()
        if is_main:
            collect(whole)


def collect(journal):
    """Move the rows of the other processes into a journal.

    A kill in between repeats rows, which changes nothing.

    Arguments
    ---------
    journal : Journal
        Rank 0's.
    """
    path = journal.path
    for shard in sorted(path.parent.glob(f"{path.stem}.*{path.suffix}")):
        if not shard.stem[len(path.stem) + 1 :].isdigit():
            continue  # somebody's copy
        with Journal(shard) as other:
            for row in other.rows.values():
                journal.append(row)
        shard.unlink()
        Path(f"{shard}.lock").unlink(missing_ok=True)
