"""Best-Mean and modality dependence while training goes on.

    clips x instructions --> answers --> judge --> Best-Mean, shares

A few clips and one judge: enough to see whether a model gets better, not to
compare it with others. That is what ``infer.py`` and ``evaluate.py`` are for.

Authors
 * The speechbrain_jasco developers, 2026
"""

import pandas as pd

from speechbrain_jasco.judging.item import JudgeItem
from speechbrain_jasco.metrics.scores import best_mean, dependence

# What a judge knows of a clip, in the order of JudgeItem.
GOLD = ("audio_sound", "spoken_text", "audio_only_target")
GOLD += ("speech_only_target", "target_keywords", "tgt_text")


class JudgedAnswers:
    """Has a judge score answers to the instructions.

    Arguments
    ---------
    judge : object
        As in ``hparams/judge.yaml``.
    instructions : list of dict
        Each with its ``text``.
    limit : int
        Clips at most; of each triple one.

    Example
    -------
    >>> rows = [{"id": i, "triple_id": t} for i, t in zip("abc", "xxy")]
    >>> [row["id"] for row in JudgedAnswers(None, [], 2).chosen(rows)]
    ['a', 'c']
    """

    def __init__(self, judge, instructions, limit=12):
        self.judge = judge
        self.instructions = [entry["text"] for entry in instructions]
        self.limit = limit

    def chosen(self, rows):
        """The clips that are asked about.

        Arguments
        ---------
        rows : list of dict
            Of the manifest.

        Returns
        -------
        list of dict
        """
        first = {}
        for row in rows:
            if row["triple_id"]:
                first.setdefault(row["triple_id"], row)
        return list(first.values())[: self.limit]

    def scores(self, rows, answers):
        """Scores answers.

        Arguments
        ---------
        rows : list of dict
            From ``chosen``.
        answers : list of list of str
            Of each clip, one per instruction.

        Returns
        -------
        dict
            "best_mean", and "audio_share", "both_share", "speech_share".
        """
        items = [
            JudgeItem("", row["id"], n, text, *(row[c] for c in GOLD), said)
            for row, own in zip(rows, answers, strict=True)
            for n, (text, said) in enumerate(
                zip(self.instructions, own, strict=True)
            )
        ]
        verdicts = [None] * len(items)
        self.judge.judge(items, verdicts.__setitem__)
        frame = pd.DataFrame(verdicts).assign(id=[item.id for item in items])
        shares = dependence(frame)
        return {
            "best_mean": best_mean(frame),
            **{f"{name}_share": share for name, share in shares.items()},
        }
