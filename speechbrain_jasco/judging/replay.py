"""Judge replies that exist already: read from a column, no model needed.

The authors' script writes its judge's replies into a copy of the predictions
(column ``llama3_extract``); any file of that form can be scored again.

Authors
 * The speechbrain_jasco developers, 2026
"""

from speechbrain_jasco.journal import content_key
from speechbrain_jasco.judging.mode_diff import robust_verdict
from speechbrain_jasco.judging.paper_judge import read_reply
from speechbrain_jasco.systems import read_systems

MODES = ("paper", "robust")


class ReplayJudge:
    """Looks replies up instead of asking.

    Arguments
    ---------
    name : str
        Column name of this judge in every result.
    predictions : str or dict
        The files with the replies: a CSV file, or system name -> CSV file.
    reply_column : str
        Holds the judge's replies.
    reformat_column : str, optional
        Holds its replies to the script's second question, where one was
        asked. What is not there counts as "?" in mode paper.
    mode : str
        ``paper``: read as the authors' script does; ``robust``: read by
        ``verdict.parse_verdict``.

    Raises
    ------
    ValueError
        If the mode is unknown.

    Example
    -------
    >>> ReplayJudge("llama", "judged.csv", mode="robust").mode
    'robust'
    """

    official = True  # see PaperJudge

    def __init__(
        self,
        name,
        predictions,
        reply_column="llama3_extract",
        reformat_column=None,
        mode="paper",
    ):
        if mode not in MODES:
            raise ValueError(
                f"mode {mode!r}; expected one of {', '.join(MODES)}."
            )
        self.name = name
        self.predictions = predictions
        self.columns = [reply_column, reformat_column]
        self.mode = mode
        self._replies = None

    def config(self):
        """Everything a verdict depends on, JSON-able (dict)."""
        replies = sorted(self.replies().items())
        return {
            "judge": type(self).__name__,
            "mode": self.mode,
            "replies_sha256": content_key(replies),
        }

    def check(self):
        """Fail now rather than later if the columns are not there."""
        self.replies()

    def unload(self):
        """Nothing to free."""

    def replies(self):
        """Read the files, once.

        Returns
        -------
        dict
            (system, clip id, prompt index) -> reply, reformatted reply or
            None.

        Raises
        ------
        ValueError
            If a file lacks a column.
        """
        if self._replies is None:
            self._replies = {}
            for system, table in read_systems(self.predictions).items():
                self._replies |= self._read(system, table)
        return self._replies

    def _read(self, system, table):
        """Read the replies of one system (dict)."""
        wanted = [column for column in self.columns if column is not None]
        lacking = [column for column in wanted if column not in table]
        if lacking:
            raise ValueError(
                f"{system}: the file has no column {lacking}, only "
                f"{list(table.columns)}. Give --reply_column (and "
                "--reformat_column) the name of one that holds replies."
            )
        reply, reformat = self.columns
        seconds = [None] * len(table)
        if reformat is not None:
            seconds = [text or None for text in table[reformat]]
        places = zip(table["id"], table["prompt_index"], strict=True)
        texts = zip(table[reply], seconds, strict=True)
        return {
            (system, *place): both
            for place, both in zip(places, texts, strict=True)
        }

    def judge(self, items, on_verdict):
        """Look verdicts up.

        Arguments
        ---------
        items : list of JudgeItem
            What to judge.
        on_verdict : callable
            ``on_verdict(index, verdict)``, in order.

        Raises
        ------
        ValueError
            If there is no reply to an item.
        """
        replies = self.replies()
        for index, item in enumerate(items):
            place = (item.system, item.id, item.prompt_index)
            if place not in replies:
                raise ValueError(
                    f"{self.name}: no reply for {place}. Give this judge the "
                    "files that are evaluated."
                )
            on_verdict(index, self._verdict(item, *replies[place]))

    def _verdict(self, item, reply, reformat):
        """Read one reply in the judge's mode (Verdict)."""
        if self.mode == "paper":
            return read_reply(reply, reformat)
        return robust_verdict(item.prediction, reply)._replace(
            reformat=reformat
        )
