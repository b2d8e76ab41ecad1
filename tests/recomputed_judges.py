"""What judges and prompts add, from ``verdicts.jsonl``: see recomputed.py.

Authors
 * The speechbrain_jasco developers, 2026
"""

from itertools import combinations

import krippendorff
import numpy as np
import pandas as pd
from recomputed import NAMES, PLACE, Recomputed
from recomputed_formulas import FACETS, components, purchase
from scipy.stats import kendalltau
from sklearn.metrics import cohen_kappa_score, confusion_matrix


class RecomputedJudges(Recomputed):
    """Variance, agreement and length bias."""

    def variance(self):
        """Components of every system and of the difference of two."""
        shares = self.said.groupby("judge")["repeat"].nunique()
        repeats = range(shares.min())
        said = self.said[self.said["status"] == "ok"]
        score = said["rating"].where(said["says"] == "both", 0.0)
        names = ["system", "id", "prompt_index", "judge", "repeat"]
        score = score.set_axis(pd.MultiIndex.from_frame(said[names]))
        levels = [self.systems, self.ids, self.prompts, self.judges, repeats]
        score = score.reindex(pd.MultiIndex.from_product(levels))
        values = score.to_numpy(float).reshape([len(level) for level in levels])
        whole = values[:, ~np.isnan(values).any(axis=(0, 2, 3, 4))]
        differences = [a - b for a, b in combinations(whole, 2)]
        return {
            "systems": {
                name: self.study([mine[~np.isnan(mine).any(axis=(1, 2, 3))]])
                for name, mine in zip(self.systems, values, strict=True)
            },
            "difference": self.study(differences),
        }

    def study(self, tables):
        """Components of complete tables, averaged, and what to buy."""
        if not tables or len(tables[0]) < 2:
            return None
        sizes = [len(self.ids), *tables[0].shape[1:]]
        shape = dict(zip(FACETS, sizes, strict=True))
        mean = pd.DataFrame(map(components, tables)).mean().to_dict()
        return purchase(mean, shape, len(tables[0]))

    def coded(self, judges, table=None):
        """[judges, clips, answers] of all systems: ratings, orientations."""
        table = self.table if table is None else table
        codes = table["says"].map(NAMES.index, na_action="ignore")
        for column in (table["rating"], codes):
            yield np.stack(
                [
                    np.hstack(
                        [
                            column[s, j].unstack().loc[self.ids].to_numpy(float)
                            for s in self.systems
                        ]
                    )
                    for j in judges
                ]
            )

    def agreement(self, entries):
        """Alpha, kappa, ranks and length bias."""
        fields = ["rating", "orientation"]
        coded = dict(zip(fields, self.coded(self.judges), strict=True))
        pairs = []
        for i, j in combinations(range(len(self.judges)), 2):
            best = [
                [entries[s, self.judges[m]]["best_mean"] for s in self.systems]
                for m in (i, j)
            ]
            pairs.append(
                {
                    "judges": [self.judges[i], self.judges[j]],
                    "systems_tau": kendalltau(*best).statistic
                    if len(self.systems) > 2
                    else np.nan,
                    **{
                        name: self.pair(values[i], values[j], name)
                        for name, values in coded.items()
                    },
                }
            )
        again = {
            judge: {
                name: self.alpha(values, name)
                for name, values in zip(
                    fields, self.coded(*self.repeats_of(judge)), strict=True
                )
            }
            for judge, part in self.said.groupby("judge")
            if part["repeat"].nunique() > 1
        }
        several = len(self.judges) > 1
        return {
            "alpha": {n: self.alpha(values, n) for n, values in coded.items()}
            if several
            else None,
            "pairs": pairs,
            "repeats": again,
            "length_bias": {j: self.length_bias(j) for j in self.judges},
        }

    def repeats_of(self, judge):
        """A judge's repeats as if they were judges."""
        mine = self.said[self.said["judge"] == judge]
        table = mine.assign(judge=mine["repeat"]).set_index(PLACE)
        levels = [self.systems, table.index.unique("judge"), self.ids]
        full = pd.MultiIndex.from_product([*levels, self.prompts], names=PLACE)
        table.loc[table["status"] != "ok", ["rating", "says"]] = np.nan
        return list(levels[1]), table.reindex(full)

    def alpha(self, values, name):
        """Krippendorff's alpha with its interval, by the package."""
        level = {"rating": "ordinal", "orientation": "nominal"}[name]

        def statistic(picked):
            data = values[:, picked].reshape(len(values), -1)
            return krippendorff.alpha(data, level_of_measurement=level)

        n = int(((~np.isnan(values)).sum(axis=0) > 1).sum())
        return {**self.estimate(statistic), "n": n}

    def pair(self, first, second, name):
        """Two judges, by scikit-learn."""
        weights = {"rating": "quadratic", "orientation": None}[name]
        levels = {"rating": [0.0, 1.0, 2.0], "orientation": NAMES}[name]
        labels = range(len(levels))

        def both(picked):
            a, b = first[picked].ravel(), second[picked].ravel()
            there = ~np.isnan(a + b)
            return a[there].astype(int), b[there].astype(int)

        everything = both(self.everything)
        return {
            "kappa": self.estimate(
                lambda picked: cohen_kappa_score(
                    *both(picked), labels=labels, weights=weights
                )
            ),
            "same": self.estimate(
                lambda picked: np.equal(*both(picked)).mean()
            ),
            "confusion": confusion_matrix(*everything, labels=labels).tolist(),
            "levels": levels,
            "n": len(everything[0]),
        }

    def length_bias(self, judge):
        """Slope of the rating on the length, prompts' and clips' means out."""
        words = self.answers["allm_output"].str.split().str.len()
        places = ["system", "id", "prompt_index"]
        long = self.answers.assign(x=np.log2(1 + words)).set_index(places)["x"]
        frame = self.table.xs(judge, level="judge")[["rating"]].join(long)
        frame = frame.dropna().rename(columns={"rating": "y"})
        for by in (["system", "prompt_index"], ["system", "id"]):
            frame -= frame.groupby(by).transform("mean")

        def bias(part):
            products = part.assign(xy=part["x"] * part["y"], xx=part["x"] ** 2)
            sums = products.groupby("id")[["xy", "xx"]].sum()
            xy, xx = sums.reindex(self.ids, fill_value=0).to_numpy().T
            return {
                "slope": self.estimate(
                    lambda picked: xy[picked].sum() / xx[picked].sum()
                ),
                "correlation": part["x"].corr(part["y"]),
                "n": len(part),
            }

        return {
            "all": bias(frame),
            "systems": {s: bias(frame.xs(s)) for s in self.systems},
        }
