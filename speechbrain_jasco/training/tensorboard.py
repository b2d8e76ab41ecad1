"""SpeechBrain's TensorBoard logger, for runs that are resumed.

Authors
 * The speechbrain_jasco developers, 2026
"""

from speechbrain.utils.distributed import main_process_only
from speechbrain.utils.train_logger import TensorboardLogger


class EpochLogger(TensorboardLogger):
    """Logs every epoch at its own number.

    SpeechBrain's counts its calls, so that a resumed run would begin at 1
    again, and fails at a text, such as the name of a stage; texts are left
    out here. The measures of a test carry the name of its split.

    Arguments
    ---------
    save_dir : str
        Where TensorBoard's files go.

    Raises
    ------
    ImportError
        If TensorBoard is not installed.

    Example
    -------
    >>> from speechbrain.utils.train_logger import TrainLogger
    >>> issubclass(EpochLogger, TrainLogger)
    True
    """

    @main_process_only
    def log_stats(
        self,
        stats_meta,
        train_stats=None,
        valid_stats=None,
        test_stats=None,
        verbose=False,
    ):
        """Logs the measures of an epoch, or of a test.

        Arguments
        ---------
        stats_meta : dict
            With "epoch", or with "test", the name of a split.
        train_stats, valid_stats, test_stats : dict, optional
            Measure -> number.
        verbose : bool
            Part of the interface; not used.
        """
        test = stats_meta.get("test", "test")
        tables = {"train": train_stats, "valid": valid_stats, test: test_stats}
        numbers = {
            f"{measure}/{split}": value
            for split, stats in {"meta": stats_meta, **tables}.items()
            for measure, value in (stats or {}).items()
            if not isinstance(value, str)
        }
        for tag, value in numbers.items():
            self.writer.add_scalar(tag, value, stats_meta.get("epoch", 0))
        self.writer.flush()
