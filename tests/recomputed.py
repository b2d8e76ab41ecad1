"""``scores.json`` once more, from ``verdicts.jsonl`` and the predictions alone.

Nothing of the project is imported: pandas, scipy, scikit-learn and
krippendorff, each number by its definition in docs/metrics.md.

Authors
 * The speechbrain_jasco developers, 2026
"""

import json
from itertools import combinations, product

import numpy as np
import pandas as pd
from recomputed_formulas import (
    SHARES,
    best_of,
    exchanges,
    mean_of,
    of_clips,
    share_of,
    sign_flip,
    two_sided,
    with_holm,
)
from scipy.special import ndtr, ndtri
from scipy.stats import bootstrap
from scipy.stats import t as student

NAMES = ["audio", "speech", "both", "neither"]
TIES = ["neither", "audio", "speech", "both"]
FAILURES = ["transport_error", "unparsed", "no_prediction"]
MEASURES = ["best_mean", "mean", *SHARES]
PLACE = ["system", "judge", "id", "prompt_index"]


def top_of(score):
    """The highest value of a score: a share's is 1."""
    name = score if isinstance(score, str) else score[0]
    return 1 if name in [*SHARES, "both@"] else 2


def vote(group):
    """The majority of verdicts on one answer; ties go to what claims less."""
    ok = group[group["status"] == "ok"]
    if ok.empty:
        status = min(group["status"], key=FAILURES.index)
        return pd.Series({"status": status, "rating": np.nan, "says": None})
    says = min(ok["says"].mode(), key=TIES.index)
    rating = ok["rating"].mode().min()
    return pd.Series({"status": "ok", "rating": float(rating), "says": says})


