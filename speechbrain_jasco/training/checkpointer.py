"""Checkpoints that are whole or not there.

SpeechBrain writes the description of a checkpoint first and its files one
after another; a process that is killed in between leaves one that is chosen
at the next start and cannot be read.

Authors
 * The speechbrain_jasco developers, 2026
"""

from speechbrain.utils.checkpoints import Checkpointer
from speechbrain.utils.distributed import ddp_barrier

WHOLE = "whole"  # written last


class WholeCheckpointer(Checkpointer):
    """A ``Checkpointer`` that looks at finished checkpoints only.

    Example
    -------
    >>> import tempfile
    >>> from pathlib import Path
    >>> folder = tempfile.TemporaryDirectory()
    >>> checkpointer = WholeCheckpointer(folder.name)
    >>> checkpoint = checkpointer.save_checkpoint()
    >>> len(checkpointer.list_checkpoints())
    1
    >>> Path(checkpoint.path, WHOLE).unlink()  # as after a kill
    >>> len(checkpointer.list_checkpoints())
    0
    """

    def save_checkpoint(self, *args, **kwargs):
        """Saves a checkpoint and marks it as whole.

        Arguments
        ---------
        *args, **kwargs
            Of ``Checkpointer.save_checkpoint``.

        Returns
        -------
        Checkpoint
            None in all processes but the first.
        """
        checkpoint = super().save_checkpoint(*args, **kwargs)
        if checkpoint is not None:
            (checkpoint.path / WHOLE).touch()
        # All processes see the same checkpoints from here on: who deletes
        # fewer than the others would wait for them for ever.
        ddp_barrier()
        return checkpoint

    def _list_checkpoint_dirs(self):
        """The folders of finished checkpoints."""
        folders = super()._list_checkpoint_dirs()
        return [folder for folder in folders if (folder / WHOLE).exists()]
