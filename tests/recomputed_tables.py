"""The page's tables as they have to look, of recomputed numbers.

Authors
 * The speechbrain_jasco developers, 2026
"""

from decimal import ROUND_HALF_UP, Decimal

import networkx as nx
import numpy as np


def groups(scores, row):
    """System -> its letters: cliques of systems that are not separable."""
    graph = nx.Graph()
    graph.add_nodes_from(scores["systems"])
    graph.add_edges_from(
        pair["systems"]
        for pair in scores["comparisons"]
        if pair["judge"] == row
        and pair["measure"] == "best_mean"
        and not pair["separable"]
    )
    ranked = sorted(
        scores["systems"],
        key=lambda name: -entry(scores, name, row)["best_mean"],
    )
    cliques = sorted(
        sorted(map(ranked.index, clique)) for clique in nx.find_cliques(graph)
    )
    return {
        name: "".join(
            letter
            for letter, clique in zip("abc", cliques, strict=False)
            if ranked.index(name) in clique
        )
        for name in scores["systems"]
    }


def entry(scores, system, row):
    """Numbers of a system by a judge, the panel or the average."""
    result = scores["systems"][system]
    return result["judges"].get(row) or result[row]


def half_up(value, digits=2):
    """Round as the paper's tables do."""
    if value is None or np.isnan(value):
        return "n/a"
    step = Decimal(1).scaleb(-digits)
    rounded = Decimal(str(round(value, 9))).quantize(step, ROUND_HALF_UP)
    return str(rounded + 0)  # no "-0.00"


def span(ends, scale=1, digits=2):
    return " to ".join(half_up(scale * end, digits) for end in ends)


def with_span(value, ends):
    return f"{half_up(value)} ({span(ends)})"


def p_value(p):
    return "< 0.001" if p < 0.001 else half_up(p, 3)


def statistics(again):
    """The tables of the page's section, of recomputed numbers."""
    systems, judges = again["systems"], again["agreement"]
    average = {name: result["average"] for name, result in systems.items()}
    studies = again["variance"]["systems"] | {
        "difference of two": again["variance"]["difference"]
    }
    alpha = judges["alpha"]
    return {
        "Differences between systems": [
            {
                "systems": " - ".join(row["systems"]),
                "measure": row["measure"],
                "difference": with_span(row["difference"], row["ci95"]),
                "p": p_value(row["p"]),
                "p, Holm": p_value(row["p_holm"]),
                "separable": "yes" if row["separable"] else "no",
                "detectable": half_up(row["detectable"]),
            }
            for row in again["comparisons"]
            if row["judge"] == "average"
            and row["measure"] in ("best_mean", "both")
        ],
        "Best of k prompts": [
            {"system": name, "gate": gate}
            | {f"k = {k + 1}": half_up(v) for k, v in enumerate(result[key])}
            for name, result in average.items()
            for gate, key in (("yes", "best_of_k"), ("no", "best_of_k_ungated"))
        ],
        "Single prompts: mean by the average of the judges": [
            {"system": name}
            | {
                str(p["index"] + 1): half_up(p["mean"])
                for p in result["prompts"]
            }
            for name, result in average.items()
        ],
        "Naming the sound first instead of the words": [
            {
                "system": row["system"],
                "outcome": row["outcome"],
                "difference": with_span(row["difference"], row["ci95"]),
                "p": p_value(row["p"]),
                "p, Holm": p_value(row["p_holm"]),
            }
            for row in again["order_effect"]
            if row["judge"] == "average"
        ],
        "Noise of the mean, and what to buy next": [
            {"score of": name}
            | {k: half_up(v, 3) for k, v in study["components"].items()}
            | {"error": half_up(study["error"], 3)}
            | {
                f"2 x {row['facet']}": half_up(row["doubled"], 3)
                for row in study["buy"]
            }
            for name, study in studies.items()
        ],
        "Judges among themselves": [
            {
                "judges": "all",
                "measure": "alpha",
                "rating": with_span(*list(alpha["rating"].values())[:2]),
                "orientation": with_span(
                    *list(alpha["orientation"].values())[:2]
                ),
                "ranks of systems": "",
            },
            *(
                {
                    "judges": " / ".join(pair["judges"]),
                    "measure": "kappa",
                    "rating": with_span(*pair["rating"]["kappa"].values()),
                    "orientation": with_span(
                        *pair["orientation"]["kappa"].values()
                    ),
                    "ranks of systems": half_up(pair["systems_tau"]),
                }
                for pair in judges["pairs"]
            ),
        ],
        "Judges one by one": [
            {
                "judge": name,
                "points per doubling of words": with_span(
                    *bias["all"]["slope"].values()
                ),
                "correlation": half_up(bias["all"]["correlation"]),
                "alpha of repeats": with_span(
                    *list(judges["repeats"][name]["rating"].values())[:2]
                ),
            }
            for name, bias in judges["length_bias"].items()
        ],
    }