class Recomputed:
    """Verdicts, and the numbers that follow from them."""

    def __init__(self, folder, paths, n_draws, seed=1234):
        lines = (folder / "verdicts.jsonl").read_text().splitlines()
        said = pd.DataFrame(map(json.loads, lines))
        self.said = said.rename(columns={"orientation": "says"})
        answers = [pd.read_csv(p, dtype=str) for p in paths.values()]
        self.answers = pd.concat(answers, keys=paths, names=["system", None])
        self.answers = self.answers.fillna("").reset_index("system")
        prompts = list(dict.fromkeys(self.answers["prompt"]))
        self.answers["prompt_index"] = self.answers["prompt"].map(prompts.index)
        self.systems, self.prompts = list(paths), range(len(prompts))
        self.ids = list(dict.fromkeys(self.answers["id"]))
        self.judges = list(dict.fromkeys(said["judge"]))
        self.rows = [*self.judges, "panel", "average"]
        self.everything = np.arange(len(self.ids))
        self.n_draws, self.seed = n_draws, seed
        self.exchanged = exchanges(len(self.ids), n_draws, seed)
        self.table = self._table()

    def _table(self):
        """Repeats made one, what is missing filled in, the panel appended."""
        levels = [self.systems, self.judges, self.ids, self.prompts]
        full = pd.MultiIndex.from_product(levels, names=PLACE)
        table = self.said.groupby(PLACE).apply(vote).reindex(full)
        table["status"] = table["status"].fillna("no_prediction")
        panel = table.groupby(["system", "id", "prompt_index"]).apply(vote)
        panel = pd.concat({"panel": panel}, names=["judge"])
        table = pd.concat([table, panel.reorder_levels(PLACE)])
        table["score"] = table["rating"].where(
            (table["says"] == "both") | table["rating"].isna(), 0.0
        )
        return table.sort_index()

    def grid(self, system, judge, column):
        """Clips by prompts."""
        grid = self.table.loc[(system, judge), column].unstack()
        return grid.loc[self.ids].to_numpy()

    def estimate(self, statistic, low=None, top=None):
        """A value with scipy's BCa interval, its quantile expanded.

        ``low`` and ``top``: what it can be at most, where all clips are alike.
        """
        n = len(self.everything)
        value = statistic(self.everything)
        quantile = np.sqrt(n / (n - 1)) * student.ppf(0.975, n - 1)
        found = bootstrap(
            (self.everything,),
            # Sums in another order differ in their last bits.
            lambda picked: np.round(statistic(picked), 9),
            n_resamples=self.n_draws,
            confidence_level=2 * ndtr(quantile) - 1,
            rng=np.random.default_rng(self.seed),
            vectorized=False,
        )
        ends = list(found.confidence_interval)
        flat = np.ptp(found.bootstrap_distribution) == 0
        if flat and top is None:
            ends = [value, value]
        elif flat:  # the rule of three
            alone = [statistic([i]) for i in self.everything]
            rest = 1 - 0.05 ** (1 / (~np.isnan(alone)).sum())
            ends = [value + rest * (limit - value) for limit in (low, top)]
        return {"value": value, "ci95": ends}

    def statistics(self, system, judge):
        """Score -> function of the positions of clips."""
        if judge == "average":
            each = [self.statistics(system, j) for j in self.judges]
            return {
                name: lambda picked, name=name: np.mean(
                    [one[name](picked) for one in each]
                )
                for name in each[0]
            }
        found = {}
        for suffix, column in (("", "score"), ("_ungated", "rating")):
            values = self.grid(system, judge, column)
            for k in (i + 1 for i in self.prompts):
                found[f"best_of_k{suffix}", k - 1] = mean_of(
                    of_clips(best_of(k), values)
                )
            found["best_mean" + suffix] = mean_of(of_clips(max, values))
            found["mean" + suffix] = mean_of(of_clips(np.mean, values))
        says = self.grid(system, judge, "says")
        scores = self.grid(system, judge, "score")
        for name in SHARES:
            found[name] = share_of(says, name)
        for p in self.prompts:
            found["mean@", p] = mean_of(scores[:, p])
            found["both@", p] = share_of(says[:, [p]], "both")
        return found

    def entry(self, system, judge):
        """What ``scores.json`` has of a system by a judge."""
        found = {
            name: self.estimate(statistic, 0, top_of(name))
            for name, statistic in self.statistics(system, judge).items()
        }
        value = {name: one["value"] for name, one in found.items()}
        ends = {name: one["ci95"] for name, one in found.items()}
        plain = [name for name in found if isinstance(name, str)]
        curves = ["best_of_k", "best_of_k_ungated"]
        entry = {name: value[name] for name in plain if name not in SHARES}
        entry["dependence"] = {name: value[name] for name in SHARES}
        entry["ci95"] = {name: ends[name] for name in plain}
        for curve in curves:
            entry[curve] = [value[curve, k] for k in self.prompts]
            entry["ci95"][curve] = [ends[curve, k] for k in self.prompts]
        entry["prompts"] = [
            {
                "index": p,
                "mean": value["mean@", p],
                "both": value["both@", p],
                "ci95": {n: ends[f"{n}@", p] for n in ("mean", "both")},
            }
            for p in self.prompts
        ]
        if judge != "average":
            entry |= self.missing(self.table.loc[(system, judge)])
        return entry | self.expected(system, judge)

    def expected(self, system, judge):
        """Mean of expected ratings, of a judge by label probabilities."""
        mine = self.said.query("system == @system and judge == @judge")
        if (
            "expected_rating" not in mine
            or mine["expected_rating"].isna().all()
        ):
            return {}
        ok = mine[mine["status"] == "ok"]
        return {
            "mean_expected": ok.groupby("id")["expected_rating"].mean().mean()
        }

    def missing(self, table):
        """Counts, coverage and bounds."""
        failed = table["status"] != "ok"
        outcome = table["says"].where(~failed, table["status"])
        outcome = outcome.replace("no_prediction", "missing")
        names = [*NAMES, "unparsed", "transport_error", "missing"]
        counts = {name: int((outcome == name).sum()) for name in names}
        low, high = (
            table["score"].fillna(fill).unstack() for fill in (0.0, 2.0)
        )
        total = sum(counts[name] for name in SHARES) + failed.sum()
        return {
            "counts": counts,
            "coverage": (~failed).mean(),
            "bounds": {
                "best_mean": [x.max(axis=1).mean() for x in (low, high)],
                "mean": [x.mean(axis=1).mean() for x in (low, high)],
                **{
                    name: [
                        counts[name] / total,
                        (counts[name] + failed.sum()) / total,
                    ]
                    for name in SHARES
                },
            },
        }

    def comparisons(self):
        """Every pair of systems, by every judge and score."""
        of = {
            (system, judge): self.statistics(system, judge)
            for system in self.systems
            for judge in self.rows
        }
        pairs = list(combinations(self.systems, 2))
        rows = []
        for measure, judge in product(MEASURES, self.rows):
            family = []
            for a, b in pairs:
                ours, theirs = of[a, judge][measure], of[b, judge][measure]

                def difference(picked, ours=ours, theirs=theirs):
                    return ours(picked) - theirs(picked)

                top = top_of(measure)
                found = self.estimate(difference, -top, top)
                family.append(
                    {
                        "systems": [a, b],
                        "judge": judge,
                        "measure": measure,
                        "difference": found["value"],
                        "ci95": found["ci95"],
                        "p": self.exchange(a, b, judge, measure),
                        "detectable": (ndtri(0.975) + ndtri(0.8))
                        * self.error(difference),
                    }
                )
            rows += with_holm(family)
        return rows

    def exchange(self, a, b, judge, measure):
        """P of a permutation test: a clip's verdicts are exchanged or not."""
        judges = self.judges if judge == "average" else [judge]
        difference = np.zeros(len(self.exchanged))
        for j in judges:
            first, second = (self.clip_parts(s, j, measure) for s in (a, b))
            for sign, (own, other) in zip(
                (1, -1), ((first, second), (second, first)), strict=True
            ):
                top, bottom = (
                    np.where(self.exchanged, there, here).sum(axis=1)
                    for here, there in zip(own, other, strict=True)
                )
                difference += sign * top / bottom / len(judges)
        return two_sided(difference)

    def clip_parts(self, system, judge, measure):
        """Numerators and denominators by clip."""
        if measure in SHARES:
            says = self.grid(system, judge, "says")
            return (says == measure).sum(axis=1), np.isin(says, SHARES).sum(1)
        scores = self.grid(system, judge, "score")
        values = of_clips({"best_mean": max, "mean": np.mean}[measure], scores)
        return np.nan_to_num(values), ~np.isnan(values)

    def error(self, statistic):
        """Standard error by leaving out one clip at a time."""
        left = [
            statistic(np.delete(self.everything, i)) for i in self.everything
        ]
        return np.sqrt((len(left) - 1) * np.var(left))

    def order_effect(self, pairs):
        """Audio first minus speech first, by system, judge and outcome."""
        rows = []
        for system, judge in product(self.systems if pairs else [], self.rows):
            family = []
            for outcome in ["score", "rating", *NAMES]:
                judges = self.judges if judge == "average" else [judge]
                gaps = [self.gaps(system, j, outcome, pairs) for j in judges]

                def statistic(picked, gaps=gaps):
                    return np.mean([np.nanmean(gap[picked]) for gap in gaps])

                top = 1 if outcome in NAMES else 2
                found = self.estimate(statistic, -top, top)
                family.append(
                    {
                        "system": system,
                        "judge": judge,
                        "outcome": outcome,
                        "difference": found["value"],
                        "ci95": found["ci95"],
                        "p": sign_flip(gaps, self.exchanged),
                        "n_pairs": len(pairs),
                    }
                )
            rows += with_holm(family)
        return rows

    def gaps(self, system, judge, outcome, pairs):
        """Differences [clips, pairs]."""
        values = self.grid(
            system, judge, outcome if outcome in self.table else "says"
        )
        if outcome in NAMES:
            failed = self.grid(system, judge, "status") != "ok"
            values = np.where(failed, np.nan, values == outcome)
        return np.stack(
            [values[:, a] - values[:, s] for a, s in pairs], axis=1
        ).astype(float)
